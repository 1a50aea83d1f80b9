//! What the API server and editors are given: valid, small, the same as the types, and kept up to date.

use std::path::Path;

use serde_json::{Value, json};
use sluice_crds::schema::{crds, generated_files};

#[test]
fn the_generated_files_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let stale: Vec<String> = generated_files()
        .into_iter()
        .filter(|(path, text)| std::fs::read_to_string(root.join(path)).ok().as_ref() != Some(text))
        .map(|(path, _)| path)
        .collect();
    assert!(stale.is_empty(), "run `cargo xtask crds`; stale: {stale:#?}");
}

#[test]
fn each_crd_is_small_enough_for_plain_kubectl_apply() {
    for crd in crds() {
        let size = crd.to_string().len();
        assert!(size < 100_000, "{} has {size} bytes", crd["metadata"]["name"]);
    }
}

#[test]
fn the_yaml_says_what_the_crd_says() {
    let files = generated_files();
    for crd in crds() {
        let name = crd["metadata"]["name"].as_str().expect("a name");
        let path = format!("helm/sluice/crds/{name}.yaml");
        let (_, yaml) = files.iter().find(|(file, _)| *file == path).expect("a file for each CRD");
        let read: Value = serde_saphyr::from_str(yaml).expect("YAML");
        assert_eq!(read, crd, "{path}");
    }
}

#[test]
fn kinds_are_named_and_scoped_as_their_users_know_them() {
    let names: Vec<Value> = crds()
        .iter()
        .map(|crd| {
            let spec = &crd["spec"];
            let version = &spec["versions"][0];
            json!([
                spec["names"]["kind"],
                spec["names"]["plural"],
                spec["names"]["shortNames"],
                spec["scope"],
                version["name"],
                version["subresources"],
            ])
        })
        .collect();
    let rollout = json!({
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.HPAReplicas",
            "labelSelectorPath": ".status.selector",
        },
    });
    assert_eq!(
        Value::from(names),
        json!([
            ["Rollout", "rollouts", ["ro"], "Namespaced", "v1alpha1", rollout],
            ["AnalysisTemplate", "analysistemplates", ["at"], "Namespaced", "v1alpha1", null],
            ["ClusterAnalysisTemplate", "clusteranalysistemplates", ["cat"], "Cluster", "v1alpha1", null],
            ["AnalysisRun", "analysisruns", ["ar"], "Namespaced", "v1alpha1", null],
            ["Experiment", "experiments", ["exp"], "Namespaced", "v1alpha1", null],
        ])
    );
}

#[test]
fn columns_tell_how_a_release_is_going() {
    let columns: Vec<(String, Vec<String>, Vec<String>)> = crds()
        .iter()
        .map(|crd| {
            let columns = crd["spec"]["versions"][0]["additionalPrinterColumns"].as_array().expect("columns");
            let named = |wide: bool| {
                columns
                    .iter()
                    .filter(|column| column.get("priority").is_some() == wide)
                    .map(|column| column["name"].as_str().expect("a name").to_owned())
                    .collect()
            };
            let kind = crd["spec"]["names"]["kind"].as_str().expect("a kind").to_owned();
            (kind, named(false), named(true))
        })
        .collect();
    let row = |kind: &str, narrow: &[&str], wide: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        (kind.to_owned(), owned(narrow), owned(wide))
    };
    assert_eq!(
        columns,
        [
            row("Rollout", &["Phase", "Step", "Weight", "Ready", "Age"], &["Message", "Images"]),
            row("AnalysisTemplate", &["Age"], &[]),
            row("ClusterAnalysisTemplate", &["Age"], &[]),
            row("AnalysisRun", &["Status", "Age"], &["Message"]),
            row("Experiment", &["Status", "Age"], &["Message"]),
        ]
    );
}

#[test]
fn schemas_are_structural_and_set_nothing_by_themselves() {
    const MAY_BE_SAID: &[&str] = &[
        "additionalProperties",
        "description",
        "format",
        "items",
        "maximum",
        "minimum",
        "properties",
        "required",
        "type",
        "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-map-type",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-validations",
    ];
    each_schema(|path, schema| {
        for keyword in schema.as_object().expect("an object").keys() {
            assert!(MAY_BE_SAID.contains(&keyword.as_str()), "{path} says {keyword}");
        }
        let is_typed = schema["type"].is_string()
            || schema["x-kubernetes-int-or-string"] == true
            || schema["x-kubernetes-preserve-unknown-fields"] == true;
        assert!(is_typed, "{path} has no type");
        let both = !schema["properties"].is_null() && !schema["additionalProperties"].is_null();
        assert!(!both, "{path} has both fixed and free keys");
    });
}

#[test]
fn keys_of_keyed_lists_are_required_in_their_items() {
    each_schema(|path, schema| {
        for key in schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten() {
            let required = schema["items"]["required"].as_array().expect(path);
            assert!(required.contains(key), "{path} doesn't require {key}");
        }
    });
}

#[test]
fn kubectl_explain_has_a_text_for_every_field() {
    each_schema(|path, schema| {
        let is_field = !path.ends_with("[]") && !path.ends_with("{}");
        // What is in a pod is Kubernetes' own to explain.
        if is_field && !path.contains(".template.") {
            let text = schema["description"].as_str().unwrap_or_default();
            assert!(text.ends_with('.') || text.ends_with(".)"), "{path}: {text:?}");
        }
    });
}

#[test]
fn only_what_never_worked_is_refused_by_the_api_server() {
    let mut refused = Vec::new();
    each_schema(|path, schema| {
        for keyword in ["minimum", "maximum"] {
            if let Some(limit) = schema.get(keyword) {
                refused.push(format!("{path} {keyword} {limit}"));
            }
        }
        for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            refused.push(format!("{path} {}", rule["message"].as_str().expect("a message")));
        }
    });
    refused.sort();
    assert_eq!(
        refused,
        [
            "Rollout.spec.minReadySeconds minimum 0",
            "Rollout.spec.replicas minimum 0",
            "Rollout.spec.revisionHistoryLimit minimum 0",
            "Rollout.spec.selector can't be changed, because pods that it no longer matches would be left behind; \
             make a new Rollout instead",
            "Rollout.spec.strategy set exactly one of canary and blueGreen",
            "Rollout.spec.strategy.blueGreen previewService can't be the same Service as activeService",
            "Rollout.spec.strategy.blueGreen.antiAffinity.preferredDuringSchedulingIgnoredDuringExecution.weight \
             maximum 100",
            "Rollout.spec.strategy.blueGreen.antiAffinity.preferredDuringSchedulingIgnoredDuringExecution.weight \
             minimum 1",
            "Rollout.spec.strategy.canary canaryService can't be the same Service as stableService",
            "Rollout.spec.strategy.canary.antiAffinity.preferredDuringSchedulingIgnoredDuringExecution.weight \
             maximum 100",
            "Rollout.spec.strategy.canary.antiAffinity.preferredDuringSchedulingIgnoredDuringExecution.weight \
             minimum 1",
            "Rollout.spec.strategy.canary.steps[] a step does one thing; make several steps of it",
            "Rollout.spec.strategy.canary.steps[].setWeight minimum 0",
        ]
    );
}

#[test]
fn editors_call_an_unknown_field_a_mistake_except_where_the_api_server_keeps_it() {
    let files = generated_files();
    let (_, text) = files
        .iter()
        .find(|(path, _)| path == "docs/schema/argoproj.io/rollout_v1alpha1.json")
        .expect("a file for the Rollout");
    let schema: Value = serde_json::from_str(text).expect("JSON");
    let at = |pointer: &str| schema.pointer(pointer).unwrap_or(&Value::Null).clone();

    assert_eq!(at("/additionalProperties"), false);
    assert_eq!(at("/properties/spec/additionalProperties"), false);
    assert_eq!(at("/properties/spec/properties/strategy/properties/canary/additionalProperties"), false);
    assert_eq!(at("/properties/spec/properties/template/additionalProperties"), Value::Null);
    assert_eq!(
        at("/properties/spec/properties/template/properties/metadata/properties/labels/additionalProperties/type"),
        "string"
    );
    assert_eq!(
        at("/properties/spec/properties/strategy/properties/canary/properties/maxSurge/anyOf"),
        json!([{ "type": "integer" }, { "type": "string" }])
    );
    assert_eq!(at("/properties/kind/enum"), json!(["Rollout"]));
    assert_eq!(at("/properties/apiVersion/enum"), json!(["argoproj.io/v1alpha1"]));
    assert_eq!(at("/required"), json!(["apiVersion", "kind", "metadata", "spec"]));
    assert!(!text.contains("x-kubernetes"), "words that only the API server knows");
}

/// Visits every schema within every CRD, with a path such as `Rollout.spec.steps[].pause`.
fn each_schema(mut visit: impl FnMut(&str, &Value)) {
    for crd in crds() {
        let kind = crd["spec"]["names"]["kind"].as_str().expect("a kind").to_owned();
        let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        each_schema_below(&kind, schema, &mut visit);
    }
}

fn each_schema_below(path: &str, schema: &Value, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        each_schema_below(&format!("{path}.{name}"), property, visit);
    }
    if let Some(items) = schema.get("items") {
        each_schema_below(&format!("{path}[]"), items, visit);
    }
    if let Some(values) = schema.get("additionalProperties") {
        each_schema_below(&format!("{path}{{}}"), values, visit);
    }
}
