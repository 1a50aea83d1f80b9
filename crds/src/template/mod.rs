//! Pod templates: raw JSON that survives every Kubernetes version, with its schema, its hash and its equality.

mod hash;
mod pod_template;
mod schema;

pub use hash::{StepHash, TemplateHash, hash_json_bytes};
pub use pod_template::{Container, PodTemplate};
