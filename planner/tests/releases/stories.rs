//! What users do, and what they see.

use serde_json::{Value, json};
use sluice_planner::plan;

use sluice_scenarios::{Crashes, Site};

const WITH_PAUSES: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: default, annotations: {team: shop}}
spec:
  replicas: 5
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {sandbox.sluice.dev/ready-after: 5s}}
    spec: {containers: [{name: web, image: 'web:1'}]}
  strategy:
    canary:
      steps: [{setWeight: 20}, {pause: {}}, {setWeight: 60}, {pause: {duration: 1m}}]
";

/// Tells a story twice, without and with crashes, and compares how both end.
pub(crate) fn twice(story: impl Fn(&mut Site)) {
    let mut ends = Vec::new();
    for crashes in [Crashes::Never, Crashes::AfterEachWrite] {
        let mut site = Site::new(crashes);
        story(&mut site);
        let writes = site.writes;
        site.run_for(5);
        assert_eq!(site.writes, writes, "at rest, and still writing: {:#?}", site.last);
        ends.push((site.sizes(), site.said(), visible(&site)));
    }
    assert_eq!(ends[0], ends[1], "another end with crashes than without");
}

/// The status without its times.
fn visible(site: &Site) -> Value {
    let mut status = site.rollout()["status"].clone();
    for key in ["conditions", "pauseConditions", "rejected"] {
        for item in status[key].as_array_mut().into_iter().flatten() {
            for time in ["lastUpdateTime", "lastTransitionTime", "startTime", "at"] {
                if let Some(item) = item.as_object_mut() {
                    item.remove(time);
                }
            }
        }
    }
    if let Some(status) = status.as_object_mut() {
        status.remove("abortedAt");
    }
    status
}

fn deployed(site: &mut Site) {
    site.create_rollout(WITH_PAUSES);
    site.run_for(30);
    assert_eq!(site.said(), ("Healthy".into(), String::new()));
}

/// At the first pause: one of five pods is new.
fn at_first_pause(site: &mut Site) {
    deployed(site);
    site.set_image("web:2");
    site.run_for(30);
    assert_eq!(site.said(), ("Paused".into(), "CanaryPauseStep".into()));
    assert_eq!(site.sizes(), [(1, 4, 4), (2, 1, 1)]);
}

fn promote(site: &mut Site) {
    site.wish(&json!({"pauseConditions": null}));
}

#[test]
fn a_first_deploy_becomes_stable_when_its_pods_are_available() {
    twice(|site| {
        site.create_rollout(WITH_PAUSES);
        site.run_for(3);
        assert_eq!(site.said(), ("Progressing".into(), "updated replicas are still becoming available".into()));
        assert_eq!(site.status("stableRS"), Value::Null, "nothing is stable before it was available");
        assert_eq!(site.last.why, "first release: waiting: revision 1 has 0 of 5 pods available");
        site.run_for(20);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        assert_eq!(site.status("stableRS"), site.status("currentPodHash"));
        assert_eq!(site.status("currentStepIndex"), 4);
        assert_eq!(site.status("observedGeneration"), "1");
        assert_eq!(site.last.why, "revision 1 is stable: 5 of 5 pods available");
    });
}

#[test]
fn events_of_a_first_deploy_come_in_the_known_order() {
    let mut site = Site::new(Crashes::Never);
    deployed(&mut site);
    let known =
        ["RolloutUpdated", "NewReplicaSetCreated", "RolloutNotCompleted", "ScalingReplicaSet", "RolloutCompleted"];
    assert_eq!(site.events, known);
}

#[test]
fn a_canary_goes_through_its_pauses_to_promotion() {
    twice(|site| {
        at_first_pause(site);
        assert_eq!(
            site.last.why,
            "step 2/4 (pause): paused until somebody promotes; revision 2 has 1 of 1 pods available"
        );
        assert_eq!(
            site.status("columns"),
            json!({"step": "1/4", "weight": "20/20", "ready": "5/5", "images": "web:2"})
        );
        promote(site);
        site.run_for(30);
        assert_eq!(site.sizes(), [(1, 2, 2), (2, 3, 3)]);
        assert_eq!(site.said(), ("Paused".into(), "CanaryPauseStep".into()));
        site.run_for(90);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        assert_eq!(site.sizes(), [(2, 5, 5)]);
    });
}

#[test]
fn events_of_a_canary_come_in_the_known_order() {
    let mut site = Site::new(Crashes::Never);
    deployed(&mut site);
    site.events.clear();
    site.set_image("web:2");
    site.run_for(30);
    let known = ["RolloutUpdated", "NewReplicaSetCreated", "RolloutNotCompleted", "ScalingReplicaSet"];
    assert_eq!(site.events[..4], known);
    assert_eq!(site.events[site.events.len() - 2..], ["RolloutStepCompleted", "RolloutPaused"]);
    site.events.clear();
    site.wish(&json!({"abort": true}));
    site.run_for(30);
    site.events.dedup();
    assert_eq!(site.events, ["ScalingReplicaSet", "RolloutAborted"]);
    site.events.clear();
    site.wish(&json!({"abort": false}));
    site.run_for(30);
    assert_eq!(site.events.last(), Some(&"RolloutPaused"));
    assert_eq!(site.events.first(), Some(&"ScalingReplicaSet"));
    site.events.clear();
    promote(&mut site);
    site.settle();
    assert_eq!(site.events[..3], ["RolloutStepCompleted", "RolloutResumed", "ScalingReplicaSet"]);
    site.run_for(120);
    assert_eq!(site.events[site.events.len() - 2..], ["ScalingReplicaSet", "RolloutCompleted"]);
}

#[test]
fn a_release_of_four_steps_takes_at_most_twenty_requests() {
    let mut site = Site::new(Crashes::Never);
    deployed(&mut site);
    let before = site.writes;
    site.set_image("web:2");
    site.run_for(30);
    promote(&mut site);
    site.run_for(120);
    assert_eq!(site.sizes(), [(2, 5, 5)]);
    assert!(site.writes - before <= 20, "{} requests", site.writes - before);
}

#[test]
fn an_abort_at_each_step_returns_to_stable_and_stays_there() {
    for waits in 0..4 {
        twice(|site| {
            deployed(site);
            site.set_image("web:2");
            match waits {
                0 => site.settle(),
                1 => site.run_for(30),
                2 => {
                    site.run_for(30);
                    promote(site);
                    site.settle();
                }
                _ => {
                    site.run_for(30);
                    promote(site);
                    site.run_for(30);
                }
            }
            site.wish(&json!({"abort": true}));
            site.run_for(60);
            let why = "RolloutAborted: Rollout aborted update to revision 2";
            assert_eq!(site.said(), ("Degraded".into(), why.into()));
            assert_eq!(site.sizes(), [(1, 5, 5)]);
            site.run_for(3600);
            assert_eq!(site.sizes(), [(1, 5, 5)], "nothing starts it again by itself");
        });
    }
}

#[test]
fn a_rejected_version_that_comes_back_is_recognised_and_forgiven_once_it_is_stable() {
    let mut site = Site::new(Crashes::Never);
    at_first_pause(&mut site);
    let bad = site.status("currentPodHash");
    site.wish(&json!({"abort": true}));
    site.run_for(30);
    assert_eq!(site.status("rejected")[0]["podHash"], bad);
    assert_eq!(site.status("rejected")[0]["reason"], "aborted on request at step 2/4 (pause)");
    site.set_image("web:1");
    site.run_for(30);
    assert_eq!(site.status("rejected")[0]["podHash"], bad, "it stays known");
    site.set_image("web:2");
    let told = plan(&site.snapshot(), site.cluster.now()).events;
    let sentence = &told.iter().find(|event| event.reason == "RolloutNotCompleted").expect("an event").message;
    assert!(sentence.contains("it was rejected at 2026-01-01T00:01:00Z: aborted on request at step 2/4"), "{sentence}");
    site.run_for(30);
    site.wish(&json!({"promoteFull": true}));
    site.run_for(60);
    assert_eq!(site.said(), ("Healthy".into(), String::new()));
    assert_eq!(site.status("rejected"), Value::Null);
}

#[test]
fn a_retry_runs_the_steps_again_from_the_first() {
    twice(|site| {
        at_first_pause(site);
        site.wish(&json!({"abort": true}));
        site.run_for(30);
        site.wish(&json!({"abort": false}));
        site.run_for(30);
        assert_eq!(site.said(), ("Paused".into(), "CanaryPauseStep".into()));
        assert_eq!(site.status("currentStepIndex"), 1);
        assert_eq!(site.sizes(), [(1, 4, 4), (2, 1, 1)]);
        assert_eq!(site.status("abortedAt"), Value::Null);
    });
}

#[test]
fn a_full_promotion_skips_pauses_but_not_readiness() {
    twice(|site| {
        at_first_pause(site);
        site.wish(&json!({"promoteFull": true}));
        site.run_for(60);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        assert_eq!(site.sizes(), [(2, 5, 5)]);
        assert_eq!(site.status("promoteFull"), Value::Null);
    });
}

#[test]
fn an_aborted_release_that_is_promoted_in_full_goes_on() {
    twice(|site| {
        at_first_pause(site);
        site.wish(&json!({"abort": true}));
        site.run_for(30);
        site.wish(&json!({"promoteFull": true}));
        site.run_for(60);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        assert_eq!(site.sizes(), [(2, 5, 5)]);
    });
}

#[test]
fn a_third_version_in_mid_release_supersedes_the_second() {
    twice(|site| {
        at_first_pause(site);
        site.set_image("web:3");
        site.run_for(30);
        assert_eq!(site.sizes(), [(1, 4, 4), (3, 1, 1)]);
        assert_eq!(site.status("currentStepIndex"), 1);
        promote(site);
        site.run_for(120);
        assert_eq!(site.sizes(), [(3, 5, 5)]);
    });
}

#[test]
fn going_back_to_stable_in_mid_release_skips_all_steps() {
    twice(|site| {
        at_first_pause(site);
        promote(site);
        site.run_for(30);
        site.set_image("web:1");
        site.run_for(30);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        // The old ReplicaSet serves again, under a new number.
        assert_eq!(site.sizes(), [(3, 5, 5)]);
        assert_eq!(site.status("currentStepIndex"), 4);
    });
}

#[test]
fn going_back_within_the_rollback_window_skips_all_steps() {
    twice(|site| {
        site.create_rollout(&WITH_PAUSES.replace("  strategy:", "  rollbackWindow: {revisions: 1}\n  strategy:"));
        site.run_for(30);
        site.set_image("web:2");
        site.run_for(30);
        promote(site);
        site.run_for(120);
        assert_eq!(site.sizes(), [(2, 5, 5)]);
        site.set_image("web:1");
        site.run_for(60);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        assert_eq!(site.sizes(), [(3, 5, 5)]);
    });
}

#[test]
fn an_undone_release_outside_of_a_window_goes_through_its_steps() {
    twice(|site| {
        at_first_pause(site);
        promote(site);
        site.run_for(120);
        site.set_image("web:1");
        site.run_for(30);
        assert_eq!(site.said(), ("Paused".into(), "CanaryPauseStep".into()));
        assert_eq!(site.sizes(), [(2, 4, 4), (3, 1, 1)]);
    });
}

#[test]
fn scaling_in_mid_release_keeps_the_share() {
    twice(|site| {
        at_first_pause(site);
        site.change(&json!({"spec": {"replicas": 10}}));
        site.run_for(30);
        assert_eq!(site.sizes(), [(1, 8, 8), (2, 2, 2)]);
        assert_eq!(site.said(), ("Paused".into(), "CanaryPauseStep".into()));
        site.change(&json!({"spec": {"replicas": 5}}));
        site.run_for(30);
        assert_eq!(site.sizes(), [(1, 4, 4), (2, 1, 1)]);
        site.change(&json!({"spec": {"replicas": 0}}));
        site.run_for(30);
        assert_eq!(site.sizes(), []);
    });
}

#[test]
fn a_rollout_that_a_person_pauses_moves_nothing_until_it_is_resumed() {
    twice(|site| {
        deployed(site);
        site.change(&json!({"spec": {"paused": true}}));
        site.run_for(5);
        assert_eq!(site.said(), ("Paused".into(), "manually paused".into()));
        site.set_image("web:2");
        site.run_for(60);
        assert_eq!(site.sizes(), [(1, 5, 5)]);
        site.change(&json!({"spec": {"paused": false}}));
        site.run_for(30);
        assert_eq!(site.sizes(), [(1, 4, 4), (2, 1, 1)]);
    });
}

#[test]
fn without_steps_it_is_a_rolling_update() {
    for (surge, unavailable) in [(1, 0), (0, 1), (2, 2)] {
        twice(|site| {
            let steps = "steps: [{setWeight: 20}, {pause: {}}, {setWeight: 60}, {pause: {duration: 1m}}]";
            let budgets = format!("maxSurge: {surge}\n      maxUnavailable: {unavailable}");
            site.create_rollout(&WITH_PAUSES.replace(steps, &budgets));
            site.run_for(30);
            site.set_image("web:2");
            site.run_for(120);
            assert_eq!(site.said(), ("Healthy".into(), String::new()));
            assert_eq!(site.sizes(), [(2, 5, 5)]);
            assert_eq!(site.status("currentStepIndex"), Value::Null);
        });
    }
}

#[test]
fn a_rollout_that_names_no_count_gets_one_pod() {
    twice(|site| {
        site.create_rollout(&WITH_PAUSES.replace("  replicas: 5\n", ""));
        site.run_for(30);
        assert_eq!(site.sizes(), [(1, 1, 1)]);
        site.set_image("web:2");
        site.run_for(30);
        assert_eq!(site.sizes(), [(1, 1, 1), (2, 1, 1)]);
        promote(site);
        site.run_for(120);
        assert_eq!(site.sizes(), [(2, 1, 1)]);
    });
}

#[test]
fn old_revisions_are_forgotten_beyond_the_limit() {
    twice(|site| {
        let steps = "steps: [{setWeight: 20}, {pause: {}}, {setWeight: 60}, {pause: {duration: 1m}}]";
        let limited = WITH_PAUSES.replace(steps, "{}").replace("canary:\n      {}", "canary: {}");
        site.create_rollout(&limited.replace("  strategy:", "  revisionHistoryLimit: 1\n  strategy:"));
        for image in ["web:2", "web:3", "web:4"] {
            site.run_for(60);
            site.set_image(image);
        }
        site.run_for(60);
        let sets = site.cluster.world().list("apps", "replicasets", "default");
        assert_eq!(sets.len(), 2, "the stable one and one old one");
        assert_eq!(site.sizes(), [(4, 5, 5)]);
    });
}

#[test]
fn a_paused_rollout_follows_an_autoscaler_and_each_revision_keeps_its_share() {
    twice(|site| {
        at_first_pause(site);
        site.change(&json!({"spec": {"paused": true}}));
        site.run_for(5);
        site.change(&json!({"spec": {"replicas": 10}}));
        site.run_for(60);
        assert_eq!(site.said(), ("Paused".into(), "manually paused".into()));
        assert_eq!(site.sizes(), [(1, 8, 8), (2, 2, 2)]);
        site.change(&json!({"spec": {"replicas": 5}}));
        site.run_for(60);
        assert_eq!(site.sizes(), [(1, 4, 4), (2, 1, 1)]);
    });
}

#[test]
fn an_abort_goes_back_also_where_a_person_has_paused() {
    twice(|site| {
        at_first_pause(site);
        site.change(&json!({"spec": {"paused": true}}));
        site.run_for(5);
        site.wish(&json!({"abort": true}));
        site.run_for(60);
        assert_eq!(site.said().0, "Degraded");
        assert_eq!(site.sizes(), [(1, 5, 5)]);
    });
}
