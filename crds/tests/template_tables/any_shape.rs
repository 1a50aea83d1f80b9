//! No JSON, however wrong its shape, brings a template's functions down.

use serde_json::{Map, Value, json};
use sluice_crds::template::{PodTemplate, TemplateHash, semantically_equal};

use crate::seeded::Seeded;

/// Real field names, so that the wrong things stand in the places that are looked at.
const NAMES: [&str; 32] = [
    "metadata",
    "spec",
    "labels",
    "creationTimestamp",
    "containers",
    "initContainers",
    "name",
    "image",
    "ports",
    "hostPort",
    "containerPort",
    "env",
    "valueFrom",
    "fieldRef",
    "resources",
    "limits",
    "requests",
    "cpu",
    "livenessProbe",
    "httpGet",
    "port",
    "volumes",
    "emptyDir",
    "sizeLimit",
    "affinity",
    "podAntiAffinity",
    "requiredDuringSchedulingIgnoredDuringExecution",
    "labelSelector",
    "matchExpressions",
    "hostNetwork",
    "serviceAccount",
    "managedFields",
];

fn any_value(seeded: &mut Seeded, depth: usize) -> Value {
    match seeded.below(if depth > 7 { 6 } else { 12 }) {
        0 => Value::Null,
        1 => json!(seeded.below(2) == 0),
        2 => json!(seeded.integer()),
        3 => json!(seeded.integer() as f64 / 8.0),
        4 => json!(
            ["100m", "", "rollouts-pod-template-hash", "2024-01-02T03:04:05Z", "0001-01-01T00:00:00Z", "é<"]
                [seeded.below(6)]
        ),
        5 => json!(seeded.text(&["a", ":", "/", "@", ".", "9", "\u{2028}"], 6)),
        6 | 7 => (0..seeded.below(4)).map(|_| any_value(seeded, depth + 1)).collect(),
        _ => {
            let mut fields = Map::new();
            for _ in 0..seeded.below(6) {
                fields.insert(NAMES[seeded.below(NAMES.len())].to_owned(), any_value(seeded, depth + 1));
            }
            Value::Object(fields)
        }
    }
}

#[test]
fn a_template_of_any_shape_is_hashed_compared_and_read() {
    let mut seeded = Seeded::new(8);
    for _ in 0..5_000 {
        let spec = any_value(&mut seeded, 1);
        let template = PodTemplate::from(json!({"metadata": any_value(&mut seeded, 1), "spec": spec}));
        let labelled = template.clone().with_label("rollouts-pod-template-hash", "x");
        assert_eq!(TemplateHash::of(&template, None), TemplateHash::of(&template.clone(), None));
        assert_ne!(
            TemplateHash::of(&labelled, None),
            TemplateHash::of(&template.clone().with_label("other", "x"), None)
        );
        // The label is not looked at; that there is room for it may replace metadata of the wrong shape.
        let room = labelled.clone().without_label("rollouts-pod-template-hash");
        assert!(semantically_equal(&labelled, &room), "{}", labelled.as_json());
        assert!(template.containers().count() >= template.images().count());
    }
}
