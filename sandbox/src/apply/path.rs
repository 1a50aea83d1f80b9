//! One step from a value to something inside of it, as field ownership names it.

use std::cmp::Ordering;
use std::fmt;

use serde_json::{Map, Value};

use crate::schema::go_text;

/// A step: a field of a map, an item of a list by its keys, by its value, or by its place.
#[derive(Debug, Clone, PartialEq)]
pub enum PathElement {
    Field(String),
    /// The keys of a list-map item, sorted by name.
    Key(Vec<(String, Value)>),
    Value(Value),
    Index(i64),
}

impl PathElement {
    /// The form that managedFields store: `f:spec`, `k:{"name":"a"}`, `v:"x"`, `i:0`.
    pub fn encode(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(keys) => {
                let map: Map<String, Value> = keys.iter().cloned().collect();
                format!("k:{}", go_text::json(&Value::Object(map)))
            }
            Self::Value(value) => format!("v:{}", go_text::json(value)),
            Self::Index(index) => format!("i:{index}"),
        }
    }

    /// Reads the stored form; `None` if it is none.
    pub fn decode(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        Some(match kind {
            "f" => Self::Field(rest.to_owned()),
            "k" => match serde_json::from_str(rest).ok()? {
                Value::Object(map) => Self::Key(map.into_iter().collect()),
                _ => return None,
            },
            "v" => Self::Value(serde_json::from_str(rest).ok()?),
            "i" => Self::Index(rest.parse().ok()?),
            _ => return None,
        })
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }
}

/// As conflicts show it: `.spec`, `[name="a"]`, `[="x"]`, `[0]`.
impl fmt::Display for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(keys) => {
                let shown: Vec<String> = keys.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect();
                write!(f, "[{}]", shown.join(","))
            }
            Self::Value(value) => write!(f, "[={}]", shown(value)),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => go_text::quote(text),
        other => go_text::plain(other),
    }
}

impl Eq for PathElement {}

impl PartialOrd for PathElement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PathElement {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(a), Self::Field(b)) => a.cmp(b),
            (Self::Key(a), Self::Key(b)) => compare_keys(a, b),
            (Self::Value(a), Self::Value(b)) => compare_values(a, b),
            (Self::Index(a), Self::Index(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

fn compare_keys(a: &[(String, Value)], b: &[(String, Value)]) -> Ordering {
    for ((a_name, a_value), (b_name, b_value)) in a.iter().zip(b) {
        let order = a_name.cmp(b_name).then_with(|| compare_values(a_value, b_value));
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// A total order: numbers by size, then texts, truth values, and everything else by its JSON.
fn compare_values(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    };
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => match (x.as_i64(), y.as_i64()) {
            (Some(x), Some(y)) => x.cmp(&y),
            _ => {
                let (x, y) = (x.as_f64().unwrap_or_default(), y.as_f64().unwrap_or_default());
                x.total_cmp(&y)
            }
        },
        (Value::String(x), Value::String(y)) => x.cmp(y),
        (Value::Bool(x), Value::Bool(y)) => x.cmp(y),
        _ if rank(a) == rank(b) => a.to_string().cmp(&b.to_string()),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// Steps from the root, printed one after the other.
pub(super) fn show_path(path: &[PathElement]) -> String {
    path.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn steps_have_a_stored_and_a_shown_form() {
        let key = PathElement::Key(vec![("containerPort".into(), json!(80)), ("protocol".into(), json!("TCP"))]);
        let rows = [
            (PathElement::Field("a.b/c".into()), "f:a.b/c", ".a.b/c"),
            (key, r#"k:{"containerPort":80,"protocol":"TCP"}"#, r#"[containerPort=80,protocol="TCP"]"#),
            (PathElement::Value(json!("x")), "v:\"x\"", "[=\"x\"]"),
            (PathElement::Index(3), "i:3", "[3]"),
        ];
        for (element, stored, shown) in rows {
            assert_eq!(element.encode(), stored);
            assert_eq!(PathElement::decode(stored), Some(element.clone()));
            assert_eq!(element.to_string(), shown);
        }
        for broken in ["", "f", "x:1", "k:[]", "k:{", "i:x", "v:"] {
            assert_eq!(PathElement::decode(broken), None, "{broken}");
        }
    }
}
