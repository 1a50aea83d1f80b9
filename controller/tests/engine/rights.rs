//! The rights that the chart gives: enough for everything that the controller does, and none of them too many.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::Request;
use sluice_scenarios::{Before, Doing, Expect, Observed, Scenario, applied, collection, doing};

use crate::line::Sent;
use crate::router::as_wished;
use crate::support::{ROLLOUTS, Replica, Shop};

const RULES: &str = include_str!("../../../helm/sluice/rules.yaml");
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// What only clusters with an admission plugin ask for, and a kind: the sandbox has neither.
const NEVER_ASKED_HERE: [&str; 4] =
    ["rollouts/finalizers", "analysisruns/finalizers", "experiments/finalizers", "podtemplates"];

const RUNS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/analysisruns";
const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs";

#[tokio::test(start_paused = true)]
async fn the_rules_of_the_chart_are_enough_and_none_of_them_can_be_left_out() {
    let shop = Shop::open();
    let rules = rules();
    grant(&shop, &rules);
    let running = shop.replica(&Replica { user: account(), ..Replica::named("a") });
    tell(&shop, &scenario("everything-written")).await;
    let sent = running.take_all_sent();
    running.stop().await;
    // (part of the rules, its rights)
    none_too_many(&shop, &rules, &sent, &[("releases", 24), ("election", 3)]);
}

#[tokio::test(start_paused = true)]
async fn the_rules_of_each_router_are_enough_and_none_of_them_can_be_left_out() {
    let shop = Shop::open();
    shop.install_routers();
    let rules = rules();
    grant(&shop, &rules);
    let running = shop.replica(&Replica { user: account(), decide: as_wished, ..Replica::named("a") });
    for name in ["web", "api"] {
        shop.deploy_with_all_routers(name).await;
        for weight in [20, 30, 0] {
            shop.wish_weight(name, weight);
            shop.pass(Duration::from_secs(5)).await;
            assert_eq!(shop.message(name), "");
        }
    }
    let sent = running.take_all_sent();
    running.stop().await;
    none_too_many(&shop, &rules, &sent, &[("nginx", 6), ("istio", 8), ("gatewayAPI", 18)]);
}

#[tokio::test(start_paused = true)]
async fn the_rules_about_analyses_are_enough_and_none_of_them_can_be_left_out() {
    let shop = Shop::open();
    let rules = rules();
    grant(&shop, &rules);
    let running = shop.replica(&Replica { user: account(), ..Replica::named("a") });
    tell(&shop, &scenario("everything-measured")).await;
    measured_by_a_job_that_somebody_deletes(&shop).await;
    let sent = running.take_all_sent();
    running.stop().await;
    none_too_many(&shop, &rules, &sent, &[("analysis", 18), ("secrets", 1)]);
    let theirs = shop.ask(Request::get(&format!("{RUNS}/web-78697c9dbc-2-2")));
    assert_eq!(theirs["status"], Value::Null, "the run of another controller is not ours to measure");
}

#[tokio::test(start_paused = true)]
async fn the_rules_about_workloads_are_enough_and_none_of_them_can_be_left_out() {
    let shop = Shop::open();
    let rules = rules();
    grant(&shop, &rules);
    let running = shop.replica(&Replica { user: account(), ..Replica::named("a") });
    tell(&shop, &scenario("workload-progressively")).await;
    // The watch has shown this one when nobody needed it yet.
    let name = "later";
    let path = format!("{}/{name}?fieldManager=people", collection("Deployment", "default").expect("a kind"));
    let labels = json!({"app": name});
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}},
    });
    shop.ask(Request::patch(&path, "application/apply-patch+yaml", &deployment));
    shop.pass(Duration::from_secs(2)).await;
    shop.ask(Request::post(ROLLOUTS, &json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name, "namespace": "default"},
        "spec": {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}, "strategy": {"canary": {}}},
    })));
    shop.until_phase(name, "Healthy").await;
    let sent = running.take_all_sent();
    running.stop().await;
    none_too_many(&shop, &rules, &sent, &[("workloads", 4)]);
}

#[tokio::test(start_paused = true)]
async fn without_the_right_to_see_workloads_a_rollout_says_so_and_goes_on_when_it_is_given() {
    let shop = Shop::open();
    let rules = rules();
    let mut fewer = rules.clone();
    fewer["workloads"] = json!([]);
    grant(&shop, &fewer);
    let running = shop.replica(&Replica { user: account(), ..Replica::named("a") });
    let story = scenario("workload-on-success");
    for manifest in &story.given {
        send(&shop, &applied(manifest, "default").expect("read already"));
    }
    let Doing::Calls(calls) =
        doing(&story.steps[1].does[0], &observe(&shop, &story), "default", shop.now()).expect("calls")
    else {
        panic!("a manifest is applied")
    };
    calls.iter().for_each(|call| send(&shop, call));
    shop.deploy("plain", 1);
    shop.until_phase("plain", "Healthy").await;
    let status = shop.until_phase("web", "Degraded").await;
    let message = status["message"].as_str().unwrap_or_default();
    let said = "spec.workloadRef: Deployment web can't be read, this controller has no right to; let it get, list and \
                watch deployments";
    assert!(message.ends_with(said), "{message}");
    grant(&shop, &rules);
    shop.until_phase("web", "Healthy").await;
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn without_the_right_to_watch_jobs_releases_go_on_and_analyses_by_jobs_say_so() {
    let shop = Shop::open();
    let mut rules = rules();
    rules["analysis"].as_array_mut().expect("rules").retain(|rule| rule["resources"] != json!(["jobs"]));
    grant(&shop, &rules);
    let running = shop.replica(&Replica { user: account(), ..Replica::named("a") });
    shop.deploy("web", 4);
    shop.until_phase("web", "Healthy").await;
    shop.ask(Request::post(RUNS, &by_a_job()));
    let of_run = |shop: &Shop| shop.ask(Request::get(&format!("{RUNS}/by-job")))["status"].clone();
    shop.until("the run ends", |shop| of_run(shop)["phase"] == "Error").await;
    let status = of_run(&shop);
    let message = status["message"].as_str().unwrap_or_default();
    assert!(message.contains("the controller may not list and watch jobs; give its account that right"), "{status:#}");
    running.stop().await;
}

fn rules() -> Value {
    serde_saphyr::from_str(RULES).expect("the rules are YAML")
}

fn scenario(name: &str) -> Scenario {
    let path = format!("../e2e/scenarios/{name}.yaml");
    Scenario::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a scenario")
}

fn by_a_job() -> Value {
    let containers = json!([{"name": "main", "image": "busybox", "command": ["sleep", "3600"]}]);
    let job = json!({"spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": containers}}}});
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": {"name": "by-job", "namespace": "default"},
        "spec": {"metrics": [{"name": "slow", "consecutiveErrorLimit": 0, "provider": {"job": job}}]},
    })
}

/// Who looks after a Job past the cache reads it.
async fn measured_by_a_job_that_somebody_deletes(shop: &Shop) {
    shop.ask(Request::post(RUNS, &by_a_job()));
    let jobs = |shop: &Shop| shop.ask(Request::get(JOBS))["items"].as_array().cloned().unwrap_or_default();
    shop.until("the run has a Job", |shop| !jobs(shop).is_empty()).await;
    shop.pass(Duration::from_secs(2)).await;
    let job = jobs(shop)[0]["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    shop.ask(Request::delete(&format!("{JOBS}/{job}")));
    let phase = |shop: &Shop| shop.ask(Request::get(&format!("{RUNS}/by-job")))["status"]["phase"].clone();
    shop.until("the run says so", |shop| phase(shop) != "Running").await;
}

/// Nothing that was sent was refused, and without any right of these parts something would have been. Each part is
/// known to have so many rights: a resource, a verb.
fn none_too_many(shop: &Shop, rules: &Value, sent: &[Sent], parts: &[(&str, usize)]) {
    let refused: Vec<&Sent> = sent.iter().filter(|request| request.status == 403).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    for (part, expected) in parts.iter().copied() {
        let rights = rights(&rules[part]);
        for (resource, verb) in &rights {
            grant(shop, &without(rules, part, resource, verb));
            let is_refused = sent.iter().any(|request| is_refused(shop, request));
            assert!(is_refused, "{verb} of {resource} can be left out");
        }
        assert_eq!(rights.len(), expected, "rights in {part}");
    }
}

/// Each right of a part by itself: a resource and a verb.
fn rights(part: &Value) -> Vec<(String, String)> {
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let rules = part.as_array().into_iter().flatten();
    let pairs = rules.flat_map(|rule| {
        let verbs = texts(&rule["verbs"]);
        let resources = texts(&rule["resources"]).into_iter();
        resources.flat_map(move |resource| verbs.clone().into_iter().map(move |verb| (resource.clone(), verb)))
    });
    pairs.filter(|(resource, _)| !NEVER_ASKED_HERE.contains(&resource.as_str())).collect()
}

/// The rules without one right; where a rule names several resources, the others keep it.
fn without(rules: &Value, part: &str, resource: &str, verb: &str) -> Value {
    let mut fewer = rules.clone();
    let mut single = Vec::new();
    for rule in rules[part].as_array().into_iter().flatten() {
        for named in rule["resources"].as_array().into_iter().flatten() {
            let mut rule = rule.clone();
            rule["resources"] = json!([named]);
            if named == resource {
                rule["verbs"].as_array_mut().expect("verbs").retain(|kept| kept != verb);
            }
            single.push(rule);
        }
    }
    single.retain(|rule| rule["verbs"] != json!([]));
    fewer[part] = json!(single);
    fewer
}

fn account() -> User {
    User::service_account("default", "sluice")
}

/// Whether this request is refused to the account now; without its body it changes nothing.
fn is_refused(shop: &Shop, sent: &Sent) -> bool {
    let request = Request::new(&sent.method, &format!("{}?{}", sent.path, sent.query));
    shop.answer(&request.as_user(account())).status == 403
}

/// Gives the account these rights and no others.
fn grant(shop: &Shop, rules: &Value) {
    let subjects = json!([{"kind": "ServiceAccount", "name": "sluice", "namespace": "default"}]);
    let whole = ["releases", "analysis", "secrets", "nginx", "istio", "gatewayAPI", "workloads"];
    let parts = whole.map(|part| (part, "ClusterRole", "")).into_iter();
    let parts = parts.chain([("election", "Role", "namespaces/default/")]);
    for (part, kind, at) in parts {
        let meta = json!({"name": part.to_lowercase(), "namespace": if at.is_empty() { Value::Null } else { json!("default") }});
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": meta, "rules": rules[part],
        });
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": format!("{kind}Binding"), "metadata": meta,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": part.to_lowercase()}, "subjects": subjects,
        });
        let plural = kind.to_lowercase();
        for (collection, object) in [(format!("{plural}s"), role), (format!("{plural}bindings"), binding)] {
            let path = format!("{RBAC}/{at}{collection}/{}?fieldManager=people&force=true", part.to_lowercase());
            shop.ask(Request::patch(&path, "application/apply-patch+yaml", &object));
        }
    }
}

/// Tells a scenario whose steps are not about nodes; events are no matter here.
async fn tell(shop: &Shop, scenario: &Scenario) {
    for manifest in &scenario.given {
        send(shop, &applied(manifest, "default").expect("read already"));
    }
    for step in &scenario.steps {
        shop.pass(step.after.unsigned_abs()).await;
        for action in &step.does {
            match doing(action, &observe(shop, scenario), "default", shop.now()).expect("can be done") {
                Doing::Calls(calls) => calls.iter().for_each(|call| send(shop, call)),
                Doing::Node { .. } | Doing::Kill => panic!("not in this scenario"),
            }
        }
        let expect = Expect { events: Vec::new(), ..step.expect.clone() };
        let missing = |shop: &Shop| expect.missing(&observe(shop, scenario), &Before::default()).0;
        shop.until(&format!("{:?}", step.expect), |shop| missing(shop).is_empty()).await;
        shop.pass(step.stays.unsigned_abs().max(Duration::from_secs(1))).await;
    }
}

fn send(shop: &Shop, call: &sluice_scenarios::Call) {
    let request = Request::new(call.method, &call.path).with_json(&call.body);
    shop.ask(request.with_header("content-type", call.content_type));
}

fn observe(shop: &Shop, scenario: &Scenario) -> Observed {
    let all = |kind: &str| -> Vec<Value> {
        let path = collection(kind, "default").expect("a known kind");
        let mut items = shop.ask(Request::get(&path))["items"].as_array().cloned().unwrap_or_default();
        // Items of a list don't name their kind.
        items.iter_mut().for_each(|item| item["kind"] = json!(kind));
        items
    };
    Observed {
        rollout: all("Rollout")
            .into_iter()
            .find(|rollout| rollout["metadata"]["name"] == scenario.rollout())
            .unwrap_or_default(),
        replica_sets: all("ReplicaSet"),
        services: all("Service"),
        pods: all("Pod"),
        experiments: all("Experiment"),
        runs: all("AnalysisRun"),
        events: Vec::new(),
        routing: Vec::new(),
        workloads: all("Deployment"),
    }
}
