//! From the JSON of a watch to what is kept of it: decoded once, trimmed to what plans read.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sluice_analysis::provider::job::RUN_UID as JOB_LABEL;
use sluice_crds::values::Shared;
use sluice_crds::{AnalysisRun, Rollout};
use sluice_planner::{Metadata, Pod, ReplicaSet, Service, Template, Workload, trimmed_managers};

use crate::cache::{Cached, Needed, Object, Watched, filed, looked_after_by};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Reads an object.
///
/// # Errors
/// It doesn't have the shape of its kind; the sentence says what is wrong.
pub(crate) fn read(kind: Watched, object: &Value) -> Result<Object, String> {
    match kind {
        Watched::Rollout => {
            let meta = Metadata::from_json(object)?;
            let mut rollout = Rollout::deserialize(object).map_err(|problem| problem.to_string())?;
            rollout.metadata.managed_fields = rollout.metadata.managed_fields.as_deref().and_then(trimmed_managers);
            if let Some(annotations) = &mut rollout.metadata.annotations {
                annotations.remove(LAST_APPLIED);
            }
            Ok(Object::Rollout(filed(&meta, rollout.into())))
        }
        Watched::ReplicaSet => {
            let replica_set = ReplicaSet::from_json(object)?;
            Ok(Object::ReplicaSet(filed(&replica_set.meta.clone(), replica_set)))
        }
        Watched::Pod => {
            let pod = Pod::from_json(object)?;
            Ok(Object::Pod(filed(&pod.meta.clone(), pod)))
        }
        Watched::AnalysisRun => run(object).map(Object::AnalysisRun),
        Watched::Experiment => Ok(Object::Experiment(filed(&Metadata::from_json(object)?, trimmed(object)?))),
        Watched::AnalysisTemplate => template(object).map(Object::AnalysisTemplate),
        Watched::ClusterAnalysisTemplate => template(object).map(Object::ClusterAnalysisTemplate),
        Watched::Job => {
            let meta = Metadata::from_json(object)?;
            // A Job may be in another namespace than its run, where no owner can be named.
            let owner = meta.labels.get(JOB_LABEL).map(str::to_owned);
            let kept = json!({"status": {"conditions": object["status"]["conditions"]}});
            Ok(Object::Job(filed(&Metadata { controller: owner, ..meta }, kept)))
        }
        Watched::Service => {
            let service = Service::from_json(object)?;
            // Found by the Rollout that looks after it, also when that names it no more.
            let owner = service.managed_by().map(|rollout| looked_after_by(&service.meta.namespace, rollout));
            Ok(Object::Service(filed(&Metadata { controller: owner, ..service.meta.clone() }, service)))
        }
        Watched::Route(_) | Watched::ReferenceGrant | Watched::Workload(_) => {
            needed(kind, object).map(|object| Object::Needed(kind, object))
        }
    }
}

/// Reads an object that is kept while somebody needs it.
///
/// # Errors
/// It is no object of its kind.
pub(crate) fn needed(kind: Watched, object: &Value) -> Result<Cached<Needed>, String> {
    let Watched::Workload(kind) = kind else { return routing(object) };
    let workload = Workload::from_json(kind, object)?;
    Ok(filed(&workload.meta.clone(), Needed::Workload(Arc::new(workload))))
}

/// Edits read any part of these objects but two: what somebody last applied, and which fields each manager has. (That
/// a manager is there, and at which place of the list, is read.)
///
/// # Errors
/// It is no object.
fn routing(object: &Value) -> Result<Cached<Needed>, String> {
    let meta = Metadata::from_json(object)?;
    let mut kept = object.clone();
    if let Some(annotations) = kept.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
    }
    let managers = kept.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut);
    for manager in managers.into_iter().flatten().filter_map(Value::as_object_mut) {
        manager.remove("fieldsV1");
    }
    Ok(filed(&meta, Needed::Route(Arc::new(kept))))
}

fn trimmed<T>(object: &Value) -> Result<T, String>
where
    T: DeserializeOwned + kube::Resource,
{
    let mut typed = T::deserialize(object).map_err(|problem| problem.to_string())?;
    typed.meta_mut().managed_fields = None;
    if let Some(annotations) = &mut typed.meta_mut().annotations {
        annotations.remove(LAST_APPLIED);
    }
    Ok(typed)
}

/// Measurements of one metric note the same: its query. Thousands of runs would hold it ten times over for each.
fn run(object: &Value) -> Result<Cached<AnalysisRun>, String> {
    let meta = Metadata::from_json(object)?;
    let mut run: AnalysisRun = trimmed(object)?;
    let results = run.status.iter_mut().flat_map(|status| status.metric_results.iter_mut().flatten());
    for measurements in results.filter_map(|result| result.measurements.as_mut()) {
        measurements.shrink_to_fit();
        let mut last: Option<Shared<BTreeMap<String, String>>> = None;
        for notes in measurements.iter_mut().filter_map(|measurement| measurement.metadata.as_mut()) {
            if let Some(last) = &last {
                notes.share(last);
            }
            last = Some(notes.clone());
        }
    }
    Ok(filed(&meta, run))
}

fn template(object: &Value) -> Result<Cached<Template>, String> {
    let template = Template::from_json(object)?;
    if !template.mistakes.is_empty() {
        let mistakes: Vec<String> = template.mistakes.iter().map(ToString::to_string).collect();
        tracing::warn!(template = template.meta.name, "can't be judged: {}", mistakes.join("; "));
    }
    Ok(filed(&template.meta.clone(), template))
}
