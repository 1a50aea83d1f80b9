//! AnalysisRuns: measured, judged, and what their verdicts do to a release.

use std::time::Duration;

use serde_json::{Value, json};
use sluice_sandbox::api::request::Request;

use crate::support::Shop;

const RUNS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/analysisruns";
const TEMPLATES: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/analysistemplates";
const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs";
const SECRETS: &str = "/api/v1/namespaces/default/secrets";

/// A metric that is bad where `errors` is more than 5 %.
fn errors(interval: &str, count: u32) -> Value {
    json!({
        "name": "errors", "interval": interval, "count": count, "failureCondition": "result[0] > 0.05",
        "provider": {"prometheus": {"query": "errors"}},
    })
}

fn job(command: &[&str]) -> Value {
    json!({"name": "smoke", "provider": {"job": {"spec": {"backoffLimit": 0, "template": {
        "spec": {"restartPolicy": "Never", "containers": [{"name": "test", "image": "busybox", "command": command}]},
    }}}}})
}

impl Shop {
    fn run_of(&self, name: &str, spec: &Value) {
        let manifest = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun",
            "metadata": {"name": name, "namespace": "default"}, "spec": spec,
        });
        self.ask(Request::post(RUNS, &manifest));
    }

    fn run(&self, name: &str) -> Value {
        self.ask(Request::get(&format!("{RUNS}/{name}")))
    }

    fn result(&self, name: &str) -> Value {
        self.run(name)["status"]["metricResults"][0].clone()
    }

    async fn until_verdict(&self, name: &str) -> Value {
        let verdicts = ["Successful", "Failed", "Error", "Inconclusive"];
        let is_over = |shop: &Self| verdicts.iter().any(|verdict| shop.run(name)["status"]["phase"] == *verdict);
        self.until(&format!("{name} has a verdict"), is_over).await;
        self.run(name)["status"].clone()
    }

    fn terminate(&self, name: &str) {
        let change = json!({"spec": {"terminate": true}});
        self.ask(Request::patch(&format!("{RUNS}/{name}"), "application/merge-patch+json", &change));
    }

    fn jobs(&self) -> usize {
        self.ask(Request::get(JOBS))["items"].as_array().map_or(0, Vec::len)
    }

    fn runs(&self) -> Vec<Value> {
        self.ask(Request::get(RUNS))["items"].as_array().cloned().unwrap_or_default()
    }

    /// A Rollout that waits for an analysis at a quarter, released up to there.
    async fn release_with_analysis(&self, metric: &Value) {
        let template = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate",
            "metadata": {"name": "errors", "namespace": "default"}, "spec": {"metrics": [metric]},
        });
        self.ask(Request::post(TEMPLATES, &template));
        let steps = json!([{"setWeight": 25}, {"analysis": {"templates": [{"templateName": "errors"}]}}]);
        self.deploy_with_steps("web", 4, &steps);
        self.until_phase("web", "Healthy").await;
        self.set_image("web", "app:2");
        self.until("an analysis has begun", |shop| {
            shop.runs().first().is_some_and(|run| run["status"]["phase"].is_string())
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_by_itself_measures_count_times_and_keeps_what_it_saw() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.providers().sample("errors", 0.01);
    shop.run_of("alone", &json!({"metrics": [errors("10s", 3)]}));
    let status = shop.until_verdict("alone").await;
    assert_eq!(status["phase"], "Successful", "{status:#}");
    let measurements = status["metricResults"][0]["measurements"].as_array().expect("measurements").clone();
    let told: Vec<[&Value; 3]> = measurements
        .iter()
        .map(|one| [&one["value"], &one["phase"], &one["metadata"]["ResolvedPrometheusQuery"]])
        .collect();
    assert_eq!(told, [[&json!("[0.01]"), &json!("Successful"), &json!("errors")]; 3]);
    shop.pass(Duration::from_secs(2)).await;
    assert_eq!(shop.event_reasons("alone"), ["MetricSuccessful", "AnalysisRunSuccessful"]);
    // One that says that it runs, one for each measurement.
    let writes = running.take_sent().iter().filter(|sent| sent.path.contains("/analysisruns/")).count();
    assert_eq!(writes, 4);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_release_that_measures_well_goes_on_by_itself() {
    let shop = Shop::open();
    shop.call_the_judge();
    let running = shop.controller("a");
    shop.providers().sample("errors", 0.01);
    shop.release_with_analysis(&errors("10s", 3)).await;
    shop.until_phase("web", "Healthy").await;
    assert_eq!(shop.runs()[0]["status"]["phase"], "Successful");
    shop.verdict();
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_canary_is_taken_back_within_one_interval_of_the_first_bad_sample() {
    let shop = Shop::open();
    shop.call_the_judge();
    let running = shop.controller("a");
    shop.providers().sample("errors", 0.01);
    shop.release_with_analysis(&errors("10s", 30)).await;
    shop.pass(Duration::from_secs(34)).await;
    shop.providers().sample("errors", 0.27);
    shop.pass(Duration::from_millis(10_500)).await;
    let status = shop.rollout("web")["status"].clone();
    assert_eq!(status["abort"], true, "{status:#}");
    let why = status["message"].as_str().unwrap_or_default();
    assert!(why.contains("errors") && why.contains("0.27 > 0.05"), "{why}");
    shop.until("only stable pods are left", |shop| shop.scaled_up() == [4]).await;
    shop.verdict();
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_gone_for_two_minutes_neither_promotes_nor_aborts() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.providers().sample("errors", 0.01);
    shop.release_with_analysis(&errors("10s", 20)).await;
    shop.pass(Duration::from_secs(25)).await;
    shop.providers().gone(true);
    for _ in 0..12 {
        shop.pass(Duration::from_secs(10)).await;
        let status = shop.rollout("web")["status"].clone();
        assert_eq!((&status["abort"], &status["currentStepIndex"]), (&Value::Null, &json!(1)), "{status:#}");
    }
    assert!(shop.runs()[0]["status"]["metricResults"][0]["error"].as_i64() >= Some(3));
    shop.providers().gone(false);
    shop.providers().sample("errors", 0.01);
    shop.until_phase("web", "Healthy").await;
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn silence_that_lasts_ends_the_run_as_an_error() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.providers().gone(true);
    shop.run_of("alone", &json!({"metrics": [errors("10s", 3)]}));
    let status = shop.until_verdict("alone").await;
    assert_eq!(status["phase"], "Error", "{status:#}");
    let message = status["message"].as_str().unwrap_or_default();
    assert!(message.contains("consecutiveErrors (5) > consecutiveErrorLimit (4)"), "{message}");
    assert!(message.contains("connection refused"), "{message}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_provider_delays_only_its_own_metric() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.providers().sample("errors", 0.01);
    let mut slow = errors("5s", 10);
    slow["name"] = json!("slow");
    slow["provider"]["prometheus"]["address"] = json!("http://slow.example.com");
    shop.run_of("alone", &json!({"metrics": [slow, errors("5s", 10)]}));
    shop.pass(Duration::from_secs(22)).await;
    let results = shop.run("alone")["status"]["metricResults"].clone();
    let counts: Vec<(&str, i64)> = results
        .as_array()
        .into_iter()
        .flatten()
        .map(|result| (result["name"].as_str().unwrap_or_default(), result["count"].as_i64().unwrap_or(0)))
        .collect();
    assert_eq!(counts, [("errors", 5)], "{results:#}");
    let status = shop.until_verdict("alone").await;
    assert_eq!(status["phase"], "Successful", "{status:#}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn five_hundred_runs_ask_the_same_question_once_an_interval() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.providers().sample("errors", 0.01);
    for number in 0..500 {
        shop.run_of(&format!("run-{number}"), &json!({"metrics": [errors("60s", 3)]}));
    }
    let bad = |shop: &Shop| shop.runs().iter().filter(|run| run["status"]["phase"] != "Successful").count();
    for _ in 0..10 {
        shop.pass(Duration::from_secs(30)).await;
        if bad(&shop) == 0 {
            break;
        }
    }
    assert_eq!(bad(&shop), 0);
    // The runs begin as fast as the API server takes their writes, 40 a second; each second is one question.
    let asked = shop.providers().take_asked().len();
    assert!(asked <= 3 * 60, "{asked} questions for 1,500 measurements");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_succeeds_is_good_and_one_that_fails_is_bad() {
    let shop = Shop::open();
    let running = shop.controller("a");
    // (what the Job runs, the verdict)
    for (name, script, verdict) in [("good", "sleep 20; exit 0", "Successful"), ("bad", "sleep 20; exit 1", "Failed")] {
        shop.run_of(name, &json!({"metrics": [job(&["sh", "-c", script])]}));
        let status = shop.until_verdict(name).await;
        assert_eq!(status["phase"], verdict, "{status:#}");
        assert!(shop.result(name)["measurements"][0]["metadata"]["job-name"].is_string(), "{status:#}");
    }
    // Jobs go with their runs.
    assert_eq!(shop.jobs(), 2);
    shop.ask(Request::delete(&format!("{RUNS}/good")));
    shop.until("one Job is left", |shop| shop.jobs() == 1).await;
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_terminated_run_ends_at_once_and_its_job_with_it() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.providers().sample("errors", 0.01);
    shop.run_of("alone", &json!({"metrics": [job(&["sleep", "3600"]), errors("10s", 100)]}));
    shop.pass(Duration::from_secs(15)).await;
    assert_eq!(shop.jobs(), 1);
    shop.terminate("alone");
    shop.pass(Duration::from_millis(500)).await;
    let status = shop.run("alone")["status"].clone();
    assert_ne!(status["phase"], "Running", "{status:#}");
    shop.until("the Job is gone", |shop| shop.jobs() == 0).await;
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_run_is_deleted_when_its_time_to_live_is_over_also_one_that_never_began() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.providers().sample("errors", 0.01);
    let ttl = json!({"secondsAfterCompletion": 60});
    shop.run_of("good", &json!({"metrics": [errors("10s", 1)], "ttlStrategy": ttl}));
    let mut unknown = errors("10s", 1);
    unknown["failureCondition"] = json!("reslt[0] > 1");
    shop.run_of("odd", &json!({"metrics": [unknown], "ttlStrategy": ttl}));
    shop.until_verdict("good").await;
    let odd = shop.until_verdict("odd").await;
    assert_eq!(odd["phase"], "Error");
    assert!(odd["message"].as_str().is_some_and(|text| text.contains("spec.metrics[0].failureCondition")), "{odd:#}");
    shop.pass(Duration::from_secs(50)).await;
    assert_eq!(shop.runs().len(), 2);
    shop.until("both are gone", |shop| shop.runs().is_empty()).await;
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_inconclusive_run_holds_the_release_for_a_person() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.providers().sample("errors", 0.03);
    let mut unclear = errors("10s", 3);
    unclear["successCondition"] = json!("result[0] < 0.02");
    shop.release_with_analysis(&unclear).await;
    let status = shop.until_phase("web", "Paused").await;
    assert_eq!(status["pauseConditions"][0]["reason"], "InconclusiveAnalysisRun", "{status:#}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_metric_is_measured_and_changes_nothing() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.providers().sample("errors", 0.5);
    let mut good = errors("10s", 1);
    good["name"] = json!("good");
    good["failureCondition"] = json!("result[0] > 1");
    let dry_run = json!([{"metricName": "errors"}]);
    shop.run_of("alone", &json!({"metrics": [errors("10s", 1), good], "dryRun": dry_run}));
    let status = shop.until_verdict("alone").await;
    assert_eq!((&status["phase"], &status["dryRunSummary"]["failed"]), (&json!("Successful"), &json!(1)), "{status:#}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn another_controller_goes_on_with_a_run_where_the_first_one_died() {
    let shop = Shop::open();
    let first = shop.controller("first");
    shop.providers().sample("errors", 0.01);
    shop.run_of("alone", &json!({"metrics": [job(&["sleep", "90"]), errors("10s", 12)]}));
    shop.pass(Duration::from_secs(35)).await;
    first.kill().await;
    let second = shop.controller("second");
    shop.providers().sample("errors", 0.01);
    let status = shop.until_verdict("alone").await;
    assert_eq!(status["phase"], "Successful", "{status:#}");
    assert_eq!(shop.jobs(), 1, "the Job of the first was taken over");
    let result = status["metricResults"].as_array().into_iter().flatten().find(|result| result["name"] == "errors");
    assert_eq!(result.map(|result| &result["count"]), Some(&json!(12)), "{status:#}");
    second.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_is_lost_counts_no_measurement_twice() {
    let shop = Shop::open();
    let first = shop.controller("first");
    shop.providers().sample("errors", 0.01);
    shop.run_of("alone", &json!({"metrics": [errors("10s", 6)]}));
    for _ in 0..60 {
        first.flap();
        shop.pass(Duration::from_secs(1)).await;
    }
    let status = shop.until_verdict("alone").await;
    let result = &status["metricResults"][0];
    assert_eq!((&result["count"], result["measurements"].as_array().map(Vec::len)), (&json!(6), Some(6)), "{status:#}");
    first.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_read_for_the_run_that_needs_it_and_shown_nowhere() {
    let shop = Shop::open();
    let running = shop.controller("a");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key", "namespace": "default"},
        "stringData": {"token": "hunter2", "other": "unused"}});
    shop.ask(Request::post(SECRETS, &secret));
    shop.providers().sample("errors", 0.5);
    let mut metric = errors("10s", 1);
    metric["provider"]["prometheus"]["query"] = json!("errors or hunter{key=\"{{args.token}}\"}");
    metric["provider"]["prometheus"]["headers"] = json!([{"key": "Authorization", "value": "Bearer {{args.token}}"}]);
    let args = json!([{"name": "token", "valueFrom": {"secretKeyRef": {"name": "key", "key": "token"}}}]);
    shop.run_of("alone", &json!({"metrics": [metric], "args": args}));
    let status = shop.until_verdict("alone").await;
    assert_eq!(status["phase"], "Failed", "{status:#}");
    let asked = shop.providers().take_asked();
    assert!(asked[0].headers.iter().any(|(_, value)| value == "Bearer hunter2"), "the provider is asked with it");
    shop.pass(Duration::from_secs(2)).await;
    let events = shop.ask(Request::get("/api/v1/namespaces/default/events"));
    for (what, text) in [("run", shop.run("alone").to_string()), ("events", events.to_string())] {
        assert!(!text.contains("hunter2"), "the {what} shows it: {text}");
    }
    let reads = running.take_sent().into_iter().filter(|sent| sent.path.contains("/secrets"));
    assert_eq!(reads.map(|sent| sent.path).collect::<Vec<_>>(), [format!("{SECRETS}/key")]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_not_there_is_named() {
    let shop = Shop::open();
    let running = shop.controller("a");
    let mut metric = errors("10s", 1);
    metric["provider"]["prometheus"]["query"] = json!("{{args.token}}");
    let args = json!([{"name": "token", "valueFrom": {"secretKeyRef": {"name": "key", "key": "token"}}}]);
    shop.run_of("alone", &json!({"metrics": [metric], "args": args}));
    let status = shop.until_verdict("alone").await;
    let message = status["message"].as_str().unwrap_or_default();
    assert!(message.contains("the key \"token\" of the Secret \"key\", which is not there"), "{message}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_mistake_in_a_template_is_told_on_the_template_once_for_each_state_of_it() {
    let shop = Shop::open();
    let running = shop.controller("a");
    let mut metric = errors("10s", 1);
    metric["failureCondition"] = json!("reslt[0] > 1");
    let template = |metric: &Value| {
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate",
            "metadata": {"name": "odd", "namespace": "default"}, "spec": {"metrics": [metric]},
        })
    };
    shop.ask(Request::post(TEMPLATES, &template(&metric)));
    shop.pass(Duration::from_secs(5)).await;
    let told = shop.events_about("AnalysisTemplate", "odd");
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!((&told[0]["type"], &told[0]["reason"]), (&json!("Warning"), &json!("InvalidTemplate")));
    let message = told[0]["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("spec.metrics[0].failureCondition: "), "{message}");
    let path = format!("{TEMPLATES}/odd");
    let change = |change: &Value| shop.ask(Request::patch(&path, "application/merge-patch+json", change));
    change(&json!({"metadata": {"labels": {"team": "shop"}}}));
    shop.pass(Duration::from_secs(5)).await;
    running.stop().await;
    let second = shop.controller("b");
    shop.pass(Duration::from_secs(30)).await;
    assert_eq!(shop.events_about("AnalysisTemplate", "odd").len(), 1, "its spec is the same as before");
    metric["failureCondition"] = json!("result[0] >");
    change(&json!({"spec": {"metrics": [metric]}}));
    shop.pass(Duration::from_secs(5)).await;
    assert_eq!(shop.events_about("AnalysisTemplate", "odd").len(), 2);
    change(&json!({"spec": {"metrics": [errors("10s", 1)]}}));
    shop.pass(Duration::from_secs(5)).await;
    assert_eq!(shop.events_about("AnalysisTemplate", "odd").len(), 2, "nothing is wrong any more");
    second.stop().await;
}
