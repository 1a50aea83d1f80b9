//! What the Go oracle says about one template, and whether we say the same.
//!
//! A line of the oracle is a JSON object: `template` as a user may write it, `collisionCount` or null, its `hash`,
//! the `oldHash` that it had with Kubernetes before 1.34, and the template `defaulted` by the API server's code.

use serde::Deserialize;
use sluice_crds::template::{PodTemplate, TemplateHash, semantically_equal};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Vector {
    pub(crate) template: PodTemplate,
    pub(crate) collision_count: Option<i32>,
    pub(crate) hash: TemplateHash,
    pub(crate) old_hash: TemplateHash,
    pub(crate) defaulted: PodTemplate,
}

/// Reads one line and compares.
///
/// # Errors
/// The line is not the oracle's, or we disagree with it; the sentence says in what.
pub(crate) fn compare(line: &str) -> Result<Vector, String> {
    let vector: Vector = serde_json::from_str(line).map_err(|error| format!("not a line of the oracle: {error}"))?;
    let ours = TemplateHash::of(&vector.template, vector.collision_count);
    if ours != vector.hash {
        return Err(format!("hash is {ours}, Go says {}: {line}", vector.hash));
    }
    let candidates = TemplateHash::candidates(&vector.template, vector.collision_count);
    if !candidates.contains(&vector.old_hash) {
        return Err(format!("old hash {} is not among {candidates:?}: {line}", vector.old_hash));
    }
    if !semantically_equal(&vector.template, &vector.defaulted) {
        return Err(format!("the template does not equal its defaulted form: {line}"));
    }
    Ok(vector)
}
