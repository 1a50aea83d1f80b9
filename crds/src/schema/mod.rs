//! Schemas: the CRDs that the API server is given, and the JSON Schemas that editors and checkers read.
//!
//! Both are made from the types, and written to files that are kept in the repository.

pub(crate) mod leaf;
pub(crate) mod mark;

mod crd;
mod editor;
mod structural;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::shape::CustomKind;
use crate::{AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, Experiment, Rollout};

/// The CRDs of all kinds, as JSON.
pub fn crds() -> Vec<Value> {
    vec![
        crd::crd::<Rollout>(),
        crd::crd::<AnalysisTemplate>(),
        crd::crd::<ClusterAnalysisTemplate>(),
        crd::crd::<AnalysisRun>(),
        crd::crd::<Experiment>(),
    ]
}

/// The structural schema of a kind: `spec` and, where there is one, `status`.
pub fn schema<K: CustomKind>() -> Value {
    let generator = SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .into_generator();
    let schema = generator.into_root_schema_for::<K>();
    structural::structural(schema.as_value())
}

/// Every generated file: its path within the repository and what it must hold.
///
/// `cargo xtask crds` writes them; a test compares them with what is in the repository.
pub fn generated_files() -> Vec<(String, String)> {
    let crds = crds().into_iter().map(|crd| (crd::path(&crd), crd::yaml(&crd)));
    let editor = [
        editor::file::<Rollout>(),
        editor::file::<AnalysisTemplate>(),
        editor::file::<ClusterAnalysisTemplate>(),
        editor::file::<AnalysisRun>(),
        editor::file::<Experiment>(),
    ];
    crds.chain(editor).collect()
}

/// The same JSON with all keys in order, so that a file doesn't depend on how `serde_json` was built.
fn in_order(json: &Value) -> Value {
    match json {
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            entries.into_iter().map(|(key, value)| (key.clone(), in_order(value))).collect()
        }
        Value::Array(items) => items.iter().map(in_order).collect(),
        other => other.clone(),
    }
}
