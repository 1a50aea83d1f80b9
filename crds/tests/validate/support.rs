//! A good manifest, what somebody changed in it, and the sentences that lint prints.

use serde_json::Value;
use sluice_crds::lint::lint;

/// One row of a table: what is changed in the good manifest, and the sentences that are expected, all of them.
pub(crate) struct Row {
    /// `path: yaml` lines; `path: ~` takes the field out.
    pub(crate) changes: &'static [(&'static str, &'static str)],
    pub(crate) expected: &'static [&'static str],
}

/// A change and the one sentence that it earns.
pub(crate) const fn one(changes: &'static [(&'static str, &'static str)], expected: &'static [&'static str]) -> Row {
    Row { changes, expected }
}

/// Runs every row against the same good manifest and reports all rows that differ.
pub(crate) fn check(good: &str, rows: &[Row]) {
    let good = yaml(good);
    assert_eq!(sentences(&good), Vec::<String>::new(), "the manifest that the rows start from has to be good");
    let mut wrong = String::new();
    for row in rows {
        let mut manifest = good.clone();
        for (path, change) in row.changes {
            set(&mut manifest, path, yaml(change));
        }
        let found = sentences(&manifest);
        if found != row.expected {
            wrong += &format!("{:?}\n", row.changes);
            for sentence in row.expected.iter().filter(|sentence| !found.iter().any(|found| found == *sentence)) {
                wrong += &format!("  expected: {sentence}\n");
            }
            for sentence in found.iter().filter(|found| !row.expected.contains(&found.as_str())) {
                wrong += &format!("  found:    {sentence}\n");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The sentences that lint prints about a manifest.
pub(crate) fn sentences(manifest: &Value) -> Vec<String> {
    let report = lint(manifest.to_string().as_bytes());
    let mut sentences: Vec<_> = report.findings.into_iter().map(|finding| finding.mistake).collect();
    sentences.sort();
    sentences.iter().map(ToString::to_string).collect()
}

pub(crate) fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Sets the field at a dotted path, making objects on the way; `null` takes it out. A number is the index of a list.
pub(crate) fn set(manifest: &mut Value, path: &str, value: Value) {
    let (outer, last) = path.rsplit_once('.').unwrap_or(("", path));
    let mut inner = manifest;
    for part in outer.split('.').filter(|part| !part.is_empty()) {
        inner = match part.parse::<usize>() {
            Ok(index) => &mut inner[index],
            Err(_) => &mut inner[part],
        };
    }
    match (last.parse::<usize>(), value) {
        (Ok(index), value) => inner[index] = value,
        (Err(_), Value::Null) => {
            if let Some(fields) = inner.as_object_mut() {
                fields.remove(last);
            }
        }
        (Err(_), value) => inner[last] = value,
    }
}
