//! What `kubectl argo rollouts` sends for each of its verbs, patch by patch, and what comes of it with both
//! strategies.

use serde_json::{Value, json};
use sluice_sandbox::api::request::Request;

use super::stories::twice;
use sluice_scenarios::Site;

const ROLLOUT: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts/web";
const CANARY: &str = "canary: {steps: [{setWeight: 25}, {pause: {}}, {setWeight: 50}, {pause: {}}]}";
const BLUE_GREEN: &str = "blueGreen: {activeService: active, previewService: preview, autoPromotionEnabled: false}";

/// A release of `web:2` that waits for a person.
fn waiting(site: &mut Site, strategy: &str) {
    for name in ["active", "preview"] {
        let yaml = format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: default}}, \
             spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}}}"
        );
        site.create("/api/v1/namespaces/default/services", &yaml);
    }
    site.create_rollout(&format!(
        "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: web, namespace: default}}
spec:
  replicas: 4
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}, annotations: {{sandbox.sluice.dev/ready-after: 2s}}}}
    spec: {{containers: [{{name: web, image: 'web:1'}}]}}
  strategy: {{{strategy}}}
"
    ));
    site.run_for(30);
    site.set_image("web:2");
    site.run_for(30);
    assert_eq!(site.said(), ("Paused".into(), pause_of(strategy).into()), "{}", site.last.why);
}

fn pause_of(strategy: &str) -> &'static str {
    if strategy == CANARY { "CanaryPauseStep" } else { "BlueGreenPause" }
}

/// The sizes while the release waits for the first time.
fn while_waiting(strategy: &str) -> Vec<(i64, i64, i64)> {
    if strategy == CANARY { vec![(1, 3, 3), (2, 1, 1)] } else { vec![(1, 4, 4), (2, 4, 4)] }
}

fn with_both(tell: impl Fn(&mut Site, &str)) {
    for strategy in [CANARY, BLUE_GREEN] {
        twice(|site| {
            waiting(site, strategy);
            tell(site, strategy);
        });
    }
}

fn is_released(site: &Site, revision: i64) {
    assert_eq!(site.said(), ("Healthy".into(), String::new()), "{}", site.last.why);
    assert_eq!(site.sizes(), [(revision, 4, 4)]);
}

#[test]
fn promote_ends_the_wait() {
    with_both(|site, strategy| {
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(60);
        if strategy == CANARY {
            assert_eq!((site.said().0.as_str(), site.sizes()), ("Paused", vec![(1, 2, 2), (2, 2, 2)]));
            site.wish(&json!({"pauseConditions": null}));
            site.run_for(60);
        }
        is_released(site, 2);
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(10);
        is_released(site, 2);
    });
}

#[test]
fn promote_of_a_canary_that_does_not_wait_moves_one_step() {
    twice(|site| {
        waiting(site, CANARY);
        site.wish(&json!({"pauseConditions": null}));
        site.pass();
        assert_eq!(site.status("currentStepIndex"), 2, "on its way to the next weight");
        site.wish(&json!({"pauseConditions": null, "currentStepIndex": 3}));
        site.run_for(60);
        assert_eq!(site.said(), ("Paused".into(), "CanaryPauseStep".into()));
        assert_eq!(site.status("currentStepIndex"), 3, "the pause behind it was not meant");
    });
}

#[test]
fn promote_also_ends_a_pause_by_hand() {
    with_both(|site, _| {
        site.change(&json!({"spec": {"paused": true}}));
        site.run_for(10);
        assert_eq!(site.said(), ("Paused".into(), "manually paused".into()));
        site.change(&json!({"spec": {"paused": false}}));
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(60);
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(60);
        is_released(site, 2);
    });
}

#[test]
fn promote_full_skips_every_wait() {
    with_both(|site, _| {
        site.change(&json!({"spec": {"paused": true}}));
        site.run_for(5);
        site.wish(&json!({"promoteFull": true}));
        site.change(&json!({"spec": {"paused": false}}));
        site.run_for(120);
        is_released(site, 2);
        assert_eq!(site.status("promoteFull"), Value::Null);
    });
}

#[test]
fn skipping_moves_over_the_current_step_or_all_of_them() {
    twice(|site| {
        waiting(site, CANARY);
        site.wish(&json!({"currentStepIndex": 2}));
        site.run_for(30);
        assert_eq!((site.status("currentStepIndex"), site.said().0), (json!(3), "Paused".into()));
        site.wish(&json!({"currentStepIndex": 4}));
        site.run_for(60);
        is_released(site, 2);
    });
}

#[test]
fn abort_goes_back_and_retry_comes_again_to_the_first_wait() {
    with_both(|site, strategy| {
        site.wish(&json!({"abort": true}));
        site.run_for(60);
        let message = "RolloutAborted: Rollout aborted update to revision 2";
        assert_eq!(site.said(), ("Degraded".into(), message.into()));
        assert_eq!(site.sizes(), [(1, 4, 4)]);
        site.wish(&json!({"abort": false}));
        site.run_for(60);
        assert_eq!(site.said(), ("Paused".into(), pause_of(strategy).into()), "{}", site.last.why);
        assert_eq!(site.sizes(), while_waiting(strategy));
    });
}

#[test]
fn pause_holds_a_new_version_until_it_is_resumed() {
    with_both(|site, strategy| {
        site.change(&json!({"spec": {"paused": true}}));
        site.set_image("web:3");
        site.run_for(60);
        assert_eq!(site.said(), ("Paused".into(), "manually paused".into()));
        assert_eq!(site.sizes(), while_waiting(strategy), "nothing moves");
        site.change(&json!({"spec": {"paused": false}}));
        site.run_for(60);
        assert_eq!(site.said(), ("Paused".into(), pause_of(strategy).into()));
        let as_third = |(revision, wanted, available)| (if revision == 2 { 3 } else { revision }, wanted, available);
        let expected: Vec<_> = while_waiting(strategy).into_iter().map(as_third).collect();
        assert_eq!(site.sizes(), expected);
    });
}

#[test]
fn restart_renews_the_pods_and_the_release_waits_on() {
    with_both(|site, strategy| {
        let before = pods(site);
        let at = site.cluster.now().to_string();
        site.change(&json!({"spec": {"restartAt": at}}));
        site.run_for(300);
        assert_eq!(site.status("restartedAt"), json!(at));
        assert!(pods(site).iter().all(|pod| !before.contains(pod)), "all are new");
        assert_eq!(site.said(), ("Paused".into(), pause_of(strategy).into()));
        assert_eq!(site.sizes(), while_waiting(strategy));
    });
}

#[test]
fn undo_puts_the_old_template_back() {
    with_both(|site, _| {
        let sets = site.cluster.world().list("apps", "replicasets", "default");
        let first =
            sets.iter().find(|set| set.value()["metadata"]["annotations"]["rollout.argoproj.io/revision"] == "1");
        let mut template = first.expect("the first revision").value()["spec"]["template"].clone();
        template["metadata"]["labels"].as_object_mut().expect("labels").remove("rollouts-pod-template-hash");
        let body = json!([{"op": "replace", "path": "/spec/template", "value": template}]);
        site.new_epoch();
        site.ask(Request::patch(ROLLOUT, "application/json-patch+json", &body));
        site.run_for(90);
        is_released(site, 3);
        let stable = site.status("stableRS");
        assert_eq!(first.expect("a ReplicaSet").value()["metadata"]["labels"]["rollouts-pod-template-hash"], stable);
    });
}

#[test]
fn set_image_in_mid_release_begins_the_next_one() {
    with_both(|site, strategy| {
        site.set_image("web:3");
        site.run_for(120);
        assert_eq!(site.said(), ("Paused".into(), pause_of(strategy).into()));
        let newest = site.sizes().into_iter().max();
        assert_eq!(newest, while_waiting(strategy).last().map(|(_, wanted, available)| (3, *wanted, *available)));
        assert!(site.sizes().iter().all(|(revision, ..)| *revision != 2), "{:?}", site.sizes());
    });
}

fn pods(site: &Site) -> Vec<Value> {
    let pods = site.cluster.world().list("", "pods", "default");
    pods.iter().map(|pod| pod.value()["metadata"]["uid"].clone()).collect()
}
