//! Tells a scenario to the sandbox: virtual time, every write judged, every second run with crashes.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sluice_sandbox::api::request::Request;

use crate::calls::{Call, Doing, ROUTING_KINDS, WORKLOAD_KINDS, doing, given};
use crate::expect::Before;
use crate::file::{Scenario, Step};
use crate::observed::Observed;
use crate::site::{Crashes, NAMESPACE, Site};

/// A scenario that takes longer than this runs in the sandbox only.
const REAL_TIME: SignedDuration = SignedDuration::from_secs(60);
/// So long it must be quiet at the end.
const REST: SignedDuration = SignedDuration::from_secs(5);

/// Tells it twice, the second time with the controller restarted after each single write, and compares what was
/// seen after each step.
///
/// # Panics
/// What is seen is not what is expected, or a promise is broken.
pub fn told_in_the_sandbox(scenario: &Scenario) {
    let (without, took) = told(scenario, Crashes::Never);
    let (with, _) = told(scenario, Crashes::AfterEachWrite);
    for (index, (without, with)) in without.iter().zip(&with).enumerate() {
        assert_eq!(without, with, "after steps[{index}]: another state with restarts (right) than without (left)");
    }
    let is_long = took > REAL_TIME;
    assert!(
        !is_long || scenario.only_in_the_sandbox.is_some(),
        "it takes {took:#}; say why it is long: only-in-the-sandbox: …"
    );
}

/// What was seen after each step, and how long all took.
fn told(scenario: &Scenario, crashes: Crashes) -> (Vec<Value>, SignedDuration) {
    let mut site = Site::releasing(crashes, scenario.rollout());
    let began = site.cluster.now();
    for manifest in &scenario.given {
        let rollout = site.found().unwrap_or_default();
        let calls = given(manifest, NAMESPACE, &rollout).expect("read already");
        calls.iter().for_each(|call| send(&mut site, call));
    }
    let mut events_so_far = 0;
    let mut seen = Vec::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        let mut step = step.clone();
        if crashes != Crashes::Never {
            // Events are told once at most: those of a process that died are lost.
            step.expect.events.clear();
        }
        if let Err(problem) = take(&mut site, &step, &mut events_so_far) {
            panic!("steps[{index}] ({crashes:?}): {problem}\nwhy: {}\n{:#}", site.last.why, status(&site));
        }
        if index == 0 {
            // What is there now is what must not be lost.
            scenario.traffic.iter().for_each(|requests| site.send(requests));
        }
        if let Some(lost) = site.lost_requests() {
            panic!("steps[{index}] ({crashes:?}): {lost}\nwhy: {}\n{:#}", site.last.why, status(&site));
        }
        seen.push(visible(&observe(&site)));
    }
    let took = site.cluster.now().duration_since(began);
    let writes = site.writes;
    let rested = site.cluster.now() + REST;
    while site.advance(rested) {}
    assert_eq!(site.writes, writes, "at rest, and still writing: {:#?}", site.last);
    (seen, took)
}

fn take(site: &mut Site, step: &Step, events_so_far: &mut usize) -> Result<(), String> {
    let until = site.cluster.now() + step.after;
    while site.advance(until) {}
    let before = Before { events: *events_so_far, pods: observe(site).pod_uids() };
    for action in &step.does {
        site.new_epoch();
        match doing(action, &observe(site), NAMESPACE, site.cluster.now())? {
            Doing::Calls(calls) => calls.iter().for_each(|call| send(site, call)),
            Doing::Node { name, lost: true } => site.cluster.lose_node(&name),
            Doing::Node { name, lost: false } => site.cluster.recover_node(&name),
            // Nothing is kept between two passes here: each one is a new start.
            Doing::Kill => {}
        }
    }
    let matched = wait_for(site, step, &before)?;
    stays(site, step, &before, site.cluster.now() + step.stays)?;
    *events_so_far = matched;
    Ok(())
}

fn wait_for(site: &mut Site, step: &Step, before: &Before) -> Result<usize, String> {
    let deadline = site.cluster.now() + step.within;
    loop {
        site.settle();
        let (missing, matched) = step.expect.missing(&observe(site), before);
        if missing.is_empty() {
            return Ok(matched);
        }
        if !site.advance(deadline) {
            return Err(format!("not within {:#}:\n  {}", step.within, missing.join("\n  ")));
        }
    }
}

fn stays(site: &mut Site, step: &Step, before: &Before, until: Timestamp) -> Result<(), String> {
    while site.advance(until) {
        let (missing, _) = step.expect.missing(&observe(site), before);
        if !missing.is_empty() {
            return Err(format!("it did not stay so for {:#}:\n  {}", step.stays, missing.join("\n  ")));
        }
    }
    Ok(())
}

fn send(site: &mut Site, call: &Call) {
    let request =
        Request::new(call.method, &call.path).with_json(&call.body).with_header("content-type", call.content_type);
    site.ask(request);
}

fn status(site: &Site) -> Value {
    site.found().map_or(Value::Null, |rollout| rollout["status"].clone())
}

fn observe(site: &Site) -> Observed {
    let world = site.cluster.world();
    let all = |group: &str, plural: &str| -> Vec<Value> {
        world.list(group, plural, NAMESPACE).iter().map(|object| object.value().clone()).collect()
    };
    Observed {
        rollout: site.found().unwrap_or_default(),
        replica_sets: all("apps", "replicasets"),
        services: all("", "services"),
        pods: all("", "pods"),
        experiments: all("argoproj.io", "experiments"),
        runs: all("argoproj.io", "analysisruns"),
        routing: ROUTING_KINDS.iter().flat_map(|kind| site.of_kind(kind)).collect(),
        workloads: WORKLOAD_KINDS.iter().flat_map(|kind| site.of_kind(kind)).collect(),
        events: site.events.iter().map(|reason| (*reason).to_owned()).collect(),
    }
}

/// What people see, without times.
fn visible(seen: &Observed) -> Value {
    let mut status = seen.rollout["status"].clone();
    without_times(&mut status);
    let pods =
        |set: &Value| json!([set["spec"]["replicas"], set["status"]["replicas"], set["status"]["availableReplicas"]]);
    let revisions: Vec<Value> = seen.revisions().iter().map(|(number, set)| json!([number, pods(set)])).collect();
    let selected =
        seen.services.iter().map(|service| json!([service["metadata"]["name"], service["spec"]["selector"]]));
    let sizes =
        seen.workloads.iter().map(|workload| json!([workload["metadata"]["name"], workload["spec"]["replicas"]]));
    let verdict = |one: &Value| json!([one["metadata"]["name"], one["status"]["phase"], one["status"]["message"]]);
    let mut experiments: Vec<Value> = seen.experiments.iter().map(verdict).collect();
    experiments.iter_mut().for_each(without_times);
    json!({
        "status": status, "revisions": revisions, "services": selected.collect::<Vec<_>>(), "experiments": experiments,
        "workloads": sizes.collect::<Vec<_>>(),
    })
}

fn without_times(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.as_str().is_some_and(is_time));
            map.values_mut().for_each(without_times);
        }
        Value::Array(list) => list.iter_mut().for_each(without_times),
        Value::String(text) => *text = without_time(text),
        _ => {}
    }
}

fn is_time(text: &str) -> bool {
    text.parse::<Timestamp>().is_ok()
}

/// Sentences name times too.
fn without_time(text: &str) -> String {
    let words = text.split(' ').map(|word| if is_time(word.trim_end_matches([';', ':', ','])) { "…" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
