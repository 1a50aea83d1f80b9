//! The names of revisions: a short hash over a pod template, the same that Argo Rollouts gives it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::PodTemplate;
use super::typed_json::{Form, typed_json};

/// The hash of a pod template: the name of a revision, in labels, ReplicaSet names and status.
///
/// One that was read from an object stands for itself, whoever computed it and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TemplateHash(String);

/// The hash of a canary's steps, by which a change of them is noticed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepHash(String);

macro_rules! hash_text {
    ($hash:ident) => {
        impl $hash {
            /// The text that labels, names and status carry.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether there is none, as in a status that was never written.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl From<String> for $hash {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $hash {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl fmt::Display for $hash {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl JsonSchema for $hash {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($hash).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string" })
            }
        }
    };
}

hash_text!(TemplateHash);
hash_text!(StepHash);

impl TemplateHash {
    /// The hash that a new revision of this template gets.
    ///
    /// It is taken over the template as Go's `encoding/json` writes it after reading it into the Kubernetes
    /// types, so that templates which mean the same to Go (absent or empty, `1` or `1000m`) are one revision.
    /// Fields that are younger than the table of types are hashed behind that.
    pub fn of(template: &PodTemplate, collision_count: Option<i32>) -> Self {
        let form = Form { null_creation_timestamp: false, unknown_fields: true };
        Self::in_form(template, collision_count, form)
    }

    /// All the hashes that a ReplicaSet of this template may carry, the one of [`TemplateHash::of`] first: those
    /// of a controller that did not know some of the fields, and those of controllers built before Kubernetes
    /// 1.34, which hashed an empty creation time too. Without repetitions.
    pub fn candidates(template: &PodTemplate, collision_count: Option<i32>) -> Vec<Self> {
        let mut hashes = Vec::with_capacity(4);
        for null_creation_timestamp in [false, true] {
            for unknown_fields in [true, false] {
                let form = Form { null_creation_timestamp, unknown_fields };
                let hash = Self::in_form(template, collision_count, form);
                if !hashes.contains(&hash) {
                    hashes.push(hash);
                }
            }
        }
        hashes
    }

    fn in_form(template: &PodTemplate, collision_count: Option<i32>, form: Form) -> Self {
        Self(hash_json_bytes(typed_json(template.as_json(), form).as_bytes(), collision_count))
    }
}

impl StepHash {
    /// The hash of a list of steps, given as the JSON that Go would write for them.
    pub fn of_json(steps: &[u8]) -> Self {
        Self(hash_json_bytes(steps, None))
    }
}

/// FNV-1a over 32 bits, its decimal digits written in letters and digits that make no words.
///
/// `collision_count` is hashed behind the JSON, in a buffer of eight bytes of which it fills the first four.
pub fn hash_json_bytes(json: &[u8], collision_count: Option<i32>) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut hash = fnv1a(0x811c_9dc5, json);
    if let Some(count) = collision_count {
        hash = fnv1a(hash, &count.to_le_bytes());
        hash = fnv1a(hash, &[0; 4]);
    }
    hash.to_string().bytes().map(|digit| char::from(ALPHABET[usize::from(digit) % ALPHABET.len()])).collect()
}

fn fnv1a(start: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(start, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
