//! Restarts, metadata of roles and nodes to keep off: which single write comes next.

use serde_json::{Value, json};

use super::fixture::{hash, now, rollout, set, set_by, sizes, snapshot, status_at, status_of};
use crate::plan::{Action, Kind, Plan, Write};
use crate::{names, plan};

const RESTART_AT: &str = "2026-01-01T11:00:00Z";

/// A pod of the ReplicaSet of this revision.
fn pod(name: &str, revision: i32, created: &str, ready: bool) -> Value {
    let ready = if ready { "True" } else { "False" };
    json!({
        "metadata": {
            "name": name, "namespace": "shop", "uid": format!("pod-{name}"), "creationTimestamp": created,
            "labels": {"app": "web"},
            "ownerReferences": [{"uid": format!("set-{revision}"), "controller": true}],
        },
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    })
}

fn old(name: &str) -> Value {
    pod(name, 2, "2026-01-01T08:00:00Z", true)
}

fn young(name: &str) -> Value {
    pod(name, 2, "2026-01-01T11:30:00Z", true)
}

/// A Rollout with nothing to release, which is to be restarted.
fn restarting(replicas: i32, canary: &Value) -> Value {
    let status = status_at(canary, 0, &json!({"stableRS": hash("web:2")}));
    let mut rollout = rollout(replicas, canary, &status);
    rollout["spec"]["restartAt"] = json!(RESTART_AT);
    rollout
}

fn evicted(plan: &Plan) -> Vec<&str> {
    let evictions = plan.writes.iter().filter(|write| matches!(write.action, Action::Evict { .. }));
    evictions.map(|write| write.target.name.as_str()).collect()
}

#[test]
fn no_more_pods_go_than_may_be_missing() {
    let none_missing = json!({"maxSurge": 1, "maxUnavailable": 0});
    let two_missing = json!({"maxUnavailable": 2});
    // strategy, pods, wanted and available of them → evicted, pods asked for
    type Row<'a> = (&'a Value, Vec<Value>, i32, i32, &'a [&'a str], Option<i64>);
    let rows: [Row<'_>; 7] = [
        (&json!({}), vec![old("a"), old("b"), young("c"), young("d")], 4, 4, &["a"], None),
        (&json!({}), vec![old("a"), old("b"), young("c")], 4, 3, &[], None),
        (&two_missing, vec![old("b"), old("a"), old("c"), old("d")], 4, 4, &["a", "b"], None),
        (&none_missing, vec![old("a"), old("b"), old("c"), old("d")], 4, 4, &[], Some(5)),
        (&none_missing, vec![old("a"), old("b"), old("c"), old("d"), young("e")], 5, 5, &["a"], None),
        (&none_missing, vec![young("a"), young("b"), young("c"), young("d"), young("e")], 5, 5, &[], Some(4)),
        // One that isn't ready serves nobody.
        (
            &none_missing,
            vec![pod("a", 2, "2026-01-01T08:00:00Z", false), young("b"), young("c"), young("d")],
            4,
            3,
            &["a"],
            None,
        ),
    ];
    for (canary, pods, wanted, available, expected, size) in rows {
        let mut there = [set("web:2", 2, wanted, available, available)];
        there[0]["status"]["replicas"] = json!(pods.len());
        let plan = plan(&snapshot(&restarting(4, canary), &there, &pods, &[]), now());
        assert_eq!(evicted(&plan), expected, "{}", plan.why);
        assert_eq!(sizes(&plan).first().map(|(_, size)| *size), size, "{}", plan.why);
    }
}

#[test]
fn an_eviction_names_the_pod_that_was_seen() {
    let pods = [old("a"), old("b")];
    let plan =
        plan(&snapshot(&restarting(2, &json!({"maxUnavailable": 1})), &[set("web:2", 2, 2, 2, 2)], &pods, &[]), now());
    let write = plan.writes.last().expect("a write");
    assert_eq!(write.target.path(&write.action), "/api/v1/namespaces/shop/pods/a/eviction");
    assert_eq!((write.action.method(), write.must_succeed()), ("POST", false));
    assert_eq!(
        write.action.body(),
        json!({
            "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a"},
            "deleteOptions": {"preconditions": {"uid": "pod-a"}},
        })
    );
    assert_eq!(plan.wake_at, Some(now() + jiff::SignedDuration::from_secs(30)), "a refusal is no end");
    assert_eq!(status_of(&plan, "message"), Some(json!("rollout is restarting")));
}

#[test]
fn a_restart_is_over_when_all_pods_that_exist_are_seen_to_be_younger() {
    let plan_of =
        |pods: &[Value]| plan(&snapshot(&restarting(2, &json!({})), &[set("web:2", 2, 2, 2, 2)], pods, &[]), now());
    assert_eq!(status_of(&plan_of(&[young("a")]), "restartedAt"), None, "another pod exists and was not shown yet");
    assert_eq!(status_of(&plan_of(&[young("a"), young("b")]), "restartedAt"), Some(json!(RESTART_AT)));
}

#[test]
fn while_counts_lag_behind_a_deletion_nothing_more_is_taken_away() {
    let mut leaving = old("a");
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T12:00:00Z");
    let pods = [leaving, old("b"), young("c"), young("d")];
    let rollout = restarting(3, &json!({"maxUnavailable": 1}));
    let plan_of =
        |counted: i32| plan(&snapshot(&rollout, &[set("web:2", 2, counted, counted, counted)], &pods, &[]), now());
    let plan = plan_of(4);
    assert_eq!((evicted(&plan), sizes(&plan)), (vec![], vec![]), "{}", plan.why);
    assert_eq!(evicted(&plan_of(3)), ["b"]);
}

#[test]
fn metadata_that_would_lose_pods_or_says_nothing_is_named() {
    let rows: [(&str, Value, &str); 3] = [
        (
            "canaryMetadata",
            json!({"labels": {"app": "other"}}),
            "spec.strategy.canary.canaryMetadata.labels.app: \"other\" takes the pods out of spec.selector \"app=web\"; \
             choose another key",
        ),
        (
            "stableMetadata",
            json!({"labels": {"rollouts-pod-template-hash": "x"}}),
            "spec.strategy.canary.stableMetadata.labels.rollouts-pod-template-hash: names the revision and is set by \
             the controller; leave it out",
        ),
        (
            "antiAffinity",
            json!({}),
            "spec.strategy.canary.antiAffinity: has no rule; write preferredDuringSchedulingIgnoredDuringExecution or \
             requiredDuringSchedulingIgnoredDuringExecution",
        ),
    ];
    for (field, value, expected) in rows {
        let plan = plan(&snapshot(&rollout(3, &json!({field: value}), &json!({})), &[], &[], &[]), now());
        assert!(plan.why.ends_with(&format!("is mended: {expected}")), "{}", plan.why);
        assert_eq!(plan.writes, []);
    }
}

/// A stable revision whose template and pods carry what a strategy added.
fn with_added(annotation: &Value, role: &str) -> Value {
    let mut set = set("web:2", 2, 10, 10, 10);
    set["metadata"]["annotations"][names::EPHEMERAL_METADATA] = json!(annotation.to_string());
    set["spec"]["template"]["metadata"]["labels"]["role"] = json!(role);
    set
}

fn stable_rollout(canary: &Value) -> Value {
    rollout(10, canary, &status_at(canary, 0, &json!({"stableRS": hash("web:2")})))
}

#[test]
fn another_controllers_label_is_taken_over_and_the_templates_own_comes_back() {
    // Written without a note of what the template itself had.
    let mut set = with_added(&json!({"labels": {"role": "stable", "app": "web"}}), "stable");
    set["spec"]["template"]["metadata"]["labels"]["app"] = json!("web");
    let plan = plan(&snapshot(&stable_rollout(&json!({})), &[set], &[], &[]), now());
    let write = template_write(&plan).expect("the template is mended");
    let Action::Patch(operations) = &write.action else { panic!("a patch") };
    let changes: Vec<&Value> = operations.iter().filter(|operation| operation["op"] != "test").collect();
    assert_eq!(changes[0], &json!({"op": "remove", "path": "/spec/template/metadata/labels/role"}));
    let path = "/metadata/annotations/rollout.argoproj.io~1ephemeral-metadata";
    let record = r#"{"own":{"annotations":{},"labels":{"app":"web","role":null}}}"#;
    assert_eq!(changes[1], &json!({"op": "add", "path": path, "value": record}));
    let test = json!({"op": "test", "path": "/spec/template/metadata/labels/role", "value": "stable"});
    assert!(operations.contains(&test), "{operations:?}");
}

fn template_write(plan: &Plan) -> Option<&Write> {
    plan.writes.iter().find(|write| write.target.kind == Kind::ReplicaSet)
}

#[test]
fn a_revision_is_recognised_under_what_was_added_to_it() {
    let canary = json!({"stableMetadata": {"labels": {"role": "stable"}}});
    let mut set = with_added(&json!({"labels": {"role": "stable"}, "own": {"labels": {"role": null}}}), "stable");
    for place in ["/metadata/labels", "/spec/template/metadata/labels"] {
        set.pointer_mut(place).expect("labels")["rollouts-pod-template-hash"] = json!("abc123");
    }
    let plan = plan(&snapshot(&stable_rollout(&canary), &[set], &[], &[]), now());
    assert!(!plan.writes.iter().any(|write| matches!(write.action, Action::Create(_))), "{}", plan.why);
    assert_eq!(status_of(&plan, "currentPodHash"), Some(json!("abc123")));
}

#[test]
fn pods_are_patched_a_few_at_a_time_and_only_where_they_differ() {
    let canary = json!({"stableMetadata": {"labels": {"role": "stable"}, "annotations": {"note": "x"}}});
    let mut done = young("done");
    done["metadata"]["labels"]["role"] = json!("stable");
    done["metadata"]["annotations"] = json!({"note": "x", "mine": "y"});
    let mut pods = vec![done];
    pods.extend((0..30).map(|number| young(&format!("p{number:02}"))));
    let plan = plan(&snapshot(&stable_rollout(&canary), &[set("web:2", 2, 10, 10, 10)], &pods, &[]), now());
    let patched: Vec<&Write> = plan.writes.iter().filter(|write| write.target.kind == Kind::Pod).collect();
    assert_eq!(patched.len(), 20);
    let Action::Patch(operations) = &patched[0].action else { panic!("a patch") };
    assert_eq!(
        json!(operations),
        json!([
            {"op": "test", "path": "/metadata/uid", "value": "pod-p00"},
            {"op": "test", "path": "/metadata/labels/role", "value": null},
            {"op": "test", "path": "/metadata/annotations", "value": null},
            {"op": "add", "path": "/metadata/labels/role", "value": "stable"},
            {"op": "add", "path": "/metadata/annotations", "value": {"note": "x"}},
        ])
    );
    assert_eq!(plan.wake_at, Some(now() + jiff::SignedDuration::from_secs(30)), "a refused one is tried again");
}

fn created(canary: &Value, template: &Value) -> Value {
    let mut rollout = rollout(10, canary, &status_at(canary, 0, &json!({})));
    rollout["spec"]["template"]["spec"]["affinity"] = template.clone();
    let plan = plan(&snapshot(&rollout, &[set("web:1", 1, 10, 10, 10)], &[], &[]), now());
    let create = plan.writes.iter().find_map(|write| match &write.action {
        Action::Create(object) => Some(object.clone()),
        _ => None,
    });
    create.expect("a ReplicaSet")
}

#[test]
fn a_new_revision_is_born_with_its_term_and_keeps_the_users_own() {
    let own = json!({"nodeAffinity": {"x": 1}, "podAntiAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 5, "podAffinityTerm": {"topologyKey": "zone"}}],
    }});
    let canary = json!({"antiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 70}}});
    let object = created(&canary, &own);
    let mut expected = own;
    expected["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
        .as_array_mut()
        .expect("a list")
        .push(json!({"weight": 70, "podAffinityTerm": {
            "labelSelector": {"matchExpressions": [
                {"key": "rollouts-pod-template-hash", "operator": "In", "values": [hash("web:1")]},
            ]},
            "topologyKey": "kubernetes.io/hostname",
        }}));
    assert_eq!(object["spec"]["template"]["spec"]["affinity"], expected);
}

#[test]
fn a_new_revision_is_born_with_the_metadata_of_a_canary() {
    let canary = json!({"canaryMetadata": {"labels": {"role": "canary", "app": "web"}}});
    let object = created(&canary, &Value::Null);
    assert_eq!(object["spec"]["template"]["metadata"]["labels"]["role"], "canary");
    assert_eq!(object["metadata"]["labels"].get("role"), None);
    assert_eq!(
        object["metadata"]["annotations"][names::EPHEMERAL_METADATA],
        r#"{"labels":{"app":"web","role":"canary"},"own":{"annotations":{},"labels":{"app":"web","role":null}}}"#
    );
}

#[test]
fn the_term_goes_once_the_revision_is_stable_and_the_users_own_stay() {
    let canary = json!({"antiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}});
    let own = json!({"topologyKey": "zone"});
    let ours = json!({"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchExpressions": [
        {"key": "rollouts-pod-template-hash", "operator": "In", "values": [hash("web:1")]},
    ]}});
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let mut set = set("web:2", 2, 10, 10, 10);
    set["spec"]["template"]["spec"]["affinity"] = json!({"podAntiAffinity": {required: [own, ours]}});
    let plan = plan(&snapshot(&stable_rollout(&canary), &[set], &[], &[]), now());
    let write = template_write(&plan).expect("the template is mended");
    assert_eq!(set_by(write, "/spec/template/spec/affinity"), Some(json!({"podAntiAffinity": {required: [own]}})));
}
