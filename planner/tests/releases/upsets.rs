//! What goes wrong around a release, and what a user sees then.

use serde_json::{Value, json};
use sluice_planner::plan;

use sluice_scenarios::{Crashes, Site};

const ROLLOUT: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: default}
spec:
  replicas: 4
  progressDeadlineSeconds: 60
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {sandbox.sluice.dev/ready-after: 5s}}
    spec: {containers: [{name: web, image: 'web:1'}]}
  strategy:
    canary:
      stableService: stable
      canaryService: canary
      steps: [{setWeight: 50}, {pause: {}}]
";

fn service(name: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: default}}, \
         spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}}}"
    )
}

fn deployed(crashes: Crashes, change: impl Fn(String) -> String) -> Site {
    let mut site = Site::new(crashes);
    for name in ["stable", "canary"] {
        site.create("/api/v1/namespaces/default/services", &service(name));
    }
    site.create_rollout(&change(ROLLOUT.to_owned()));
    site.run_for(30);
    assert_eq!(site.said(), ("Healthy".into(), String::new()));
    site
}

fn both() -> [Crashes; 2] {
    [Crashes::Never, Crashes::AfterEachWrite]
}

#[test]
fn services_follow_their_revisions_once_pods_are_there() {
    for crashes in both() {
        let mut site = deployed(crashes, |yaml| yaml);
        let first = site.status("stableRS");
        assert_eq!((site.selected("stable"), site.selected("canary")), (first.clone(), first.clone()));
        site.set_image("web:2");
        site.settle();
        assert_eq!(site.selected("canary"), first, "the new pods are not ready yet");
        site.run_for(30);
        let second = site.status("currentPodHash");
        assert_eq!((site.selected("stable"), site.selected("canary")), (first.clone(), second.clone()));
        site.wish(&json!({"abort": true}));
        site.run_for(30);
        assert_eq!((site.selected("stable"), site.selected("canary")), (first.clone(), first));
        assert_eq!(site.sizes(), [(1, 4, 4)]);
        site.wish(&json!({"abort": false}));
        site.run_for(30);
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(60);
        assert_eq!((site.selected("stable"), site.selected("canary")), (second.clone(), second));
        assert_eq!(site.sizes(), [(2, 4, 4)]);
    }
}

#[test]
fn a_step_back_to_no_pods_takes_the_canary_service_back_first() {
    for crashes in both() {
        let mut site = deployed(crashes, |yaml| yaml.replace("[{setWeight: 50}", "[{setWeight: 50}, {setWeight: 0}"));
        site.set_image("web:2");
        site.run_for(60);
        assert_eq!(site.said(), ("Paused".into(), "CanaryPauseStep".into()), "{}", site.last.why);
        assert_eq!(site.sizes(), [(1, 4, 4)]);
        assert_eq!(site.selected("canary"), site.status("stableRS"));
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(60);
        assert_eq!(site.sizes(), [(2, 4, 4)]);
        assert_eq!(site.selected("canary"), site.status("currentPodHash"));
    }
}

#[test]
fn services_never_hold_up_a_release_without_surge() {
    for crashes in both() {
        let mut site = deployed(crashes, |yaml| {
            yaml.replace("      steps:", "      maxSurge: 0\n      maxUnavailable: 1\n      steps:")
        });
        site.set_image("web:2");
        site.run_for(60);
        site.set_image("web:3");
        site.run_for(60);
        assert_eq!(site.said(), ("Paused".into(), "CanaryPauseStep".into()));
        assert_eq!(site.sizes(), [(1, 2, 2), (3, 2, 2)]);
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(60);
        assert_eq!(site.sizes(), [(3, 4, 4)]);
        assert_eq!(site.selected("stable"), site.status("currentPodHash"));
    }
}

#[test]
fn a_missing_service_is_named_and_mended_by_creating_it() {
    let mut site = Site::new(Crashes::Never);
    site.create("/api/v1/namespaces/default/services", &service("stable"));
    site.create_rollout(ROLLOUT);
    site.run_for(30);
    let (phase, message) = site.said();
    assert_eq!(phase, "Degraded");
    assert_eq!(
        message,
        "InvalidSpec: The Rollout \"web\" is invalid: spec.strategy.canary.canaryService: \
         service \"canary\" not found; create it"
    );
    site.create("/api/v1/namespaces/default/services", &service("canary"));
    site.run_for(30);
    assert_eq!(site.said(), ("Healthy".into(), String::new()));
}

#[test]
fn a_bad_image_is_stuck_after_the_deadline_and_the_next_fix_goes_through() {
    for crashes in both() {
        let mut site = deployed(crashes, |yaml| yaml);
        site.set_image("web:does-not-exist");
        site.run_for(50);
        assert_eq!(site.said().0, "Progressing");
        assert_eq!(site.status("availableReplicas"), 3, "the old version serves within maxUnavailable");
        assert!(site.last.why.contains("0 of 2 pods available; pod web-"), "{}", site.last.why);
        assert!(site.last.why.contains("ImagePull"), "{}", site.last.why);
        site.run_for(60);
        let (phase, message) = site.said();
        assert_eq!(phase, "Degraded");
        assert!(message.starts_with("ProgressDeadlineExceeded: "), "{message}");
        site.set_image("web:3");
        site.run_for(60);
        assert_eq!(site.said(), ("Paused".into(), "CanaryPauseStep".into()));
        assert_eq!(site.sizes(), [(1, 2, 2), (3, 2, 2)]);
    }
}

#[test]
fn a_stuck_release_aborts_itself_when_asked_to() {
    for crashes in both() {
        let mut site = deployed(crashes, |yaml| {
            yaml.replace("spec:\n  replicas", "spec:\n  progressDeadlineAbort: true\n  replicas")
        });
        site.set_image("web:does-not-exist");
        site.run_for(120);
        let message = "RolloutAborted: Rollout aborted update to revision 2: no progress for 60 seconds";
        assert_eq!(site.said(), ("Degraded".into(), message.into()));
        assert_eq!(site.status("abort"), true);
        assert_eq!(site.sizes(), [(1, 4, 4)]);
        let rejected = site.status("rejected");
        assert_eq!(rejected[0]["podHash"], site.status("currentPodHash"));
        let reason = rejected[0]["reason"].as_str().expect("a reason");
        assert!(reason.starts_with("no progress for 60 seconds at step 1/2 (setWeight: 50); pod web-"), "{reason}");
        site.set_image("web:3");
        site.run_for(60);
        assert_eq!(site.said(), ("Paused".into(), "CanaryPauseStep".into()));
        assert_eq!(site.status("abort"), Value::Null, "an abort is not carried to the next revision");
    }
}

#[test]
fn a_first_version_that_never_gets_ready_is_replaced() {
    for crashes in both() {
        let mut site = Site::new(crashes);
        for name in ["stable", "canary"] {
            site.create("/api/v1/namespaces/default/services", &service(name));
        }
        site.create_rollout(&ROLLOUT.replace("web:1", "web:does-not-exist"));
        site.run_for(120);
        assert_eq!(site.said().0, "Degraded", "{:#}", site.rollout());
        assert_eq!(site.status("stableRS"), Value::Null);
        site.set_image("web:2");
        site.run_for(60);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        assert_eq!(site.sizes(), [(2, 4, 4)]);
    }
}

#[test]
fn a_lost_node_in_mid_release_takes_no_more_pods_down() {
    for crashes in both() {
        let mut site = deployed(crashes, |yaml| yaml);
        site.set_image("web:2");
        site.run_for(30);
        for node in ["node-1", "node-2", "node-3"] {
            site.cluster.lose_node(node);
            site.run_for(10);
            site.wish(&json!({"pauseConditions": null}));
            site.run_for(60);
            site.cluster.recover_node(node);
            site.new_epoch();
            site.run_for(60);
        }
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        assert_eq!(site.sizes(), [(2, 4, 4)]);
    }
}

#[test]
fn an_abort_with_no_stable_pod_leaves_the_traffic_where_it_is_served() {
    for crashes in both() {
        let mut site = deployed(crashes, |yaml| yaml.replace("ready-after: 5s", "ready-after: 1s"));
        site.set_image("web:2");
        site.run_for(30);
        let stable = site.status("stableRS").as_str().expect("a hash").to_owned();
        let pods = site.cluster.world().list("", "pods", "default");
        for pod in
            pods.iter().filter(|pod| pod.labels().is_some_and(|l| l["rollouts-pod-template-hash"] == stable.as_str()))
        {
            let change = json!({"metadata": {"annotations": {"sandbox.sluice.dev/unready-after": "1s"}}});
            let path = format!("/api/v1/namespaces/default/pods/{}", pod.name());
            site.ask(sluice_sandbox::api::request::Request::patch(&path, "application/merge-patch+json", &change));
        }
        site.run_for(30);
        site.wish(&json!({"abort": true}));
        site.settle();
        let canary_pods = site.sizes().iter().find(|size| size.0 == 2).map(|size| size.2);
        assert_eq!(canary_pods, Some(2), "what serves stays until stable serves: {:?}", site.sizes());
        assert_eq!(site.selected("canary"), site.status("currentPodHash"));
        assert_eq!(site.said().0, "Degraded");
    }
}

#[test]
fn a_wish_that_lands_between_plan_and_write_is_not_overwritten() {
    let mut site = deployed(Crashes::Never, |yaml| yaml);
    site.set_image("web:2");
    site.settle();
    site.cluster.advance_to(site.cluster.now() + jiff::SignedDuration::from_secs(10));
    let stale = loop {
        let stale = plan(&site.snapshot(), site.cluster.now());
        if stale.status.is_some() {
            break stale;
        }
        assert!(site.execute(stale), "at rest before any status was to be written");
    };
    site.wish(&json!({"abort": true}));
    site.execute(stale);
    site.new_epoch();
    assert_eq!(site.status("abort"), true);
    site.run_for(30);
    assert_eq!(site.said().0, "Degraded");
    assert_eq!(site.sizes(), [(1, 4, 4)]);
}

#[test]
fn what_is_not_finished_is_refused_by_name_and_running_pods_stay() {
    let mut site = deployed(Crashes::Never, |yaml| yaml);
    site.change(&json!({"spec": {"strategy": {"canary": {"trafficRouting": {"smi": {}},
        "steps": [{"setWeight": 20}, {"experiment": {}}]}}}}));
    site.set_image("web:2");
    site.run_for(60);
    let (phase, message) = site.said();
    assert_eq!(phase, "Degraded");
    assert!(message.contains("spec.strategy.canary.trafficRouting.smi: is not supported yet"), "{message}");
    assert!(message.contains("spec.strategy.canary.steps[1].experiment.templates: is required"), "{message}");
    assert_eq!(site.sizes(), [(1, 4, 4)]);
}

#[test]
fn replica_sets_of_another_controller_are_adopted_and_not_deployed_again() {
    let mut site = deployed(Crashes::Never, |yaml| yaml);
    let before: Vec<Value> = pods_of(&site);
    let rollout = site.rollout();
    // The same objects under a hash that we would not compute.
    site.ask(
        sluice_sandbox::api::request::Request::delete("/apis/argoproj.io/v1alpha1/namespaces/default/rollouts/web")
            .with_json(&json!({"propagationPolicy": "Orphan"})),
    );
    site.cluster.advance_to(site.cluster.now() + jiff::SignedDuration::from_secs(30));
    let mut again = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": "web", "namespace": "default"}, "spec": rollout["spec"]});
    again["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = json!(30);
    site.ask(sluice_sandbox::api::request::Request::post(
        "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts",
        &again,
    ));
    site.run_for(60);
    assert_eq!(site.said(), ("Healthy".into(), String::new()));
    assert_eq!(pods_of(&site), before, "the same pods still run");
    assert_eq!(site.status("currentPodHash"), rollout["status"]["currentPodHash"]);
}

fn pods_of(site: &Site) -> Vec<Value> {
    let pods = site.cluster.world().list("", "pods", "default");
    pods.iter().map(|pod| pod.value()["metadata"]["uid"].clone()).collect()
}
