//! What a release owes beside safe sizes and shares: that each wish counts once, that no step and no check is skipped,
//! that delays are kept. Read from the objects and from what people wrote; nothing is shared with the planner.

mod endings;
mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sluice_planner::{Action, Kind, Write};
use sluice_sandbox::world::Object;
use sluice_scenarios::Seen;

pub(crate) const HASH: &str = "rollouts-pod-template-hash";
/// Fields of the status by which people and tools ask for something.
const WISHES: [&str; 4] = ["abort", "promoteFull", "pauseConditions", "currentStepIndex"];

/// What the writer of a status saw.
#[derive(Default)]
pub(crate) struct Sight {
    pub(crate) pods: Seen,
    pub(crate) runs: BTreeMap<String, Arc<Object>>,
}

/// A write of a status, and what it was made from.
pub(crate) struct StatusWrite<'w> {
    pub(crate) sight: &'w Sight,
    /// The spec that the writer saw.
    pub(crate) spec: &'w Value,
    /// The status as it is stored.
    pub(crate) was: &'w Value,
    operations: &'w [Value],
    pub(crate) now: Timestamp,
}

/// What is remembered between two writes.
#[derive(Clone, Default)]
pub(crate) struct Oaths {
    /// When a share was last written.
    shared_at: Option<Timestamp>,
    /// Revisions that were stable until then.
    replaced: BTreeMap<String, Timestamp>,
    /// ReplicaSets that were told until when they keep their pods, and when they were.
    delayed: Vec<(String, Timestamp)>,
}

impl Oaths {
    /// Judges a write that is about to be carried out.
    ///
    /// # Panics
    /// It breaks a promise.
    pub(crate) fn before(&self, sight: &Sight, rollout: &Value, stored: &Value, write: &Write, now: Timestamp) {
        let Action::Patch(operations) = &write.action else { return };
        match write.target.kind {
            Kind::RolloutStatus => {
                let (spec, was) = (&rollout["spec"], &stored["status"]);
                let written = StatusWrite { sight, spec, was, operations, now };
                written.overwrites_no_wish(&rollout["status"]);
                steps::check(&written);
                endings::check(&written);
            }
            Kind::ReplicaSet => self.keeps_delays(sight, rollout, &write.target.name, operations, now),
            _ => {}
        }
    }

    /// A write was carried out.
    pub(crate) fn landed(&mut self, write: &Write, shares_moved: bool, before: &Value, after: &Value, now: Timestamp) {
        match write.target.kind {
            Kind::Routing(..) if shares_moved => self.shared_at = Some(now),
            Kind::ReplicaSet if begins_delay(write) => self.delayed.push((write.target.name.clone(), now)),
            Kind::RolloutStatus => {
                let (was, is) = (&before["status"]["stableRS"], &after["status"]["stableRS"]);
                if let Some(was) = was.as_str().filter(|hash| !hash.is_empty() && is != *hash) {
                    self.replaced.insert(was.to_owned(), now);
                }
                if is != was
                    && let Some(is) = is.as_str()
                {
                    self.replaced.remove(is);
                }
            }
            _ => {}
        }
    }

    /// Somebody else wrote what delays count from.
    pub(crate) fn forget(&mut self) {
        self.shared_at = None;
        self.replaced.clear();
    }

    /// Promise 2: pods stay until a new share is in force, and as long as the user wants an instant way back.
    fn keeps_delays(&self, sight: &Sight, rollout: &Value, name: &str, operations: &[Value], now: Timestamp) {
        let Some(to) = set_to(operations, "/spec/replicas").and_then(Value::as_i64) else { return };
        let Some(set) = sight.pods.replica_sets.values().find(|set| set.name() == name) else { return };
        let (set, spec) = (set.value(), &rollout["spec"]);
        let count = |value: &Value| value.as_i64().unwrap_or(0);
        let (wanted, ready) = (count(&set["spec"]["replicas"]), count(&set["status"]["readyReplicas"]));
        let replicas = spec["replicas"].as_i64().unwrap_or(1);
        if to >= wanted.min(replicas) {
            return;
        }
        let canary = &spec["strategy"]["canary"];
        let routing = &canary["trafficRouting"];
        let delay = seconds(&routing["propagationDelay"]).unwrap_or(0);
        let says_itself = routing["gatewayAPI"].is_object();
        if let Some(at) = self.shared_at.filter(|_| delay > 0 && !says_itself) {
            // Objects hold whole seconds.
            let over = at + SignedDuration::from_secs(delay - 1);
            assert!(now >= over || to >= ready, "promise 2: {name} → {to} within the propagation delay of {delay} s");
        }
        let strategy = if routing.is_object() { canary } else { &spec["strategy"]["blueGreen"] };
        let hash = set["metadata"]["labels"][HASH].as_str().unwrap_or_default();
        let is_old = rollout["status"]["stableRS"] != hash && rollout["status"]["currentPodHash"] != hash;
        if !strategy.is_object()
            || !is_old
            || strategy["dynamicStableScale"] == true
            || !strategy["scaleDownDelayRevisionLimit"].is_null()
        {
            return;
        }
        let delay = strategy["scaleDownDelaySeconds"].as_i64().unwrap_or(30);
        if let Some(at) = self.replaced.get(hash) {
            // The delay counts from the pass in which it was written down: whole seconds, and a request before.
            let told =
                self.delayed.iter().filter(|(set, told)| set == name && *told <= *at).map(|(_, told)| *told).max();
            let over = told.unwrap_or(*at) + SignedDuration::from_secs(delay - 2);
            assert!(now >= over, "promise 2: {name} → {to} within the scale-down delay of {delay} s");
        }
    }
}

impl StatusWrite<'_> {
    /// What a field of the status will be.
    pub(crate) fn will_be(&self, field: &str) -> Value {
        if let Some(whole) = set_to(self.operations, "/status") {
            return whole[field].clone();
        }
        match self.changes(field) {
            Some(operation) => operation["value"].clone(),
            None => self.was[field].clone(),
        }
    }

    fn changes(&self, field: &str) -> Option<&Value> {
        let path = format!("/status/{field}");
        self.operations.iter().find(|operation| operation["op"] != "test" && operation["path"] == path.as_str())
    }

    /// Promise 5.
    fn overwrites_no_wish(&self, seen: &Value) {
        for wish in WISHES {
            let is_news = self.was[wish] != seen[wish];
            let whole = set_to(self.operations, "/status").is_some();
            assert!(
                !is_news || (self.changes(wish).is_none() && !whole),
                "promise 5: a status overwrites {wish}, which it did not see"
            );
        }
    }

    /// Pods of a revision that are available and stay, as the writer saw them.
    pub(crate) fn available(&self, hash: &str) -> i64 {
        let sets = self.sight.pods.replica_sets.values().map(|set| set.value());
        let set = sets.into_iter().find(|set| set["metadata"]["labels"][HASH] == hash);
        let count = |value: &Value| value.as_i64().unwrap_or(0);
        set.map_or(0, |set| count(&set["status"]["availableReplicas"]).min(count(&set["spec"]["replicas"])))
    }

    /// Runs of a kind for a revision, as the writer saw them.
    pub(crate) fn runs<'s>(&'s self, kind: &'s str, hash: &'s str) -> impl Iterator<Item = &'s Value> + 's {
        self.sight.runs.values().map(|run| run.value()).filter(move |run| {
            let labels = &run["metadata"]["labels"];
            labels["rollout-type"] == kind && labels[HASH] == hash
        })
    }

    /// Whether there is a stable revision to compare with, and to go back to.
    pub(crate) fn has_stable(&self) -> bool {
        let stable = &self.was["stableRS"];
        self.sight.pods.replica_sets.values().any(|set| set.value()["metadata"]["labels"][HASH] == *stable)
    }

    pub(crate) fn replicas(&self) -> i64 {
        self.spec["replicas"].as_i64().unwrap_or(1)
    }
}

pub(crate) fn set_to<'o>(operations: &'o [Value], path: &str) -> Option<&'o Value> {
    let set = operations.iter().find(|operation| operation["op"] == "add" && operation["path"] == path);
    set.map(|operation| &operation["value"])
}

/// `10`, `"10"` or `"10s"`: what the simulator writes.
pub(crate) fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim_end_matches('s').parse().ok())
}

fn begins_delay(write: &Write) -> bool {
    let Action::Patch(operations) = &write.action else { return false };
    let adds = operations.iter().filter(|operation| operation["op"] == "add");
    adds.into_iter()
        .any(|operation| operation["path"].as_str().is_some_and(|path| path.ends_with("scale-down-deadline")))
}
