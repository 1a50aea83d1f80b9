//! How fields are read: defaults, old forms, and what is left out.

use serde_json::{Value, json};
use sluice_crds::analysis::AnalysisPhase;
use sluice_crds::rollout::{RolloutPhase, StepKind};
use sluice_crds::unit::{IntOrString, KeepPods};
use sluice_crds::values::IntOrPercent;
use sluice_crds::{AnalysisRun, AnalysisTemplate, Experiment, Rollout};

fn rollout(spec: &Value) -> Rollout {
    serde_json::from_value(json!({ "metadata": { "name": "shop" }, "spec": spec })).expect("a Rollout")
}

#[test]
fn what_is_not_set_has_its_default() {
    let spec = rollout(&json!({ "strategy": { "canary": {} } })).spec;
    assert_eq!(spec.replicas(), 1);
    assert_eq!(spec.min_ready_seconds(), 0);
    assert_eq!(spec.revision_history_limit(), 10);
    assert_eq!(spec.progress_deadline_seconds(), 600);
    assert!(!spec.progress_deadline_abort());
    assert!(!spec.paused());
    assert_eq!(spec.successful_run_history_limit(), 5);
    assert_eq!(spec.unsuccessful_run_history_limit(), 5);

    let canary = spec.canary().expect("a canary");
    assert!(canary.steps().is_empty());
    assert_eq!(canary.max_surge(), IntOrPercent::from("25%"));
    assert_eq!(canary.max_unavailable(), IntOrPercent::from("25%"));
    assert_eq!(canary.max_traffic_weight(), 100);
    assert_eq!(canary.min_pods_per_replica_set(), 1);
    assert!(!canary.dynamic_stable_scale());

    let spec = rollout(&json!({ "strategy": { "blueGreen": { "activeService": "shop" } } })).spec;
    let blue_green = spec.blue_green().expect("blue-green");
    assert!(blue_green.auto_promotion_enabled());
    assert_eq!(blue_green.auto_promotion_seconds(), 0);
    assert_eq!(blue_green.max_unavailable(), IntOrPercent::from("25%"));

    let template: AnalysisTemplate = serde_json::from_value(json!({
        "spec": { "metrics": [{ "name": "m", "provider": { "web": { "url": "http://x" }, "prometheus": {} } }] }
    }))
    .expect("a template");
    let metric = &template.spec.metrics()[0];
    assert_eq!(metric.failure_limit(), IntOrString::from(0));
    assert_eq!(metric.inconclusive_limit(), IntOrString::from(0));
    assert_eq!(metric.consecutive_error_limit(), IntOrString::from(4));
    assert_eq!(metric.consecutive_success_limit(), IntOrString::from(0));
    let provider = metric.provider.as_ref().expect("a provider");
    assert_eq!(provider.names(), ["prometheus", "web"]);
    let web = provider.web.as_ref().expect("web");
    assert_eq!((web.method(), web.timeout_seconds(), web.json_path()), ("GET", 10, "{$}"));
    assert_eq!(provider.prometheus.as_ref().expect("prometheus").timeout_seconds(), 30);

    let experiment: Experiment =
        serde_json::from_value(json!({ "spec": { "templates": [{ "name": "a" }] } })).expect("an Experiment");
    assert_eq!(experiment.spec.progress_deadline_seconds(), 600);
    assert_eq!(experiment.spec.scale_down_delay_seconds(), 30);
    assert_eq!(experiment.spec.templates()[0].replicas(), 1);
}

#[test]
fn what_is_set_is_not_the_default() {
    let spec = rollout(&json!({ "replicas": 0, "revisionHistoryLimit": 0, "progressDeadlineSeconds": 30 })).spec;
    assert_eq!((spec.replicas(), spec.revision_history_limit(), spec.progress_deadline_seconds()), (0, 0, 30));
}

#[test]
fn pods_that_no_longer_serve_are_kept_as_the_strategy_says() {
    let rows = [
        // Without traffic routing there is nothing to wait for.
        (json!({}), KeepPods::No, KeepPods::No),
        (json!({ "scaleDownDelaySeconds": 60, "abortScaleDownDelaySeconds": 60 }), KeepPods::No, KeepPods::No),
        (json!({ "trafficRouting": {} }), KeepPods::Seconds(30), KeepPods::Seconds(30)),
        (
            json!({ "trafficRouting": {}, "scaleDownDelaySeconds": 60, "abortScaleDownDelaySeconds": 90 }),
            KeepPods::Seconds(60),
            KeepPods::Seconds(90),
        ),
        (
            json!({ "trafficRouting": {}, "scaleDownDelaySeconds": 0, "abortScaleDownDelaySeconds": 0 }),
            KeepPods::ForGood,
            KeepPods::ForGood,
        ),
        (json!({ "trafficRouting": {}, "dynamicStableScale": true }), KeepPods::No, KeepPods::No),
        (
            json!({ "trafficRouting": {}, "dynamicStableScale": true, "abortScaleDownDelaySeconds": 15 }),
            KeepPods::No,
            KeepPods::Seconds(15),
        ),
    ];
    for (canary, after_release, after_abort) in rows {
        let spec = rollout(&json!({ "strategy": { "canary": canary.clone() } })).spec;
        let read = spec.canary().expect("a canary");
        assert_eq!(read.scale_down_delay(), after_release, "{canary}");
        assert_eq!(read.abort_scale_down_delay(), after_abort, "{canary}");
    }

    let spec = rollout(&json!({ "strategy": { "blueGreen": { "scaleDownDelaySeconds": 0 } } })).spec;
    let blue_green = spec.blue_green().expect("blue-green");
    assert_eq!(blue_green.scale_down_delay(), KeepPods::ForGood);
    assert_eq!(blue_green.abort_scale_down_delay(), KeepPods::Seconds(30));
}

#[test]
fn a_step_is_what_its_only_member_says() {
    let rows = [
        (json!({ "setWeight": 20 }), vec!["setWeight 20"], Some("setWeight 20")),
        (json!({ "pause": {} }), vec!["pause"], Some("pause")),
        (json!({ "setCanaryScale": {} }), vec!["setCanaryScale"], Some("setCanaryScale")),
        (json!({ "setHeaderRoute": {} }), vec!["setHeaderRoute"], Some("setHeaderRoute")),
        (json!({ "setMirrorRoute": {} }), vec!["setMirrorRoute"], Some("setMirrorRoute")),
        (json!({ "analysis": {} }), vec!["analysis"], Some("analysis")),
        (json!({ "experiment": {} }), vec!["experiment"], Some("experiment")),
        (json!({ "plugin": {} }), vec!["plugin"], Some("plugin")),
        // These are for validation to refuse; the controller must still be able to read them.
        (json!({}), vec![], None),
        (json!({ "setWeight": 20, "pause": {} }), vec!["pause", "setWeight 20"], None),
    ];
    for (step, kinds, kind) in rows {
        let spec = rollout(&json!({ "strategy": { "canary": { "steps": [step.clone()] } } })).spec;
        let read = &spec.canary().expect("a canary").steps()[0];
        let found: Vec<String> = read.kinds().into_iter().map(said).collect();
        assert_eq!(found, kinds, "{step}");
        assert_eq!(read.kind().map(said).as_deref(), kind, "{step}");
    }
}

fn said(kind: StepKind<'_>) -> String {
    match kind {
        StepKind::SetWeight(weight) => format!("setWeight {weight}"),
        StepKind::Pause(_) => "pause".into(),
        StepKind::SetCanaryScale(_) => "setCanaryScale".into(),
        StepKind::SetHeaderRoute(_) => "setHeaderRoute".into(),
        StepKind::SetMirrorRoute(_) => "setMirrorRoute".into(),
        StepKind::Analysis(_) => "analysis".into(),
        StepKind::Experiment(_) => "experiment".into(),
        StepKind::Plugin(_) => "plugin".into(),
    }
}

#[test]
fn the_observed_generation_is_read_as_text_or_number_and_written_as_text() {
    for stored in [json!("7"), json!(7), json!(7.0)] {
        let mut object = json!({ "status": { "observedGeneration": stored } });
        let read: Rollout = serde_json::from_value(object.take()).expect("a Rollout");
        let status = read.status.as_ref().expect("a status");
        let generation = status.observed_generation.as_ref().expect("a generation");
        assert!(generation.is(7) && !generation.is(8), "{stored}");
        let written = serde_json::to_value(&read).expect("JSON");
        assert_eq!(written["status"]["observedGeneration"], "7", "{stored}");
    }
}

#[test]
fn a_status_as_argo_rollouts_leaves_it_is_read() {
    let read: Rollout = serde_json::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": { "name": "shop", "creationTimestamp": null },
        "spec": { "replicas": 3, "template": { "metadata": { "creationTimestamp": null } } },
        "status": {
            "blueGreen": {},
            "canary": {
                // A run that was just made has no phase yet.
                "currentStepAnalysisRunStatus": { "name": "shop-1", "status": "" },
                "weights": { "canary": { "weight": 0 }, "stable": { "weight": 100 }, "additional": null },
            },
            "conditions": [{
                "type": "Progressing", "status": "True", "reason": "", "message": "",
                "lastUpdateTime": null, "lastTransitionTime": "2026-03-01T10:00:00Z",
            }],
            "pauseConditions": null,
            "currentStepIndex": null,
            "phase": "Paused",
            "fieldOfAnotherVersion": { "kept": false },
        },
    }))
    .expect("a Rollout");
    let status = read.status.expect("a status");
    assert_eq!(status.phase, Some(RolloutPhase::Paused));
    assert_eq!((status.pause_conditions, status.current_step_index), (None, None));
    let run = status.canary.and_then(|canary| canary.current_step_analysis_run_status).expect("a run");
    assert_eq!(run.status, Some(AnalysisPhase::Other(String::new())));
    assert_eq!(status.conditions.expect("conditions")[0].last_update_time, None);
}

#[test]
fn a_value_that_this_version_does_not_know_is_kept() {
    let run = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun",
        "metadata": {}, "spec": {}, "status": { "phase": "Meditating" },
    });
    let read: AnalysisRun = serde_json::from_value(run.clone()).expect("a run");
    assert!(!read.status.as_ref().and_then(|status| status.phase.clone()).expect("a phase").is_completed());
    assert_eq!(serde_json::to_value(&read).expect("JSON"), run);
}

#[test]
fn set_to_the_default_and_not_set_stay_different() {
    for spec in [
        json!({}),
        json!({ "replicas": 1, "paused": false, "revisionHistoryLimit": 10 }),
        json!({ "strategy": {} }),
        json!({ "strategy": { "canary": {} } }),
        json!({ "strategy": { "canary": { "steps": [] } } }),
        json!({ "strategy": { "canary": { "steps": [{ "pause": {} }] } } }),
        json!({ "strategy": { "canary": { "canaryMetadata": { "labels": {} } } } }),
        json!({ "strategy": { "canary": { "maxSurge": "0", "maxUnavailable": 0, "canaryService": "" } } }),
        json!({ "selector": {} }),
        json!({ "selector": { "matchLabels": {} }, "template": {} }),
    ] {
        let written = serde_json::to_value(rollout(&spec)).expect("JSON");
        assert_eq!(written["spec"], spec);
    }
}
