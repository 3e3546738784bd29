//! Counts of checks in words.

use crate::record::Profile;
use crate::verdict::Counts;

impl Counts {
    /// All counts, without zeros: `5 passed · 1 failed · 2 not selected`.
    pub(super) fn summary(self) -> String {
        let mut parts = Vec::from([(self.passed, "passed")]);
        parts.extend(self.without_pass());
        parts.extend(self.excluded());
        join_counts(parts, " · ")
    }

    /// The passed checks among those of the run, the other results, and the excluded checks:
    /// `5 of 6 checks of profile smoke passed · 1 failed (400 not in this profile)`.
    pub(super) fn headline(self, profile: Option<Profile>) -> String {
        let included = self.included();
        let mut text = if included == 0 {
            "no checks to run".to_owned()
        } else {
            let selected = if self.not_selected > 0 {
                "selected "
            } else {
                ""
            };
            let noun = if included == 1 { "check" } else { "checks" };
            let profile = profile.filter(|_| self.not_in_profile > 0);
            let scope = profile.map_or(String::new(), |profile| format!(" of profile {profile}"));
            format!(
                "{} of {included} {selected}{noun}{scope} passed",
                self.passed
            )
        };
        for (before, counts, after) in [
            (" · ", join_counts(self.without_pass(), " · "), ""),
            (" (", join_counts(self.excluded(), ", "), ")"),
        ] {
            if !counts.is_empty() {
                text.extend([before, &counts, after]);
            }
        }
        text
    }

    /// The checks of the run that did not pass, by result.
    fn without_pass(self) -> [(usize, &'static str); 7] {
        let with_reason = self.not_in_profile
            + self.not_selected
            + self.not_applicable
            + self.precondition_missing
            + self.blocked;
        [
            (self.failed, "failed"),
            (self.errored, "errored"),
            (self.not_run, "not run"),
            (self.blocked, "not tried"),
            (self.precondition_missing, "precondition missing"),
            (self.not_applicable, "not applicable"),
            // A verdict of an earlier version counts skipped checks without their reasons.
            (self.skipped.saturating_sub(with_reason), "skipped"),
        ]
    }

    /// The checks that are not part of the run, by reason.
    fn excluded(self) -> [(usize, &'static str); 2] {
        [
            (self.not_in_profile, "not in this profile"),
            (self.not_selected, "not selected"),
        ]
    }
}

fn join_counts(counts: impl IntoIterator<Item = (usize, &'static str)>, separator: &str) -> String {
    let present = counts.into_iter().filter(|(count, _)| *count > 0);
    let present = present.map(|(count, name)| format!("{count} {name}"));
    present.collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_counts_only_the_checks_of_the_run() {
        let smoke = Counts {
            planned: 412,
            passed: 7,
            skipped: 405,
            not_in_profile: 405,
            ..Counts::default()
        };
        let filtered = Counts {
            planned: 412,
            failed: 1,
            skipped: 411,
            not_selected: 411,
            ..Counts::default()
        };
        let mixed = Counts {
            planned: 412,
            passed: 2,
            errored: 1,
            skipped: 409,
            not_in_profile: 400,
            not_selected: 5,
            not_applicable: 1,
            precondition_missing: 3,
            ..Counts::default()
        };
        let empty = Counts {
            planned: 412,
            skipped: 412,
            not_selected: 412,
            ..Counts::default()
        };
        for (counts, profile, expected) in [
            (
                smoke,
                Profile::Smoke,
                "7 of 7 checks of profile smoke passed (405 not in this profile)",
            ),
            (
                filtered,
                Profile::Gate,
                "0 of 1 selected check passed · 1 failed (411 not selected)",
            ),
            (
                mixed,
                Profile::Quick,
                "2 of 7 selected checks of profile quick passed · 1 errored · \
                 3 precondition missing · 1 not applicable (400 not in this profile, 5 not selected)",
            ),
            (empty, Profile::Gate, "no checks to run (412 not selected)"),
            (Counts::default(), Profile::Gate, "no checks to run"),
        ] {
            assert_eq!(counts.headline(Some(profile)), expected);
        }
    }
}
