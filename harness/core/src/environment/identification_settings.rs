//! The `[identification]` table of a target file: how a target says which environment it is.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::class::Class;
use cutover_contract::contract::{Endpoint, Pointer};

/// How a target says which environment and which build it is: at most one source. Default: the
/// version route of the contract.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IdentificationSettings {
    /// The body of another route.
    pub route: Option<RouteIdentity>,
    /// A response header of a route.
    pub header: Option<HeaderIdentity>,
    /// A file on this machine.
    pub file: Option<FileIdentity>,
    /// The output of a command.
    pub command: Option<CommandIdentity>,
    /// The image of a container: it identifies the build, and not the environment.
    pub image: Option<ImageIdentity>,
    /// Nothing but this file says what the target is. Unless it is on this machine, the effects of
    /// checks are limited as in production.
    pub declared: bool,
    /// The names that the target uses for each class, beside the names of the classes.
    pub words: EnvironmentWords,
}

/// The body of a route.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteIdentity {
    /// The endpoint of the contract.
    pub endpoint: Endpoint,
    /// Where its body has the environment.
    pub environment: Pointer,
}

/// A header of a route.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderIdentity {
    /// The endpoint of the contract.
    pub endpoint: Endpoint,
    /// The header with the environment.
    pub name: String,
}

/// A JSON file, or a file with nothing but the environment.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileIdentity {
    /// The file.
    pub path: PathBuf,
    /// Where it has the environment; without it, the whole text is the environment.
    pub environment: Option<Pointer>,
}

/// A command whose output is JSON, or nothing but the environment.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandIdentity {
    /// The program and its arguments.
    pub run: Vec<String>,
    /// Where the output has the environment; without it, the whole output is the environment.
    pub environment: Option<Pointer>,
}

/// The image of a container.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageIdentity {
    /// The container, as `docker inspect` finds it.
    pub container: String,
}

/// The names of environments, by class.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EnvironmentWords {
    /// Names of local environments.
    pub local: Vec<String>,
    /// Names of staging environments.
    pub staging: Vec<String>,
    /// Names of production environments.
    pub production: Vec<String>,
}

impl EnvironmentWords {
    /// The class that a name of an environment stands for.
    pub fn class_of(&self, environment: &str) -> Option<Class> {
        let environment = environment.trim();
        let classes = [
            (Class::Production, &self.production),
            (Class::Staging, &self.staging),
            (Class::Local, &self.local),
        ];
        let listed = classes.iter().find(|(_, words)| {
            words
                .iter()
                .any(|word| word.eq_ignore_ascii_case(environment))
        });
        listed
            .or_else(|| {
                let same =
                    |(class, _): &&(Class, _)| class.to_string().eq_ignore_ascii_case(environment);
                classes.iter().find(same)
            })
            .map(|(class, _)| *class)
    }

    /// A name that stands for two classes.
    fn ambiguous(&self) -> Option<&str> {
        let all = [&self.local, &self.staging, &self.production];
        let mut seen = std::collections::BTreeSet::new();
        let mut words = all.into_iter().flatten();
        words
            .find(|word| !seen.insert(word.to_ascii_lowercase()))
            .map(String::as_str)
    }
}

impl IdentificationSettings {
    /// Whether the environment of the target is not proved by anything but the target file.
    pub fn is_unproved(&self) -> bool {
        self.declared || self.image.is_some()
    }

    /// What is wrong with it, with the key and the remedy.
    pub(crate) fn problem(&self) -> Option<(&'static str, String)> {
        let sources = [
            self.route.is_some(),
            self.header.is_some(),
            self.file.is_some(),
            self.command.is_some(),
            self.image.is_some(),
            self.declared,
        ];
        if sources.into_iter().filter(|given| *given).count() > 1 {
            let problem =
                "has several sources; keep one of route, header, file, command, image and declared";
            return Some(("identification", problem.to_owned()));
        }
        if self
            .command
            .as_ref()
            .is_some_and(|command| command.run.is_empty())
        {
            let problem =
                "is empty; write the program and its arguments, such as [\"./environment\"]";
            return Some(("identification.command.run", problem.to_owned()));
        }
        let word = self.words.ambiguous()?;
        Some((
            "identification.words",
            format!("has '{word}' twice; an environment has one class"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target_file::Target;

    fn parse(identification: &str) -> Result<Target, String> {
        let text = format!(
            "schema = 1\nname = \"t\"\nclass = \"staging\"\n[api]\nurl = \"https://s.example.org\"\n[identity]\n\
             tokens = [{{ env = \"A\" }}, {{ env = \"B\" }}]\n[identification]\n{identification}\n"
        );
        Target::parse(&text, "t.toml").map_err(|error| error.to_string())
    }

    #[test]
    fn an_environment_has_the_class_of_its_name() {
        let words = "words = { staging = [\"stage\"], production = [\"prod\", \"local\"] }";
        let words = parse(words).unwrap().identification.words;
        let class = |name: &str| words.class_of(name);
        assert_eq!(class("Stage\n"), Some(Class::Staging));
        assert_eq!(class("staging"), Some(Class::Staging));
        assert_eq!(class("prod"), Some(Class::Production));
        assert_eq!(class("local"), Some(Class::Production));
        assert_eq!(class("dev"), None);
    }

    #[test]
    fn contradictions_name_the_file_the_key_and_the_remedy() {
        for (text, expected) in [
            (
                "declared = true\nimage = { container = 'x' }",
                "keep one of",
            ),
            (
                "command = { run = [] }",
                "'identification.command.run' is empty; write",
            ),
            (
                "words = { local = ['a'], staging = ['A'] }",
                "has 'A' twice",
            ),
        ] {
            let refused = parse(text).unwrap_err();
            assert!(
                refused.starts_with("t.toml: key 'identification"),
                "{refused}"
            );
            assert!(refused.contains(expected), "{refused}");
        }
    }

    #[test]
    fn the_effects_on_a_target_that_is_only_declared_are_those_of_production() {
        use cutover_reports::record::Effect;
        let declared = parse("declared = true").unwrap();
        assert_eq!(declared.max_effect(), Effect::WriteTenant);
        let proved = parse("").unwrap();
        assert_eq!(proved.max_effect(), Effect::Fault);
    }
}
