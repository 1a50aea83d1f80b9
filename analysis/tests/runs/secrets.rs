//! Secrets appear in nothing that is written down.

use std::collections::BTreeMap;

use serde_json::json;
use sluice_analysis::args::needed_secrets;
use sluice_analysis::condition::Value;
use sluice_analysis::provider::{self, Failure, Question, Reading, Settings};
use sluice_analysis::run::{Answer, Outcome, Prepared, assess};
use sluice_analysis::secrets::Secrets;
use sluice_crds::AnalysisRun;

use crate::support::at;

const TOKEN: &str = "hunter2&co";

fn run() -> AnalysisRun {
    serde_json::from_value(json!({"metadata": {"name": "run"}, "spec": {
        "args": [{"name": "token", "valueFrom": {"secretKeyRef": {"name": "prometheus", "key": "token"}}}],
        "metrics": [{
            "name": "errors", "successCondition": "result[0] < 1", "count": "{{args.token}}",
            "provider": {"prometheus": {
                "address": "http://prometheus:9090", "query": "errors{key=\"{{args.token}}\"}",
                "headers": [{"key": "Authorization", "value": "Bearer {{args.token}}"}],
            }},
        }],
    }}))
    .expect("a run")
}

fn with_token() -> Secrets {
    let mut secrets = Secrets::default();
    secrets.insert("prometheus", "token", TOKEN);
    secrets
}

#[test]
fn a_mistake_that_a_secret_makes_does_not_show_it() {
    let mistakes = Prepared::new(&run(), with_token()).expect_err("the token is no count");
    let text = mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(text.starts_with("spec.metrics[0].count: "), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn measurements_hold_no_secret_in_value_message_or_notes() {
    let mut run = run();
    if let Some(metrics) = run.spec.metrics.as_mut() {
        metrics[0].count = Some(5.into());
        metrics[0].interval = Some("1m".into());
    }
    assert_eq!(needed_secrets(&run.spec).len(), 1);
    let prepared = Prepared::new(&run, with_token()).expect("no mistakes");
    let metric = &prepared.metrics()[0].metric;
    let question = provider::question(metric, prepared.secrets(), &Settings::default(), at(0)).expect("a question");
    let Question::Http(request) = &question else { panic!("a request") };
    assert!(request.headers.iter().any(|(_, value)| value == "Bearer hunter2&co"), "the server needs it");
    assert!(!format!("{prepared:?} {question:?}").contains("hunter2"), "nobody else does");

    let reading = Reading {
        value: Some(Value::from(vec![0.5])),
        shown: format!("[0.5] {TOKEN}"),
        metadata: BTreeMap::from([("ResolvedPrometheusQuery".to_owned(), format!("errors{{key=\"{TOKEN}\"}}"))]),
    };
    let failure = Outcome::Failure(Failure("HTTP 401 for http://prometheus/?key=hunter2%26co".to_owned()));
    let answers = [Outcome::Reading(reading), failure];
    let answers = answers.into_iter().map(|outcome| Answer { metric: 0, asked_at: at(0), outcome }).collect();
    let status = assess(&prepared, &run, answers, at(0)).status;
    let text = serde_json::to_string(&status).expect("JSON");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains(r#"errors{key=\"*****\"}"#), "{text}");
    assert!(text.contains("HTTP 401 for http://prometheus/?key=*****"), "{text}");
    assert!(text.contains("errors 0.5 < 1"), "{text}");
}
