//! Small pieces that several kinds share.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::{Deserialize, Serialize};

use crate::schema::leaf;
use crate::shape::api_types;
use crate::values::IntOrPercent;

/// Raw JSON that is kept exactly as it was written.
pub type Raw = serde_json::Value;

api_types! {
    /// Labels and annotations to add to an object.
    pub struct ExtraMetadata {
        /// Labels to add.
        pub labels: Option<BTreeMap<String, String>>,
        /// Annotations to add.
        pub annotations: Option<BTreeMap<String, String>>,
    }

    /// Where a value is read from an object's own fields.
    pub struct FieldRef {
        /// Path of the field, for example `metadata.labels['region']` or `spec.replicas`.
        #[schemars(transform = crate::schema::mark::required)]
        pub field_path: String,
    }

    /// One key of a Secret.
    pub struct SecretKeyRef {
        /// Name of the Secret.
        #[schemars(transform = crate::schema::mark::required)]
        pub name: String,
        /// Key within the Secret.
        #[schemars(transform = crate::schema::mark::required)]
        pub key: String,
    }

    /// One fact about an object, with the time at which it became true.
    pub struct Condition {
        /// What the fact is about.
        #[serde(rename = "type")]
        #[schemars(transform = crate::schema::mark::required)]
        pub kind: String,
        /// `True`, `False` or `Unknown`.
        #[schemars(transform = crate::schema::mark::required)]
        pub status: String,
        /// One word that says why.
        pub reason: Option<String>,
        /// A sentence for people.
        pub message: Option<String>,
        /// When anything in this condition last changed.
        #[schemars(schema_with = "leaf::time")]
        pub last_update_time: Option<Time>,
        /// When `status` last changed.
        #[schemars(schema_with = "leaf::time")]
        pub last_transition_time: Option<Time>,
    }
}

/// A number or a text, as Kubernetes' own int-or-string fields are. It is read and written as every such field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "IntOrPercent", into = "IntOrPercent")]
pub enum IntOrString {
    /// Written as a number.
    Int(i64),
    /// Written as a text, for example `{{args.count}}`.
    String(String),
}

impl schemars::JsonSchema for IntOrString {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "IntOrString".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "x-kubernetes-int-or-string": true })
    }
}

impl From<IntOrPercent> for IntOrString {
    fn from(value: IntOrPercent) -> Self {
        match value {
            IntOrPercent::Int(number) => Self::Int(number),
            IntOrPercent::Text(text) => Self::String(text),
        }
    }
}

impl From<IntOrString> for IntOrPercent {
    fn from(value: IntOrString) -> Self {
        match value {
            IntOrString::Int(number) => Self::Int(number),
            IntOrString::String(text) => Self::Text(text),
        }
    }
}

impl From<i64> for IntOrString {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<&str> for IntOrString {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

/// The generation of the spec that a status describes. Written as the text that existing tools compare;
/// read as a text or a number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "IntOrString", into = "String")]
pub struct ObservedGeneration(String);

impl ObservedGeneration {
    /// Whether the status describes this generation of the spec.
    pub fn is(&self, generation: i64) -> bool {
        self.0 == generation.to_string()
    }

    /// The generation as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<i64> for ObservedGeneration {
    fn from(generation: i64) -> Self {
        Self(generation.to_string())
    }
}

impl From<IntOrString> for ObservedGeneration {
    fn from(written: IntOrString) -> Self {
        match written {
            IntOrString::Int(number) => number.into(),
            IntOrString::String(text) => Self(text),
        }
    }
}

impl From<ObservedGeneration> for String {
    fn from(generation: ObservedGeneration) -> Self {
        generation.0
    }
}

impl schemars::JsonSchema for ObservedGeneration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ObservedGeneration".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        IntOrString::json_schema(generator)
    }
}

/// How long pods that no longer serve are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepPods {
    /// They go as soon as nothing needs them.
    No,
    /// For so many seconds.
    Seconds(i32),
    /// Until something else removes them; what an explicit 0 has always meant.
    ForGood,
}

impl KeepPods {
    /// Reads a delay of a spec, with what holds when it is not set.
    pub(crate) fn from_delay(set: Option<i32>, unset: Self) -> Self {
        match set {
            None => unset,
            Some(0) => Self::ForGood,
            Some(seconds) => Self::Seconds(seconds),
        }
    }
}
