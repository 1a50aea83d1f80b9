//! What is wrong with a Rollout.

mod blue_green;
mod canary;
mod gateway;
mod header_routes;
mod routing;
mod steps;

use super::fields::{Found, known_word, not_negative, required_text};
use super::names::OBJECT_NAME;
use super::pod_template::{self, Owner, weight_mistake};
use super::{metadata, selector};
use crate::mistake::{FieldPath, Mistake};
use crate::rollout::{AntiAffinity, Rollout, RolloutSpec, ScaleDown, WorkloadRef};
use crate::template::PodTemplate;

pub(super) fn check(rollout: &Rollout) -> Vec<Mistake> {
    let mut found = Found::new();
    let spec = &rollout.spec;
    let path = FieldPath::of("spec");
    metadata::check(&rollout.metadata, &mut found);
    not_negative(path.field("replicas"), spec.replicas, &mut found);
    not_negative(path.field("revisionHistoryLimit"), spec.revision_history_limit, &mut found);
    if let Some(window) = &spec.rollback_window {
        not_negative(path.field("rollbackWindow").field("revisions"), window.revisions, &mut found);
    }
    check_pods(&path, spec, &mut found);
    check_deadline(&path, spec, &mut found);
    check_strategy(&path, spec, &mut found);
    found
}

/// Where the pods come from and how they are found again.
fn check_pods(path: &FieldPath, spec: &RolloutSpec, found: &mut Found) {
    let template = spec.template.as_ref();
    match (template, &spec.workload_ref) {
        (None, None) => {
            let mend = "write the pod to run, or name the object that has it in spec.workloadRef";
            found.push(Mistake::missing(path.field("template"), "is required", mend));
        }
        (Some(template), None) => {
            let path = path.field("template");
            found.append(&mut pod_template::check(&path, template.as_json(), Owner::ReplicaSet));
        }
        (template, Some(workload)) => {
            if template.is_some_and(says_something) {
                let mend = "remove one of the two";
                found.push(Mistake::about(path.field("template"), "can't be combined with workloadRef", mend));
            }
            check_workload(&path.field("workloadRef"), workload, found);
        }
    }
    let selector_path = path.field("selector");
    match &spec.workload_ref {
        None => selector::check(&selector_path, spec.selector.as_ref(), template, found),
        Some(_) => selector::check_form(&selector_path, spec.selector.as_ref(), found),
    }
}

/// Tools write an empty template beside a workloadRef; that is no second one.
fn says_something(template: &PodTemplate) -> bool {
    template.containers().next().is_some() || !template.labels().is_empty() || !template.annotations().is_empty()
}

fn check_workload(path: &FieldPath, workload: &WorkloadRef, found: &mut Found) {
    let api_version = workload.api_version.as_deref();
    required_text(path.field("apiVersion"), api_version, "write apps/v1, or v1 for a PodTemplate", found);
    match workload.kind.as_deref().unwrap_or_default() {
        "" => {
            let mend = "write Deployment, ReplicaSet or PodTemplate";
            found.push(Mistake::missing(path.field("kind"), "is required", mend));
        }
        kind => known_word(path.field("kind"), kind, &["Deployment", "ReplicaSet", "PodTemplate"], found),
    }
    let name = workload.name.as_deref();
    super::fields::required_name(path.field("name"), name, &OBJECT_NAME, "name the object", found);
    if let Some(ScaleDown::Other(word)) = &workload.scale_down
        && !word.is_empty()
    {
        known_word(path.field("scaleDown"), word, ScaleDown::KNOWN, found);
    }
}

fn check_deadline(path: &FieldPath, spec: &RolloutSpec, found: &mut Found) {
    not_negative(path.field("minReadySeconds"), spec.min_ready_seconds, found);
    let (deadline, ready) = (spec.progress_deadline_seconds(), spec.min_ready_seconds());
    if deadline > ready {
        return;
    }
    found.push(if spec.progress_deadline_seconds.is_some() {
        let problem = format!("is not more than minReadySeconds, which is {ready}");
        let mend = format!("write more than {ready}");
        Mistake::wrong(path.field("progressDeadlineSeconds"), deadline, problem, mend)
    } else {
        let problem = format!("is not less than progressDeadlineSeconds, which is {deadline}");
        let mend = format!("write less than {deadline}, or set a longer progressDeadlineSeconds");
        Mistake::wrong(path.field("minReadySeconds"), ready, problem, mend)
    });
}

fn check_strategy(path: &FieldPath, spec: &RolloutSpec, found: &mut Found) {
    let path = path.field("strategy");
    match (spec.canary(), spec.blue_green()) {
        (None, None) => found.push(Mistake::missing(path, "is required", "write canary or blueGreen")),
        (Some(canary), None) => canary::check(&path.field("canary"), canary, found),
        (None, Some(blue_green)) => blue_green::check(&path.field("blueGreen"), blue_green, spec, found),
        (Some(canary), Some(blue_green)) => {
            found.push(Mistake::about(path.clone(), "has both canary and blueGreen", "keep one of the two"));
            canary::check(&path.field("canary"), canary, found);
            blue_green::check(&path.field("blueGreen"), blue_green, spec, found);
        }
    }
}

fn check_anti_affinity(path: &FieldPath, rules: Option<&AntiAffinity>, found: &mut Found) {
    const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
    let Some(rules) = rules else {
        return;
    };
    let preferred = rules.preferred_during_scheduling_ignored_during_execution.as_ref();
    let required = rules.required_during_scheduling_ignored_during_execution.as_ref();
    match (preferred, required) {
        (None, None) => {
            let mend = format!("write {PREFERRED} or requiredDuringSchedulingIgnoredDuringExecution");
            found.push(Mistake::missing(path.clone(), "has no rule", mend));
        }
        (Some(_), Some(_)) => {
            found.push(Mistake::about(
                path.clone(),
                "has both the preferred and the required rule",
                "keep one of the two",
            ));
        }
        _ => {}
    }
    if let Some(preferred) = preferred {
        let path = path.field(PREFERRED).field("weight");
        found.extend(weight_mistake(&path, i64::from(preferred.weight.unwrap_or_default())));
    }
}
