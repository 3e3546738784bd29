//! Templates with placeholders: routes, object paths and the names of ids.

use std::fmt::Display;

/// Replaces the placeholders of a template: `{name}` becomes the value with that name.
pub(super) fn fill(template: &str, values: &[(&str, &dyn Display)]) -> String {
    values
        .iter()
        .fold(template.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), &value.to_string())
        })
}

/// The names of a template's placeholders, in order.
pub(super) fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    template
        .split('{')
        .skip(1)
        .map(|rest| rest.split_once('}').map_or(rest, |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_is_replaced() {
        let values: [(&str, &dyn Display); 2] = [("a", &1), ("b", &"x")];
        assert_eq!(fill("{a}/{b}/{a}", &values), "1/x/1");
        assert_eq!(placeholders("/{a}/x/{b}").collect::<Vec<_>>(), ["a", "b"]);
    }
}
