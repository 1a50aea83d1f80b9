//! What is seen of a release from outside, in the sandbox and on a real cluster alike.

use std::collections::BTreeSet;

use serde_json::Value;

const REVISION: &str = "rollout.argoproj.io/revision";
const HASH: &str = "rollouts-pod-template-hash";

/// The objects of one namespace, as the API server shows them.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The Rollout that the scenario is about; `null` where there is none.
    pub rollout: Value,
    /// Its ReplicaSets and whatever else there is.
    pub replica_sets: Vec<Value>,
    /// All Services.
    pub services: Vec<Value>,
    /// All pods.
    pub pods: Vec<Value>,
    /// Experiments.
    pub experiments: Vec<Value>,
    /// AnalysisRuns.
    pub runs: Vec<Value>,
    /// The objects that routers are told by.
    pub routing: Vec<Value>,
    /// The objects that templates can be taken from.
    pub workloads: Vec<Value>,
    /// Reasons of the events about the Rollout, in the order in which they were told.
    pub events: Vec<String>,
}

impl Observed {
    /// Whether the status speaks of the spec as it is now.
    pub(crate) fn is_up_to_date(&self) -> bool {
        let generation = self.rollout["metadata"]["generation"].as_i64().map(|number| number.to_string());
        generation.as_deref() == self.rollout["status"]["observedGeneration"].as_str()
    }

    /// ReplicaSets of the Rollout by revision.
    pub(crate) fn revisions(&self) -> Vec<(i64, &Value)> {
        let uid = &self.rollout["metadata"]["uid"];
        let ours = |set: &&Value| {
            let owners = set["metadata"]["ownerReferences"].as_array();
            owners.into_iter().flatten().any(|owner| owner["uid"] == *uid)
        };
        let mut found: Vec<(i64, &Value)> =
            self.replica_sets.iter().filter(ours).map(|set| (number(set), set)).collect();
        found.sort_by_key(|(revision, _)| *revision);
        found
    }

    /// All pods by uid, whosever they are.
    pub fn pod_uids(&self) -> BTreeSet<String> {
        let uids = self.pods.iter().filter_map(|pod| pod["metadata"]["uid"].as_str());
        uids.map(str::to_owned).collect()
    }

    pub(crate) fn revision(&self, revision: i64) -> Option<&Value> {
        self.revisions().into_iter().find(|(number, _)| *number == revision).map(|(_, set)| set)
    }

    /// The pods of a revision that are not on their way out.
    pub(crate) fn pods_of(&self, revision: i64) -> Vec<&Value> {
        let Some(set) = self.revision(revision) else { return Vec::new() };
        let uid = &set["metadata"]["uid"];
        let of_set = |pod: &&Value| {
            pod["metadata"]["ownerReferences"][0]["uid"] == *uid && pod["metadata"]["deletionTimestamp"].is_null()
        };
        self.pods.iter().filter(of_set).collect()
    }

    /// The revision that a Service selects; none where it selects pods of any revision.
    pub(crate) fn selected_by(&self, service: &Value) -> Option<i64> {
        let hash = service["spec"]["selector"][HASH].as_str()?;
        let selected = self.revisions().into_iter().find(|(_, set)| set["metadata"]["labels"][HASH] == hash);
        // One that is no revision of ours is surely not the one that is looked for.
        Some(selected.map_or(-1, |(revision, _)| revision))
    }

    /// A routing object or a workload, by `Kind/name`.
    pub(crate) fn named(&self, named: &str) -> Option<&Value> {
        let (kind, name) = named.split_once('/')?;
        self.routing
            .iter()
            .chain(&self.workloads)
            .find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
    }

    /// Any other object, by `Kind/name`.
    pub(crate) fn object(&self, named: &str) -> Option<&Value> {
        let (kind, name) = named.split_once('/')?;
        let of_kind = match kind {
            "Experiment" => &self.experiments,
            "AnalysisRun" => &self.runs,
            "ReplicaSet" => &self.replica_sets,
            "Service" => &self.services,
            _ => return None,
        };
        of_kind.iter().find(|object| object["metadata"]["name"] == name)
    }

    pub(crate) fn service(&self, name: &str) -> Option<&Value> {
        self.services.iter().find(|service| service["metadata"]["name"] == name)
    }
}

fn number(set: &Value) -> i64 {
    let text = set["metadata"]["annotations"][REVISION].as_str();
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}
