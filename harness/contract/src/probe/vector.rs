//! A stored embedding; invalid numbers are preserved as NaN or infinity.

use serde::{Deserialize, Deserializer};

/// An embedding, parsed from the text form of `vector` or `real[]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector(pub Vec<f32>);

impl Vector {
    /// The number of dimensions.
    pub fn dimensions(&self) -> usize {
        self.0.len()
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        self.0.iter().all(|number| number.is_finite())
    }

    /// Whether every number is zero.
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|number| *number == 0.0)
    }

    /// The cosine similarity to another vector; NaN if either vector is zero.
    pub fn cosine(&self, other: &Self) -> f64 {
        let dot = |a: &Self, b: &Self| -> f64 {
            a.0.iter()
                .zip(&b.0)
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum()
        };
        dot(self, other) / (dot(self, self).sqrt() * dot(other, other).sqrt())
    }

    /// Parses `[0.1,0.2]` or `{0.1,NULL,NaN}`; `NULL` becomes NaN.
    fn parse(text: &str) -> Option<Self> {
        let inner = text
            .trim()
            .strip_prefix(['[', '{'])?
            .strip_suffix([']', '}'])?;
        if inner.is_empty() {
            return Some(Self(Vec::new()));
        }
        let number = |text: &str| match text.trim() {
            "NULL" => Ok(f32::NAN),
            text => text.parse(),
        };
        inner
            .split(',')
            .map(number)
            .collect::<Result<_, _>>()
            .ok()
            .map(Self)
    }
}

impl<'de> Deserialize<'de> for Vector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a vector"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_column_types_are_parsed() {
        assert_eq!(
            Vector::parse("[0.5,-1e-3]"),
            Some(Vector(vec![0.5, -0.001]))
        );
        assert_eq!(
            Vector::parse("{0.5,-0.001}"),
            Some(Vector(vec![0.5, -0.001]))
        );
        assert_eq!(Vector::parse("{}"), Some(Vector(vec![])));
        assert_eq!(Vector::parse("0.5"), None);
        assert_eq!(Vector::parse("{half}"), None);
    }

    #[test]
    fn numbers_that_are_not_finite_are_preserved() {
        for text in ["{1,NaN}", "{1,NULL}", "{1,Infinity}", "{1,-Infinity}"] {
            assert!(!Vector::parse(text).unwrap().is_finite(), "{text}");
        }
    }

    #[test]
    fn a_zero_vector_has_no_cosine_similarity() {
        let zero = Vector(vec![0.0, -0.0]);
        assert!(zero.is_zero());
        assert!(zero.cosine(&Vector(vec![1.0, 0.0])).is_nan());
        assert!((Vector(vec![2.0, 0.0]).cosine(&Vector(vec![1.0, 0.0])) - 1.0).abs() < 1e-12);
    }
}
