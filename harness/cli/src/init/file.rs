//! The target file: a template whose tables are in force or commented out.

use clap::ValueEnum as _;

use super::answers::{Answers, Way};

/// What the file begins as. What stands between `%% <table>` and `%%` is in force only where it
/// was asked for; the places in braces are filled.
const TEMPLATE: &str = include_str!("template.toml");

/// The text of a target file.
pub(super) fn written(answers: &Answers) -> String {
    let hosts: Vec<_> = answers.hosts().into_iter().map(quoted).collect();
    chosen(answers)
        .replace("{class}", &answers.class.to_string())
        .replace("{api}", answers.api.as_str())
        .replace(
            "{supabase}",
            answers.supabase.as_str().trim_end_matches('/'),
        )
        .replace("{hosts}", &hosts.join(", "))
        // Last, for a name may hold anything.
        .replace("{name}", &quoted(&answers.name))
}

/// The template with every table commented out that was not asked for.
fn chosen(answers: &Answers) -> String {
    let mut text = String::new();
    let mut in_force = true;
    for line in TEMPLATE.lines() {
        if let Some(table) = line.strip_prefix("%%") {
            in_force = table.is_empty() || is_wanted(table.trim(), answers);
            continue;
        }
        if !in_force {
            text.push_str("# ");
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn is_wanted(table: &str, answers: &Answers) -> bool {
    match table {
        "database" => answers.database,
        "storage" => answers.storage,
        "standins" => answers.standins,
        way => Way::from_str(way, false) == Ok(answers.identity),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::answers::{PROJECT, STANDIN};
    use cutover_harness::capability::Capability;
    use cutover_harness::target_file::{Class, Target};

    /// Every combination of answers.
    fn all() -> impl Iterator<Item = Answers> {
        let classes = Class::value_variants().iter();
        let ways = Way::value_variants().iter();
        let pairs = classes.flat_map(move |class| ways.clone().map(move |way| (*class, *way)));
        pairs.flat_map(|(class, identity)| {
            (0..8_u8).map(move |bits| {
                let [database, storage, standins] = [1, 2, 4].map(|bit| bits & bit != 0);
                let supabase = if standins { STANDIN } else { PROJECT };
                Answers {
                    api: "https://api.example.org/".parse().unwrap(),
                    name: "a \"name\" with {api}".to_owned(),
                    class,
                    identity,
                    database,
                    storage,
                    standins,
                    supabase: supabase.parse().unwrap(),
                }
            })
        })
    }

    #[test]
    fn every_combination_of_answers_is_a_target_that_gives_just_that() {
        assert_eq!(all().count(), 72);
        for answers in all() {
            let text = written(&answers);
            let target = Target::parse(&text, "init.toml");
            let target = target.unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(target.name, "a \"name\" with {api}");
            assert_eq!(target.class, answers.class);
            for (capability, given) in [
                (Capability::Database, answers.database),
                (Capability::Storage, answers.storage),
                (Capability::Standins, answers.standins),
                (Capability::Minting, answers.identity == Way::Mint),
            ] {
                assert_eq!(target.grants().include(capability), given, "{capability}");
            }
            assert_eq!(target.standin_config().unwrap().is_some(), answers.standins);
            assert_eq!(
                target.identity.login.is_some(),
                answers.identity == Way::Login
            );
            let hosts = target.attachment().unwrap();
            let mut hosts = hosts.hosts();
            assert!(hosts.all(|host| target.safety.hosts.iter().any(|known| known == host)));
        }
    }
}
