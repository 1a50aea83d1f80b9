//! What a plan is made from: the objects around one Rollout, trimmed to what is read of them.
//!
//! The shell decodes each object once, when it arrives, and shares it between passes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use sluice_crds::analysis::AnalysisTemplateSpec;
use sluice_crds::mistake::Mistake;
use sluice_crds::template::HASH_LABEL;
use sluice_crds::values::parse_time;
use sluice_crds::{AnalysisRun, AnalysisTemplate, Experiment, validate};
use sluice_traffic::Objects;

use crate::names::{MANAGED_BY, SCALE_DOWN_DEADLINE};
use crate::packed_map::PackedMap;
use crate::packed_template::PackedTemplate;
use crate::plugins::Answer as Called;
use crate::probe::Answer;
use crate::read_rollout::ReadRollout;
use crate::workload::Workloads;

/// Everything that is observed around one Rollout.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The Rollout itself.
    pub rollout: Arc<ReadRollout>,
    /// At least: the ReplicaSets that the Rollout owns, those in its namespace without a controller whose labels
    /// match its selector, and those whose name begins with its name and a dash: those of its Experiments do. More do
    /// no harm.
    pub replica_sets: Vec<Arc<ReplicaSet>>,
    /// At least: the pods of the ReplicaSets that the Rollout owns. Counts come from the ReplicaSets; where a single
    /// pod is evicted, both must agree that it can go.
    pub pods: Vec<Arc<Pod>>,
    /// The Services that the Rollout's strategy names, as far as they exist, and those that it looked after before and
    /// names no more.
    pub services: Vec<Arc<Service>>,
    /// At least: the AnalysisRuns that the Rollout owns, and those whose name begins with its name and a dash.
    pub runs: Vec<Arc<AnalysisRun>>,
    /// At least: the Experiments that the Rollout owns, and those whose name begins with its name and a dash.
    pub experiments: Vec<Arc<Experiment>>,
    /// At least: the AnalysisTemplates that its analyses name, and those that these name in turn.
    pub templates: Vec<Arc<Template>>,
    /// The same of ClusterAnalysisTemplates.
    pub cluster_templates: Vec<Arc<Template>>,
    /// The objects that its routing needs ([`ReadRollout::routing_needs`]), as far as somebody has looked for them.
    pub routing: Objects,
    /// The workloads that it needs ([`ReadRollout::workload_needs`]), as far as somebody has looked for them.
    pub workloads: Workloads,
    /// Plugins that a step can name.
    pub plugins: Arc<BTreeSet<String>>,
    /// What came of the latest call of one, if there was any.
    pub called: Option<Called>,
    /// What the latest requests through its routers have found, if they are asked for.
    pub probed: Option<Answer>,
}

/// What is read of the metadata of any object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its uid: another object of the same name is another object.
    pub uid: String,
    /// Its resource version, for the store.
    pub resource_version: String,
    /// The generation of its spec.
    pub generation: i64,
    /// Its labels.
    pub labels: PackedMap,
    /// Its annotations.
    pub annotations: PackedMap,
    /// Whether there is a map of annotations at all; a JSON Patch into an absent one fails.
    pub has_annotations: bool,
    /// Uid of the object that controls it.
    pub controller: Option<String>,
    /// Whether any owner is named, controller or not.
    pub has_owners: bool,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// Whether it is on its way out.
    pub deleting: bool,
}

/// A ReplicaSet.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaSet {
    /// Who it is.
    pub meta: Metadata,
    /// `spec.replicas`.
    pub wanted: i32,
    /// `spec.minReadySeconds`.
    pub min_ready_seconds: i32,
    /// `spec.template`, with the hash label in it.
    pub template: PackedTemplate,
    /// Pods that exist.
    pub replicas: i32,
    /// Pods that are ready.
    pub ready: i32,
    /// Pods that have been ready for `minReadySeconds`.
    pub available: i32,
    /// `status.observedGeneration`.
    pub observed_generation: i64,
    /// Until when it keeps pods that nothing needs any more, if that was written on it.
    pub scale_down_deadline: Option<Timestamp>,
    /// Why its controller can't make pods (quota, webhook), if it can't: reason and message.
    pub failure: Option<(String, String)>,
}

/// A pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Pod {
    /// Who it is.
    pub meta: Metadata,
    /// Whether it is ready.
    pub ready: bool,
    /// What keeps it from being ready, in one sentence, if its status says so.
    pub trouble: Option<String>,
}

/// A Service.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Who it is.
    pub meta: Metadata,
    /// `spec.selector`.
    pub selector: BTreeMap<String, String>,
    /// `spec.ports`, as text: they are read for the Service of an Experiment only.
    pub ports: Box<str>,
}

/// An AnalysisTemplate or ClusterAnalysisTemplate.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// Who it is.
    pub meta: Metadata,
    /// What it says.
    pub spec: AnalysisTemplateSpec,
    /// What keeps its metrics from being judged.
    pub mistakes: Vec<Mistake>,
}

impl Metadata {
    /// Reads an object's metadata.
    ///
    /// # Errors
    /// It has no name or no uid, and so came from no API server.
    pub fn from_json(object: &Value) -> Result<Self, String> {
        let metadata = &object["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
        let owners = metadata["ownerReferences"].as_array().map(Vec::as_slice).unwrap_or_default();
        let read = Self {
            name: text("name"),
            namespace: text("namespace"),
            uid: text("uid"),
            resource_version: text("resourceVersion"),
            generation: metadata["generation"].as_i64().unwrap_or(0),
            labels: PackedMap::from(&metadata["labels"]),
            annotations: PackedMap::from(&metadata["annotations"]),
            has_annotations: metadata["annotations"].is_object(),
            controller: owners
                .iter()
                .find(|owner| owner["controller"] == true)
                .and_then(|owner| owner["uid"].as_str())
                .map(str::to_owned),
            has_owners: !owners.is_empty(),
            created_at: metadata["creationTimestamp"].as_str().and_then(|text| parse_time(text).ok()),
            deleting: metadata["deletionTimestamp"].is_string(),
        };
        if read.name.is_empty() || read.uid.is_empty() {
            return Err("metadata.name and metadata.uid must be set; the API server sets both".to_owned());
        }
        Ok(read)
    }
}

impl ReplicaSet {
    /// Reads a ReplicaSet as the API server sends it.
    ///
    /// # Errors
    /// It has no name or no uid.
    pub fn from_json(object: &Value) -> Result<Self, String> {
        let (spec, status) = (&object["spec"], &object["status"]);
        let failure = conditions(status).find(|condition| is_true(condition, "ReplicaFailure")).map(|condition| {
            let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
            (text("reason"), clipped(&text("message")))
        });
        let meta = Metadata::from_json(object)?;
        let deadline = meta.annotations.get(SCALE_DOWN_DEADLINE).and_then(|text| parse_time(text).ok());
        Ok(Self {
            meta,
            scale_down_deadline: deadline,
            wanted: spec["replicas"].as_i64().map_or(1, to_count),
            min_ready_seconds: spec["minReadySeconds"].as_i64().map_or(0, to_count),
            template: PackedTemplate::from(&spec["template"]),
            replicas: count(&status["replicas"]),
            ready: count(&status["readyReplicas"]),
            available: count(&status["availableReplicas"]),
            observed_generation: status["observedGeneration"].as_i64().unwrap_or(0),
            failure,
        })
    }

    /// The hash that names its revision: its label, or that of its template.
    pub fn hash(&self) -> &str {
        let label = self.meta.labels.get(HASH_LABEL);
        label.or_else(|| self.template.hash_label()).unwrap_or_default()
    }

    /// Available pods that will stay: what is above `spec.replicas` is on its way out.
    pub fn available_to_stay(&self) -> i32 {
        if sabotaged!(IgnoresMinReady) { self.ready.min(self.wanted) } else { self.available.min(self.wanted) }
    }

    /// Whether its status describes its spec.
    pub fn is_observed(&self) -> bool {
        self.observed_generation >= self.meta.generation
    }
}

impl Pod {
    /// Reads a pod as the API server sends it.
    ///
    /// # Errors
    /// It has no name or no uid.
    pub fn from_json(object: &Value) -> Result<Self, String> {
        let status = &object["status"];
        Ok(Self {
            meta: Metadata::from_json(object)?,
            ready: conditions(status).any(|condition| is_true(condition, "Ready")),
            trouble: trouble(status),
        })
    }
}

impl Template {
    /// Reads a template of either kind as the API server sends it, and looks for mistakes in it once.
    ///
    /// # Errors
    /// It has no name or no uid, or not the shape of its kind.
    pub fn from_json(object: &Value) -> Result<Self, String> {
        let meta = Metadata::from_json(object)?;
        let template: AnalysisTemplate =
            serde_json::from_value(object.clone()).map_err(|problem| problem.to_string())?;
        let mut mistakes = validate::analysis_template(&template);
        let of_metrics = sluice_analysis::check::check(template.spec.metrics()).into_iter();
        mistakes.extend(of_metrics.map(|found| found.mistake).filter(Mistake::stops_a_release));
        Ok(Self { meta, spec: template.spec, mistakes })
    }
}

impl Service {
    /// Reads a Service as the API server sends it.
    ///
    /// # Errors
    /// It has no name or no uid.
    pub fn from_json(object: &Value) -> Result<Self, String> {
        let spec = &object["spec"];
        let ports = spec.get("ports").map(Value::to_string).unwrap_or_default();
        Ok(Self { meta: Metadata::from_json(object)?, selector: text_map(&spec["selector"]), ports: ports.into() })
    }

    /// The Rollout that looks after its selector, if one does.
    pub fn managed_by(&self) -> Option<&str> {
        self.meta.annotations.get(MANAGED_BY)
    }

    /// The revision that it selects, if it selects one.
    pub fn hash(&self) -> Option<&str> {
        self.selector.get(HASH_LABEL).map(String::as_str)
    }
}

/// Waiting for an image, crashing, or not placed: what a person would look for first.
///
/// A kubelet tells of the same trouble in turns (`ErrImagePull` and `ImagePullBackOff`; ended, in its back-off, and
/// running once more): what is said outside of the brackets stays the same meanwhile.
fn trouble(status: &Value) -> Option<String> {
    let lists = ["initContainerStatuses", "containerStatuses"];
    let mut containers = lists.iter().flat_map(|list| status[*list].as_array().into_iter().flatten());
    containers.find_map(container_trouble).or_else(|| {
        let unplaced = conditions(status).find(|c| c["type"] == "PodScheduled" && c["status"] == "False")?;
        Some(format!("not scheduled: {}", clipped(unplaced["message"].as_str().unwrap_or("no reason given"))))
    })
}

fn container_trouble(container: &Value) -> Option<String> {
    let name = container["name"].as_str().unwrap_or_default();
    let (state, waiting) = (&container["state"], &container["state"]["waiting"]);
    let reason =
        waiting["reason"].as_str().filter(|reason| !matches!(*reason, "ContainerCreating" | "PodInitializing"));
    let message = waiting["message"].as_str().filter(|message| !message.is_empty()).map(clipped);
    let bracketed = |words: &[Option<&str>]| {
        let words: Vec<&str> = words.iter().copied().flatten().collect();
        if words.is_empty() { String::new() } else { format!(" ({})", words.join("; ")) }
    };
    // An init container that ended well has done its part.
    let ends = [&state["terminated"], &container["lastState"]["terminated"]];
    let crash = ends.into_iter().find(|end| end["exitCode"].as_i64().is_some_and(|code| code != 0));
    let is_ready = container["ready"] == true;
    match (crash, reason) {
        (Some(crash), reason) if !is_ready && !is_pull(reason) => {
            let word = crash["reason"].as_str().unwrap_or("Error");
            let code = format!("exit code {}", crash["exitCode"]);
            Some(format!("container {name}: {word}{}", bracketed(&[Some(&code), reason, message.as_deref()])))
        }
        (_, Some(reason)) => {
            let word = if is_pull(Some(reason)) { "ImagePullBackOff" } else { reason };
            Some(format!("container {name}: {word}{}", bracketed(&[message.as_deref()])))
        }
        _ => None,
    }
}

fn is_pull(reason: Option<&str>) -> bool {
    matches!(reason, Some("ErrImagePull" | "ImagePullBackOff"))
}

/// Messages of webhooks and kubelets can be pages long, and are kept in a status.
const LONGEST_MESSAGE: usize = 300;

fn clipped(message: &str) -> String {
    let mut characters = message.chars();
    let head: String = characters.by_ref().take(LONGEST_MESSAGE).collect();
    if characters.next().is_some() { head + "…" } else { head }
}

fn conditions(status: &Value) -> impl Iterator<Item = &Value> {
    status["conditions"].as_array().into_iter().flatten()
}

fn is_true(condition: &Value, kind: &str) -> bool {
    condition["type"] == kind && condition["status"] == "True"
}

fn text_map(value: &Value) -> BTreeMap<String, String> {
    let entries = value.as_object().into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

pub(crate) fn count(value: &Value) -> i32 {
    value.as_i64().map_or(0, to_count)
}

pub(crate) fn to_count(number: i64) -> i32 {
    i32::try_from(number.max(0)).unwrap_or(i32::MAX)
}
