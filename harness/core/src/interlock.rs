//! The interlocks: safety conditions that a run must meet before it begins.

use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use cutover_reports::policy::Policy;
use cutover_reports::record::{Effect, Profile};
use sha2::{Digest as _, Sha256};

use crate::environment::is_this_machine;
use crate::identification::Reported;
use crate::target_file::{Class, Target};

/// A safety condition that is not met. The run does not begin.
#[derive(Debug, thiserror::Error)]
pub enum Interlock {
    /// The profile has effects that the target's class does not allow.
    #[error(
        "refused: profile '{profile}' has effects up to '{requested}'; class {class} of target '{target}' allows effects up to \
         '{maximum}'; use `cutover smoke`"
    )]
    Profile {
        /// The profile.
        profile: Profile,
        /// The target.
        target: String,
        /// Its class.
        class: Class,
        /// The largest effect of the profile.
        requested: Effect,
        /// The largest effect that the class allows.
        maximum: Effect,
    },
    /// The policy does not allow the profile in production.
    #[error(
        "refused: the policy does not allow profile '{profile}' in production, the class of target '{target}'; use \
         `cutover smoke`, or set production = true in [profile.{profile}] of the policy"
    )]
    NotForProduction {
        /// The profile.
        profile: Profile,
        /// The target.
        target: String,
    },
    /// A host that is not listed for its class.
    #[error(
        "refused: host '{host}' of target '{target}' is not listed in [safety] hosts, so it counts as production; if it is \
         {class}, add it there"
    )]
    Host {
        /// The host.
        host: String,
        /// The target.
        target: String,
        /// Its class.
        class: Class,
    },
    /// The system reports another class.
    #[error(
        "refused: target '{target}' has class {class}, and {source_name} reports {reported}; correct `class`, deploy a build \
         that reports its environment, or add [identification] to the target file: another source, or the words that the \
         target uses for {class}"
    )]
    Identity {
        /// The target.
        target: String,
        /// Its class.
        class: Class,
        /// What reports it.
        source_name: String,
        /// What the system reports.
        reported: String,
    },
    /// The system runs another commit.
    #[error("refused: target '{target}' runs commit {reported}, but {expected} is expected")]
    Commit {
        /// The target.
        target: String,
        /// What the system reports.
        reported: String,
        /// The commit that was expected.
        expected: String,
    },
    /// Another run uses the target.
    #[error("refused: another run uses target '{target}'; wait until it ends")]
    Busy {
        /// The target.
        target: String,
    },
    /// The lock file cannot be used.
    #[error("refused: lock target '{target}' with '{}'", path.display())]
    NotLocked {
        /// The target.
        target: String,
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Refuses a profile whose effects exceed those that the target's class allows, before any request.
pub fn check_profile(target: &Target, policy: &Policy, profile: Profile) -> Result<(), Interlock> {
    let (requested, maximum) = (policy.max_effect(profile), target.max_effect());
    if target.class != Class::Production {
        return Ok(());
    }
    if requested <= maximum {
        if policy.allowed_in_production(profile) {
            return Ok(());
        }
        return Err(Interlock::NotForProduction {
            profile,
            target: target.name.clone(),
        });
    }
    Err(Interlock::Profile {
        profile,
        target: target.name.clone(),
        class: target.class,
        requested,
        maximum,
    })
}

/// Refuses a class that cannot be verified: the hosts and the environment that the system reports
/// must agree with it. Anything unknown counts as production.
pub fn verify_class(
    target: &Target,
    reported: Option<&Reported>,
    expected_commit: Option<&str>,
) -> Result<(), Interlock> {
    let name = || target.name.clone();
    if let Some(expected) = expected_commit {
        let reported = reported.and_then(|reported| reported.commit.as_deref());
        // Either commit may be abbreviated.
        let same = reported.is_some_and(|commit| {
            !commit.is_empty() && (commit.starts_with(expected) || expected.starts_with(commit))
        });
        if !same {
            return Err(Interlock::Commit {
                target: name(),
                reported: reported.unwrap_or("none").to_owned(),
                expected: expected.to_owned(),
            });
        }
    }
    let Some(attachment) = target.attachment() else {
        return Ok(());
    };
    let class = target.class;
    if class == Class::Production {
        return Ok(());
    }
    let is_known =
        |host: &str| is_this_machine(host) || target.safety.hosts.iter().any(|known| known == host);
    if let Some(host) = attachment.hosts().find(|host| !is_known(host)) {
        return Err(Interlock::Host {
            host: host.to_owned(),
            target: name(),
            class,
        });
    }
    // With nothing but the word of the target file, the effects are limited instead.
    if target.identification.is_unproved() {
        return Ok(());
    }
    let environment = reported.and_then(|reported| reported.environment.as_deref());
    let words = &target.identification.words;
    if environment.and_then(|name| words.class_of(name)) == Some(class) {
        return Ok(());
    }
    Err(Interlock::Identity {
        target: name(),
        class,
        source_name: reported.map_or_else(
            || "its version route".to_owned(),
            |reported| reported.source.clone(),
        ),
        reported: environment.map_or_else(
            || "no environment".to_owned(),
            |environment| format!("'{environment}'"),
        ),
    })
}

/// An exclusive lock on a target, held until it is dropped.
#[derive(Debug)]
pub struct TargetLock {
    path: PathBuf,
    // Unlocked after the file is removed, so that a waiting run notices that its file is stale.
    _lock: File,
}

impl Drop for TargetLock {
    fn drop(&mut self) {
        // A remaining file without a lock blocks no run.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl TargetLock {
    /// Locks a target against other runs on this machine. The end of a process unlocks it.
    pub fn acquire(target: &Target) -> Result<Option<Self>, Interlock> {
        let Some(attachment) = target.attachment() else {
            return Ok(None);
        };
        let name = hex::encode(Sha256::digest(attachment.api.url.as_str()));
        let path = std::env::temp_dir().join(format!("cutover.{}.lock", &name[..16]));
        let not_locked = |source| Interlock::NotLocked {
            target: target.name.clone(),
            path: path.clone(),
            source,
        };
        loop {
            let lock = File::create(&path).map_err(not_locked)?;
            match lock.try_lock() {
                // The previous holder may have removed the file after this run opened it.
                Ok(()) if !is_at(&lock, &path) => {}
                Ok(()) => return Ok(Some(Self { path, _lock: lock })),
                Err(TryLockError::WouldBlock) => {
                    return Err(Interlock::Busy {
                        target: target.name.clone(),
                    });
                }
                Err(TryLockError::Error(source)) => return Err(not_locked(source)),
            }
        }
    }
}

/// Whether an open file is the one at a path.
fn is_at(file: &File, path: &Path) -> bool {
    let id = |metadata: Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), path.metadata()) {
        (Ok(open), Ok(there)) => id(open) == id(there),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports(environment: Option<&str>, commit: Option<&str>) -> Reported {
        Reported {
            environment: environment.map(str::to_owned),
            commit: commit.map(str::to_owned),
            ..Reported::default()
        }
    }

    fn target(class: &str, url: &str, hosts: &str) -> Target {
        let text = format!(
            "schema = 1\nname = \"t\"\nclass = \"{class}\"\n[api]\nurl = \"{url}\"\n[identity]\n\
             tokens = [{{ env = \"A\" }}, {{ env = \"B\" }}]\n[safety]\nhosts = [{hosts}]\n"
        );
        Target::parse(&text, "t.toml").unwrap()
    }

    #[test]
    fn a_class_is_verified_by_hosts_and_by_the_reported_environment() {
        let local = reports(Some("local"), None);
        let staging = reports(Some("staging"), Some("abcdef0"));
        let here = target("local", "http://127.0.0.1:1", "");
        assert!(verify_class(&here, Some(&local), None).is_ok());
        for reported in [
            None,
            Some(&reports(None, None)),
            Some(&reports(Some("production"), None)),
        ] {
            let refused = verify_class(&here, reported, None).unwrap_err();
            assert!(matches!(refused, Interlock::Identity { .. }), "{refused}");
        }
        let elsewhere = target("staging", "https://s.example.org", "");
        let refused = verify_class(&elsewhere, Some(&staging), None).unwrap_err();
        assert!(matches!(refused, Interlock::Host { .. }), "{refused}");
        let listed = target("staging", "https://s.example.org", "\"s.example.org\"");
        assert!(verify_class(&listed, Some(&staging), Some("abcdef0123")).is_ok());
        let refused = verify_class(&listed, Some(&staging), Some("abd")).unwrap_err();
        assert!(matches!(refused, Interlock::Commit { .. }), "{refused}");
    }

    #[test]
    fn one_run_at_a_time_locks_a_target_and_the_lock_file_is_removed() {
        let target = target("local", "http://127.0.0.1:9/locked-by-a-test", "");
        let lock = TargetLock::acquire(&target).unwrap().unwrap();
        let path = lock.path.clone();
        let refused = TargetLock::acquire(&target).unwrap_err();
        assert!(matches!(refused, Interlock::Busy { .. }), "{refused}");
        drop(lock);
        assert!(!path.exists());
        assert!(TargetLock::acquire(&target).is_ok());
    }

    #[test]
    fn production_refuses_the_gate_profile_and_allows_the_smoke_profile() {
        let policy = Policy::default_gate();
        let production = target("production", "https://p.example.org", "");
        assert!(check_profile(&production, &policy, Profile::Gate).is_err());
        assert!(check_profile(&production, &policy, Profile::Smoke).is_ok());
        let refused = check_profile(&production, &policy, Profile::Quick).unwrap_err();
        assert!(
            matches!(refused, Interlock::NotForProduction { .. }),
            "{refused}"
        );
        let here = target("local", "http://[::1]:1", "");
        assert!(check_profile(&here, &policy, Profile::Gate).is_ok());
    }
}
