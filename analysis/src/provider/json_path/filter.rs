//! Filters: `[?(@.score > 2)]`.

use serde_json::Value as Json;

use super::{Step, find};

/// What must hold of an item for it to be found.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::provider) struct Filter {
    pub(super) left: Side,
    /// The comparison and its right side; without one, the left side must be there.
    pub(super) right: Option<(Comparison, Side)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Side {
    /// A path from the item.
    OfItem(Vec<Step>),
    /// A path from the whole answer.
    OfRoot(Vec<Step>),
    Literal(Json),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The longer signs first, so that `<=` is not read as `<`.
    pub(super) const SIGNS: [(&'static str, Self); 6] = [
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("<", Self::Less),
        (">", Self::Greater),
    ];
}

impl Filter {
    pub(super) fn holds(&self, root: &Json, item: &Json, room: &mut usize) -> Result<bool, String> {
        let left = self.left.values(root, item, room)?;
        let Some((comparison, right)) = &self.right else {
            return Ok(!left.is_empty());
        };
        let right = right.values(root, item, room)?;
        Ok(match (left.first(), right.first()) {
            (Some(left), Some(right)) => compare(*comparison, left, right),
            _ => false,
        })
    }
}

impl Side {
    fn values<'j>(&'j self, root: &'j Json, item: &'j Json, room: &mut usize) -> Result<Vec<&'j Json>, String> {
        match self {
            Self::OfItem(steps) => find(steps, root, item, room),
            Self::OfRoot(steps) => find(steps, root, root, room),
            Self::Literal(value) => Ok(vec![value]),
        }
    }
}

/// Values of different kinds are never equal, and neither is before the other.
fn compare(comparison: Comparison, left: &Json, right: &Json) -> bool {
    use std::cmp::Ordering;
    let order = match (left, right) {
        (Json::Number(left), Json::Number(right)) => {
            left.as_f64().zip(right.as_f64()).and_then(|(left, right)| left.partial_cmp(&right))
        }
        (Json::String(left), Json::String(right)) => Some(left.cmp(right)),
        (Json::Bool(left), Json::Bool(right)) if left == right => Some(Ordering::Equal),
        (Json::Null, Json::Null) => Some(Ordering::Equal),
        _ => None,
    };
    match comparison {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::NotEqual => order != Some(Ordering::Equal),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}
