//! Releases that ask for analyses. What the runs measure is told by the test: here it is about what a verdict does.

use serde_json::{Value, json};

use super::stories::twice;
use sluice_sandbox::api::request::Request;
use sluice_scenarios::{Crashes, Site};

const TEMPLATE: &str = "
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: errors, namespace: default}
spec:
  args: [{name: hash}]
  metrics:
    - {name: error-rate, count: 3, interval: 10s, successCondition: 'result[0] < 0.01', provider: {prometheus: {address: 'http://prometheus', query: 'errors{hash=\"{{args.hash}}\"}'}}}
";

const ASKED: &str =
    "{templates: [{templateName: errors}], args: [{name: hash, valueFrom: {podTemplateHashValue: Latest}}]}";

fn deployed(site: &mut Site, strategy: &str) {
    site.create("/apis/argoproj.io/v1alpha1/namespaces/default/analysistemplates", TEMPLATE);
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
  progressDeadlineSeconds: 60
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}, annotations: {{sandbox.sluice.dev/ready-after: 5s}}}}
    spec: {{containers: [{{name: web, image: 'web:1'}}]}}
  strategy: {{{strategy}}}
"
    ));
    site.run_for(30);
    assert_eq!(site.said(), ("Healthy".into(), String::new()), "{}", site.last.why);
    assert_eq!(site.runs("Step").len() + site.runs("Background").len(), 0, "a first deploy is not compared");
}

fn with_step() -> String {
    format!("canary: {{steps: [{{setWeight: 25}}, {{analysis: {ASKED}}}, {{setWeight: 50}}]}}")
}

fn with_background() -> String {
    let background = ASKED.replacen('{', "{startingStep: 1, ", 1);
    format!(
        "canary: {{analysis: {background}, steps: [{{setWeight: 25}}, {{pause: {{duration: 30}}}}, {{pause: {{}}}}]}}"
    )
}

fn with_checks() -> String {
    format!(
        "blueGreen: {{activeService: active, previewService: preview, \
         prePromotionAnalysis: {ASKED}, postPromotionAnalysis: {ASKED}}}"
    )
}

fn says(site: &mut Site, name: &str, phase: &str, message: &str) {
    site.judge_run(name, &json!({"phase": phase, "message": message}));
    site.run_for(1);
}

fn only(runs: &[String]) -> String {
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0].clone()
}

/// A second revision waits at its step for the verdict of this run.
fn measured_at_a_step(site: &mut Site) -> String {
    deployed(site, &with_step());
    site.set_image("web:2");
    site.run_for(30);
    only(&site.runs("Step"))
}

fn selects_new(site: &Site) -> bool {
    site.selected("active") == site.status("currentPodHash")
}

fn run_of(site: &Site, name: &str) -> Value {
    let run = site.cluster.world().get("argoproj.io", "analysisruns", "default", name);
    run.expect("the run").value().clone()
}

#[test]
fn a_step_waits_for_its_analysis_and_goes_on_when_it_succeeds() {
    twice(|site| {
        deployed(site, &with_step());
        site.set_image("web:2");
        site.run_for(300);
        let name = only(&site.runs("Step"));
        let hash = site.status("currentPodHash");
        assert_eq!(name, format!("web-{}-2-1", hash.as_str().expect("a hash")));
        let run = run_of(site, &name);
        assert_eq!(run["spec"]["args"], json!([{"name": "hash", "value": hash}]));
        assert_eq!(run["metadata"]["labels"]["step-index"], "1");
        assert_eq!(site.status("currentStepIndex"), 1, "waiting for a verdict is no lack of progress");
        assert_eq!(site.said().0, "Progressing");
        assert_eq!(
            site.last.why,
            format!("step 2/3 (analysis): waiting for the analysis of the step ({name}): nothing measured yet")
        );
        says(site, &name, "Successful", "");
        site.run_for(60);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
    });
}

#[test]
fn a_failed_analysis_takes_the_release_back_and_says_why() {
    twice(|site| {
        let name = measured_at_a_step(site);
        says(site, &name, "Failed", "error-rate 0.027 >= 0.01 in 3 of 3 measurements");
        let why = format!(
            "analysis of the step failed: error-rate 0.027 >= 0.01 in 3 of 3 measurements (AnalysisRun {name})"
        );
        assert_eq!(
            site.said(),
            ("Degraded".into(), format!("RolloutAborted: Rollout aborted update to revision 2: {why}"))
        );
        assert_eq!(site.status("rejected")[0]["reason"], format!("{why}, at step 2/3 (analysis)"));
        site.run_for(30);
        assert_eq!(site.sizes(), [(1, 4, 4)]);
        site.wish(&json!({"abort": false}));
        site.run_for(30);
        assert_eq!(site.runs("Step"), [name.clone(), format!("{name}.1")], "a retry is measured anew");
    });
}

#[test]
fn an_inconclusive_analysis_waits_for_a_person() {
    twice(|site| {
        let name = measured_at_a_step(site);
        says(site, &name, "Inconclusive", "neither good nor bad");
        assert_eq!(site.said(), ("Paused".into(), "InconclusiveAnalysisRun".into()));
        site.run_for(300);
        assert_eq!(site.said(), ("Paused".into(), "InconclusiveAnalysisRun".into()));
        // As the command line promotes it: past the step.
        site.wish(&json!({"pauseConditions": null, "controllerPause": false, "currentStepIndex": 2}));
        site.run_for(60);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        assert_eq!(site.runs("Step").len(), 1);
    });
}

#[test]
fn an_inconclusive_analysis_is_measured_again_when_only_its_pause_is_taken_away() {
    twice(|site| {
        let name = measured_at_a_step(site);
        says(site, &name, "Inconclusive", "neither good nor bad");
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(5);
        let again = site.runs("Step").last().cloned().expect("a run");
        assert_eq!(again, format!("{name}.1"));
        says(site, &again, "Successful", "");
        site.run_for(60);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
    });
}

#[test]
fn a_failure_can_leave_the_decision_to_a_person() {
    let mut site = Site::new(Crashes::Never);
    let asked = ASKED.replacen('{', "{onFailure: pause, ", 1);
    deployed(&mut site, &format!("canary: {{steps: [{{setWeight: 25}}, {{analysis: {asked}}}]}}"));
    site.set_image("web:2");
    site.run_for(30);
    let name = only(&site.runs("Step"));
    says(&mut site, &name, "Failed", "error-rate 0.027 >= 0.01");
    assert_eq!(site.said(), ("Paused".into(), "InconclusiveAnalysisRun".into()));
    assert!(
        site.last.why.ends_with("until somebody promotes or aborts: error-rate 0.027 >= 0.01"),
        "{}",
        site.last.why
    );
}

#[test]
fn a_background_analysis_begins_at_its_step_and_ends_with_the_release() {
    twice(|site| {
        deployed(site, &with_background());
        site.set_image("web:2");
        site.run_for(3);
        assert_eq!(site.runs("Background").len(), 0, "not before its step");
        site.run_for(20);
        let name = only(&site.runs("Background"));
        site.judge_run(&name, &json!({"phase": "Running"}));
        site.run_for(60);
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(60);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        assert_eq!(run_of(site, &name)["spec"]["terminate"], true);
    });
}

#[test]
fn a_failed_background_analysis_takes_the_release_back_at_any_moment() {
    twice(|site| {
        deployed(site, &with_background());
        site.set_image("web:2");
        site.run_for(20);
        let name = only(&site.runs("Background"));
        says(site, &name, "Failed", "error-rate 0.027 >= 0.01");
        assert_eq!(site.said().0, "Degraded");
        site.run_for(30);
        assert_eq!(site.sizes(), [(1, 4, 4)]);
    });
}

#[test]
fn a_failed_analysis_takes_back_what_a_person_has_paused() {
    twice(|site| {
        deployed(site, &with_background());
        site.set_image("web:2");
        site.run_for(20);
        let name = only(&site.runs("Background"));
        site.change(&json!({"spec": {"paused": true}}));
        site.run_for(20);
        assert_eq!(site.said(), ("Paused".into(), "manually paused".into()));
        says(site, &name, "Failed", "error-rate 0.027 >= 0.01");
        site.run_for(30);
        assert_eq!(site.said().0, "Degraded", "{}", site.last.why);
        assert_eq!(site.sizes(), [(1, 4, 4)]);
    });
}

#[test]
fn nothing_goes_on_while_the_background_analysis_is_blind() {
    twice(|site| {
        deployed(site, &with_background());
        site.set_image("web:2");
        site.run_for(20);
        let name = only(&site.runs("Background"));
        let measured = |phase: &str, message: &str| {
            json!({"phase": "Running", "metricResults": [{"name": "error-rate", "measurements": [
                {"phase": phase, "message": message, "startedAt": "2026-01-01T00:00:40Z", "finishedAt": "2026-01-01T00:00:40Z"},
            ]}]})
        };
        site.judge_run(&name, &measured("Error", "no answer from http://prometheus"));
        site.run_for(120);
        assert_eq!(site.status("currentStepIndex"), 1, "the pause is over, and still nothing goes on");
        assert_eq!(site.said().0, "Paused");
        site.judge_run(&name, &measured("Successful", "error-rate 0.001 < 0.01"));
        site.run_for(5);
        assert_eq!(site.status("currentStepIndex"), 2);
    });
}

#[test]
fn blue_green_is_measured_before_and_after_the_switch() {
    twice(|site| {
        deployed(site, &with_checks());
        site.set_image("web:2");
        site.run_for(120);
        assert!(!selects_new(site), "not before the first verdict");
        assert_eq!(site.said().1, "active service cutover pending");
        let pre = only(&site.runs("PrePromotion"));
        says(site, &pre, "Successful", "");
        site.run_for(60);
        assert!(selects_new(site));
        assert_eq!(site.sizes(), [(1, 4, 4), (2, 4, 4)], "the old one stays until the second verdict");
        assert_eq!(site.said().1, "waiting for analysis to complete");
        let post = only(&site.runs("PostPromotion"));
        says(site, &post, "Successful", "");
        site.run_for(60);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
        assert_eq!(site.sizes(), [(2, 4, 4)]);
    });
}

#[test]
fn a_bad_verdict_after_the_switch_brings_the_old_version_back() {
    twice(|site| {
        deployed(site, &with_checks());
        site.set_image("web:2");
        site.run_for(30);
        let pre = only(&site.runs("PrePromotion"));
        says(site, &pre, "Successful", "");
        site.run_for(300);
        let post = only(&site.runs("PostPromotion"));
        assert_eq!(site.sizes(), [(1, 4, 4), (2, 4, 4)], "whatever the delay says");
        says(site, &post, "Failed", "error-rate 0.027 >= 0.01");
        assert!(!selects_new(site));
        assert_eq!(site.said().0, "Degraded");
        site.run_for(60);
        assert_eq!(site.sizes(), [(1, 4, 4)]);
    });
}

#[test]
fn an_abort_and_a_new_version_end_the_runs_of_the_old_one() {
    twice(|site| {
        deployed(site, &with_step());
        site.set_image("web:2");
        site.run_for(30);
        let first = only(&site.runs("Step"));
        site.set_image("web:3");
        site.run_for(30);
        assert_eq!(run_of(site, &first)["spec"]["terminate"], true);
        let second = site.runs("Step").into_iter().find(|name| *name != first).expect("a second run");
        site.wish(&json!({"abort": true}));
        site.run_for(5);
        assert_eq!(run_of(site, &second)["spec"]["terminate"], true);
    });
}

#[test]
fn a_template_that_is_missing_is_named_and_mended_by_creating_it() {
    let mut site = Site::new(Crashes::Never);
    site.create_rollout(&format!(
        "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: web, namespace: default}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web}}}}
  template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: web, image: 'web:1'}}]}}}}
  strategy: {{{}}}
",
        with_step()
    ));
    site.run_for(5);
    let (phase, message) = site.said();
    assert_eq!(phase, "Degraded");
    assert!(message.contains("spec.strategy.canary.steps[1].analysis.templates[0]"), "{message}");
    assert!(message.contains("errors"), "{message}");
    site.create("/apis/argoproj.io/v1alpha1/namespaces/default/analysistemplates", TEMPLATE);
    site.run_for(30);
    assert_eq!(site.said(), ("Healthy".into(), String::new()));
}

fn forget_the_template(site: &mut Site) {
    let path = "/apis/argoproj.io/v1alpha1/namespaces/default/analysistemplates/errors";
    site.ask(Request::delete(path));
    site.run_for(5);
    let (phase, message) = site.said();
    assert_eq!(phase, "Degraded");
    assert!(message.starts_with("InvalidSpec: "), "{message}");
}

#[test]
fn a_bad_release_goes_back_although_its_template_was_deleted_meanwhile() {
    twice(|site| {
        deployed(site, &with_background());
        site.set_image("web:2");
        site.run_for(20);
        let background = only(&site.runs("Background"));
        forget_the_template(site);
        assert_eq!(site.sizes(), [(1, 3, 3), (2, 1, 1)], "what runs is left alone");
        says(site, &background, "Failed", "error-rate 0.027 >= 0.01");
        site.run_for(30);
        assert_eq!(site.sizes(), [(1, 4, 4)]);
        let (phase, message) = site.said();
        assert_eq!(phase, "Degraded");
        assert!(message.starts_with("InvalidSpec: "), "still to be mended: {message}");
        assert!(site.last.why.starts_with("aborted: "), "{}", site.last.why);
        let rejected = site.status("rejected")[0]["reason"].clone();
        assert!(rejected.as_str().is_some_and(|reason| reason.contains("0.027 >= 0.01")), "{rejected}");
        site.create("/apis/argoproj.io/v1alpha1/namespaces/default/analysistemplates", TEMPLATE);
        site.run_for(30);
        assert!(site.said().1.starts_with("RolloutAborted: "), "mended, and still aborted: {:?}", site.said());
        assert_eq!(site.sizes(), [(1, 4, 4)]);
    });
}

#[test]
fn a_bad_verdict_after_the_switch_counts_although_its_template_was_deleted_meanwhile() {
    twice(|site| {
        deployed(site, &with_checks());
        site.set_image("web:2");
        site.run_for(30);
        let pre = only(&site.runs("PrePromotion"));
        says(site, &pre, "Successful", "");
        site.run_for(60);
        let post = only(&site.runs("PostPromotion"));
        forget_the_template(site);
        assert!(selects_new(site), "what serves is left alone");
        says(site, &post, "Failed", "error-rate 0.027 >= 0.01");
        assert!(!selects_new(site));
        site.run_for(90);
        assert_eq!(site.sizes(), [(1, 4, 4)]);
    });
}

#[test]
fn a_template_that_cannot_be_judged_is_told_before_it_is_needed() {
    let mut site = Site::new(Crashes::Never);
    deployed(&mut site, &with_step());
    let broken = json!({"spec": {"metrics": [
        {"name": "error-rate", "count": 3, "interval": "10s", "successCondition": "reslt[0] < 0.01",
         "provider": {"prometheus": {"address": "http://prometheus", "query": "errors"}}},
    ]}});
    let path = "/apis/argoproj.io/v1alpha1/namespaces/default/analysistemplates/errors";
    site.ask(Request::patch(path, "application/merge-patch+json", &broken));
    site.run_for(1);
    let (phase, message) = site.said();
    assert_eq!(phase, "Degraded");
    assert!(message.contains("spec.metrics[0].successCondition"), "{message}");
    assert!(message.contains("reslt"), "{message}");
    assert_eq!(site.sizes(), [(1, 4, 4)], "what runs is left alone");
}

#[test]
fn finished_runs_are_kept_up_to_their_limits() {
    let mut site = Site::new(Crashes::Never);
    deployed(&mut site, &with_step());
    for revision in 2..10 {
        site.set_image(&format!("web:{revision}"));
        site.run_for(30);
        let run = site
            .runs("Step")
            .into_iter()
            .max_by_key(|name| name.rsplit('-').nth(1).and_then(|number| number.parse::<u32>().ok()));
        says(&mut site, &run.expect("a run"), "Successful", "");
        site.run_for(60);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
    }
    assert_eq!(site.runs("Step").len(), 5);
}

#[test]
fn measuring_again_before_the_switch_does_not_use_up_the_pause_that_waits_for_a_person() {
    twice(|site| {
        deployed(
            site,
            &format!(
                "blueGreen: {{activeService: active, previewService: preview, autoPromotionEnabled: false, \
                 prePromotionAnalysis: {ASKED}}}"
            ),
        );
        site.set_image("web:2");
        site.run_for(30);
        let first = only(&site.runs("PrePromotion"));
        says(site, &first, "Inconclusive", "neither good nor bad");
        assert_eq!(site.said(), ("Paused".into(), "InconclusiveAnalysisRun".into()));
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(5);
        let again = site.runs("PrePromotion").last().cloned().expect("a run");
        assert_eq!(again, format!("{first}.1"));
        says(site, &again, "Successful", "");
        site.run_for(30);
        assert_eq!(site.said(), ("Paused".into(), "BlueGreenPause".into()));
        assert!(!selects_new(site));
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(60);
        assert_eq!(site.said(), ("Healthy".into(), String::new()));
    });
}
