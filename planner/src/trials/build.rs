//! The Experiment that a step asks for, from the revisions as they are now.

use serde_json::{Value, json};
use sluice_analysis::args::{RolloutFacts, resolved};
use sluice_crds::experiment::{ExperimentAnalysis, ExperimentSpec, ExperimentTemplate, TemplateService};
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::rollout::experiment::{ExperimentStepAnalysis, ExperimentStepTemplate, SpecRef};
use sluice_crds::template::HASH_LABEL;

use super::NewTrial;
use crate::names::{INSTANCE_ID, REVISION};
use crate::observe::Release;
use crate::revisions::owner_reference;
use crate::written_template;

/// The object; none where a revision that it asks for has no ReplicaSet now, or an argument no value.
pub(super) fn object(release: &Release<'_>, trial: &NewTrial<'_>) -> Option<Value> {
    let metadata = &release.rollout.metadata;
    let instance = metadata.labels.as_ref().and_then(|labels| labels.get(INSTANCE_ID));
    let mut labels = json!({HASH_LABEL: release.new_hash.as_str()});
    if let Some(instance) = instance {
        labels[INSTANCE_ID] = json!(instance);
    }
    Some(json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Experiment",
        "metadata": {
            "name": trial.name,
            "namespace": release.namespace(),
            "labels": labels,
            "annotations": {REVISION: release.revision.to_string()},
            "ownerReferences": [owner_reference(release.rollout)],
        },
        "spec": spec(release, trial)?,
    }))
}

fn spec(release: &Release<'_>, trial: &NewTrial<'_>) -> Option<ExperimentSpec> {
    let asked = trial.asked;
    let templates = asked.templates().iter().map(|version| template(release, version)).collect::<Option<Vec<_>>>()?;
    let rollout = release.rollout.to_json();
    let latest = release.new_hash.as_str();
    let stable = release.facts.stable_hash.as_ref().map_or(latest, |hash| hash.as_str());
    let facts = RolloutFacts { rollout: &rollout, stable_hash: stable, latest_hash: latest };
    let analyses = asked.analyses().iter().map(|one| analysis(&FieldPath::root(), one, facts).ok());
    let analyses = analyses.collect::<Option<Vec<_>>>()?;
    Some(ExperimentSpec {
        templates: Some(templates),
        duration: asked.duration.clone(),
        progress_deadline_seconds: Some(release.rollout.spec.progress_deadline_seconds()),
        analyses: (!analyses.is_empty()).then_some(analyses),
        scale_down_delay_seconds: asked.scale_down_delay_seconds,
        dry_run: asked.dry_run.clone(),
        analysis_run_metadata: asked.analysis_run_metadata.clone(),
        ..ExperimentSpec::default()
    })
}

/// A version: the pods of a revision as its author wrote them, apart from what its role has added.
fn template(release: &Release<'_>, version: &ExperimentStepTemplate) -> Option<ExperimentTemplate> {
    let set = match version.spec_ref {
        Some(SpecRef::Stable) => release.other_stable().or(release.new),
        _ => release.new,
    }?;
    let added = version.metadata.clone().unwrap_or_default();
    let mut template = written_template(set);
    for (key, value) in added.labels.iter().flatten() {
        template = template.with_label(key, value);
    }
    for (key, value) in added.annotations.iter().flatten() {
        template = template.with_annotation(key, value);
    }
    let has_share = version.weight.is_some();
    Some(ExperimentTemplate {
        name: version.name.clone(),
        replicas: Some(version.replicas()),
        min_ready_seconds: (set.min_ready_seconds > 0).then_some(set.min_ready_seconds),
        selector: version.selector.clone().or_else(|| release.rollout.spec.selector.clone()),
        template: Some(template),
        service: version.service.clone().or_else(|| has_share.then(TemplateService::default)),
    })
}

/// An analysis with the values that the Rollout gives it.
pub(super) fn analysis(
    path: &FieldPath,
    asked: &ExperimentStepAnalysis,
    facts: RolloutFacts<'_>,
) -> Result<ExperimentAnalysis, Vec<Mistake>> {
    Ok(ExperimentAnalysis {
        name: asked.name.clone(),
        template_name: asked.template_name.clone(),
        cluster_scope: asked.cluster_scope,
        args: Some(resolved(path, asked.args.as_deref().unwrap_or_default(), facts)?),
        required_for_completion: asked.required_for_completion,
    })
}
