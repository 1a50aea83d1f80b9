//! Which ReplicaSet is which, and what they are called.

use serde_json::{Value, json};

use super::fixture::{hash, now, rollout, set, set_by, snapshot, status_at, status_of, template};
use crate::plan::{Action, Kind, Plan};
use crate::{names, plan};

fn plan_of(sets: &[Value], status: &Value) -> Plan {
    plan(&snapshot(&rollout(10, &json!({}), status), sets, &[], &[]), now())
}

fn created(plan: &Plan) -> Option<&Value> {
    plan.writes.iter().find_map(|write| match &write.action {
        Action::Create(object) => Some(object),
        Action::Patch(_) | Action::Delete { .. } | Action::Evict { .. } => None,
    })
}

#[test]
fn a_new_template_gets_a_replica_set_that_carries_its_hash_everywhere() {
    let mut rollout = rollout(10, &json!({}), &json!({}));
    rollout["metadata"]["annotations"] = json!({
        "team": "shop", "kubectl.kubernetes.io/last-applied-configuration": "{}", "rollout.argoproj.io/revision": "1",
    });
    rollout["metadata"]["labels"] = json!({(names::INSTANCE_ID): "blue", "tier": "front"});
    rollout["spec"]["minReadySeconds"] = json!(7);
    let plan = plan(&snapshot(&rollout, &[set("web:1", 1, 10, 10, 10)], &[], &[]), now());
    let hash = hash("web:2");
    let object = created(&plan).expect("a ReplicaSet");
    assert_eq!(object["metadata"]["name"], format!("web-{hash}"));
    let labels = json!({"app": "web", "rollouts-pod-template-hash": hash});
    let mut own_labels = labels.clone();
    own_labels[names::INSTANCE_ID] = json!("blue");
    assert_eq!(object["metadata"]["labels"], own_labels);
    assert_eq!(
        object["metadata"]["annotations"],
        json!({"team": "shop", "rollout.argoproj.io/revision": "2", "rollout.argoproj.io/desired-replicas": "10"})
    );
    let owner = &object["metadata"]["ownerReferences"][0];
    assert_eq!((&owner["uid"], &owner["controller"]), (&json!("rollout-uid"), &json!(true)));
    assert_eq!(object["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(object["spec"]["template"]["metadata"]["labels"], labels);
    assert_eq!((&object["spec"]["replicas"], &object["spec"]["minReadySeconds"]), (&json!(0), &json!(7)));
    assert_eq!(plan.writes[0].events[0].reason, "RolloutUpdated");
}

#[test]
fn a_replica_set_under_a_foreign_hash_is_recognised_by_its_pods() {
    let mut foreign = set("web:2", 1, 10, 10, 10);
    for place in ["/metadata/labels", "/spec/template/metadata/labels"] {
        foreign.pointer_mut(place).expect("labels")["rollouts-pod-template-hash"] = json!("abc123");
    }
    foreign["metadata"]["name"] = json!("web-abc123");
    foreign["spec"]["template"]["spec"]["restartPolicy"] = json!("Always");
    let plan = plan_of(&[foreign], &json!({}));
    assert_eq!(created(&plan), None);
    assert_eq!(status_of(&plan, "currentPodHash"), Some(json!("abc123")));
}

#[test]
fn an_orphan_that_the_selector_means_is_adopted_and_others_are_left_alone() {
    let mut orphan = set("web:2", 1, 10, 10, 10);
    orphan["metadata"]["ownerReferences"] = Value::Null;
    let mut stranger = set("web:7", 2, 10, 10, 10);
    stranger["metadata"]["ownerReferences"] = json!([{"uid": "deployment", "controller": true}]);
    let plan = plan_of(&[orphan, stranger], &json!({}));
    let names: Vec<&str> = plan.writes.iter().map(|write| write.target.name.as_str()).collect();
    assert_eq!(names, [format!("web-{}", hash("web:2"))]);
    let owners = set_by(&plan.writes[0], "/metadata/ownerReferences").expect("owners");
    assert_eq!(owners[0]["uid"], "rollout-uid");
}

#[test]
fn a_name_that_is_taken_leads_to_another_one() {
    let mut stranger = set("web:2", 1, 3, 3, 3);
    stranger["metadata"]["ownerReferences"] = json!([{"uid": "somebody", "controller": true}]);
    let status = status_at(&json!({}), 0, &json!({"stableRS": ""}));
    let plan = plan_of(&[stranger.clone()], &status);
    assert_eq!(plan.writes, []);
    assert_eq!(status_of(&plan, "collisionCount"), Some(json!(1)));
    let next = plan_of(&[stranger], &status_at(&json!({}), 0, &json!({"stableRS": "", "collisionCount": 1})));
    let name = created(&next).expect("a ReplicaSet")["metadata"]["name"].clone();
    assert_ne!(name, format!("web-{}", hash("web:2")));
}

#[test]
fn an_old_revision_that_comes_back_gets_the_next_number() {
    let status = status_at(&json!({}), 0, &json!({}));
    let plan = plan_of(&[set("web:2", 1, 0, 0, 0), set("web:1", 4, 10, 10, 10)], &status);
    let name = format!("web-{}", hash("web:2"));
    let write = plan.writes.iter().find(|write| write.target.name == name).expect("a write");
    let annotation = |key: &str| set_by(write, &format!("/metadata/annotations/rollout.argoproj.io~1{key}"));
    assert_eq!((annotation("revision"), annotation("revision-history")), (Some(json!("5")), Some(json!("1"))));
}

#[test]
fn the_oldest_empty_revisions_are_forgotten_beyond_the_limit() {
    let status = status_at(&json!({}), 0, &json!({"stableRS": hash("web:2")}));
    let mut rollout = rollout(10, &json!({}), &status);
    rollout["spec"]["revisionHistoryLimit"] = json!(1);
    rollout["metadata"]["annotations"]["rollout.argoproj.io/revision"] = json!("9");
    let mut busy = set("web:5", 2, 0, 0, 0);
    busy["status"]["replicas"] = json!(1);
    let sets = [
        set("web:3", 1, 0, 0, 0),
        busy,
        set("web:6", 3, 0, 0, 0),
        set("web:4", 4, 0, 0, 0),
        set("web:2", 9, 10, 10, 10),
    ];
    let plan = plan(&snapshot(&rollout, &sets, &[], &[]), now());
    let deleted: Vec<&str> = plan
        .writes
        .iter()
        .filter(|write| matches!(write.action, Action::Delete { .. }))
        .map(|write| write.target.name.as_str())
        .collect();
    // Of four old ones three are too many; the one with a pod left waits.
    assert_eq!(deleted, [format!("web-{}", hash("web:3")), format!("web-{}", hash("web:6"))]);
}

#[test]
fn a_rollout_without_a_count_keeps_the_pods_that_it_has() {
    for (sets, expected) in [(vec![], 1), (vec![set("web:1", 1, 3, 3, 3), set("web:9", 2, 2, 2, 2)], 5)] {
        let mut rollout = rollout(0, &json!({}), &json!({}));
        rollout["spec"].as_object_mut().expect("a spec").remove("replicas");
        let plan = plan(&snapshot(&rollout, &sets, &[], &[]), now());
        assert_eq!(plan.writes.len(), 1);
        assert_eq!(plan.writes[0].target.kind, Kind::Rollout);
        assert_eq!(set_by(&plan.writes[0], "/spec/replicas"), Some(json!(expected)));
    }
}

#[test]
fn any_nonsense_in_objects_is_read_without_harm() {
    let mut odd = set("web:1", 1, -5, 3, i32::MAX);
    odd["metadata"]["annotations"]["rollout.argoproj.io/revision"] = json!("many");
    odd["spec"]["template"] = json!([1, 2]);
    let mut rollout =
        rollout(10, &json!({}), &json!({"currentStepIndex": -7, "stableRS": "gone", "pauseConditions": [{}]}));
    rollout["spec"]["template"] = template("web:2");
    let plan = plan(&snapshot(&rollout, &[odd], &[], &[]), now());
    assert!(created(&plan).is_some(), "{}", plan.why);
}
