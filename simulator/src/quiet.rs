//! Faults stop, people want one good release, and everything must come to its end and to rest.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sluice_sandbox::api::request::Request;

use crate::play::{reapply, web, wish};
use crate::run::{Broken, Run};
use crate::story::Answers;

const MERGE: &str = "application/merge-patch+json";
const REPLICAS: i64 = 3;

/// # Errors
/// It does not end, or does not rest.
pub(crate) fn reach(run: &mut Run<'_>) -> Result<(), Broken> {
    run.tell(|| "== faults stop".to_owned());
    run.has_faults = false;
    run.outage_until = run.start;
    let now = run.now();
    run.controllers.truncate(1);
    run.controllers[0].clear_sight();
    run.answers = Answers::Good;
    for node in ["node-1", "node-2", "node-3"] {
        run.cluster.recover_node(node);
    }
    reapply(run);
    run.forget_delays();
    // What was added to the strategy meanwhile may not fit to what was declared.
    let strategy = json!([{"op": "add", "path": "/spec/strategy", "value": run.story.rollout["spec"]["strategy"]}]);
    run.ask(Request::patch(&web(), "application/json-patch+json", &strategy));
    want(run, "web:good");
    run.stir();
    run.run_until(now + SignedDuration::from_secs(60))?;
    promote(run)?;
    want(run, "web:better");
    promote(run)?;
    ended(run)?;
    rests(run)
}

/// One release that can go well.
fn want(run: &mut Run<'_>, image: &str) {
    let template = json!({"spec": {"containers": [{"name": "web", "image": image}]}});
    let spec = json!({"paused": false, "replicas": REPLICAS, "template": template});
    run.tell(|| format!("== {image} is wanted"));
    run.ask(Request::patch(&web(), MERGE, &json!({"spec": spec})));
}

/// What stands by for an instant way back goes, where it has no delay, with the next release.
fn promote(run: &mut Run<'_>) -> Result<(), Broken> {
    for _ in 0..2 {
        run.tell(|| "== promote full".to_owned());
        wish(run, &json!({"promoteFull": true}));
        run.run_until(run.now() + SignedDuration::from_secs(75))?;
    }
    Ok(())
}

fn ended(run: &Run<'_>) -> Result<(), Broken> {
    let world = run.cluster.world();
    let rollout = run.rollout().ok_or_else(|| run.broken("the Rollout is gone"))?;
    let status = &rollout.value()["status"];
    let fail = |what: &str| Err(run.broken(&format!("promise 7: {what}; {}", run.controllers[0].why)));
    if status["phase"] != "Healthy" {
        return fail(&format!("{} in the end", status["phase"]));
    }
    let sets = world.list("apps", "replicasets", "default");
    let hash = |set: &Value| set["metadata"]["labels"]["rollouts-pod-template-hash"].clone();
    let wanted = |set: &Value| set["spec"]["replicas"].as_i64().unwrap_or(0);
    let (newest, others): (Vec<_>, Vec<_>) =
        sets.iter().map(|set| set.value()).partition(|set| hash(set) == status["currentPodHash"]);
    let available = newest.first().and_then(|set| set["status"]["availableReplicas"].as_i64());
    if newest.len() != 1 || wanted(newest[0]) != REPLICAS || available != Some(REPLICAS) {
        return fail(&format!("the new revision has {available:?} pods"));
    }
    if others.iter().filter(|set| wanted(set) > 0).count() > 1 {
        return fail("more stands by than the last stable revision");
    }
    let strategy = &rollout.value()["spec"]["strategy"];
    for service in [&strategy["canary"]["stableService"], &strategy["blueGreen"]["activeService"]] {
        let Some(name) = service.as_str() else { continue };
        let there = world.get("", "services", "default", name);
        let selected = there.map(|there| there.value()["spec"]["selector"]["rollouts-pod-template-hash"].clone());
        if selected.as_ref() != Some(&status["currentPodHash"]) {
            return fail(&format!("{name} selects {selected:?}"));
        }
    }
    Ok(())
}

/// Nothing is written any more, once the last delays are over.
fn rests(run: &mut Run<'_>) -> Result<(), Broken> {
    run.run_until(run.now() + SignedDuration::from_secs(60))?;
    let before = run.figures.writes;
    run.run_until(run.now() + SignedDuration::from_secs(300))?;
    if run.figures.writes != before {
        return Err(run.broken(&format!("promise 7: at rest, and still writing: {}", run.controllers[0].why)));
    }
    Ok(())
}
