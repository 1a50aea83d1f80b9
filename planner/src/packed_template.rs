//! A pod template as text. As a tree it takes more than ten times the room, and of the many revisions that are kept
//! for going back, nothing but a label is read in most passes.

use serde_json::Value;
use sluice_crds::template::{HASH_LABEL, PodTemplate};

/// A pod template that is seldom read.
#[derive(Clone, Debug, PartialEq)]
pub struct PackedTemplate {
    text: Box<str>,
    hash_label: Option<Box<str>>,
    affinity: Option<Box<Value>>,
}

impl From<&Value> for PackedTemplate {
    fn from(template: &Value) -> Self {
        let hash_label = template["metadata"]["labels"][HASH_LABEL].as_str().map(Into::into);
        let affinity = template["spec"].get("affinity").cloned().map(Box::new);
        Self { text: template.to_string().into(), hash_label, affinity }
    }
}

impl PackedTemplate {
    /// All of it.
    pub fn unpacked(&self) -> PodTemplate {
        // What was written from a value is read back as that value.
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The hash of its revision, as a label.
    pub(crate) fn hash_label(&self) -> Option<&str> {
        self.hash_label.as_deref()
    }

    /// `spec.affinity`.
    pub(crate) fn affinity(&self) -> Option<&Value> {
        self.affinity.as_deref()
    }
}
