//! What can't be released is said with its field, all at once, and nothing else is written.

use serde_json::{Value, json};

use super::fixture::{now, rollout, set, snapshot, status_of};
use crate::plan;

fn refused(change: impl FnOnce(&mut Value)) -> String {
    let mut rollout = rollout(3, &json!({"steps": [{"setWeight": 20}, {"pause": {}}]}), &json!({}));
    change(&mut rollout);
    let mut running = set("web:1", 1, 3, 3, 3);
    running["metadata"]["annotations"]["rollout.argoproj.io/desired-replicas"] = json!("3");
    let plan = plan(&snapshot(&rollout, &[running], &[], &[]), now());
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
    // (a router, its field)
    for (router, field) in [
        (json!({"alb": {"ingress": "web", "servicePort": 80}}), "alb"),
        (json!({"smi": {}}), "smi"),
        (json!({"traefik": {"weightedTraefikServiceName": "web"}}), "traefik"),
    ] {
        let routed = refused(|rollout| rollout["spec"]["strategy"]["canary"]["trafficRouting"] = router);
        let named = format!(
            "spec.strategy.canary.trafficRouting.{field}: is not supported yet; use nginx, istio or gatewayAPI"
        );
        assert!(routed.lines().any(|line| line == named), "{routed}");
    }
}

#[test]
fn mistakes_are_named_with_their_mend() {
    let rows: [(&str, &str, Value, &str); 8] = [
        (
            "/spec/strategy/canary",
            "steps",
            json!([{}]),
            "spec.strategy.canary.steps[0]: does nothing; write one of setWeight, pause, setCanaryScale, \
             setHeaderRoute, setMirrorRoute, analysis and experiment",
        ),
        (
            "/spec/strategy/canary",
            "steps",
            json!([{"setWeight": 101}]),
            "spec.strategy.canary.steps[0].setWeight: 101 is not a weight; write 0 to 100",
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
        ("/spec", "replicas", json!(-1), "spec.replicas: -1 is less than 0; write 0 or more"),
        (
            "/spec",
            "progressDeadlineSeconds",
            json!(0),
            "spec.progressDeadlineSeconds: 0 is not more than minReadySeconds, which is 0; write more than 0",
        ),
        (
            "/spec",
            "selector",
            json!({"matchLabels": {"app": "other"}}),
            "spec.selector.matchLabels.app: \"other\" is not what the pod template has; \
             write web, or change the label of the pod template",
        ),
        ("/spec", "strategy", json!({}), "spec.strategy: is required; write canary or blueGreen"),
    ];
    for (at, field, value, expected) in rows {
        let got = refused(|rollout| rollout.pointer_mut(at).expect("a place")[field] = value);
        assert_eq!(got, expected);
    }
}

#[test]
fn all_mistakes_are_named_at_once_one_a_line() {
    let got = refused(|rollout| {
        rollout["spec"]["replicas"] = json!(-1);
        rollout["spec"]["strategy"]["canary"]["maxSurge"] = json!(0);
        rollout["spec"]["strategy"]["canary"]["maxUnavailable"] = json!("0%");
        rollout["spec"]["strategy"]["canary"]["stableService"] = json!("gone");
    });
    assert_eq!(
        got,
        "spec.replicas: -1 is less than 0; write 0 or more\n\
         spec.strategy.canary.maxSurge: and maxUnavailable are both 0; allow one of the two, for example maxSurge: 1\n\
         spec.strategy.canary.stableService: service \"gone\" not found; create it"
    );
}

#[test]
fn a_service_must_be_its_own_and_select_the_pods() {
    let taken = json!({"argo-rollouts.argoproj.io/managed-by-rollouts": "shop"});
    // (annotations, selector, what is said)
    let rows = [
        (json!({}), json!({"app": "web", "rollouts-pod-template-hash": "abc"}), None),
        (
            taken,
            json!({"app": "web"}),
            Some("service \"stable\" is managed by Rollout \"shop\"; give each Rollout its own"),
        ),
        (
            json!({}),
            json!({"app": "web", "tier": "front"}),
            Some(
                "service \"stable\" selects tier=front, which the pods of spec.template don't have; \
                 give the Service's selector and the template the same label",
            ),
        ),
    ];
    for (annotations, selector, said) in rows {
        let service = json!({"metadata": {"name": "stable", "namespace": "shop", "uid": "s", "annotations": annotations},
            "spec": {"selector": selector}});
        for (strategy, field) in [("canary", "stableService"), ("blueGreen", "activeService")] {
            let mut rollout = rollout(3, &json!({}), &json!({}));
            rollout["spec"]["strategy"] = json!({strategy: {field: "stable"}});
            let plan = plan(&snapshot(&rollout, &[], &[], std::slice::from_ref(&service)), now());
            let message = status_of(&plan, "message").unwrap_or_default();
            let expected = said.map(|said| {
                json!(format!("InvalidSpec: The Rollout \"web\" is invalid: spec.strategy.{strategy}.{field}: {said}"))
            });
            match expected {
                Some(expected) => assert_eq!(message, expected),
                None => assert!(!plan.why.contains("spec is mended"), "{}", plan.why),
            }
        }
    }
}

#[test]
fn a_refusal_is_written_once() {
    let mut rollout = rollout(3, &json!({"analysis": {}}), &json!({}));
    let plan_of = |rollout: &Value| plan(&snapshot(rollout, &[], &[], &[]), now());
    let first = plan_of(&rollout);
    let crate::Action::Patch(operations) = &first.status.expect("a status").action else { panic!("a patch") };
    for operation in operations.iter().filter(|operation| operation["op"] == "add") {
        let field = operation["path"].as_str().and_then(|path| path.strip_prefix("/status/")).expect("a field");
        rollout["status"][field] = operation["value"].clone();
    }
    assert_eq!(plan_of(&rollout).status, None);
}
