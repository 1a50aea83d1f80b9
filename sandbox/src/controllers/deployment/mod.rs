//! Deployment: rolls from one ReplicaSet to the next within `maxSurge` and `maxUnavailable`.
//!
//! The sequence of ReplicaSet sizes is the one that Kubernetes itself produces, because release
//! tests count on it: at most one direction moves in a pass, up before down.

mod revisions;
mod rolling;
mod status;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::object::{at, count, created_at, is_being_deleted, name, namespace, set, text, uid};
use super::ownership::claim;
use super::pods::is_active;
use super::write::{Decision, Kind, Write};

const REVISION: &str = "deployment.kubernetes.io/revision";
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED_REPLICAS: &str = "deployment.kubernetes.io/desired-replicas";
const MAX_REPLICAS: &str = "deployment.kubernetes.io/max-replicas";
const HASH_LABEL: &str = "pod-template-hash";

/// Decides for one Deployment. `replica_sets` and `pods` are those of its namespace that match its
/// selector or are owned along its line.
#[must_use]
pub fn decide(deployment: &Value, replica_sets: &[&Value], pods: &[&Value], now: Timestamp) -> Decision {
    let claimed = claim(deployment, Kind::ReplicaSet, replica_sets);
    let mut pass = Pass {
        read: deployment,
        deployment: deployment.clone(),
        sets: claimed.owned.into_iter().cloned().collect(),
        now,
        decision: Decision { writes: claimed.writes, wake_at: None },
    };
    pass.sets.sort_by(|a, b| created_at(a).cmp(&created_at(b)).then_with(|| name(a).cmp(name(b))));
    if is_being_deleted(deployment) {
        pass.report(Progress::NotJudged);
    } else if at(deployment, &["spec", "paused"]) == &Value::Bool(true) || pass.was_scaled() {
        pass.note_pause();
        pass.find_new_replica_set(Missing::Leave);
        pass.scale_in_proportion();
        pass.report(Progress::NotJudged);
    } else {
        pass.note_pause();
        if text(deployment, &["spec", "strategy", "type"]) == "Recreate" {
            pass.recreate(pods);
        } else {
            pass.roll();
        }
        pass.report(Progress::Judged);
    }
    pass.decision
}

/// Whether a template without a ReplicaSet gets one in this pass.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Create,
    Leave,
}

/// Whether a pass says how the roll gets on: not while it is paused, scaled or deleted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Judged,
    NotJudged,
}

/// One look at one Deployment: its objects as they are, changed in step with the writes decided.
struct Pass<'a> {
    /// As it was read.
    read: &'a Value,
    /// As it will be after the writes.
    deployment: Value,
    /// Oldest first.
    sets: Vec<Value>,
    now: Timestamp,
    decision: Decision,
}

impl Pass<'_> {
    fn wanted(&self) -> i64 {
        count(&self.deployment, &["spec", "replicas"])
    }

    fn new_set(&self) -> Option<usize> {
        revisions::position_of_template(&self.deployment, &self.sets)
    }

    fn old_sets(&self) -> Vec<usize> {
        let new = self.new_set();
        (0..self.sets.len()).filter(|index| Some(*index) != new).collect()
    }

    /// Whether `spec.replicas` changed since the ReplicaSets were last scaled.
    fn was_scaled(&self) -> bool {
        self.sets.iter().any(|set| {
            size(set) > 0
                && super::object::annotation(set, DESIRED_REPLICAS)
                    .and_then(|desired| desired.parse::<i64>().ok())
                    .is_some_and(|desired| desired != self.wanted())
        })
    }

    /// Gives the ReplicaSet this size, and notes beside it for which total it was chosen.
    fn resize(&mut self, index: usize, replicas: i64) -> bool {
        let wanted = self.wanted();
        let most = wanted + rolling::max_surge(&self.deployment);
        let set_now = &mut self.sets[index];
        let mut changed = set_now.clone();
        set(&mut changed, &["spec", "replicas"], json!(replicas));
        set(&mut changed, &["metadata", "annotations", DESIRED_REPLICAS], json!(wanted.to_string()));
        set(&mut changed, &["metadata", "annotations", MAX_REPLICAS], json!(most.to_string()));
        let resized = size(set_now) != replicas;
        if changed != *set_now {
            self.decision.writes.push(Write::Replace(Kind::ReplicaSet, changed.clone()));
            *set_now = changed;
        }
        resized
    }

    fn recreate(&mut self, pods: &[&Value]) {
        self.find_new_replica_set(Missing::Leave);
        let mut moved = false;
        for index in self.old_sets() {
            if size(&self.sets[index]) > 0 {
                moved |= self.resize(index, 0);
            }
        }
        if moved || self.old_pods_run(pods) {
            return;
        }
        self.find_new_replica_set(Missing::Create);
        if let Some(new) = self.new_set() {
            self.resize_if_needed(new, self.wanted());
        }
        self.clean_up_when_complete();
    }

    fn old_pods_run(&self, pods: &[&Value]) -> bool {
        self.old_sets().into_iter().any(|index| {
            let owner = uid(&self.sets[index]);
            pods.iter().any(|pod| {
                super::object::controller_uid(pod) == Some(owner) && (is_active(pod) || is_being_deleted(pod))
            })
        })
    }

    fn resize_if_needed(&mut self, index: usize, replicas: i64) -> bool {
        size(&self.sets[index]) != replicas && self.resize(index, replicas)
    }

    fn clean_up_when_complete(&mut self) {
        if status::is_complete(self) {
            self.forget_old_revisions();
        }
    }

    /// Deletes the oldest idle ReplicaSets beyond `revisionHistoryLimit`.
    fn forget_old_revisions(&mut self) {
        let Some(limit) = at(&self.deployment, &["spec", "revisionHistoryLimit"]).as_i64() else {
            return;
        };
        let old = self.old_sets();
        let surplus = old.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        for set in old.into_iter().map(|index| &self.sets[index]).take(surplus) {
            let idle = size(set) == 0
                && count(set, &["status", "replicas"]) == 0
                && super::object::generation(set) <= count(set, &["status", "observedGeneration"])
                && !is_being_deleted(set);
            if idle {
                self.decision.writes.push(Write::Delete {
                    kind: Kind::ReplicaSet,
                    namespace: namespace(set).to_owned(),
                    name: name(set).to_owned(),
                    uid: uid(set).to_owned(),
                });
            }
        }
    }
}

fn size(replica_set: &Value) -> i64 {
    count(replica_set, &["spec", "replicas"])
}

fn available(replica_set: &Value) -> i64 {
    count(replica_set, &["status", "availableReplicas"])
}
