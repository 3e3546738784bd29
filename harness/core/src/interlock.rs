//! The interlocks: a run that they refuse does not begin.

use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use cutover_reports::policy::Policy;
use cutover_reports::record::{Effect, Profile};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::target_file::{Class, Target};
use cutover_contract::contract::{Pointer, VersionFields};

/// Why a run does not begin.
#[derive(Debug, thiserror::Error)]
pub enum Interlock {
    /// The profile does more than the target's class bears.
    #[error(
        "refused: profile '{profile}' does {asked} to a target, and '{target}' is of class {class}, which bears at most \
         {most}; use `cutover smoke`"
    )]
    Profile {
        /// The profile.
        profile: Profile,
        /// The target.
        target: String,
        /// Its class.
        class: Class,
        /// The largest effect of the profile.
        asked: Effect,
        /// The largest effect that the class allows.
        most: Effect,
    },
    /// The profile is not meant for production.
    #[error(
        "refused: profile '{profile}' is not for production, which '{target}' is; use `cutover smoke`, or a policy          whose [profile.{profile}] says production = true"
    )]
    NotForProduction {
        /// The profile.
        profile: Profile,
        /// The target.
        target: String,
    },
    /// A host that nobody vouches for.
    #[error(
        "refused: host '{host}' of target '{target}' is not known to be {class}, so it counts as production; if it is, name \
         it in [safety] hosts"
    )]
    Host {
        /// The host.
        host: String,
        /// The target.
        target: String,
        /// Its class.
        class: Class,
    },
    /// The system says that it is something else.
    #[error(
        "refused: target '{target}' claims to be {class}, and its version route says {said}; mend `class`, or deploy what \
         says what it is"
    )]
    Identity {
        /// The target.
        target: String,
        /// Its class.
        class: Class,
        /// What the system reports.
        said: String,
    },
    /// It is not the commit that was expected.
    #[error("refused: target '{target}' runs commit {said}, expected was {expected}")]
    Commit {
        /// The target.
        target: String,
        /// What the system reports.
        said: String,
        /// The commit that was expected.
        expected: String,
    },
    /// Another run is under way.
    #[error("refused: another run is under way on target '{target}'; wait for its end")]
    Busy {
        /// The target.
        target: String,
    },
    /// Nobody can say whether another run is under way.
    #[error("refused: claim target '{target}' with '{}'", path.display())]
    Unclaimed {
        /// The target.
        target: String,
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Refuses a profile that does more than the target bears, before anything is asked.
pub fn check_profile(target: &Target, policy: &Policy, profile: Profile) -> Result<(), Interlock> {
    let (asked, most) = (policy.max_effect(profile), target.most_effect());
    if target.class != Class::Production {
        return Ok(());
    }
    if asked <= most {
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
        asked,
        most,
    })
}

/// Refuses a class that is claimed and not verified: hosts and the system's own word must
/// agree with it. What is not known is production.
pub fn verify_class(
    target: &Target,
    fields: &VersionFields,
    version: Option<&Value>,
    expected_commit: Option<&str>,
) -> Result<(), Interlock> {
    let name = || target.name.clone();
    let said = |at: &Pointer| version.and_then(|version| at.find(version)?.as_str());
    if let Some(expected) = expected_commit {
        let said = said(&fields.commit);
        // Either may be cut short, as commits are.
        let same = said.is_some_and(|said| {
            !said.is_empty() && (said.starts_with(expected) || expected.starts_with(said))
        });
        if !same {
            return Err(Interlock::Commit {
                target: name(),
                said: said.unwrap_or("nothing").to_owned(),
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
    let said = said(&fields.environment);
    if said == Some(class.to_string().as_str()) {
        return Ok(());
    }
    Err(Interlock::Identity {
        target: name(),
        class,
        said: said.map_or_else(
            || "nothing of its environment".to_owned(),
            |said| format!("'{said}'"),
        ),
    })
}

/// Whether a host is this machine itself.
pub fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The right to be the only run on a target, until it is dropped.
#[derive(Debug)]
pub struct TargetLock {
    path: PathBuf,
    // Let go after the file is gone: whoever waits for it finds that it is not the one any more.
    _lock: File,
}

impl Drop for TargetLock {
    fn drop(&mut self) {
        // A file that stays claims nothing.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl TargetLock {
    /// Claims a target for this machine's runs; a run that is killed lets go.
    pub fn of(target: &Target) -> Result<Option<Self>, Interlock> {
        let Some(attachment) = target.attachment() else {
            return Ok(None);
        };
        let name = hex::encode(Sha256::digest(attachment.api.url.as_str()));
        let path = std::env::temp_dir().join(format!("cutover.{}.lock", &name[..16]));
        let unclaimed = |source| Interlock::Unclaimed {
            target: target.name.clone(),
            path: path.clone(),
            source,
        };
        loop {
            let lock = File::create(&path).map_err(unclaimed)?;
            match lock.try_lock() {
                // The holder before us may have removed the file after we had opened it.
                Ok(()) if !is_at(&lock, &path) => {}
                Ok(()) => return Ok(Some(Self { path, _lock: lock })),
                Err(TryLockError::WouldBlock) => {
                    return Err(Interlock::Busy {
                        target: target.name.clone(),
                    });
                }
                Err(TryLockError::Error(source)) => return Err(unclaimed(source)),
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
    use serde_json::json;

    use super::*;

    fn fields() -> VersionFields {
        let at = |field: &str| Pointer::try_from(format!("/{field}")).unwrap();
        VersionFields {
            commit: at("commit"),
            build: at("build"),
            migration_head: at("migration_head"),
            environment: at("environment"),
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
    fn a_class_is_proven_by_hosts_and_by_the_systems_own_word() {
        let local = json!({"environment": "local"});
        let staging = json!({"environment": "staging", "commit": "abcdef0"});
        let here = target("local", "http://127.0.0.1:1", "");
        assert!(verify_class(&here, &fields(), Some(&local), None).is_ok());
        for said in [
            None,
            Some(&json!({})),
            Some(&json!({"environment": "production"})),
        ] {
            let refused = verify_class(&here, &fields(), said, None).unwrap_err();
            assert!(matches!(refused, Interlock::Identity { .. }), "{refused}");
        }
        let elsewhere = target("staging", "https://s.example.org", "");
        let refused = verify_class(&elsewhere, &fields(), Some(&staging), None).unwrap_err();
        assert!(matches!(refused, Interlock::Host { .. }), "{refused}");
        let vouched = target("staging", "https://s.example.org", "\"s.example.org\"");
        assert!(verify_class(&vouched, &fields(), Some(&staging), Some("abcdef0123")).is_ok());
        let refused = verify_class(&vouched, &fields(), Some(&staging), Some("abd")).unwrap_err();
        assert!(matches!(refused, Interlock::Commit { .. }), "{refused}");
    }

    #[test]
    fn a_target_is_claimed_by_one_run_at_a_time_and_nothing_is_left_of_a_claim() {
        let target = target("local", "http://127.0.0.1:9/claimed-by-a-test", "");
        let claim = TargetLock::of(&target).unwrap().unwrap();
        let path = claim.path.clone();
        let refused = TargetLock::of(&target).unwrap_err();
        assert!(matches!(refused, Interlock::Busy { .. }), "{refused}");
        drop(claim);
        assert!(!path.exists());
        assert!(TargetLock::of(&target).is_ok());
    }

    #[test]
    fn production_bears_no_gate_and_bears_a_smoke_test() {
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
