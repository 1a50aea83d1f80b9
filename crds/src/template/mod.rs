//! Pod templates: raw JSON that survives every Kubernetes version, with its schema, its hash and its equality.

mod defaults;
mod equality;
mod go_fields;
mod go_json;
mod hash;
mod pod_template;
mod schema;
mod typed_json;

pub use equality::semantically_equal;
pub use go_json::go_json;
pub use hash::{StepHash, TemplateHash, hash_json_bytes};
pub use pod_template::{Container, PodTemplate};

/// The label that tells the pods of one revision from those of another; its value is a [`TemplateHash`].
pub const HASH_LABEL: &str = "rollouts-pod-template-hash";
