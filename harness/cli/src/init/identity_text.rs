//! The `[identification]` table of a target that has no version route.

use cutover_harness::target_file::Class;
use toml::Value;

/// Where a target names its environment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EnvironmentField {
    /// The endpoint whose answer has it.
    pub(super) endpoint: &'static str,
    /// The pointer to it.
    pub(super) pointer: String,
    /// The name that was seen.
    pub(super) word: String,
}

/// The table: the field that was seen, or the word of the user.
pub(super) fn identification_text(field: Option<&EnvironmentField>, class: Class) -> String {
    let Some(field) = field else {
        return "\n[identification]\ndeclared = true  # guess: confirm; no answer names the environment\n".to_owned();
    };
    let [endpoint, pointer, word] =
        [field.endpoint, &field.pointer, &field.word].map(|text| Value::from(text).to_string());
    format!(
        "\n[identification]\nroute = {{ endpoint = {endpoint}, environment = {pointer} }}  # guess: confirm; named so in the answer\n\
         words = {{ {class} = [{word}] }}  # guess: confirm; the name that was seen\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_the_table_of_a_target_file() {
        let field = EnvironmentField {
            endpoint: "health",
            pointer: "/env".to_owned(),
            word: "dev".to_owned(),
        };
        let text = identification_text(Some(&field), Class::Local);
        let table: toml::Table = text.parse().unwrap();
        assert_eq!(
            table["identification"]["route"]["environment"].as_str(),
            Some("/env")
        );
        assert_eq!(
            table["identification"]["words"]["local"][0].as_str(),
            Some("dev")
        );
        let table: toml::Table = identification_text(None, Class::Local).parse().unwrap();
        assert_eq!(table["identification"]["declared"].as_bool(), Some(true));
    }
}
