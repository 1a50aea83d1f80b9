//! Manifests for tests, and how they are read.

use std::fmt;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sluice_crds::schema::crds;
use sluice_crds::{AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, Experiment, Rollout};

/// A manifest, and the file that it comes from.
pub(crate) struct Manifest {
    file: String,
    pub(crate) json: Value,
}

impl Manifest {
    pub(crate) fn kind(&self) -> String {
        self.json["kind"].as_str().expect("a kind").to_owned()
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.file, self.json["kind"], self.json["metadata"]["name"])
    }
}

/// All manifests in `tests/data/manifests`.
pub(crate) fn manifests() -> Vec<Manifest> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/manifests");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("a folder of manifests")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|path| {
            let text = std::fs::read_to_string(path).expect("a readable file");
            let documents: Vec<Value> =
                serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let file = path.file_name().expect("a name").to_string_lossy().into_owned();
            documents.into_iter().flat_map(items).map(move |json| Manifest { file: file.clone(), json })
        })
        .collect()
}

/// The manifests in a `List`, or the one manifest.
fn items(mut json: Value) -> Vec<Value> {
    match json["kind"].as_str() {
        Some("List") => serde_json::from_value(json["items"].take()).expect("items"),
        _ => vec![json],
    }
}

/// Reads a manifest into its type and writes it again.
pub(crate) fn typed(json: &Value) -> Result<Value, serde_json::Error> {
    fn through<K: DeserializeOwned + Serialize>(json: &Value) -> Result<Value, serde_json::Error> {
        serde_json::to_value(serde_json::from_value::<K>(json.clone())?)
    }
    match json["kind"].as_str() {
        Some("Rollout") => through::<Rollout>(json),
        Some("AnalysisTemplate") => through::<AnalysisTemplate>(json),
        Some("ClusterAnalysisTemplate") => through::<ClusterAnalysisTemplate>(json),
        Some("AnalysisRun") => through::<AnalysisRun>(json),
        Some("Experiment") => through::<Experiment>(json),
        other => panic!("no such kind: {other:?}"),
    }
}

/// The schema in a kind's CRD.
pub(crate) fn schema_of(kind: &str) -> Value {
    let crd = crds().into_iter().find(|crd| crd["spec"]["names"]["kind"] == kind).expect("a CRD of this kind");
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}
