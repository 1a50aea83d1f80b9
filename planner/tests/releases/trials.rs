//! Releases that run experiments as steps. What their runs measure is told by the test: here it is about what a
//! verdict does.

use serde_json::{Value, json};
use sluice_scenarios::{Crashes, Site};

use super::stories::twice;

const TEMPLATE: &str = "
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: compare, namespace: default}
spec:
  args: [{name: old}, {name: new}, {name: who}]
  metrics:
    - {name: difference, count: 3, interval: 10s, successCondition: 'result[0] < 1', provider: {prometheus: {address: 'http://prometheus', query: '{{args.old}} {{args.new}} {{args.who}}'}}}
";

/// A release that compares two versions at its first step, and then pauses.
fn compared(site: &mut Site, more: &str) -> Value {
    site.create("/apis/argoproj.io/v1alpha1/namespaces/default/analysistemplates", TEMPLATE);
    site.create_rollout(&format!(
        "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: web, namespace: default}}
spec:
  replicas: 4
  {more}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}, annotations: {{sandbox.sluice.dev/ready-after: 2s}}}}
    spec: {{containers: [{{name: web, image: 'web:1'}}]}}
  strategy:
    canary:
      steps:
        - experiment:
            scaleDownDelaySeconds: 0
            templates: [{{name: old, specRef: stable}}, {{name: new, specRef: canary}}]
            analyses:
              - name: judge
                templateName: compare
                requiredForCompletion: true
                args:
                  - {{name: old, value: '{{{{templates.old.podTemplateHash}}}}'}}
                  - {{name: new, valueFrom: {{podTemplateHashValue: Latest}}}}
                  - {{name: who, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}
        - setWeight: 50
        - pause: {{}}
"
    ));
    site.run_for(30);
    assert_eq!(site.said(), ("Healthy".into(), String::new()), "{}", site.last.why);
    site.set_image("web:2");
    site.run_for(20);
    let experiment = only(&experiments(site));
    assert_eq!(experiment["status"]["phase"], "Running", "{experiment:#}");
    experiment
}

fn experiments(site: &Site) -> Vec<Value> {
    let all = site.cluster.world().list("argoproj.io", "experiments", "default");
    all.iter().map(|one| one.value().clone()).collect()
}

fn only(experiments: &[Value]) -> Value {
    assert_eq!(experiments.len(), 1, "{experiments:#?}");
    experiments[0].clone()
}

fn name(experiment: &Value) -> String {
    experiment["metadata"]["name"].as_str().expect("a name").to_owned()
}

/// The controller of runs says what came of the Experiment's run.
fn says(site: &mut Site, experiment: &Value, phase: &str) {
    let run = format!("{}-judge", name(experiment));
    site.judge_run(&run, &json!({"phase": phase, "message": "difference 3 > 1"}));
    site.run_for(10);
}

/// Pods that are wanted for Experiments.
fn pods_of_trials(site: &Site) -> i64 {
    let sets = site.cluster.world().list("apps", "replicasets", "default");
    let of_trials =
        sets.iter().filter(|set| set.value()["metadata"]["annotations"].get("experiment.argoproj.io/name").is_some());
    of_trials.map(|set| set.value()["spec"]["replicas"].as_i64().unwrap_or(0)).sum()
}

#[test]
fn the_runs_of_an_experiment_get_the_arguments_of_the_step() {
    let mut site = Site::new(Crashes::Never);
    let experiment = compared(&mut site, "");
    let runs = site.cluster.world().list("argoproj.io", "analysisruns", "default");
    let run = runs[0].value();
    let old = &experiment["status"]["templateStatuses"][0]["podTemplateHash"];
    let new = site.status("currentPodHash");
    assert_eq!(
        run["spec"]["args"],
        json!([
            {"name": "old", "value": old}, {"name": "new", "value": new}, {"name": "who", "value": "web"},
        ])
    );
    assert_eq!(run["metadata"]["labels"]["rollouts-pod-template-hash"], new);
}

#[test]
fn a_good_experiment_lets_the_release_go_on() {
    twice(|site| {
        let experiment = compared(site, "");
        says(site, &experiment, "Successful");
        site.run_for(30);
        assert_eq!((site.said().0.as_str(), site.status("currentStepIndex")), ("Paused", json!(2)));
        assert_eq!(site.sizes().iter().filter(|size| size.0 > 0).count(), 2);
        assert_eq!(pods_of_trials(site), 0);
    });
}

#[test]
fn a_bad_experiment_takes_the_release_back_with_its_evidence() {
    for (phase, word) in [("Failed", "failed"), ("Error", "could not be run")] {
        twice(|site| {
            let experiment = compared(site, "");
            says(site, &experiment, phase);
            let (said, message) = site.said();
            assert_eq!(said, "Degraded");
            let evidence = format!("experiment of the step {word}: analysis judge ");
            assert!(message.contains(&evidence) && message.contains("difference 3 > 1"), "{message}");
            assert_eq!((site.sizes(), pods_of_trials(site)), (vec![(1, 4, 4)], 0));
        });
    }
}

#[test]
fn an_inconclusive_experiment_waits_for_a_person_who_can_have_it_run_again_or_go_on() {
    twice(|site| {
        let experiment = compared(site, "");
        says(site, &experiment, "Inconclusive");
        assert_eq!(site.said(), ("Paused".into(), "InconclusiveExperiment".into()));
        assert!(site.last.why.contains("analysis judge has no clear verdict: difference 3 > 1"), "{}", site.last.why);
        // Resumed where it is: once more.
        site.wish(&json!({"pauseConditions": null}));
        site.run_for(20);
        let again = experiments(site);
        assert_eq!(again.iter().map(name).collect::<Vec<_>>(), [name(&experiment), format!("{}-1", name(&experiment))]);
        says(site, &again[1], "Inconclusive");
        assert_eq!(site.said().1, "InconclusiveExperiment");
        // As the plugin promotes.
        site.wish(&json!({"pauseConditions": null, "controllerPause": false, "currentStepIndex": 1}));
        site.run_for(30);
        assert_eq!((site.said().0.as_str(), site.status("currentStepIndex")), ("Paused", json!(2)));
    });
}

#[test]
fn what_the_release_goes_on_without_is_ended() {
    // (what a person asks for, phase of the release behind it)
    for (wish, phase) in [
        (json!({"abort": true}), "Degraded"),
        (json!({"promoteFull": true}), "Healthy"),
        (json!({"currentStepIndex": 1}), "Paused"),
    ] {
        twice(|site| {
            compared(site, "");
            site.wish(&wish);
            site.run_for(60);
            assert_eq!(site.said().0, phase, "{wish}");
            let experiment = only(&experiments(site));
            assert_eq!(experiment["spec"]["terminate"], true, "{wish}");
            assert_eq!(pods_of_trials(site), 0, "{wish}");
            assert_eq!(site.status("canary")["currentExperiment"], Value::Null, "{wish}");
        });
    }
}

#[test]
fn another_version_in_the_middle_ends_the_experiment_and_begins_its_own() {
    twice(|site| {
        let first = compared(site, "");
        site.set_image("web:3");
        site.run_for(20);
        let all = experiments(site);
        let of_first = all.iter().find(|one| name(one) == name(&first)).expect("the first");
        assert_eq!(of_first["spec"]["terminate"], true);
        let second = all.iter().find(|one| name(one) != name(&first)).expect("a second");
        assert_eq!(second["status"]["phase"], "Running");
        assert_eq!(pods_of_trials(site), 2);
        site.wish(&json!({"promoteFull": true}));
        site.run_for(30);
        assert_eq!(site.sizes(), [(3, 4, 4)]);
    });
}

#[test]
fn only_so_many_experiments_are_kept_as_the_limits_say() {
    twice(|site| {
        let experiment = compared(site, "analysis: {successfulRunHistoryLimit: 0, unsuccessfulRunHistoryLimit: 1}");
        says(site, &experiment, "Failed");
        assert_eq!(experiments(site).len(), 1, "one that failed is kept");
        site.wish(&json!({"abort": false}));
        site.run_for(20);
        let again = experiments(site).into_iter().find(|one| name(one) != name(&experiment)).expect("another one");
        says(site, &again, "Successful");
        site.run_for(30);
        assert_eq!(experiments(site).iter().map(name).collect::<Vec<_>>(), [name(&experiment)]);
    });
}

#[test]
fn mistakes_in_an_experiment_step_are_told_before_the_release_begins() {
    let mut site = Site::new(Crashes::Never);
    compared(&mut site, "");
    site.change(&json!({"spec": {"strategy": {"canary": {"steps": [{"experiment": {
        "templates": [{"name": "old", "specRef": "stable", "service": {}}],
        "analyses": [
            {"name": "a", "templateName": "nowhere"},
            {"name": "b", "templateName": "compare", "args": [{"name": "old", "value": "{{templates.new.podTemplateHash}}"}]},
        ],
    }}]}}}}));
    site.run_for(5);
    let message = site.said().1;
    for part in [
        "spec.strategy.canary.steps[0].experiment.templates[0]: needs a Service, and the pod template has no port for it to lead to",
        "spec.strategy.canary.steps[0].experiment.analyses[0].templateName: \"nowhere\" names no AnalysisTemplate that is there",
        "spec.strategy.canary.steps[0].experiment.analyses[1].args[0].value: \"templates.new.podTemplateHash\" is nothing",
        "spec.strategy.canary.steps[0].experiment.analyses[1].args: does not give \"new\"",
    ] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
}
