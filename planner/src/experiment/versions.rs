//! How far each version is.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sluice_crds::experiment::{TemplatePhase, TemplateStatus};
use sluice_crds::mistake::{Mistake, for_condition};

use super::observe::{Trial, Version};

/// What is to be said of each version.
pub(super) fn statuses(trial: &Trial<'_>, in_the_way: &[Mistake]) -> Vec<TemplateStatus> {
    trial.versions.iter().map(|version| status(trial, version, in_the_way)).collect()
}

/// Until when a version that is not up has time.
pub(super) fn deadline(trial: &Trial<'_>, status: &TemplateStatus) -> Option<Timestamp> {
    let since = status.last_transition_time.as_ref()?.0;
    let seconds = trial.experiment.spec.progress_deadline_seconds();
    since.checked_add(SignedDuration::from_secs(seconds.into())).ok()
}

fn status(trial: &Trial<'_>, version: &Version<'_>, in_the_way: &[Mistake]) -> TemplateStatus {
    let mut status = counted(version);
    let was = version.before.as_ref().and_then(|before| before.status.clone());
    let phase = match was {
        Some(TemplatePhase::Failed | TemplatePhase::Error) => return status,
        _ if version.is_up() && in_the_way.is_empty() => TemplatePhase::Running,
        _ => TemplatePhase::Progressing,
    };
    let before = version.before.as_ref().and_then(|before| before.available_replicas).unwrap_or(0);
    let has_moved = status.status.as_ref() != Some(&phase) || version.available() > before;
    if has_moved || status.last_transition_time.is_none() {
        status.last_transition_time = Some(Time(trial.now));
    }
    status.message = (phase == TemplatePhase::Progressing).then(|| missing(trial, version, in_the_way));
    let is_late = deadline(trial, &status).is_some_and(|deadline| deadline <= trial.now);
    if phase == TemplatePhase::Progressing && is_late {
        let seconds = trial.experiment.spec.progress_deadline_seconds();
        let missing = status.message.take().unwrap_or_default();
        status.status = Some(TemplatePhase::Failed);
        status.last_transition_time = Some(Time(trial.now));
        status.message = Some(format!("{missing}, and nothing has changed for {seconds} s (progressDeadlineSeconds)"));
    } else {
        status.status = Some(phase);
    }
    status
}

/// The stored status with its counts as they are now.
pub(super) fn counted(version: &Version<'_>) -> TemplateStatus {
    let before = version.before.clone().unwrap_or_default();
    TemplateStatus {
        name: version.asked.name.clone(),
        replicas: Some(version.set.map_or(0, |set| set.replicas)),
        updated_replicas: Some(version.set.map_or(0, |set| set.replicas)),
        ready_replicas: Some(version.set.map_or(0, |set| set.ready)),
        available_replicas: Some(version.available()),
        service_name: version.service.map(|service| service.meta.name.clone()),
        pod_template_hash: version.set.map(|set| set.hash().into()).or(before.pod_template_hash),
        ..before
    }
}

/// What a version waits for.
fn missing(trial: &Trial<'_>, version: &Version<'_>, in_the_way: &[Mistake]) -> String {
    if !in_the_way.is_empty() {
        return format!("its pods are not begun: {}", for_condition(in_the_way).replace('\n', "; "));
    }
    if let Some((_, sentence)) = trial.refused.as_ref().filter(|(name, _)| is_of(version, name)) {
        return sentence.clone();
    }
    let taken = |kind: &str, name: &str| {
        format!("the name of {kind} {name} is taken by another one; delete that, or choose another name here")
    };
    if version.set_name_is_taken {
        return taken("ReplicaSet", &version.set_name);
    }
    if let Some(name) = version.service_name.as_ref().filter(|_| version.service_name_is_taken) {
        return taken("Service", name);
    }
    let pods = format!("{} of {} pods are available", version.available(), version.asked.replicas());
    let failure =
        version.set.and_then(|set| set.failure.as_ref()).map(|(reason, message)| format!("{reason}: {message}"));
    match failure.or_else(|| trouble(trial, version)) {
        Some(trouble) => format!("{pods} ({trouble})"),
        None => pods,
    }
}

fn is_of(version: &Version<'_>, name: &str) -> bool {
    version.set_name == name || version.service_name.as_deref() == Some(name)
}

fn trouble(trial: &Trial<'_>, version: &Version<'_>) -> Option<String> {
    let uid = &version.set?.meta.uid;
    let mut pods = trial.snapshot.pods.iter().filter(|pod| pod.meta.controller.as_ref() == Some(uid));
    pods.find_map(|pod| pod.trouble.clone())
}
