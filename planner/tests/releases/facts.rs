//! What the status tells of a release beside its phase, and what becomes of specs that can't be released.

use serde_json::{Value, json};
use sluice_sandbox::api::request::Request;

use super::stories::twice;
use sluice_scenarios::{Crashes, Site};

const ROLLOUT: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: default}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {sandbox.sluice.dev/ready-after: 5s}}
    spec: {containers: [{name: web, image: 'web:1'}]}
  strategy:
    canary:
      steps: [{setWeight: 50}, {pause: {}}]
";

fn deployed(site: &mut Site) {
    site.create_rollout(ROLLOUT);
    site.run_for(30);
    assert_eq!(site.said(), ("Healthy".into(), String::new()));
}

/// At the pause: two of four pods are new.
fn release(site: &mut Site, image: &str) {
    site.set_image(image);
    site.run_for(30);
    assert_eq!(site.said(), ("Paused".into(), "CanaryPauseStep".into()));
}

/// Revision and result of each release that ended, the latest first.
fn history(site: &Site) -> Vec<(i64, String)> {
    let history = site.status("history");
    let ends = history.as_array().into_iter().flatten();
    ends.map(|end| (end["revision"].as_i64().unwrap_or(0), end["result"].as_str().unwrap_or_default().to_owned()))
        .collect()
}

fn ends(list: &[(i64, &str)]) -> Vec<(i64, String)> {
    list.iter().map(|(revision, result)| (*revision, (*result).to_owned())).collect()
}

#[test]
fn every_release_that_ended_is_in_the_history() {
    twice(|site| {
        deployed(site);
        release(site, "web:2");
        site.wish(&json!({"abort": true}));
        site.run_for(30);
        site.wish(&json!({"abort": false}));
        site.run_for(30);
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(60);
        release(site, "web:3");
        release(site, "web:4");
        site.wish(&json!({"promoteFull": true}));
        site.run_for(60);
        release(site, "web:5");
        site.set_image("web:4");
        site.run_for(60);
        release(site, "web:2");
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(60);
        let expected = [
            (7, "RolledBack"),
            (5, "FastRolledBack"),
            (4, "FastPromoted"),
            (3, "Superseded"),
            (2, "Promoted"),
            (2, "Aborted"),
            (1, "Promoted"),
        ];
        assert_eq!(history(site), ends(&expected));
        assert_eq!(site.status("duration")["completionStatus"], "RolledBack");
    });
}

#[test]
fn exposure_and_waiting_stand_still_while_nothing_changes() {
    twice(|site| {
        deployed(site);
        assert_eq!(site.status("exposure"), Value::Null, "nothing else could have been met");
        release(site, "web:2");
        let (exposure, writes) = (site.status("exposure"), site.writes);
        assert_eq!(exposure["percent"], 50);
        site.run_for(600);
        assert_eq!((site.status("exposure"), site.writes), (exposure.clone(), writes));
        site.wish(&json!({"abort": true}));
        site.run_for(60);
        let after = site.status("exposure");
        assert_eq!(after["percent"], Value::Null, "the sum is final");
        let sum = |exposure: &Value| exposure["percentSeconds"].as_i64().unwrap_or(0);
        assert!(sum(&after) - sum(&exposure) >= 50 * 600, "{exposure} → {after}");
    });
}

#[test]
fn a_spec_that_cannot_be_released_keeps_serving_and_scaling() {
    twice(|site| {
        deployed(site);
        let steps =
            |weight: i32| json!({"spec": {"strategy": {"canary": {"steps": [{"setWeight": weight}, {"pause": {}}]}}}});
        site.change(&steps(500));
        site.set_image("web:2");
        site.run_for(30);
        let (phase, message) = site.said();
        assert_eq!(phase, "Degraded");
        let mistake = "spec.strategy.canary.steps[0].setWeight: 500 is not a weight; write 0 to 100";
        assert_eq!(message, format!("InvalidSpec: The Rollout \"web\" is invalid: {mistake}"));
        for replicas in [7, 2, 0, 4] {
            site.change(&json!({"spec": {"replicas": replicas}}));
            site.run_for(30);
            let expected: Vec<_> = (replicas > 0).then_some((1, replicas, replicas)).into_iter().collect();
            assert_eq!(site.sizes(), expected);
            assert_eq!(site.status("HPAReplicas"), replicas);
        }
        site.change(&steps(50));
        site.run_for(30);
        assert_eq!(site.said(), ("Paused".into(), "CanaryPauseStep".into()));
        assert_eq!(site.sizes(), [(1, 2, 2), (2, 2, 2)]);
        site.change(&steps(500));
        site.change(&json!({"spec": {"replicas": 8}}));
        site.run_for(30);
        assert_eq!(site.sizes(), [(1, 4, 4), (2, 4, 4)], "both revisions keep their share");
        site.change(&json!({"spec": {"replicas": 4}}));
        site.run_for(30);
        assert_eq!(site.sizes(), [(1, 2, 2), (2, 2, 2)]);
    });
}

#[test]
fn a_rejected_version_waits_for_a_retry_where_users_want_that() {
    twice(|site| {
        deployed(site);
        site.change(&json!({"spec": {"strategy": {"canary": {"holdRejected": true}}}}));
        release(site, "web:2");
        site.wish(&json!({"abort": true}));
        site.run_for(30);
        site.set_image("web:1");
        site.run_for(30);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        site.set_image("web:2");
        site.run_for(60);
        assert_eq!(site.said().0, "Degraded");
        assert!(
            site.last.why.starts_with("held: revision 4 waits for a retry; it was rejected at 2026-01-01T00:01:00Z: ")
        );
        assert_eq!(site.sizes(), [(3, 4, 4)], "stable serves, and no pod was started");
        site.wish(&json!({"abort": false}));
        site.run_for(30);
        assert_eq!(site.said(), ("Paused".into(), "CanaryPauseStep".into()));
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(60);
        assert_eq!(site.sizes(), [(4, 4, 4)]);
        assert_eq!(site.status("rejected"), Value::Null);
    });
}

#[test]
fn under_crds_without_our_fields_all_works_and_nothing_is_written_again_and_again() {
    let ours =
        ["columns", "duration", "exposure", "history", "nextTransitionTime", "provenReplicas", "rejected", "why"];
    for crashes in [Crashes::Never, Crashes::AfterEachWrite] {
        let mut site = Site::new(crashes);
        let at = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties";
        let removals: Vec<Value> =
            ours.iter().map(|field| json!({"op": "remove", "path": format!("{at}/{field}")})).collect();
        let crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/rollouts.argoproj.io";
        site.ask(Request::patch(crd, "application/json-patch+json", &json!(removals)));
        deployed(&mut site);
        release(&mut site, "web:2");
        site.wish(&json!({"abort": true}));
        site.run_for(60);
        assert_eq!(site.sizes(), [(1, 4, 4)]);
        release(&mut site, "web:3");
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(60);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        for field in ours {
            assert_eq!(site.status(field), Value::Null, "{field}");
        }
        let writes = site.writes;
        site.run_for(600);
        assert_eq!(site.writes, writes, "{:#?}", site.last);
    }
}
