//! Label selectors: as manifests write them, as the API prints and parses them, and what they match.

mod labels;
mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::quoted;
pub use labels::{label_key_mistake, label_value_mistake};
pub use text::SelectorParseError;

/// A selector as a manifest writes it; [`LabelSelector::read`] turns it into a [`Selector`] that matches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelSelector {
    /// Labels that must be there with exactly these values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_labels: Option<BTreeMap<String, String>>,
    /// Further demands on labels; all of them must hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_expressions: Option<Vec<LabelSelectorRequirement>>,
}

/// One demand on one label, as a manifest writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelSelectorRequirement {
    /// The label's key.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: String,
    /// The values that `In` and `NotIn` compare with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
}

/// What is wrong at one place of a [`LabelSelector`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectorMistake {
    /// The place, seen from the selector: `matchExpressions[0].operator`.
    pub field: String,
    /// The sentence: the value and the mend.
    pub message: String,
}

impl LabelSelector {
    /// A selector of exact labels only.
    pub fn from_labels<K: Into<String>, V: Into<String>>(labels: impl IntoIterator<Item = (K, V)>) -> Self {
        let labels = labels.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self { match_labels: Some(labels), match_expressions: None }
    }

    /// Whether the selector demands nothing, and so matches everything.
    pub fn is_empty(&self) -> bool {
        self.match_labels.as_ref().is_none_or(BTreeMap::is_empty)
            && self.match_expressions.as_ref().is_none_or(Vec::is_empty)
    }

    /// The selector that this text means, ready to match.
    ///
    /// # Errors
    /// All the mistakes in it, at once.
    pub fn read(&self) -> Result<Selector, Vec<SelectorMistake>> {
        let mut mistakes = Vec::new();
        let mut requirements = Vec::new();
        for (key, value) in self.match_labels.iter().flatten() {
            let field = format!("matchLabels[{key}]");
            mistakes.extend(label_key_mistake(key).map(|message| SelectorMistake { field: field.clone(), message }));
            mistakes.extend(label_value_mistake(value).map(|message| SelectorMistake { field, message }));
            requirements.push(Requirement {
                key: key.clone(),
                operator: Operator::Equals,
                values: vec![value.clone()],
            });
        }
        for (index, expression) in self.match_expressions.iter().flatten().enumerate() {
            let found = expression.mistakes(&format!("matchExpressions[{index}]"));
            if found.is_empty() {
                requirements.extend(expression.requirement());
            }
            mistakes.extend(found);
        }
        if mistakes.is_empty() { Ok(Selector::new(requirements)) } else { Err(mistakes) }
    }
}

impl LabelSelectorRequirement {
    fn requirement(&self) -> Option<Requirement> {
        Some(Requirement {
            key: self.key.clone(),
            operator: Operator::from_manifest(&self.operator)?,
            values: self.values.clone().unwrap_or_default(),
        })
    }

    fn mistakes(&self, path: &str) -> Vec<SelectorMistake> {
        let mut mistakes = Vec::new();
        let mut add = |field: String, message: String| mistakes.push(SelectorMistake { field, message });
        if let Some(message) = label_key_mistake(&self.key) {
            add(format!("{path}.key"), message);
        }
        let values = self.values.as_deref().unwrap_or_default();
        match Operator::from_manifest(&self.operator) {
            None => add(
                format!("{path}.operator"),
                format!("{} is not an operator; write In, NotIn, Exists or DoesNotExist", quoted(&self.operator)),
            ),
            Some(Operator::In | Operator::NotIn) if values.is_empty() => add(
                format!("{path}.values"),
                format!("{} compares with values and there are none; add at least one", self.operator),
            ),
            Some(Operator::Exists | Operator::DoesNotExist) if !values.is_empty() => add(
                format!("{path}.values"),
                format!("{} takes no values; remove them, or write In or NotIn", self.operator),
            ),
            Some(_) => {}
        }
        for (index, value) in values.iter().enumerate() {
            if let Some(message) = label_value_mistake(value) {
                add(format!("{path}.values[{index}]"), message);
            }
        }
        mistakes
    }
}

/// How a requirement compares a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `a=b`: the label has this value.
    Equals,
    /// `a==b`: the same, written twice.
    DoubleEquals,
    /// `a!=b`: the label has another value, or is missing.
    NotEquals,
    /// `a in (b,c)`: the label has one of these values.
    In,
    /// `a notin (b,c)`: the label has none of these values, or is missing.
    NotIn,
    /// `a`: the label is there.
    Exists,
    /// `!a`: the label is not there.
    DoesNotExist,
    /// `a>1`: the label is a larger integer.
    GreaterThan,
    /// `a<1`: the label is a smaller integer.
    LessThan,
}

impl Operator {
    /// The operator behind a name in `matchExpressions`.
    fn from_manifest(name: &str) -> Option<Self> {
        match name {
            "In" => Some(Self::In),
            "NotIn" => Some(Self::NotIn),
            "Exists" => Some(Self::Exists),
            "DoesNotExist" => Some(Self::DoesNotExist),
            _ => None,
        }
    }
}

/// One demand on one label, known to be well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

impl Requirement {
    /// The label's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// How the label is compared.
    pub const fn operator(&self) -> Operator {
        self.operator
    }

    /// What it is compared with.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// Whether these labels meet the demand.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let label = labels.get(&self.key);
        let is_listed = |label: &String| self.values.contains(label);
        match self.operator {
            Operator::Equals | Operator::DoubleEquals | Operator::In => label.is_some_and(is_listed),
            Operator::NotEquals | Operator::NotIn => !label.is_some_and(is_listed),
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::GreaterThan => self.compared_integers(label).is_some_and(|(label, wanted)| label > wanted),
            Operator::LessThan => self.compared_integers(label).is_some_and(|(label, wanted)| label < wanted),
        }
    }

    fn compared_integers(&self, label: Option<&String>) -> Option<(i64, i64)> {
        Some((label?.parse().ok()?, self.values.first()?.parse().ok()?))
    }
}

/// A selector that is known to be well formed: its requirements in order of their keys, all of which must hold.
///
/// Its text is the one that `status.selector` and list requests carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    requirements: Vec<Requirement>,
}

impl Selector {
    fn new(mut requirements: Vec<Requirement>) -> Self {
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Self { requirements }
    }

    /// The demands, in order of their keys.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Whether nothing is demanded, so that everything matches.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether labels meet all demands.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(labels))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

impl JsonSchema for LabelSelector {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "LabelSelector".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // Atomic, as everywhere in Kubernetes: two appliers that each own half of a selector would select
        // something that neither of them asked for.
        json_schema!({
            "type": "object",
            "x-kubernetes-map-type": "atomic",
            "properties": {
                "matchLabels": {
                    "description": "Labels that must be there with exactly these values.",
                    "type": "object",
                    "additionalProperties": { "type": "string" },
                },
                "matchExpressions": {
                    "description": "Further demands on labels; all of them must hold.",
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["key", "operator"],
                        "properties": {
                            "key": { "description": "The label's key.", "type": "string" },
                            "operator": { "description": "In, NotIn, Exists or DoesNotExist.", "type": "string" },
                            "values": {
                                "description": "The values that In and NotIn compare with.",
                                "type": "array",
                                "items": { "type": "string" },
                            },
                        },
                    },
                },
            },
        })
    }
}
