//! The conditions that the kubelet writes, and since when each has its value: `minReadySeconds` counts from there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::memory::{Mark, PodMemory};
use super::phase::Phase;
use super::plan::PodPlan;
use super::read::{list, text};
use super::time::stamp;

/// One condition as it should be now.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) name: &'static str,
    pub(super) yes: bool,
    reason: &'static str,
    message: String,
}

/// What the conditions are computed from.
pub(super) struct Facts<'a> {
    pub(super) plan: &'a PodPlan,
    pub(super) phase: Phase,
    /// The sandbox exists: network and volumes are there.
    pub(super) has_room: bool,
    /// Names of init containers that have not done their part.
    pub(super) init_missing: Vec<&'a str>,
    /// Names of containers that are not ready.
    pub(super) unready: Vec<&'a str>,
    pub(super) live: &'a Value,
}

impl Facts<'_> {
    pub(super) fn conditions(&self, memory: &PodMemory) -> Vec<Condition> {
        let containers_ready = self.containers_ready();
        let ready = self.ready(&containers_ready);
        let mut all = vec![
            yes("PodReadyToStartContainers").unless(!self.has_room, "", String::new()),
            self.initialized(),
            containers_ready,
            ready,
        ];
        // The scheduler writes it; a pod that was bound by hand has nobody else to write it.
        let scheduled =
            |condition: &Value| text(condition, "/type") == "PodScheduled" && text(condition, "/status") == "True";
        if !list(self.live, "/status/conditions").iter().any(scheduled) {
            all.push(yes("PodScheduled"));
        }
        if let Some(ended) = memory.ended.as_ref().filter(|ended| ended.disrupted) {
            all.push(Condition {
                name: "DisruptionTarget",
                yes: true,
                reason: "TerminationByKubelet",
                message: ended.message.clone(),
            });
        }
        all
    }

    fn initialized(&self) -> Condition {
        let message = format!("containers with incomplete status: [{}]", self.init_missing.join(" "));
        let mut initialized =
            yes("Initialized").unless(!self.init_missing.is_empty(), "ContainersNotInitialized", message);
        if self.phase == Phase::Succeeded {
            initialized.reason = "PodCompleted";
        }
        initialized
    }

    fn containers_ready(&self) -> Condition {
        let condition = yes("ContainersReady");
        match self.phase {
            Phase::Succeeded => condition.unless(true, "PodCompleted", String::new()),
            Phase::Failed => condition.unless(true, "PodFailed", String::new()),
            Phase::Pending | Phase::Running => {
                let message = format!("containers with unready status: [{}]", self.unready.join(" "));
                condition.unless(!self.unready.is_empty(), "ContainersNotReady", message)
            }
        }
    }

    /// Ready only with every readiness gate, which somebody else sets.
    fn ready(&self, containers_ready: &Condition) -> Condition {
        if !containers_ready.yes {
            return Condition { name: "Ready", ..containers_ready.clone() };
        }
        let closed: Vec<String> = self.plan.readiness_gates.iter().filter_map(|gate| self.closed_gate(gate)).collect();
        yes("Ready").unless(!closed.is_empty(), "ReadinessGatesNotReady", closed.join(", "))
    }

    fn closed_gate(&self, gate: &str) -> Option<String> {
        let set = list(self.live, "/status/conditions").iter().find(|condition| text(condition, "/type") == gate);
        match set.map(|condition| text(condition, "/status")) {
            Some("True") => None,
            Some(status) => Some(format!("the status of pod readiness gate \"{gate}\" is not \"True\", but {status}")),
            None => Some(format!("corresponding condition of pod readiness gate \"{gate}\" does not exist.")),
        }
    }
}

fn yes(name: &'static str) -> Condition {
    Condition { name, yes: true, reason: "", message: String::new() }
}

impl Condition {
    fn unless(self, no: bool, reason: &'static str, message: String) -> Self {
        if no { Self { yes: false, reason, message, ..self } } else { self }
    }
}

/// Notes at `t` which conditions have changed their value.
pub(super) fn mark(marks: &mut BTreeMap<String, Mark>, conditions: &[Condition], t: Timestamp) {
    for condition in conditions {
        let fresh = Mark { yes: condition.yes, since: t };
        let mark = marks.entry(condition.name.to_owned()).or_insert(fresh);
        if mark.yes != condition.yes {
            *mark = fresh;
        }
    }
}

/// Somebody else (the node controller, for a node that was lost) may have changed a condition of ours since we
/// wrote it. A transition that is later than ours is theirs; ours then happens anew.
pub(super) fn adopt_foreign(marks: &mut BTreeMap<String, Mark>, live: &Value) {
    for (name, theirs) in list(live, "/status/conditions").iter().filter_map(Mark::read) {
        if let Some(ours) = marks.get_mut(&name)
            && theirs.yes != ours.yes
            && theirs.since.as_second() > ours.since.as_second()
        {
            *ours = theirs;
        }
    }
}

/// The conditions that differ from what the API server has, ready for a strategic patch.
pub(super) fn changed(
    conditions: &[Condition],
    marks: &BTreeMap<String, Mark>,
    generation: Option<i64>,
    live: &Value,
) -> Vec<Value> {
    const FIELDS: [&str; 5] = ["status", "reason", "message", "lastTransitionTime", "observedGeneration"];
    let live = list(live, "/status/conditions");
    let mut changed = Vec::new();
    for condition in conditions {
        let Some(mark) = marks.get(condition.name) else {
            continue;
        };
        let mut wanted = condition.render(mark.since, generation);
        let known = live.iter().find(|known| known["type"] == condition.name).unwrap_or(&Value::Null);
        if FIELDS.iter().all(|field| known.get(*field) == wanted.get(*field)) {
            continue;
        }
        // A strategic patch merges into what is there: a field that must go has to be named.
        for field in FIELDS.iter().filter(|field| known.get(**field).is_some()) {
            wanted.entry(*field).or_insert(Value::Null);
        }
        changed.push(Value::Object(wanted));
    }
    changed
}

impl Condition {
    fn render(&self, since: Timestamp, generation: Option<i64>) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("type".to_owned(), json!(self.name));
        fields.insert("status".to_owned(), json!(if self.yes { "True" } else { "False" }));
        fields.insert("lastTransitionTime".to_owned(), json!(stamp(since)));
        if let Some(generation) = generation {
            fields.insert("observedGeneration".to_owned(), json!(generation));
        }
        for (field, text) in [("reason", self.reason), ("message", self.message.as_str())] {
            if !text.is_empty() {
                fields.insert(field.to_owned(), json!(text));
            }
        }
        fields
    }
}
