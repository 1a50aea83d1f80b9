//! A template has the hash that Go gives it, so that existing ReplicaSets are found.

use serde_json::{Value, json};
use sluice_crds::template::{PodTemplate, StepHash, TemplateHash, hash_json_bytes};

use crate::defaulted::{Defaulted, defaulted};
use crate::vectors::{Outcome, compare};

fn hash(template: Value) -> String {
    TemplateHash::of(&PodTemplate::from(template), None).to_string()
}

#[test]
fn bytes_and_collision_count_have_the_hash_that_go_gives_them() {
    let steps = r#"[{"setWeight":20},{"pause":{}}]"#;
    let table = [
        ("", None, "65bb57b6b5"),
        ("null", None, "5ffbfbbd64"),
        ("[]", None, "5f8cb5778f"),
        (steps, None, "54649b9f5c"),
        ("", Some(0), "6b5968754f"),
        (steps, Some(0), "85f6b48665"),
        (steps, Some(1), "6b69f85cdd"),
        (steps, Some(-1), "8885cc48f"),
    ];
    for (json, collision_count, hash) in table {
        assert_eq!(hash_json_bytes(json.as_bytes(), collision_count), hash, "{json} {collision_count:?}");
    }
    assert_eq!(StepHash::of_json(steps.as_bytes()), StepHash::from("54649b9f5c"));
}

#[test]
fn every_template_of_the_oracle_has_the_hash_that_go_gives_it() {
    let questions = include_str!("../data/template_questions.jsonl").lines();
    let answers = include_str!("../data/template_answers.jsonl").lines();
    let outcomes: Vec<_> = questions.zip(answers).map(|(question, answer)| compare(question, answer)).collect();
    let disagreements: Vec<&String> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert_eq!(disagreements, Vec::<&String>::new());
    assert_eq!(outcomes.len(), 200);
    let same = outcomes.iter().filter(|outcome| **outcome == Ok(Outcome::Same)).count();
    assert!(same > 180, "only {same} could be compared");
}

#[test]
fn a_replica_set_of_an_older_controller_is_found_by_one_of_the_candidates() {
    for Defaulted { template, collision_count, old_hash, .. } in defaulted() {
        let candidates = TemplateHash::candidates(&template, collision_count);
        assert!(candidates.contains(&old_hash), "{old_hash} is not among {candidates:?}: {}", template.as_json());
    }
}

#[test]
fn a_usual_template_has_the_hash_that_its_replica_set_already_carries() {
    let table = [
        (json!({}), "658c46c486"),
        (json!(null), "658c46c486"),
        (json!({"metadata": null, "spec": {"containers": null}}), "658c46c486"),
        (
            json!({
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{
                    "name": "web",
                    "image": "nginx:1.25",
                    "resources": {"limits": {"cpu": "0.5", "memory": "1024Mi"}},
                    "ports": [{"containerPort": 80}],
                }]},
            }),
            "7f4fd4bbb8",
        ),
    ];
    for (template, expected) in table {
        assert_eq!(hash(template), expected);
    }
}

#[test]
fn ways_of_writing_the_same_are_one_revision() {
    let base = json!({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "500m"}}}]}});
    let same = [
        json!({"spec": {"containers": [{"resources": {"requests": {"cpu": 0.5}}, "name": "a"}]}}),
        json!({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "0.5"}}}]}}),
        json!({"metadata": {"creationTimestamp": null}, "spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "500m"}}}]}}),
        json!({"metadata": {"labels": {}}, "spec": {"volumes": [], "hostNetwork": false, "nodeName": "", "containers": [{"name": "a", "env": null, "resources": {"limits": {}, "requests": {"cpu": "500m"}}}]}}),
    ];
    for template in same {
        assert_eq!(hash(template.clone()), hash(base.clone()), "{template}");
    }
}

#[test]
fn what_go_tells_apart_is_two_revisions() {
    let base = json!({"spec": {"containers": [{"name": "a", "command": ["x", "y"]}]}});
    let different = [
        json!({"spec": {"containers": [{"name": "b", "command": ["x", "y"]}]}}),
        json!({"spec": {"containers": [{"name": "a", "command": ["y", "x"]}]}}),
        json!({"spec": {"containers": [{"name": "a", "command": ["x", "y"], "securityContext": {}}]}}),
        json!({"spec": {"enableServiceLinks": false, "containers": [{"name": "a", "command": ["x", "y"]}]}}),
        json!({"metadata": {"labels": {"a": ""}}, "spec": {"containers": [{"name": "a", "command": ["x", "y"]}]}}),
    ];
    for template in different {
        assert_ne!(hash(template.clone()), hash(base.clone()), "{template}");
    }
}

#[test]
fn a_field_that_is_younger_than_the_table_is_hashed_where_it_stands() {
    let old = json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}]}});
    let first = json!({"spec": {"containers": [{"name": "a", "future": {"y": 1, "x": [2]}}, {"name": "b"}]}});
    let second = json!({"spec": {"containers": [{"name": "a"}, {"name": "b", "future": {"y": 1, "x": [2]}}]}});
    let unset = json!({"spec": {"future": null, "containers": [{"name": "a", "future": null}, {"name": "b"}]}});
    assert_ne!(hash(first.clone()), hash(old.clone()));
    assert_ne!(hash(first.clone()), hash(second));
    assert_eq!(hash(unset), hash(old.clone()));
    // A controller that did not know the field made a ReplicaSet under the hash without it.
    let candidates = TemplateHash::candidates(&PodTemplate::from(first.clone()), None);
    assert_eq!(candidates.first().map(ToString::to_string), Some(hash(first)));
    assert!(candidates.contains(&TemplateHash::from(hash(old))));
    assert_eq!(candidates.len(), 4);
}

#[test]
fn a_usual_template_has_two_names_at_most() {
    let template = PodTemplate::from(json!({"spec": {"containers": [{"name": "a"}]}}));
    let candidates = TemplateHash::candidates(&template, Some(2));
    assert_eq!(candidates.len(), 2);
    assert_eq!(candidates[0], TemplateHash::of(&template, Some(2)));
    assert_ne!(candidates[0], TemplateHash::of(&template, None));
}

/// Such templates are refused by validation, but their hash may be asked for before that.
#[test]
fn a_template_of_the_wrong_shape_has_a_hash_of_its_own() {
    let shapes = [
        json!(7),
        json!({"spec": []}),
        json!({"spec": {"containers": {"name": "a"}}}),
        json!({"spec": {"containers": ["a"]}}),
        json!({"spec": {"hostNetwork": "yes"}}),
        json!({"spec": {"containers": [{"name": 5}]}}),
        json!({"spec": {"containers": [{"resources": {"limits": {"cpu": "lots"}}}]}}),
        json!({"metadata": {"creationTimestamp": "yesterday"}}),
    ];
    let mut hashes: Vec<String> = shapes.into_iter().map(hash).collect();
    assert_eq!(hashes.remove(0), hash(json!({})), "what is no object holds nothing");
    hashes.push(hash(json!({})));
    let all = hashes.len();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), all);
}
