//! An embedding as it was stored, with every number that is not one still visible.

use serde::{Deserialize, Deserializer};

/// An embedding, read from the text form of `vector` and `real[]` alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector(pub Vec<f32>);

impl Vector {
    /// How many numbers it has.
    pub fn dimensions(&self) -> usize {
        self.0.len()
    }

    /// Whether every number is one.
    pub fn is_finite(&self) -> bool {
        self.0.iter().all(|number| number.is_finite())
    }

    /// Whether it points nowhere: no number differs from zero.
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|number| *number == 0.0)
    }

    /// The cosine of the angle to another vector; NaN when either is zero.
    pub fn cosine(&self, other: &Self) -> f64 {
        let dot = |a: &Self, b: &Self| -> f64 {
            a.0.iter()
                .zip(&b.0)
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum()
        };
        dot(self, other) / (dot(self, self).sqrt() * dot(other, other).sqrt())
    }

    /// Reads `[0.1,0.2]` or `{0.1,NULL,NaN}`; what is missing becomes NaN.
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
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not the text of a vector"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_column_types_are_read() {
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
    fn what_is_not_a_number_stays_visible() {
        for text in ["{1,NaN}", "{1,NULL}", "{1,Infinity}", "{1,-Infinity}"] {
            assert!(!Vector::parse(text).unwrap().is_finite(), "{text}");
        }
    }

    #[test]
    fn a_zero_vector_points_nowhere() {
        let zero = Vector(vec![0.0, -0.0]);
        assert!(zero.is_zero());
        assert!(zero.cosine(&Vector(vec![1.0, 0.0])).is_nan());
        assert!((Vector(vec![2.0, 0.0]).cosine(&Vector(vec![1.0, 0.0])) - 1.0).abs() < 1e-12);
    }
}
