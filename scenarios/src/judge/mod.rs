//! The promises, checked on every single write against what the cluster holds at that moment.
//!
//! Everything here is read from the objects themselves; nothing is shared with the planner's own arithmetic.

mod deployment;
mod routed;
mod scene;
mod shares;
mod trials;

use std::collections::BTreeMap;

use serde_json::Value;
use sluice_planner::{Action, Kind, Write};

pub(crate) use routed::SharesBefore;
pub use scene::{Scene, Seen};

const HASH: &str = "rollouts-pod-template-hash";

/// Remembers what was written since somebody last asked for something.
#[derive(Clone, Default)]
pub struct Judge {
    selectors: BTreeMap<String, Vec<String>>,
    directions: BTreeMap<String, bool>,
}

struct Size {
    name: String,
    hash: String,
    wanted: i64,
    ready: i64,
    available: i64,
}

impl Judge {
    /// Somebody asked for something, so directions may turn.
    pub fn new_epoch(&mut self) {
        self.selectors.clear();
        self.directions.clear();
    }

    /// The next step begins, whose sizes and selectors may lie the other way.
    pub fn new_step(&mut self) {
        self.new_epoch();
    }

    /// Judges a write against what the cluster holds before it.
    ///
    /// # Panics
    /// It breaks a promise.
    pub fn before(&mut self, world: &Scene<'_>, rollout: &Value, write: &Write) {
        Self::touches_only_its_own(world, rollout, write);
        if let Action::Evict { name, .. } = &write.action {
            evict(world, rollout, name);
            // The pod that was surged for it goes again.
            self.new_step();
        }
        let Action::Patch(operations) = &write.action else { return };
        assert_eq!(operations[0]["path"], "/metadata/uid", "a patch that does not name its object: {write:?}");
        let set_to = |path: &str| {
            operations
                .iter()
                .find(|operation| operation["op"] == "add" && operation["path"] == path)
                .map(|o| &o["value"])
        };
        match write.target.kind {
            Kind::ReplicaSet => {
                if let Some(to) = set_to("/spec/replicas").and_then(Value::as_i64) {
                    if routed::is_routed(rollout) {
                        let sizes = sizes(world);
                        let this = sizes.iter().find(|size| size.name == write.target.name);
                        routed::resize(world, rollout, this.expect("the ReplicaSet is there"), to);
                    } else if rollout["spec"]["strategy"].get("blueGreen").is_some() {
                        Self::resize_beside(world, rollout, &write.target.name, to);
                    } else {
                        self.resize(world, rollout, &write.target.name, to);
                    }
                }
            }
            Kind::Service => {
                if let Some(to) = set_to(&format!("/spec/selector/{HASH}")).and_then(Value::as_str) {
                    let preview =
                        rollout["spec"]["strategy"]["blueGreen"]["previewService"] == write.target.name.as_str();
                    if shares::waits_for_its_turn(world, rollout, &write.target.name) {
                        return;
                    }
                    self.switch(world, rollout, &write.target.name, to, preview);
                    if rollout["spec"]["strategy"]["blueGreen"]["activeService"] == write.target.name.as_str() {
                        Self::switch_all(world, rollout, &write.target.name, to);
                    }
                }
            }
            Kind::Deployment => {
                if let Some(to) = set_to("/spec/replicas").and_then(Value::as_i64) {
                    deployment::resize(world, rollout, &write.target.name, to);
                }
            }
            Kind::Rollout
            | Kind::RolloutStatus
            | Kind::AnalysisRun
            | Kind::Experiment
            | Kind::Pod
            | Kind::Routing(..) => {}
        }
    }

    /// What is to be remembered of the traffic before a write, where routers divide it.
    pub fn shares(world: &Scene<'_>, rollout: &Value) -> Option<SharesBefore> {
        routed::before(world, rollout)
    }

    /// Judges a write by what it did to the traffic.
    ///
    /// # Panics
    /// It breaks a promise.
    pub fn after(world: &Scene<'_>, rollout: &Value, write: &Write, before: &SharesBefore) {
        routed::after(world, rollout, write, before);
    }

    /// Promise 6: objects of others are not touched, and no ReplicaSet turns round by itself.
    fn touches_only_its_own(world: &Scene<'_>, rollout: &Value, write: &Write) {
        if write.target.kind != Kind::ReplicaSet || matches!(write.action, Action::Create(_)) {
            return;
        }
        let set = world.get("apps", "replicasets", "default", &write.target.name).expect("the ReplicaSet is there");
        let owners = set.value()["metadata"]["ownerReferences"].as_array().cloned().unwrap_or_default();
        let ours = owners.iter().any(|owner| owner["uid"] == rollout["metadata"]["uid"]);
        assert!(ours || owners.is_empty(), "{} is not ours", write.target.name);
        if matches!(write.action, Action::Delete { .. }) {
            assert_eq!(set.value()["spec"]["replicas"], 0, "{} is deleted with pods", write.target.name);
        }
    }

    /// Promises 2, 3 and 4.
    fn resize(&mut self, world: &Scene<'_>, rollout: &Value, name: &str, to: i64) {
        let sizes = sizes(world);
        let this = sizes.iter().find(|size| size.name == name).expect("the ReplicaSet is there");
        let replicas = rollout["spec"]["replicas"].as_i64().expect("a count");
        let (surge, unavailable) = budgets(rollout, replicas);
        let up = to > this.wanted;
        if let Some(was_up) = self.directions.insert(name.to_owned(), up) {
            assert_eq!(was_up, up, "{name} goes up and down although nobody asked");
        }
        let total: i64 = sizes.iter().map(|size| size.wanted).sum::<i64>() - this.wanted + to;
        if up {
            let surge = surge + i64::from(is_restarting(rollout));
            assert!(total <= replicas + surge, "{name} → {to}: {total} pods are more than {replicas} + {surge}");
            let aborted = rollout["status"]["abort"] == true && rollout["status"]["promoteFull"] != true;
            let is_new = rollout["status"]["currentPodHash"] == this.hash.as_str();
            // A first release has nothing to go back to, and so it stays.
            let stable = rollout["status"]["stableRS"].as_str();
            let goes_back =
                aborted && is_new && is_about_the_spec(rollout) && stable.is_some_and(|stable| stable != this.hash);
            assert!(!goes_back, "an aborted release grows");
            return;
        }
        let stays = |size: &Size| size.available.min(size.wanted);
        let before: i64 = sizes.iter().map(stays).sum();
        let after = before - stays(this) + this.available.min(to);
        let least = (replicas - unavailable).max(i64::from(replicas > 1 || (replicas == 1 && surge > 0)));
        assert!(
            after >= least.min(before),
            "{name} → {to}: {after} available are too few of {before}, {least} must stay"
        );
        let ready: i64 = sizes.iter().map(|size| size.ready.min(size.wanted)).sum();
        let ready_after = ready - this.ready.min(this.wanted) + this.ready.min(to);
        if replicas > 1 || (replicas == 1 && surge > 0) {
            assert!(ready == 0 || ready_after > 0, "{name} → {to}: the last ready pod goes");
            let selected = services(world, rollout).into_iter().any(|(_, hash)| hash == this.hash);
            assert!(!selected || this.ready == 0 || to > 0, "{name} → 0: a Service still points at it");
        }
    }

    /// Promises 1, 2 and 4 with blue-green: what carries the traffic, and what it would go back to, stays at size.
    fn resize_beside(world: &Scene<'_>, rollout: &Value, name: &str, to: i64) {
        let sizes = sizes(world);
        let this = sizes.iter().find(|size| size.name == name).expect("the ReplicaSet is there");
        let replicas = rollout["spec"]["replicas"].as_i64().expect("a count");
        let active = rollout["spec"]["strategy"]["blueGreen"]["activeService"].as_str().expect("a name");
        let is_active =
            services(world, rollout).into_iter().any(|(service, hash)| service == active && hash == this.hash);
        let is_stable = rollout["status"]["stableRS"] == this.hash.as_str();
        if to < this.wanted {
            assert!(!is_active || to >= replicas, "{name} → {to}: it carries the traffic of {replicas} pods");
            assert!(!is_stable || to >= replicas, "{name} → {to}: it is what an abort returns to");
        } else {
            let most = replicas + i64::from(is_restarting(rollout));
            assert!(to <= most, "{name} → {to}: {replicas} pods are wanted");
        }
    }

    /// Promises 1 and 4: all traffic moves only to what can carry it, or at least as much of it as what it leaves.
    fn switch_all(world: &Scene<'_>, rollout: &Value, service: &str, to: &str) {
        let sizes = sizes(world);
        let there = services(world, rollout).into_iter().find(|(name, _)| name == service).map(|(_, hash)| hash);
        let available = |hash: &str| sizes.iter().find(|size| size.hash == hash).map_or(0, |size| size.available);
        let from = there.map_or(0, |hash| available(&hash));
        let replicas = rollout["spec"]["replicas"].as_i64().expect("a count");
        let least = replicas - replicas * 25 / 100;
        assert!(
            available(to) >= least.min(from.max(1)) || replicas == 0,
            "{service} → {to}: {} pods, {from} before",
            available(to)
        );
        // An abort is one of the revision that the status is about, not of one that came meanwhile.
        let aborted = rollout["status"]["abort"] == true && rollout["status"]["currentPodHash"] == to;
        let is_stable = rollout["status"]["stableRS"] == to;
        assert!(!aborted || is_stable || rollout["status"]["promoteFull"] == true, "an aborted release is switched to");
    }

    /// Promises 1 and 6: a Service moves to a revision that can serve, and not back and forth.
    /// (A preview carries no traffic, and moves at once where nothing serves behind it.)
    fn switch(&mut self, world: &Scene<'_>, rollout: &Value, service: &str, to: &str, is_preview: bool) {
        let sizes = sizes(world);
        let target = sizes.iter().find(|size| size.hash == to).expect("a revision to select");
        let from = services(world, rollout).into_iter().find(|(name, _)| name == service).map(|(_, hash)| hash);
        let serves = sizes
            .iter()
            .any(|size| size.ready > 0 && from.as_ref().is_none_or(|from| from.is_empty() || *from == size.hash));
        let wants_none = rollout["spec"]["replicas"] == 0;
        let may_move =
            target.available > 0 || (!serves && (is_preview || wants_none)) || (is_preview && target.ready > 0);
        assert!(may_move, "{service} is pointed at {to}, which has no pods");
        let values = self.selectors.entry(service.to_owned()).or_default();
        assert!(!values.iter().any(|value| value == to), "{service} flaps: {values:?}, then {to}");
        values.push(to.to_owned());
    }
}

/// Other steps begin a release anew: what the status says of the one before does not hold it.
fn is_about_the_spec(rollout: &Value) -> bool {
    let generation = rollout["metadata"]["generation"].as_i64().map(|generation| generation.to_string());
    generation.as_deref() == rollout["status"]["observedGeneration"].as_str()
}

fn is_restarting(rollout: &Value) -> bool {
    let at = &rollout["spec"]["restartAt"];
    !at.is_null() && *at != rollout["status"]["restartedAt"]
}

/// Promise 3 for a single pod: it is older than wanted, others are available in its place, and it is not the last
/// one behind a Service.
fn evict(world: &Scene<'_>, rollout: &Value, name: &str) {
    let pods = world.pods();
    let pod = pods.iter().find(|pod| pod.name() == name).expect("the pod is there").value();
    assert!(pod["metadata"]["creationTimestamp"].as_str() < rollout["spec"]["restartAt"].as_str(), "{name} is young");
    let is_ready = |pod: &Value| {
        let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
        pod["metadata"]["deletionTimestamp"].is_null()
            && conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    };
    if !is_ready(pod) {
        return;
    }
    let replicas = rollout["spec"]["replicas"].as_i64().expect("a count");
    let blue_green = rollout["spec"]["strategy"].get("blueGreen");
    // Revisions that stand beside each other don't stand in for each other.
    let beside = blue_green.is_some() || routed::is_routed(rollout);
    let counts = |other: &Value| !beside || other["metadata"]["labels"][HASH] == pod["metadata"]["labels"][HASH];
    let ready = pods.iter().filter(|pod| is_ready(pod.value()) && counts(pod.value())).count();
    let strategy = blue_green.unwrap_or(&rollout["spec"]["strategy"]["canary"]);
    let unavailable = strategy["maxUnavailable"].as_i64().unwrap_or(replicas * 25 / 100);
    let hash = &pod["metadata"]["labels"][HASH];
    let own_size = sizes(world).into_iter().find(|size| hash == size.hash.as_str()).map_or(0, |size| size.wanted);
    let wanted = match (routed::is_routed(rollout), beside) {
        (true, _) => routed::needed(world, rollout, hash.as_str().unwrap_or_default()).min(replicas),
        (false, true) => replicas.min(own_size),
        (false, false) => replicas,
    };
    let least = usize::try_from(wanted - unavailable).unwrap_or(0).max(1);
    assert!(ready > least, "{name} goes: {ready} pods are ready, {least} must stay");
    if services(world, rollout).iter().any(|(_, selected)| hash == selected.as_str()) {
        let same = pods.iter().filter(|pod| is_ready(pod.value()) && pod.value()["metadata"]["labels"][HASH] == *hash);
        assert!(same.count() > 1, "{name} is the last ready pod behind a Service");
    }
}

fn sizes(world: &Scene<'_>) -> Vec<Size> {
    // Pods of Experiments are nobody's revision.
    sizes_of(world, |set| set["metadata"]["annotations"].get(trials::OF_EXPERIMENT).is_none())
}

fn sizes_of(world: &Scene<'_>, counts: impl Fn(&Value) -> bool) -> Vec<Size> {
    let sets = world.list("apps", "replicasets", "default");
    sets.iter()
        .filter(|set| counts(set.value()))
        .filter(|set| {
            // Those of Deployments, and others that a template is taken from, are no revisions.
            let metadata = &set.value()["metadata"];
            metadata["ownerReferences"][0]["kind"] == "Rollout" || metadata["labels"][HASH].is_string()
        })
        .map(|set| {
            let (object, count) = (set.value(), |value: &Value| value.as_i64().unwrap_or(0));
            let status = world.counts(set);
            Size {
                name: set.name().to_owned(),
                hash: object["metadata"]["labels"][HASH].as_str().unwrap_or_default().to_owned(),
                wanted: count(&object["spec"]["replicas"]),
                ready: count(&status["readyReplicas"]),
                available: count(&status["availableReplicas"]),
            }
        })
        .collect()
}

/// The Services that the Rollout names, and the revision that each selects. All others are none of its business.
fn services(world: &Scene<'_>, rollout: &Value) -> Vec<(String, String)> {
    let strategy = &rollout["spec"]["strategy"];
    let (canary, blue_green) = (&strategy["canary"], &strategy["blueGreen"]);
    let named = [
        &canary["stableService"],
        &canary["canaryService"],
        &blue_green["activeService"],
        &blue_green["previewService"],
        &canary["pingPong"]["pingService"],
        &canary["pingPong"]["pongService"],
    ];
    let services = world.list("", "services", "default");
    let services = services.iter().filter(|service| named.iter().any(|name| **name == service.name()));
    let hash = |value: &Value| value["spec"]["selector"][HASH].as_str().unwrap_or_default().to_owned();
    services.map(|service| (service.name().to_owned(), hash(service.value()))).collect()
}

/// The stories write whole numbers or leave out; 25 % is what is left out.
fn budgets(rollout: &Value, replicas: i64) -> (i64, i64) {
    let canary = &rollout["spec"]["strategy"]["canary"];
    let surge = canary["maxSurge"].as_i64().unwrap_or((replicas * 25 + 99) / 100);
    let unavailable = canary["maxUnavailable"].as_i64().unwrap_or(replicas * 25 / 100);
    let unavailable = if surge == 0 { unavailable.max(1) } else { unavailable };
    (surge, unavailable.min(replicas))
}
