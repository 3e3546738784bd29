//! The questions of `cutover init`, each with an answer that is taken for silence.

use std::io::{BufRead, Write};

use anyhow::Context as _;
use clap::ValueEnum;
use url::Url;

use super::answers::{Answers, PROJECT, STANDIN, Way, class_of};
use cutover_harness::target_file::Class;

/// Where a pipeline is when its developer says nothing.
const HERE: &str = "http://127.0.0.1:8000";

/// Somebody who can be asked.
pub(super) struct Person<R, W> {
    pub(super) answers: R,
    pub(super) questions: W,
}

impl<R: BufRead, W: Write> Person<R, W> {
    /// Asks for everything.
    pub(super) fn tell(&mut self) -> anyhow::Result<Answers> {
        let api = self.api()?;
        let class: Class =
            self.one_of("class of what would be hurt by a mistake", &class_of(&api))?;
        let identity = self.one_of("how tenants come by their tokens", &Way::Tokens)?;
        let database = self.yes("may the database be read, by a role that may only read")?;
        let storage = self.yes("may the objects be read, with the key of the service")?;
        let standins = self.yes("are cutover's stand-ins in the place of its providers")?;
        let needs_project = storage || identity != Way::Tokens;
        let supabase = match (standins, needs_project) {
            (true, _) => STANDIN.parse()?,
            (false, true) => self.ask("the Supabase project", PROJECT, origin)?,
            (false, false) => PROJECT.parse()?,
        };
        Ok(Answers {
            name: name_of(&api),
            api,
            class,
            identity,
            database,
            storage,
            standins,
            supabase,
        })
    }

    /// Asks for the one thing that no flag but its own can give.
    pub(super) fn api(&mut self) -> anyhow::Result<Url> {
        self.ask("origin of the API", HERE, origin)
    }

    fn yes(&mut self, what: &str) -> anyhow::Result<bool> {
        self.ask(&format!("{what} (yes, no)"), "no", |answer| {
            match answer.to_lowercase().as_str() {
                "yes" | "y" => Ok(true),
                "no" | "n" => Ok(false),
                _ => Err("say yes or no".to_owned()),
            }
        })
    }

    fn one_of<T: ValueEnum>(&mut self, what: &str, default: &T) -> anyhow::Result<T> {
        let name = |value: &T| {
            let possible = value.to_possible_value();
            possible.map_or_else(String::new, |value| value.get_name().to_owned())
        };
        let names: Vec<_> = T::value_variants().iter().map(name).collect();
        let names = names.join(", ");
        self.ask(&format!("{what} ({names})"), &name(default), |answer| {
            T::from_str(answer, true).map_err(|_| format!("say one of {names}"))
        })
    }

    /// Asks until the answer can be understood.
    fn ask<T>(
        &mut self,
        what: &str,
        default: &str,
        understand: impl Fn(&str) -> Result<T, String>,
    ) -> anyhow::Result<T> {
        loop {
            write!(self.questions, "{what} [{default}]: ")?;
            self.questions.flush()?;
            let mut line = String::new();
            let read = self
                .answers
                .read_line(&mut line)
                .context("read an answer")?;
            anyhow::ensure!(read > 0, "the answers ended; nothing was written");
            let answer = match line.trim() {
                "" => default,
                said => said,
            };
            match understand(answer) {
                Ok(understood) => return Ok(understood),
                Err(why) => writeln!(self.questions, "  '{answer}': {why}")?,
            }
        }
    }
}

/// What a pipeline is called unless it is given a name.
pub(super) fn name_of(api: &Url) -> String {
    api.host_str().unwrap_or("target").to_owned()
}

/// An address with a host, of the web.
pub(super) fn origin(text: &str) -> Result<Url, String> {
    let url = text.parse::<Url>().ok();
    url.filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| "it is no address such as https://api.example.org".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(answers: &str) -> (anyhow::Result<Answers>, String) {
        let mut person = Person {
            answers: answers.as_bytes(),
            questions: Vec::new(),
        };
        let told = person.tell();
        (told, String::from_utf8(person.questions).unwrap())
    }

    #[test]
    fn silence_is_a_pipeline_of_this_machine() {
        let (answers, questions) = told("\n\n\n\n\n\n");
        let answers = answers.unwrap();
        assert_eq!(answers.api.as_str(), "http://127.0.0.1:8000/");
        assert_eq!(
            (answers.class, answers.identity),
            (Class::Local, Way::Tokens)
        );
        assert!(!answers.database && !answers.storage && !answers.standins);
        assert_eq!(questions.matches("]: ").count(), 6);
        assert!(
            questions.contains("(tokens, mint, login) [tokens]: "),
            "{questions}"
        );
    }

    #[test]
    fn what_is_not_understood_is_asked_again() {
        let said =
            "api\nhttps://api.example.org\n\nLogin\nmaybe\ny\nno\nno\nhttps://p.example.org\n";
        let (answers, questions) = told(said);
        let answers = answers.unwrap();
        assert_eq!(answers.name, "api.example.org");
        assert_eq!(
            (answers.class, answers.identity),
            (Class::Production, Way::Login)
        );
        assert!(answers.database && !answers.storage);
        assert_eq!(answers.supabase.as_str(), "https://p.example.org/");
        assert_eq!(answers.hosts(), ["api.example.org", "p.example.org"]);
        assert!(questions.contains("'maybe': say yes or no"), "{questions}");
    }

    #[test]
    fn answers_that_end_too_soon_are_none() {
        assert!(told("https://api.example.org\n").0.is_err());
    }
}
