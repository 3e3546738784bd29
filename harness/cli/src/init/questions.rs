//! The questions of `cutover init`, each with a default answer.

use std::io::{BufRead, Write};

use anyhow::Context as _;
use clap::ValueEnum;
use url::Url;

use super::answers::{Answers, IdentityMethod, PROJECT, STANDIN, default_class};
use cutover_harness::target_file::Class;

/// The default origin of the API.
const DEFAULT_API: &str = "http://127.0.0.1:8000";

/// A dialogue: questions on the output, answers from the input.
pub(super) struct Prompt<R, W> {
    pub(super) input: R,
    pub(super) output: W,
}

impl<R: BufRead, W: Write> Prompt<R, W> {
    /// Asks all questions.
    pub(super) fn ask_all(&mut self) -> anyhow::Result<Answers> {
        let api = self.ask_api()?;
        let class: Class = self.ask_one_of("environment class", &default_class(&api))?;
        let identity = self.ask_one_of(
            "authentication method of the test tenants",
            &IdentityMethod::Tokens,
        )?;
        let database = self.ask_yes("may cutover read the database, with a read-only role?")?;
        let storage = self.ask_yes("may cutover read the stored objects, with the service key?")?;
        let standins = self.ask_yes("do cutover's stand-ins replace the providers?")?;
        let needs_project = storage || identity != IdentityMethod::Tokens;
        let supabase = match (standins, needs_project) {
            (true, _) => STANDIN.parse()?,
            (false, true) => self.ask("Supabase project", PROJECT, parse_origin)?,
            (false, false) => PROJECT.parse()?,
        };
        Ok(Answers {
            name: default_name(&api),
            api,
            class,
            identity,
            database,
            storage,
            standins,
            supabase,
        })
    }

    /// Asks for the origin of the API, which has no other source than its flag.
    pub(super) fn ask_api(&mut self) -> anyhow::Result<Url> {
        self.ask("origin of the API", DEFAULT_API, parse_origin)
    }

    fn ask_yes(&mut self, what: &str) -> anyhow::Result<bool> {
        self.ask(&format!("{what} (yes, no)"), "no", |answer| {
            match answer.to_lowercase().as_str() {
                "yes" | "y" => Ok(true),
                "no" | "n" => Ok(false),
                _ => Err("answer yes or no".to_owned()),
            }
        })
    }

    fn ask_one_of<T: ValueEnum>(&mut self, what: &str, default: &T) -> anyhow::Result<T> {
        let name = |value: &T| {
            let possible = value.to_possible_value();
            possible.map_or_else(String::new, |value| value.get_name().to_owned())
        };
        let names: Vec<_> = T::value_variants().iter().map(name).collect();
        let names = names.join(", ");
        self.ask(&format!("{what} ({names})"), &name(default), |answer| {
            T::from_str(answer, true).map_err(|_| format!("answer one of {names}"))
        })
    }

    /// Asks until the answer can be parsed.
    fn ask<T>(
        &mut self,
        what: &str,
        default: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> anyhow::Result<T> {
        loop {
            write!(self.output, "{what} [{default}]: ").context("print a question")?;
            self.output.flush().context("print a question")?;
            let mut line = String::new();
            let read = self.input.read_line(&mut line).context("read an answer")?;
            anyhow::ensure!(
                read > 0,
                "read an answer: the input ended; no file was written"
            );
            let answer = match line.trim() {
                "" => default,
                given => given,
            };
            match parse(answer) {
                Ok(value) => return Ok(value),
                Err(reason) => {
                    writeln!(self.output, "  '{answer}': {reason}").context("print a question")?;
                }
            }
        }
    }
}

/// The default name of a target: the host of its API.
pub(super) fn default_name(api: &Url) -> String {
    api.host_str().unwrap_or("target").to_owned()
}

/// Parses an HTTP or HTTPS address with a host.
pub(super) fn parse_origin(text: &str) -> Result<Url, String> {
    let url = text.parse::<Url>().ok();
    url.filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| "it is not an address such as https://api.example.org".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask_all(input: &str) -> (anyhow::Result<Answers>, String) {
        let mut prompt = Prompt {
            input: input.as_bytes(),
            output: Vec::new(),
        };
        let answers = prompt.ask_all();
        (answers, String::from_utf8(prompt.output).unwrap())
    }

    #[test]
    fn empty_answers_describe_a_pipeline_on_this_machine() {
        let (answers, questions) = ask_all("\n\n\n\n\n\n");
        let answers = answers.unwrap();
        assert_eq!(answers.api.as_str(), "http://127.0.0.1:8000/");
        assert_eq!(
            (answers.class, answers.identity),
            (Class::Local, IdentityMethod::Tokens)
        );
        assert!(!answers.database && !answers.storage && !answers.standins);
        assert_eq!(questions.matches("]: ").count(), 6);
        assert!(
            questions.contains("(tokens, mint, login) [tokens]: "),
            "{questions}"
        );
    }

    #[test]
    fn a_question_is_repeated_until_the_answer_can_be_parsed() {
        let input =
            "api\nhttps://api.example.org\n\nLogin\nmaybe\ny\nno\nno\nhttps://p.example.org\n";
        let (answers, questions) = ask_all(input);
        let answers = answers.unwrap();
        assert_eq!(answers.name, "api.example.org");
        assert_eq!(
            (answers.class, answers.identity),
            (Class::Production, IdentityMethod::Login)
        );
        assert!(answers.database && !answers.storage);
        assert_eq!(answers.supabase.as_str(), "https://p.example.org/");
        assert_eq!(answers.hosts(), ["api.example.org", "p.example.org"]);
        assert!(
            questions.contains("'maybe': answer yes or no"),
            "{questions}"
        );
    }

    #[test]
    fn an_input_that_ends_early_is_an_error() {
        assert!(ask_all("https://api.example.org\n").0.is_err());
    }
}
