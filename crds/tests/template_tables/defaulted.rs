//! Templates beside what Kubernetes 1.36's own code makes of them.

use serde::Deserialize;
use sluice_crds::template::{PodTemplate, TemplateHash};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Defaulted {
    /// As a user may write it.
    pub(crate) template: PodTemplate,
    pub(crate) collision_count: Option<i32>,
    /// The hash that it had before Kubernetes 1.34, when an absent creation time was hashed as null.
    pub(crate) old_hash: TemplateHash,
    /// As the API server fills it in.
    pub(crate) defaulted: PodTemplate,
}

/// A hundred of them.
pub(crate) fn defaulted() -> impl Iterator<Item = Defaulted> {
    let lines = include_str!("../data/template_defaults.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).expect("a line of the file"))
}
