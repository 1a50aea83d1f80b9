//! Blue-green: a preview beside the active revision, a switch at once, and the way back.

use serde_json::{Value, json};

use super::stories::twice;
use sluice_scenarios::{Crashes, Site};

fn manifest(strategy: &str) -> String {
    format!(
        "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: web, namespace: default}}
spec:
  replicas: 3
  progressDeadlineSeconds: 60
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}, annotations: {{sandbox.sluice.dev/ready-after: 5s}}}}
    spec: {{containers: [{{name: web, image: 'web:1'}}]}}
  strategy: {{blueGreen: {{activeService: active, previewService: preview{strategy}}}}}
"
    )
}

/// Revision 1 is active and healthy.
fn deployed(site: &mut Site, strategy: &str) {
    for name in ["active", "preview"] {
        let yaml = format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: default}}, \
             spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}}}"
        );
        site.create("/api/v1/namespaces/default/services", &yaml);
    }
    site.create_rollout(&manifest(strategy));
    site.run_for(30);
    assert_eq!(site.said(), ("Healthy".into(), String::new()), "{}", site.last.why);
    assert_eq!(site.selected("active"), site.status("currentPodHash"));
}

fn hash_of(site: &Site, revision: i64) -> Value {
    let sets = site.cluster.world().list("apps", "replicasets", "default");
    let number = json!(revision.to_string());
    let has = |set: &Value| set["metadata"]["annotations"]["rollout.argoproj.io/revision"] == number;
    let set = sets.iter().find(|set| has(set.value())).expect("the revision");
    set.value()["metadata"]["labels"]["rollouts-pod-template-hash"].clone()
}

fn resume(site: &mut Site) {
    site.wish(&json!({"pauseConditions": null}));
}

#[test]
fn a_first_deploy_is_complete_before_the_active_service_moves() {
    let mut site = Site::new(Crashes::Never);
    deployed(&mut site, "");
    let known = [
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "RolloutNotCompleted",
        "SwitchService",
        "ScalingReplicaSet",
        "RolloutCompleted",
        "SwitchService",
    ];
    let told: Vec<&str> = known.iter().copied().filter(|reason| *reason != "SwitchService").collect();
    let without: Vec<&str> = site.events.iter().copied().filter(|reason| *reason != "SwitchService").collect();
    assert_eq!(without, told);
    let completed = site.events.iter().position(|reason| *reason == "RolloutCompleted");
    let switched = site.events.iter().rposition(|reason| *reason == "SwitchService");
    assert!(completed < switched, "{:?}", site.events);
}

#[test]
fn a_new_version_is_switched_to_when_it_is_complete() {
    twice(|site| {
        deployed(site, "");
        site.set_image("web:2");
        site.run_for(3);
        assert_eq!(site.selected("active"), hash_of(site, 1));
        assert_eq!(site.last.why, "preview: waiting: revision 2 has 0 of 3 pods available");
        site.run_for(10);
        assert_eq!(site.selected("active"), hash_of(site, 2));
        assert_eq!(site.selected("preview"), hash_of(site, 2));
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        assert_eq!(site.sizes(), [(1, 3, 3), (2, 3, 3)], "the old one stands by");
        assert_eq!(site.status("HPAReplicas"), 3);
        site.run_for(40);
        assert_eq!(site.sizes(), [(2, 3, 3)]);
    });
}

#[test]
fn without_auto_promotion_the_preview_waits_for_a_person() {
    twice(|site| {
        deployed(site, ", autoPromotionEnabled: false");
        site.set_image("web:2");
        site.run_for(60);
        assert_eq!(site.said(), ("Paused".into(), "BlueGreenPause".into()));
        assert_eq!(site.last.why, "preview: paused until somebody promotes; revision 2 has 3 of 3 pods available");
        assert_eq!(site.selected("active"), hash_of(site, 1));
        assert_eq!(site.selected("preview"), hash_of(site, 2));
        resume(site);
        site.run_for(5);
        assert_eq!(site.selected("active"), hash_of(site, 2));
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
    });
}

#[test]
fn a_timed_preview_is_promoted_by_itself() {
    twice(|site| {
        deployed(site, ", autoPromotionSeconds: 20");
        site.set_image("web:2");
        site.run_for(20);
        assert_eq!(site.said(), ("Paused".into(), "BlueGreenPause".into()));
        assert!(site.last.why.starts_with("preview: paused until 2026-01-01T00:00:5"), "{}", site.last.why);
        site.run_for(20);
        assert_eq!(site.selected("active"), hash_of(site, 2));
    });
}

#[test]
fn a_small_preview_grows_before_it_is_switched_to() {
    twice(|site| {
        deployed(site, ", autoPromotionEnabled: false, previewReplicaCount: 1");
        site.set_image("web:2");
        site.run_for(30);
        assert_eq!(site.sizes(), [(1, 3, 3), (2, 1, 1)]);
        assert_eq!(site.said(), ("Paused".into(), "BlueGreenPause".into()));
        resume(site);
        site.run_for(2);
        assert_eq!(site.sizes(), [(1, 3, 3), (2, 3, 1)]);
        assert_eq!(site.selected("active"), hash_of(site, 1), "not before all are available");
        site.run_for(20);
        assert_eq!(site.selected("active"), hash_of(site, 2));
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
    });
}

#[test]
fn an_aborted_preview_is_looked_at_for_a_while_and_then_goes() {
    twice(|site| {
        deployed(site, ", autoPromotionEnabled: false");
        site.set_image("web:2");
        site.run_for(30);
        site.wish(&json!({"abort": true}));
        site.run_for(5);
        assert_eq!(site.said(), ("Degraded".into(), "RolloutAborted: Rollout aborted update to revision 2".into()));
        assert_eq!(site.selected("active"), hash_of(site, 1));
        assert_eq!(site.sizes(), [(1, 3, 3), (2, 3, 3)]);
        site.run_for(40);
        assert_eq!(site.sizes(), [(1, 3, 3)]);
        site.wish(&json!({"abort": false}));
        site.run_for(30);
        assert_eq!(site.said(), ("Paused".into(), "BlueGreenPause".into()), "a retry is checked again");
    });
}

#[test]
fn an_aborted_preview_with_delay_zero_is_kept() {
    let mut site = Site::new(Crashes::Never);
    deployed(&mut site, ", autoPromotionEnabled: false, abortScaleDownDelaySeconds: 0");
    site.set_image("web:2");
    site.run_for(30);
    site.wish(&json!({"abort": true}));
    site.run_for(600);
    assert_eq!(site.sizes(), [(1, 3, 3), (2, 3, 3)]);
}

#[test]
fn going_back_within_the_delay_is_instant() {
    twice(|site| {
        deployed(site, ", autoPromotionEnabled: false");
        site.set_image("web:2");
        site.run_for(30);
        resume(site);
        site.run_for(5);
        assert_eq!(site.selected("active"), hash_of(site, 2));
        site.set_image("web:1");
        site.run_for(1);
        assert_eq!(site.selected("active"), hash_of(site, 3), "without a pause, and without a new pod");
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
    });
}

#[test]
fn going_back_after_the_delay_is_a_release_like_any_other() {
    twice(|site| {
        deployed(site, ", autoPromotionEnabled: false");
        site.set_image("web:2");
        site.run_for(30);
        resume(site);
        site.run_for(60);
        site.set_image("web:1");
        site.run_for(30);
        assert_eq!(site.said(), ("Paused".into(), "BlueGreenPause".into()));
    });
}

#[test]
fn a_third_version_in_mid_release_lets_the_second_go() {
    twice(|site| {
        deployed(site, ", autoPromotionEnabled: false");
        site.set_image("web:2");
        site.run_for(30);
        site.set_image("web:3");
        site.run_for(30);
        assert_eq!(site.sizes(), [(1, 3, 3), (3, 3, 3)]);
        resume(site);
        site.run_for(60);
        assert_eq!(site.sizes(), [(3, 3, 3)]);
        assert_eq!(site.selected("active"), hash_of(site, 3));
    });
}

#[test]
fn a_delay_of_zero_keeps_the_old_pods_until_the_next_release() {
    twice(|site| {
        deployed(site, ", scaleDownDelaySeconds: 0");
        site.set_image("web:2");
        site.run_for(600);
        assert_eq!(site.sizes(), [(1, 3, 3), (2, 3, 3)]);
        site.set_image("web:3");
        site.run_for(600);
        assert_eq!(site.sizes(), [(2, 3, 3), (3, 3, 3)]);
    });
}

#[test]
fn so_many_old_revisions_stand_by_as_the_limit_says() {
    let mut site = Site::new(Crashes::Never);
    deployed(&mut site, ", scaleDownDelaySeconds: 300, scaleDownDelayRevisionLimit: 1");
    for image in ["web:2", "web:3", "web:4"] {
        site.set_image(image);
        site.run_for(20);
    }
    assert_eq!(site.sizes(), [(3, 3, 3), (4, 3, 3)]);
}

#[test]
fn a_full_promotion_skips_the_pause_but_not_readiness() {
    twice(|site| {
        deployed(site, ", autoPromotionEnabled: false, previewReplicaCount: 1");
        site.set_image("web:2");
        site.run_for(1);
        site.wish(&json!({"promoteFull": true}));
        site.run_for(3);
        assert_eq!(site.selected("active"), hash_of(site, 1));
        site.run_for(20);
        assert_eq!(site.selected("active"), hash_of(site, 2));
        assert_eq!(site.status("promoteFull"), Value::Null);
    });
}

#[test]
fn a_bad_version_never_gets_the_traffic_and_the_next_fix_does() {
    twice(|site| {
        deployed(site, "");
        site.set_image("web:does-not-exist");
        site.run_for(90);
        assert_eq!(site.selected("active"), hash_of(site, 1));
        assert_eq!(site.selected("preview"), hash_of(site, 1), "nothing is ready there");
        assert_eq!(site.said().0, "Degraded");
        assert!(
            site.last.why.contains("ErrImagePull") || site.last.why.contains("ImagePullBackOff"),
            "{}",
            site.last.why
        );
        site.set_image("web:3");
        site.run_for(20);
        assert_eq!(site.selected("active"), hash_of(site, 3));
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
    });
}

#[test]
fn scaling_moves_both_revisions_at_once() {
    twice(|site| {
        deployed(site, ", autoPromotionEnabled: false");
        site.set_image("web:2");
        site.run_for(30);
        site.change(&json!({"spec": {"replicas": 5}}));
        site.run_for(20);
        assert_eq!(site.sizes(), [(1, 5, 5), (2, 5, 5)]);
        assert_eq!(site.status("HPAReplicas"), 5);
        site.change(&json!({"spec": {"replicas": 2}}));
        site.run_for(20);
        assert_eq!(site.sizes(), [(1, 2, 2), (2, 2, 2)]);
        assert_eq!(site.said(), ("Paused".into(), "BlueGreenPause".into()));
    });
}

#[test]
fn an_active_service_that_somebody_moved_comes_back() {
    let mut site = Site::new(Crashes::Never);
    deployed(&mut site, "");
    site.set_image("web:2");
    site.run_for(20);
    let old = hash_of(&site, 1);
    site.new_epoch();
    site.ask(sluice_sandbox::api::request::Request::patch(
        "/api/v1/namespaces/default/services/active",
        "application/merge-patch+json",
        &json!({"spec": {"selector": {"rollouts-pod-template-hash": old}}}),
    ));
    site.run_for(1);
    assert_eq!(site.selected("active"), hash_of(&site, 2));
}

#[test]
fn another_strategy_takes_over_what_runs() {
    twice(|site| {
        deployed(site, "");
        site.change(&json!({"spec": {"strategy": {"blueGreen": null, "canary": {"steps": [{"setWeight": 50}, {"pause": {}}]}}}}));
        site.run_for(5);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        site.set_image("web:2");
        site.run_for(30);
        assert_eq!(site.said(), ("Paused".into(), "CanaryPauseStep".into()));
        site.change(&json!({"spec": {"strategy": {
            "canary": null, "blueGreen": {"activeService": "active", "previewService": "preview"},
        }}}));
        site.run_for(60);
        assert_eq!(site.selected("active"), hash_of(site, 2));
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        assert_eq!(site.sizes(), [(2, 3, 3)]);
    });
}
