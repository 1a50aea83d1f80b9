//! Experiments by themselves, under the real controller: measured, judged, ended, and gone.

use std::time::Duration;

use serde_json::{Value, json};
use sluice_sandbox::api::request::Request;

use crate::support::Shop;

const EXPERIMENTS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/experiments";
const TEMPLATES: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/analysistemplates";

impl Shop {
    /// An Experiment called `trial` with one version, that measures `errors` of it every 10 s and waits for the verdict.
    fn try_out(&self, more: &Value) {
        let mut spec = json!({
            "scaleDownDelaySeconds": 5,
            "templates": [{
                "name": "new", "replicas": 2, "selector": {"matchLabels": {"app": "trial"}}, "service": {},
                "template": {
                    "metadata": {"labels": {"app": "trial"}},
                    "spec": {"containers": [{"name": "web", "image": "app:2", "ports": [{"containerPort": 8080}]}]},
                },
            }],
            "analyses": [{"name": "judge", "templateName": "errors", "requiredForCompletion": true}],
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        let manifest = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment",
            "metadata": {"name": "trial", "namespace": "default"}, "spec": spec,
        });
        self.ask(Request::post(EXPERIMENTS, &manifest));
    }

    fn template_of_errors(&self) {
        let metric = json!({
            "name": "errors", "interval": "10s", "count": 3, "failureCondition": "result[0] > 0.05",
            "provider": {"prometheus": {"query": "errors"}},
        });
        let template = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate",
            "metadata": {"name": "errors", "namespace": "default"}, "spec": {"metrics": [metric]},
        });
        self.ask(Request::post(TEMPLATES, &template));
    }

    fn trial(&self) -> Value {
        self.ask(Request::get(&format!("{EXPERIMENTS}/trial")))
    }

    async fn until_trial_is(&self, phase: &str) -> Value {
        self.until(&format!("the Experiment is {phase}"), |shop| shop.trial()["status"]["phase"] == phase).await;
        self.trial()["status"].clone()
    }
}

#[tokio::test(start_paused = true)]
async fn an_experiment_that_measures_well_succeeds_and_cleans_up_behind_itself() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.providers().sample("errors", 0.01);
    shop.template_of_errors();
    shop.try_out(&json!({}));
    shop.until_trial_is("Running").await;
    assert_eq!(shop.scaled_up(), [2]);
    let status = shop.until_trial_is("Successful").await;
    assert_eq!(status["message"], "the analyses that it waited for succeeded: judge");
    assert_eq!(status["analysisRuns"][0]["phase"], "Successful", "{status:#}");
    shop.until("no pods are left", |shop| shop.scaled_up().is_empty()).await;
    shop.pass(Duration::from_secs(5)).await;
    let services = shop.ask(Request::get("/api/v1/namespaces/default/services"))["items"].clone();
    assert!(!services.to_string().contains("trial-new"), "{services:#}");
    let reasons = shop.event_reasons("trial");
    for reason in ["NewReplicaSetCreated", "ExperimentRunning", "AnalysisRunSuccessful", "ExperimentSuccessful"] {
        assert!(reasons.iter().any(|told| told == reason), "{reason}: {reasons:?}");
    }
    running.take_sent();
    shop.pass(Duration::from_secs(60)).await;
    assert!(running.take_sent().is_empty(), "at rest nothing is written");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_measurement_fails_the_experiment_with_its_numbers() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.providers().sample("errors", 0.27);
    shop.template_of_errors();
    shop.try_out(&json!({}));
    let status = shop.until_trial_is("Failed").await;
    let message = status["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("analysis judge failed: ") && message.contains("0.27 > 0.05"), "{message}");
    shop.until("no pods are left", |shop| shop.scaled_up().is_empty()).await;
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_template_that_comes_a_moment_later_is_waited_for() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.providers().sample("errors", 0.01);
    shop.try_out(&json!({}));
    let status = shop.until_trial_is("Pending").await;
    let message = status["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("spec.analyses[0].templateName: \"errors\" names no AnalysisTemplate that is there"),
        "{message}"
    );
    shop.template_of_errors();
    shop.until_trial_is("Successful").await;
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn another_controller_goes_on_with_an_experiment_where_the_first_one_died() {
    let shop = Shop::open();
    shop.providers().sample("errors", 0.01);
    shop.template_of_errors();
    let first = shop.controller("first");
    shop.try_out(&json!({}));
    shop.until_trial_is("Running").await;
    shop.pass(Duration::from_secs(12)).await;
    first.kill().await;
    let second = shop.controller("second");
    let status = shop.until_trial_is("Successful").await;
    assert_eq!(status["analysisRuns"][0]["analysisRun"], "trial-judge", "{status:#}");
    second.stop().await;
}
