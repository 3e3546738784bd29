//! Texts with places to fill: routes, object paths and the names that ids are made of.

use std::fmt::Display;

/// Fills the places of a template: `{name}` becomes the value of that name.
pub(super) fn fill(template: &str, values: &[(&str, &dyn Display)]) -> String {
    values
        .iter()
        .fold(template.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), &value.to_string())
        })
}

/// The names of a template's places, in order.
pub(super) fn places(template: &str) -> impl Iterator<Item = &str> {
    template
        .split('{')
        .skip(1)
        .map(|rest| rest.split_once('}').map_or(rest, |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_a_name_is_filled() {
        let values: [(&str, &dyn Display); 2] = [("a", &1), ("b", &"x")];
        assert_eq!(fill("{a}/{b}/{a}", &values), "1/x/1");
        assert_eq!(places("/{a}/x/{b}").collect::<Vec<_>>(), ["a", "b"]);
    }
}
