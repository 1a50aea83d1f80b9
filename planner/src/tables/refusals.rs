//! What can't be released is said with its field, all at once, and nothing else is written.

use serde_json::{Value, json};

use super::fixture::{now, rollout, set, snapshot, status_of};
use crate::plan;

fn refused(change: impl FnOnce(&mut Value)) -> String {
    let mut rollout = rollout(3, &json!({"steps": [{"setWeight": 20}, {"pause": {}}]}), &json!({}));
    change(&mut rollout);
    let plan = plan(&snapshot(&rollout, &[set("web:1", 1, 3, 3, 3)], &[], &[]), now());
    if status_of(&plan, "phase") != Some(json!("Degraded")) {
        return format!("not refused: {}", plan.why);
    }
    assert_eq!(plan.writes, [], "running pods stay as they are");
    let message = status_of(&plan, "message").expect("a message");
    let message = message.as_str().expect("a text");
    message.strip_prefix("InvalidSpec: The Rollout \"web\" is invalid: ").expect("the known beginning").to_owned()
}

#[test]
fn what_is_not_finished_is_named() {
    let canary = "/spec/strategy/canary";
    let rows: [(&str, &str, Value, &str); 13] = [
        (
            canary,
            "trafficRouting",
            json!({"nginx": {}}),
            "spec.strategy.canary.trafficRouting: is not supported yet; leave it out to release by number of pods",
        ),
        (
            canary,
            "analysis",
            json!({"templates": []}),
            "spec.strategy.canary.analysis: is not supported yet; leave it out",
        ),
        (canary, "antiAffinity", json!({}), "spec.strategy.canary.antiAffinity: is not supported yet; leave it out"),
        (
            canary,
            "canaryMetadata",
            json!({}),
            "spec.strategy.canary.canaryMetadata: is not supported yet; leave it out",
        ),
        (
            canary,
            "stableMetadata",
            json!({}),
            "spec.strategy.canary.stableMetadata: is not supported yet; leave it out",
        ),
        (canary, "pingPong", json!({}), "spec.strategy.canary.pingPong: is not supported yet; leave it out"),
        (
            canary,
            "steps",
            json!([{"setCanaryScale": {}}]),
            "spec.strategy.canary.steps[0].setCanaryScale: is not supported yet; use setWeight and pause",
        ),
        (
            canary,
            "steps",
            json!([{"analysis": {}}]),
            "spec.strategy.canary.steps[0].analysis: is not supported yet; use setWeight and pause",
        ),
        (
            canary,
            "steps",
            json!([{"experiment": {}}]),
            "spec.strategy.canary.steps[0].experiment: is not supported yet; use setWeight and pause",
        ),
        (
            canary,
            "steps",
            json!([{"plugin": {}}]),
            "spec.strategy.canary.steps[0].plugin: is not supported yet; use setWeight and pause",
        ),
        (
            canary,
            "steps",
            json!([{"setHeaderRoute": {}}]),
            "spec.strategy.canary.steps[0].setHeaderRoute: is not supported yet; use setWeight and pause",
        ),
        (
            canary,
            "steps",
            json!([{"setMirrorRoute": {}}]),
            "spec.strategy.canary.steps[0].setMirrorRoute: is not supported yet; use setWeight and pause",
        ),
        (
            "/spec",
            "strategy",
            json!({"blueGreen": {"activeService": "a", "prePromotionAnalysis": {}}}),
            "spec.strategy.blueGreen.prePromotionAnalysis: is not supported yet; leave it out; \
             spec.strategy.blueGreen.activeService: service \"a\" not found; create it",
        ),
    ];
    for (at, field, value, expected) in rows {
        let got = refused(|rollout| rollout.pointer_mut(at).expect("a place")[field] = value);
        assert_eq!(got, expected);
    }
}

#[test]
fn a_restart_is_refused_only_while_there_are_pods_to_restart() {
    let pod = |created: &str| json!({"metadata": {"name": "web-x", "uid": "pod", "creationTimestamp": created}});
    let wanted = "2026-01-01T10:00:00Z";
    // the pod's creation, what was restarted → refused
    let rows = [
        ("2026-01-01T09:00:00Z", Value::Null, true),
        ("2026-01-01T09:00:00Z", json!("2025-01-01T00:00:00Z"), true),
        ("2026-01-01T09:00:00Z", json!(wanted), false),
        ("2026-01-01T11:00:00Z", Value::Null, false),
    ];
    for (created, restarted, refused) in rows {
        let mut rollout = rollout(3, &json!({}), &json!({"restartedAt": restarted}));
        rollout["spec"]["restartAt"] = json!(wanted);
        let plan = plan(&snapshot(&rollout, &[], &[pod(created)], &[]), now());
        assert_eq!(plan.why.contains("spec.restartAt: is not supported yet"), refused, "{created}: {}", plan.why);
    }
}

#[test]
fn mistakes_are_named_with_their_mend() {
    let rows: [(&str, &str, Value, &str); 10] = [
        (
            "/spec/strategy/canary",
            "steps",
            json!([{}]),
            "spec.strategy.canary.steps[0]: must be exactly one of setWeight and pause",
        ),
        (
            "/spec/strategy/canary",
            "steps",
            json!([{"setWeight": 101}]),
            "spec.strategy.canary.steps[0].setWeight: 101 is not a weight; write a number from 0 to 100",
        ),
        (
            "/spec/strategy/canary",
            "steps",
            json!([{"pause": {"duration": -1}}]),
            "spec.strategy.canary.steps[0].pause.duration: is negative; write 30s, 10m or 1h",
        ),
        (
            "/spec/strategy/canary",
            "maxSurge",
            json!("lots"),
            "spec.strategy.canary.maxSurge: \"lots\" is not a number or percentage; write 2 or \"25%\"",
        ),
        (
            "/spec/strategy/canary",
            "stableService",
            json!("web"),
            "spec.strategy.canary.stableService: service \"web\" not found; create it",
        ),
        ("/spec", "replicas", json!(-1), "spec.replicas: -1 is less than none; write 0 or more"),
        (
            "/spec",
            "progressDeadlineSeconds",
            json!(0),
            "spec.progressDeadlineSeconds: 0 must be more than minReadySeconds, which is 0",
        ),
        (
            "/spec",
            "selector",
            json!({"matchLabels": {"app": "other"}}),
            "spec.selector: \"app=other\" does not match spec.template.metadata.labels; give both the same labels",
        ),
        (
            "/spec",
            "selector",
            json!({}),
            "spec.selector: selects every pod of the namespace; name the labels of this Rollout's pods",
        ),
        ("/spec", "strategy", json!({}), "spec.strategy: must have exactly one of canary and blueGreen"),
    ];
    for (at, field, value, expected) in rows {
        let got = refused(|rollout| rollout.pointer_mut(at).expect("a place")[field] = value);
        assert_eq!(got, expected);
    }
}

#[test]
fn all_mistakes_are_named_at_once() {
    let got = refused(|rollout| {
        rollout["spec"]["replicas"] = json!(-1);
        rollout["spec"]["strategy"]["canary"]["maxSurge"] = json!(0);
        rollout["spec"]["strategy"]["canary"]["maxUnavailable"] = json!("0%");
    });
    assert_eq!(
        got,
        "spec.replicas: -1 is less than none; write 0 or more; \
         spec.strategy.canary.maxSurge: must not be 0 together with maxUnavailable; nothing could ever move"
    );
}

#[test]
fn a_refusal_is_written_once() {
    let mut rollout = rollout(3, &json!({"analysis": {}}), &json!({}));
    let plan_of = |rollout: &Value| plan(&snapshot(rollout, &[], &[], &[]), now());
    let first = plan_of(&rollout);
    for field in ["phase", "message", "conditions", "observedGeneration"] {
        rollout["status"][field] = status_of(&first, field).expect("written");
    }
    assert_eq!(plan_of(&rollout).status, None);
}
