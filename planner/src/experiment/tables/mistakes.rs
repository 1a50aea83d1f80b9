//! What is wrong is told all at once, with its place and how to mend it.

use serde_json::{Value, json};

use super::fixture::{bench, metric, set, status, template, version, writes};

#[test]
fn mistakes_in_the_experiment_itself_end_it() {
    let mut unserved = version("new", 1);
    unserved["service"] = json!({});
    unserved["template"]["spec"]["containers"][0]["ports"] = json!([]);
    let mut stranger = version("old", -1);
    stranger["selector"]["matchLabels"]["app"] = json!("other");
    let spec = json!({"templates": [unserved, stranger], "duration": "5 m"});
    let said = status(&bench(spec, Value::Null).plan());
    assert_eq!(said["phase"], "Error");
    let message = said["message"].as_str().expect("text");
    for part in [
        "spec.duration: \"5 m\"",
        "spec.templates[0].service: needs a port of the pod template to lead to, and that has none; add ports with a containerPort to a container",
        "spec.templates[1].replicas: -1",
        "spec.templates[1].selector.matchLabels.app: \"other\"",
    ] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    assert_eq!(said["conditions"][0]["type"], "InvalidExperimentSpec");
    assert_eq!(said["conditions"][0]["message"], message);
}

fn referring(analyses: &Value) -> super::fixture::Bench {
    let mut bench = bench(
        json!({"templates": [version("new", 1)], "analyses": analyses}),
        json!({"phase": "Pending", "templateStatuses": [
            {"name": "new", "status": "Progressing", "lastTransitionTime": "2026-01-01T11:59:00Z"},
        ]}),
    );
    bench.templates = vec![template("errors", &metric())];
    bench
}

#[test]
fn what_it_refers_to_may_come_a_moment_later() {
    let mut bench = referring(&json!([
        {"name": "a", "templateName": "nowhere"},
        {"name": "b", "templateName": "errors", "args": [{"name": "x", "value": "{{templates.older.podTemplateHash}}"}]},
    ]));
    let plan = bench.plan();
    assert_eq!(writes(&plan), [""; 0], "no pods for what can't be judged");
    let said = status(&plan);
    assert_eq!(said["phase"], "Pending");
    let message = said["message"].as_str().expect("text");
    for part in [
        "spec.analyses[0].templateName: \"nowhere\" names no AnalysisTemplate that is there; apply the template, or name another one",
        "spec.analyses[1].args[0].value: \"templates.older.podTemplateHash\" is nothing that this Experiment has",
    ] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    bench.spec["analyses"] = json!([{"name": "a", "templateName": "errors"}]);
    assert_eq!(writes(&bench.plan()), ["create ReplicaSet trial-new"]);
}

#[test]
fn it_does_not_wait_for_ever_for_what_it_refers_to() {
    let mut bench = referring(&json!([{"name": "a", "templateName": "nowhere"}]));
    bench.spec["progressDeadlineSeconds"] = json!(60);
    let said = status(&bench.plan());
    assert_eq!(said["phase"], "Failed");
    assert!(said["message"].as_str().expect("text").contains("names no AnalysisTemplate that is there"), "{said:#}");
}

#[test]
fn what_it_waits_for_must_come_to_an_end() {
    let mut endless = metric();
    endless["interval"] = json!("10s");
    for (required, is_refused) in [(true, true), (false, false)] {
        let mut bench = referring(&json!([{"name": "a", "templateName": "errors", "requiredForCompletion": required}]));
        bench.templates = vec![template("errors", &endless)];
        let refused = bench.plan().why.contains(
            "spec.analyses[0].templateName: measures \"errors\" without end, and the Experiment waits for it; give the metric a count",
        );
        assert_eq!(refused, is_refused);
    }
}

#[test]
fn a_template_that_is_gone_when_its_analysis_is_to_begin_is_an_error() {
    let mut bench = referring(&json!([{"name": "a", "templateName": "nowhere"}]));
    bench.status = super::fixture::running(&["new"]);
    bench.sets = vec![set("new", 1, 1)];
    let said = status(&bench.plan());
    assert_eq!(said["phase"], "Error");
    assert!(
        said["message"].as_str().expect("text").starts_with("an analysis can't begin: spec.analyses[0]"),
        "{said:#}"
    );
}
