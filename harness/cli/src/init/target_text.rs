//! The text of a target file: a template whose tables are active or commented out.

use clap::ValueEnum as _;

use super::answers::{Answers, IdentityMethod};

/// The template. The lines between `%% <table>` and `%%` are commented out unless the answers
/// require the table; names in braces are placeholders.
const TEMPLATE: &str = include_str!("template.toml");

/// The text of a target file.
pub(super) fn target_text(answers: &Answers) -> String {
    let hosts: Vec<_> = answers.hosts().into_iter().map(quoted).collect();
    active_tables(answers)
        .replace("{class}", &answers.class.to_string())
        .replace("{api}", answers.api.as_str())
        .replace(
            "{supabase}",
            answers.supabase.as_str().trim_end_matches('/'),
        )
        .replace("{hosts}", &hosts.join(", "))
        // Last, because a name may contain a placeholder.
        .replace("{name}", &quoted(&answers.name))
}

/// The template with the tables that the answers do not require commented out.
fn active_tables(answers: &Answers) -> String {
    let mut text = String::new();
    let mut is_active = true;
    for line in TEMPLATE.lines() {
        if let Some(table) = line.strip_prefix("%%") {
            is_active = table.is_empty() || is_required(table.trim(), answers);
            continue;
        }
        if !is_active {
            text.push_str("# ");
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn is_required(table: &str, answers: &Answers) -> bool {
    match table {
        "database" => answers.database,
        "storage" => answers.storage,
        "standins" => answers.standins,
        method => IdentityMethod::from_str(method, false) == Ok(answers.identity),
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
        let methods = IdentityMethod::value_variants().iter();
        let pairs =
            classes.flat_map(move |class| methods.clone().map(move |method| (*class, *method)));
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
    fn every_combination_of_answers_becomes_a_target_with_exactly_these_capabilities() {
        assert_eq!(all().count(), 72);
        for answers in all() {
            let text = target_text(&answers);
            let target = Target::parse(&text, "init.toml");
            let target = target.unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(target.name, "a \"name\" with {api}");
            assert_eq!(target.class, answers.class);
            for (capability, expected) in [
                (Capability::Database, answers.database),
                (Capability::Storage, answers.storage),
                (Capability::Standins, answers.standins),
                (
                    Capability::Minting,
                    answers.identity == IdentityMethod::Mint,
                ),
            ] {
                assert_eq!(
                    target.grants().include(capability),
                    expected,
                    "{capability}"
                );
            }
            assert_eq!(target.standin_config().unwrap().is_some(), answers.standins);
            assert_eq!(
                target.identity.login.is_some(),
                answers.identity == IdentityMethod::Login
            );
            let attachment = target.attachment().unwrap();
            let mut hosts = attachment.hosts();
            assert!(hosts.all(|host| target.safety.hosts.iter().any(|known| known == host)));
        }
    }
}
