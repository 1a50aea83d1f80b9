//! One look at a release: how it stands, its pods, what was measured, and what became of requests.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use sluice_sandbox::{Cluster, World};

use super::traffic::Totals;
use crate::actions::Seen;
use crate::family::{Family, hash, owned_by};
use crate::view::evidence::{self, Evidence};
use crate::view::page::current_runs;
use crate::view::standing::Standing;

/// How a Rollout stands at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) at: Timestamp,
    pub(crate) standing: Standing,
    pub(crate) is_aborted: bool,
    /// The revision that is wanted is the stable one.
    pub(crate) is_stable: bool,
    /// The number of the revision that is wanted.
    pub(crate) revision: i64,
    /// Pods by revision, those that have any.
    pub(crate) pods: BTreeMap<i64, Pods>,
    /// Numbers of revisions by their hash.
    pub(crate) numbers: BTreeMap<String, i64>,
    pub(crate) evidence: Vec<Evidence>,
    /// How the latest release ended, and why.
    pub(crate) ended: Option<Ended>,
    pub(crate) traffic: Totals,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pods {
    pub(crate) ready: i64,
    pub(crate) wanted: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) revision: i64,
    pub(crate) result: String,
    pub(crate) why: String,
}

/// A Rollout and what it owns, as the cluster has it.
pub(crate) fn family(world: &World, namespace: &str, name: &str) -> Option<Family> {
    let rollout = world.get("argoproj.io", "rollouts", namespace, name)?.value().clone();
    let all = |group: &str, plural: &str| -> Vec<Value> {
        world.list(group, plural, namespace).iter().map(|object| object.value().clone()).collect()
    };
    let owned = |objects: Vec<Value>| -> Vec<Value> {
        objects.into_iter().filter(|object| owned_by(&rollout, object)).collect()
    };
    let sets = owned(all("apps", "replicasets"));
    let pods = all("", "pods").into_iter().filter(|pod| sets.iter().any(|set| owned_by(set, pod))).collect();
    let runs = owned(all("argoproj.io", "analysisruns"));
    Some(Family { sets, pods, runs, rollout, ..Family::default() })
}

impl Frame {
    pub(crate) fn of(cluster: &Cluster, flows: &[String], namespace: &str, name: &str) -> Option<Self> {
        let family = family(cluster.world(), namespace, name)?;
        let traffic = Totals::of(cluster.plane().record(), flows.iter().map(String::as_str));
        Some(Self::new(&family, traffic, cluster.now()))
    }

    pub(crate) fn new(family: &Family, traffic: Totals, at: Timestamp) -> Self {
        let (rollout, seen) = (&family.rollout, Seen(&family.rollout));
        let number = |set: &Value| -> Option<i64> {
            set.pointer("/metadata/annotations/rollout.argoproj.io~1revision")?.as_str()?.parse().ok()
        };
        let numbered = || family.sets.iter().filter_map(|set| Some((number(set)?, set)));
        let count = |value: &Value| value.as_i64().unwrap_or(0);
        let pods = numbered().map(|(number, set)| {
            (number, Pods { ready: count(&set["status"]["readyReplicas"]), wanted: count(&set["spec"]["replicas"]) })
        });
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let ended = rollout["status"]["history"].as_array().and_then(|history| history.first());
        Self {
            at,
            standing: Standing::of(rollout),
            is_aborted: seen.is_aborted(),
            is_stable: seen.is_stable() && seen.is_observed(),
            revision: seen.revision().and_then(|text| text.parse().ok()).unwrap_or(0),
            pods: pods.filter(|(_, pods)| pods.wanted > 0 || pods.ready > 0).collect(),
            numbers: numbered().filter_map(|(number, set)| Some((hash(set)?.to_owned(), number))).collect(),
            evidence: current_runs(family).flat_map(evidence::of_run).collect(),
            ended: ended.map(|one| Ended {
                revision: count(&one["revision"]),
                result: text(&one["result"]),
                why: text(&one["why"]),
            }),
            traffic,
        }
    }

    /// `rev 2`, for the hash of a revision.
    pub(crate) fn revision_named(&self, hash: &str) -> String {
        self.numbers.get(hash).map_or_else(|| "others".to_owned(), |number| format!("rev {number}"))
    }

    /// `rev 1: 5/5, rev 2: 0/1`: pods that are ready, of those that are wanted.
    pub(crate) fn pods_told(&self) -> String {
        let told = self.pods.iter().map(|(number, Pods { ready, wanted })| format!("rev {number}: {ready}/{wanted}"));
        told.collect::<Vec<_>>().join(", ")
    }
}
