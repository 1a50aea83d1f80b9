//! The types hold every field of the interface, and no other that isn't named as ours.

use std::collections::BTreeMap;

use serde_json::Value;
use sluice_crds::schema::schema;
use sluice_crds::{AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, CustomKind, Experiment, Rollout};

/// Path → type.
type Fields = BTreeMap<String, String>;

#[test]
fn every_field_of_the_interface_is_there_and_no_unnamed_other() {
    let interface = Sections::read(include_str!("data/fields.txt"));
    let ours = Sections::read(include_str!("data/additions.txt"));
    let mut differences = Vec::new();
    differences.extend(compare::<Rollout>(&interface, &ours));
    differences.extend(compare::<AnalysisTemplate>(&interface, &ours));
    differences.extend(compare::<ClusterAnalysisTemplate>(&interface, &ours));
    differences.extend(compare::<AnalysisRun>(&interface, &ours));
    differences.extend(compare::<Experiment>(&interface, &ours));
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

fn compare<K: CustomKind>(interface: &Sections, ours: &Sections) -> Vec<String> {
    let kind = K::kind(&()).into_owned();
    let mut wanted = interface.fields(&kind);
    wanted.extend(ours.fields(&kind));
    let mut found = Fields::new();
    walk(&schema::<K>(), "", &mut found);

    let missing = wanted.iter().filter_map(|(path, wanted)| match found.get(path) {
        None => Some(format!("{kind}: {path} is missing")),
        Some(found) if found != wanted => Some(format!("{kind}: {path} is {found}, not {wanted}")),
        Some(_) => None,
    });
    let unnamed = found
        .keys()
        .filter(|path| !wanted.contains_key(*path))
        .map(|path| format!("{kind}: {path} is in neither list"));
    missing.chain(unnamed).collect()
}

/// A file of fields: section → path → type or `+group`.
struct Sections(BTreeMap<String, Fields>);

impl Sections {
    fn read(text: &str) -> Self {
        let mut sections: BTreeMap<String, Fields> = BTreeMap::new();
        let mut current = String::new();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                current = name.to_owned();
                continue;
            }
            let (path, kind) = line.split_once(' ').expect(line);
            let section = sections.entry(current.clone()).or_default();
            let earlier = section.insert(path.to_owned(), kind.to_owned());
            assert_eq!(earlier, None, "{path} is there twice in [{current}]");
        }
        Self(sections)
    }

    /// The fields of a section, with those of its groups.
    fn fields(&self, section: &str) -> Fields {
        let mut fields = Fields::new();
        for (path, kind) in self.0.get(section).into_iter().flatten() {
            match kind.strip_prefix('+') {
                None => {
                    fields.insert(path.clone(), kind.clone());
                }
                Some(group) => {
                    assert!(self.0.contains_key(group), "no group [{group}]");
                    let below = self.fields(group);
                    fields.extend(below.into_iter().map(|(name, kind)| (format!("{path}.{name}"), kind)));
                }
            }
        }
        fields
    }
}

/// All leaves of a structural schema.
fn walk(schema: &Value, path: &str, found: &mut Fields) {
    let leaf = if schema["x-kubernetes-preserve-unknown-fields"] == true {
        "raw"
    } else if schema["x-kubernetes-int-or-string"] == true {
        "int-or-string"
    } else {
        match (schema["type"].as_str(), schema["format"].as_str()) {
            (Some("string"), Some("date-time")) => "time",
            (Some("string"), None) => "string",
            (Some("boolean"), None) => "bool",
            (Some("integer"), Some(width @ ("int32" | "int64"))) => width,
            (Some("array"), None) => return walk(&schema["items"], &format!("{path}[]"), found),
            (Some("object"), None) => {
                if let Some(properties) = schema["properties"].as_object() {
                    for (name, property) in properties {
                        let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                        walk(property, &below, found);
                    }
                    return;
                }
                if schema["additionalProperties"].is_object() {
                    return walk(&schema["additionalProperties"], &format!("{path}{{}}"), found);
                }
                "object"
            }
            other => panic!("{path} has a type that no field has: {other:?}"),
        }
    };
    found.insert(path.to_owned(), leaf.to_owned());
}
