//! Tells a scenario to the real control plane, with the real controller as a process of its own.

mod controller;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use http::Request;
use kube::client::Body;
use serde_json::Value;
use sluice_scenarios::{
    Before, Call, Doing, Observed, ROUTING_KINDS, Scenario, Step, WORKLOAD_KINDS, collection, doing, given,
};
use tokio::time::{Instant, sleep};

use crate::cluster::Kind;
use crate::crds;
use crate::history::History;
use crate::namespace::{Namespace, in_namespace};
pub use controller::{Account, Controller, Reach};

/// How often is looked. All scenarios run at the same time, and each look is four lists.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Beyond a scenario's own deadlines: how busy this machine is, is no part of its story.
const SLACK: Duration = Duration::from_secs(45);

/// Reads the file and tells it in a namespace of its own, under a controller of its own.
pub async fn told_on_the_real_control_plane(file: &Path) -> Result<()> {
    let scenario = Scenario::read(file).map_err(|mistakes| anyhow!(mistakes))?;
    in_namespace("scenario", async |namespace| {
        crds::install(&namespace.cluster.client).await?;
        if scenario.given.iter().any(|manifest| ROUTING_KINDS.iter().any(|kind| manifest["kind"] == *kind)) {
            crds::install_routers(&namespace.cluster.client).await?;
        }
        let mut telling = Telling::begin(namespace, &scenario).await?;
        let mut controller = Controller::start(&namespace.name, Reach::Namespace, Account::Admin)?;
        let outcome = telling.tell(&scenario, &mut controller).await;
        outcome.with_context(|| controller.last_words())?;
        controller.stop().await
    })
    .await
}

/// A scenario that is being told.
pub struct Telling<'a> {
    namespace: &'a Namespace,
    rollout: String,
    /// The kinds of routing objects that are given; others may not be served.
    routing: Vec<&'static str>,
    events: History,
    events_so_far: usize,
}

impl<'a> Telling<'a> {
    /// Applies what is given. Everything that is told from now on is seen.
    pub async fn begin(namespace: &'a Namespace, scenario: &Scenario) -> Result<Self> {
        let events = History::of(namespace, Kind::EVENT).await?;
        let named = |kind: &&str| scenario.given.iter().any(|manifest| manifest["kind"] == **kind);
        let routing = ROUTING_KINDS.into_iter().filter(named).collect();
        let rollout = scenario.rollout().to_owned();
        let telling = Self { namespace, rollout, routing, events, events_so_far: 0 };
        let mut rollout = Value::Null;
        for manifest in &scenario.given {
            let calls = given(manifest, &namespace.name, &rollout).map_err(|problem| anyhow!(problem))?;
            for call in &calls {
                let stored = telling.send(call).await?;
                if stored["kind"] == "Rollout" {
                    rollout = stored;
                }
            }
        }
        Ok(telling)
    }

    /// Takes each step.
    pub async fn tell(&mut self, scenario: &Scenario, controller: &mut Controller) -> Result<()> {
        for (index, step) in scenario.steps.iter().enumerate() {
            self.take(step, controller).await.with_context(|| format!("steps[{index}]"))?;
        }
        Ok(())
    }

    async fn take(&mut self, step: &Step, controller: &mut Controller) -> Result<()> {
        // The scenario says that so much time passes.
        sleep(step.after.unsigned_abs()).await;
        let before = Before { events: self.events_so_far, pods: self.observe().await?.pod_uids() };
        for action in &step.does {
            let seen = self.observe().await?;
            let done = doing(action, &seen, &self.namespace.name, jiff::Timestamp::now());
            match done.map_err(|problem| anyhow!(problem))? {
                Doing::Calls(calls) => {
                    for call in &calls {
                        self.send(call).await?;
                    }
                }
                Doing::Node { name, .. } => bail!("node {name} is shared by all scenarios"),
                Doing::Kill => controller.kill_and_start_again().await?,
            }
        }
        self.events_so_far = self.wait_for(step, &before).await?;
        let until = Instant::now() + step.stays.unsigned_abs();
        while Instant::now() < until {
            let (missing, _) = step.expect.missing(&self.observe().await?, &before);
            ensure!(missing.is_empty(), "it did not stay so for {:#}:\n  {}", step.stays, missing.join("\n  "));
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    async fn wait_for(&self, step: &Step, before: &Before) -> Result<usize> {
        let deadline = Instant::now() + step.within.unsigned_abs() + SLACK;
        loop {
            let (missing, matched) = step.expect.missing(&self.observe().await?, before);
            if missing.is_empty() {
                return Ok(matched);
            }
            ensure!(Instant::now() < deadline, "not within {:#}:\n  {}", step.within, missing.join("\n  "));
            sleep(LOOK_EVERY).await;
        }
    }

    async fn observe(&self) -> Result<Observed> {
        let rollouts = self.list("Rollout").await?;
        let rollout = rollouts.into_iter().find(|rollout| rollout["metadata"]["name"] == self.rollout.as_str());
        let mut routing = Vec::new();
        for kind in &self.routing {
            routing.extend(self.list(kind).await?);
        }
        let mut workloads = Vec::new();
        for kind in WORKLOAD_KINDS {
            workloads.extend(self.list(kind).await?);
        }
        Ok(Observed {
            workloads,
            rollout: rollout.unwrap_or_default(),
            replica_sets: self.list("ReplicaSet").await?,
            services: self.list("Service").await?,
            pods: self.list("Pod").await?,
            experiments: self.list("Experiment").await?,
            runs: self.list("AnalysisRun").await?,
            events: self.reasons(),
            routing,
        })
    }

    /// In the order in which they were told; one that is told again counts again.
    fn reasons(&self) -> Vec<String> {
        let of_rollout = |event: &Value| event["involvedObject"]["kind"] == "Rollout";
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        self.events.all(|event| {
            let name = event["metadata"]["name"].as_str()?.to_owned();
            let count = event["count"].as_i64().unwrap_or(1);
            let is_news = counts.insert(name, count) != Some(count);
            (of_rollout(event) && is_news).then(|| event["reason"].as_str().unwrap_or_default().to_owned())
        })
    }

    async fn list(&self, kind: &str) -> Result<Vec<Value>> {
        let path = collection(kind, &self.namespace.name).map_err(|problem| anyhow!(problem))?;
        let request = Request::get(&path).body(Vec::new())?;
        let list: Value = self.namespace.cluster.client.request(request).await.with_context(|| path.clone())?;
        let Value::Array(mut items) = list["items"].clone() else { bail!("{path} is no list") };
        // Items of a list don't name their kind.
        items.iter_mut().for_each(|item| item["kind"] = kind.into());
        Ok(items)
    }

    /// Sends it; what the API server answers.
    async fn send(&self, call: &Call) -> Result<Value> {
        let request = Request::builder().method(call.method).uri(&call.path).header("content-type", call.content_type);
        let answer = self.namespace.cluster.client.send(request.body(Body::from(call.body.to_string().into_bytes()))?);
        let answer = answer.await.with_context(|| format!("{} {}", call.method, call.path))?;
        let status = answer.status();
        let body = answer.into_body().collect_bytes().await.unwrap_or_default();
        ensure!(status.is_success(), "{} {}: {status} {}", call.method, call.path, String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).with_context(|| format!("the answer to {} {}", call.method, call.path))
    }
}
