//! Kinds that users define: served as soon as they are known, with their schema, columns and doors.

use serde_json::{Value, json};
use sluice_sandbox::api::request::Request;

use crate::support::{Cluster, MERGE, STRATEGIC, names};

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const WIDGETS: &str = "/apis/example.com/v1/namespaces/shop/widgets";

fn definition() -> Value {
    json!({
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {
                        "spec": {
                            "type": "object",
                            "required": ["size"],
                            "properties": {
                                "size": {"type": "integer", "minimum": 1},
                                "color": {"type": "string", "default": "blue"},
                                "replicas": {"type": "integer"},
                            },
                        },
                        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                    },
                }},
                "subresources": {
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".status.selector"},
                },
                "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
            }],
        },
    })
}

fn widget(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec})
}

fn cluster() -> Cluster {
    let mut cluster = Cluster::new();
    cluster.create(CRDS, &definition());
    cluster
}

#[test]
fn a_definition_is_established_and_served_at_once() {
    let mut cluster = Cluster::new();
    assert_eq!(cluster.get(WIDGETS).0, 404);
    let created = cluster.create(CRDS, &definition());
    assert_eq!(created["spec"]["names"]["singular"], "widget");
    assert_eq!(created["spec"]["names"]["listKind"], "WidgetList");
    assert_eq!(created["status"]["storedVersions"], json!(["v1"]));
    let (_, after) = cluster.get(&format!("{CRDS}/widgets.example.com"));
    let kinds: Vec<&Value> = after["status"]["conditions"]
        .as_array()
        .map(|all| all.iter().filter(|one| one["status"] == "True").map(|one| &one["type"]).collect())
        .unwrap_or_default();
    assert_eq!(kinds, ["NamesAccepted", "Established"]);
    assert_eq!(after["status"]["acceptedNames"]["kind"], "Widget");
    let (code, list) = cluster.get(WIDGETS);
    assert_eq!((code, &list["kind"]), (200, &json!("WidgetList")));
}

#[test]
fn a_custom_resource_is_defaulted_pruned_and_validated() {
    let mut cluster = cluster();
    let created = cluster.create(WIDGETS, &widget("a", &json!({"size": 3, "unheard": true})));
    assert_eq!(created["spec"], json!({"size": 3, "color": "blue"}));
    assert_eq!(created["metadata"]["generation"], 1);
    let (code, refused) = cluster.post(WIDGETS, &widget("b", &json!({"size": 0})));
    assert_eq!(code, 422);
    assert_eq!(
        refused["message"],
        "Widget.example.com \"b\" is invalid: spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"
    );
    let (code, refused) = cluster.post(WIDGETS, &widget("b", &json!({})));
    assert_eq!(code, 422);
    assert_eq!(refused["details"]["causes"][0]["reason"], "FieldValueRequired");
}

#[test]
fn unknown_fields_are_refused_warned_of_or_ignored_as_the_client_wishes() {
    let mut cluster = cluster();
    let odd = |name: &str| widget(name, &json!({"size": 1, "unheard": true}));
    let (code, refused) = cluster.post(&format!("{WIDGETS}?fieldValidation=Strict"), &odd("a"));
    assert_eq!(
        (code, refused["message"].as_str()),
        (
            400,
            Some(
                "Widget in version \"v1\" cannot be handled as a Widget: strict decoding error: unknown field \"spec.unheard\""
            )
        )
    );
    let response = cluster.send(Request::post(WIDGETS, &odd("b")));
    assert_eq!(response.header("warning"), Some("299 - \"unknown field \\\"spec.unheard\\\"\""));
    let response = cluster.send(Request::post(&format!("{WIDGETS}?fieldValidation=Ignore"), &odd("c")));
    assert_eq!((response.status, response.header("warning")), (201, None));
}

#[test]
fn an_update_must_say_what_it_is_based_on() {
    let mut cluster = cluster();
    let created = cluster.create(WIDGETS, &widget("a", &json!({"size": 1})));
    let (code, refused) = cluster.put(&format!("{WIDGETS}/a"), &widget("a", &json!({"size": 2})));
    assert_eq!(code, 422);
    assert_eq!(
        refused["message"],
        "widgets.example.com \"a\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update"
    );
    let mut next = created.clone();
    next["spec"]["size"] = json!(2);
    let (code, after) = cluster.put(&format!("{WIDGETS}/a"), &next);
    assert_eq!((code, &after["metadata"]["generation"]), (200, &json!(2)));
}

#[test]
fn the_status_has_a_door_of_its_own() {
    let mut cluster = cluster();
    let mut with_status = widget("a", &json!({"size": 1}));
    with_status["status"] = json!({"phase": "Early"});
    let created = cluster.create(WIDGETS, &with_status);
    assert_eq!(created.get("status"), None);
    let path = format!("{WIDGETS}/a");
    let patch = json!({"spec": {"size": 9}, "metadata": {"labels": {"a": "b"}}, "status": {"phase": "Ready"}});
    let (code, after) = cluster.patch(&format!("{path}/status"), MERGE, &patch);
    assert_eq!((code, &after["status"]["phase"]), (200, &json!("Ready")));
    assert_eq!((&after["spec"]["size"], after["metadata"].get("labels")), (&json!(1), None));
    assert_eq!(after["metadata"]["generation"], 1);
    let (_, after) = cluster.patch(&path, MERGE, &json!({"status": {"phase": "Lost"}}));
    assert_eq!(after["status"]["phase"], "Ready");
}

#[test]
fn a_custom_resource_scales_by_its_own_paths() {
    let mut cluster = cluster();
    cluster.create(WIDGETS, &widget("a", &json!({"size": 1, "replicas": 2})));
    let status = json!({"status": {"replicas": 2, "selector": "app=a"}});
    cluster.patch(&format!("{WIDGETS}/a/status"), MERGE, &status);
    let (_, scale) = cluster.get(&format!("{WIDGETS}/a/scale"));
    assert_eq!(scale["spec"], json!({"replicas": 2}));
    assert_eq!(scale["status"], json!({"replicas": 2, "selector": "app=a"}));
    let (code, _) = cluster.patch(&format!("{WIDGETS}/a/scale"), MERGE, &json!({"spec": {"replicas": 4}}));
    assert_eq!(code, 200);
    let (_, after) = cluster.get(&format!("{WIDGETS}/a"));
    assert_eq!((&after["spec"]["replicas"], &after["metadata"]["generation"]), (&json!(4), &json!(2)));
}

#[test]
fn a_strategic_patch_of_a_custom_resource_is_not_spoken() {
    let mut cluster = cluster();
    cluster.create(WIDGETS, &widget("a", &json!({"size": 1})));
    let (code, refused) = cluster.patch(&format!("{WIDGETS}/a"), STRATEGIC, &json!({}));
    assert_eq!(
        (code, refused["message"].as_str()),
        (
            415,
            Some(
                "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
            )
        )
    );
}

#[test]
fn a_changed_definition_counts_at_once() {
    let mut cluster = cluster();
    cluster.create(WIDGETS, &widget("a", &json!({"size": 1})));
    let path = format!("{CRDS}/widgets.example.com");
    let mut versions = definition()["spec"]["versions"].clone();
    versions[0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["shape"] =
        json!({"type": "string", "default": "round"});
    let mut newer = versions[0].clone();
    newer["name"] = json!("v2");
    newer["storage"] = json!(false);
    let both = json!([versions[0], newer]);
    let (code, body) = cluster.patch(&path, MERGE, &json!({"spec": {"versions": both}}));
    assert_eq!(code, 200, "{body}");
    let created = cluster.create(WIDGETS, &widget("b", &json!({"size": 1})));
    assert_eq!(created["spec"]["shape"], "round");
    let (code, newer) = cluster.get("/apis/example.com/v2/namespaces/shop/widgets/b");
    assert_eq!((code, &newer["apiVersion"]), (200, &json!("example.com/v2")));
    let (code, refused) = cluster.patch(&path, MERGE, &json!({"spec": {"scope": "Cluster"}}));
    assert_eq!((code, &refused["details"]["causes"][0]["field"]), (422, &json!("spec.scope")));
}

#[test]
fn a_deleted_definition_takes_its_objects_along() {
    let mut cluster = cluster();
    cluster.create(WIDGETS, &widget("a", &json!({"size": 1})));
    let mut watch = cluster.watch(&format!("{WIDGETS}?watch=true"));
    assert_eq!(cluster.event_names(&mut watch), ["ADDED a"]);
    let (code, _) = cluster.delete(&format!("{CRDS}/widgets.example.com"));
    assert_eq!(code, 200);
    assert_eq!(cluster.event_names(&mut watch), ["DELETED a"]);
    assert_eq!(cluster.get(&format!("{CRDS}/widgets.example.com")).0, 404);
    assert_eq!(cluster.get(WIDGETS).0, 404);
}

#[test]
fn an_object_that_is_held_holds_its_definition() {
    let mut cluster = cluster();
    let mut held = widget("a", &json!({"size": 1}));
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    cluster.create(WIDGETS, &held);
    cluster.delete(&format!("{CRDS}/widgets.example.com"));
    let (code, going) = cluster.get(&format!("{CRDS}/widgets.example.com"));
    assert_eq!(code, 200);
    assert_eq!(going["metadata"]["finalizers"], json!(["customresourcecleanup.apiextensions.k8s.io"]));
    let (code, refused) = cluster.post(WIDGETS, &widget("late", &json!({"size": 1})));
    assert_eq!(
        (code, refused["message"].as_str()),
        (405, Some("create not allowed while custom resource definition is terminating"))
    );
    let (code, _) = cluster.patch(&format!("{WIDGETS}/a"), MERGE, &json!({"metadata": {"finalizers": []}}));
    assert_eq!(code, 200);
    assert_eq!(cluster.get(&format!("{CRDS}/widgets.example.com")).0, 404);
}

#[test]
fn a_definition_that_makes_no_sense_is_refused() {
    let table = [
        (json!({"metadata": {"name": "other.example.com"}}), "metadata.name"),
        (json!({"spec": {"scope": "Galaxy"}}), "spec.scope"),
        (json!({"spec": {"versions": []}}), "spec.versions"),
        (
            json!({"spec": {"versions": [{"name": "v1", "served": true, "storage": false, "schema": {"openAPIV3Schema": {"type": "object"}}}]}}),
            "spec.versions",
        ),
        (
            json!({"spec": {"versions": [{"name": "v1", "served": true, "storage": true}]}}),
            "spec.versions[0].schema.openAPIV3Schema",
        ),
    ];
    for (change, field) in table {
        let mut cluster = Cluster::new();
        let mut wrong = definition();
        sluice_sandbox::patch::merge::apply(&mut wrong, &change);
        let (code, refused) = cluster.post(CRDS, &wrong);
        assert_eq!((code, &refused["details"]["causes"][0]["field"]), (422, &json!(field)), "{refused}");
    }
}

#[test]
fn two_definitions_cannot_share_a_kind() {
    let mut cluster = cluster();
    let mut second = definition();
    second["metadata"]["name"] = json!("gadgets.example.com");
    second["spec"]["names"] =
        json!({"plural": "gadgets", "kind": "Widget", "listKind": "GadgetList", "singular": "gadget"});
    cluster.create(CRDS, &second);
    let (_, after) = cluster.get(&format!("{CRDS}/gadgets.example.com"));
    let accepted = &after["status"]["conditions"][0];
    assert_eq!((&accepted["type"], &accepted["status"]), (&json!("NamesAccepted"), &json!("False")));
    assert_eq!(accepted["message"], "\"Widget\" is already in use");
    assert_eq!(cluster.get("/apis/example.com/v1/gadgets").0, 404);
}

#[test]
fn custom_lists_print_the_columns_of_their_definition() {
    let mut cluster = cluster();
    cluster.create(WIDGETS, &widget("a", &json!({"size": 7})));
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let (_, table) = cluster.answer(Request::get(WIDGETS).with_header("accept", accept));
    let heads: Vec<&Value> = table["columnDefinitions"]
        .as_array()
        .map(|all| all.iter().map(|one| &one["name"]).collect())
        .unwrap_or_default();
    assert_eq!(heads, ["Name", "Size"]);
    assert_eq!(table["rows"][0]["cells"], json!(["a", 7]));
    let (_, list) = cluster.get(WIDGETS);
    assert_eq!((&list["items"][0]["kind"], names(&list)), (&json!("Widget"), vec!["a".to_owned()]));
}

#[test]
fn rules_of_a_definition_are_evaluated() {
    let mut cluster = Cluster::new();
    let mut strict = definition();
    let schema = &mut strict["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    schema["x-kubernetes-validations"] = json!([
        {"rule": "self.size <= 10", "message": "no widget is that big"},
        {"rule": "self.size >= oldSelf.size", "message": "widgets only grow"},
    ]);
    cluster.create(CRDS, &strict);
    let (code, refused) = cluster.post(WIDGETS, &widget("a", &json!({"size": 11})));
    assert_eq!(
        (code, refused["message"].as_str()),
        (422, Some("Widget.example.com \"a\" is invalid: spec: Invalid value: no widget is that big"))
    );
    cluster.create(WIDGETS, &widget("a", &json!({"size": 5})));
    let (code, refused) = cluster.patch(&format!("{WIDGETS}/a"), MERGE, &json!({"spec": {"size": 4}}));
    assert_eq!((code, &refused["details"]["causes"][0]["field"]), (422, &json!("spec")));
    assert_eq!(cluster.patch(&format!("{WIDGETS}/a"), MERGE, &json!({"spec": {"size": 6}})).0, 200);
}

#[test]
fn the_definitions_that_users_bring_are_taken() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut taken = 0;
    let mut cluster = Cluster::new();
    for folder in ["helm/sluice/crds", "e2e/router-crds"] {
        let files = std::fs::read_dir(format!("{root}/{folder}")).expect("the folder is there");
        for file in files {
            let path = file.expect("the folder can be read").path();
            let text = std::fs::read_to_string(&path).expect("the file can be read");
            for document in text.split("\n---").filter(|document| document.contains("kind:")) {
                let request = Request::new("POST", CRDS).with_header("content-type", "application/yaml");
                let request = Request { body: document.to_owned().into(), ..request };
                let (code, answer) = cluster.answer(request);
                assert_eq!(code, 201, "{}: {answer}", path.display());
                taken += 1;
            }
        }
    }
    assert!(taken > 10, "only {taken} definitions were found");
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}},
            "strategy": {"canary": {"steps": [{"setWeight": 20}, {"pause": {"duration": "10m"}}]}},
        },
    });
    let created = cluster.create("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts", &rollout);
    assert_eq!(created["spec"], rollout["spec"], "nothing is pruned and nothing added");
}
