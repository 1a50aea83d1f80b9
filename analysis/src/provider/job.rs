//! Jobs: the object to create for a metric, and what its state says.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use sluice_crds::analysis::provider::JobMetric;
use sluice_crds::analysis::{AnalysisPhase, Measurement};

use super::Failure;
use super::http::excerpt;
use crate::run::Outcome;

/// The label of a Job that says for which run it is.
pub const RUN_UID: &str = "analysisrun.argoproj.io/uid";
const RUN_NAME: &str = "analysisrun.argoproj.io/name";
const RUN_NAMESPACE: &str = "analysisrun.argoproj.io/namespace";
const METRIC_NAME: &str = "analysisrun.argoproj.io/metric-name";
/// Under these names a measurement says which Job it waits for.
const JOB_NAME: &str = "job-name";
const JOB_NAMESPACE: &str = "job-namespace";
/// Pods carry the Job's name as a label, which is no longer than this.
const LONGEST_NAME: usize = 63;

/// The run for which a Job is.
#[derive(Clone, Copy, Debug)]
pub struct RunIdentity<'r> {
    /// Name of the run.
    pub name: &'r str,
    /// Namespace of the run.
    pub namespace: &'r str,
    /// Uid of the run.
    pub uid: &'r str,
}

/// A Job, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobRef {
    /// Its namespace; empty in measurements that don't say it, which means the run's.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl JobRef {
    /// The Job that a measurement waits for or waited for.
    pub fn of(measurement: &Measurement) -> Option<Self> {
        let notes = measurement.metadata.as_ref()?;
        let name = notes.get(JOB_NAME)?.clone();
        Some(Self { namespace: notes.get(JOB_NAMESPACE).cloned().unwrap_or_default(), name })
    }

    fn notes(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(JOB_NAME.to_owned(), self.name.clone()), (JOB_NAMESPACE.to_owned(), self.namespace.clone())])
    }
}

/// The Job for an attempt. Its name depends on the run, the metric and the attempt alone: one that is there already
/// was created for this very attempt by a controller that died before it could say so.
///
/// # Errors
/// The metric says nothing that can be run.
pub fn request(
    metric: &str,
    job: &JobMetric,
    run: RunIdentity<'_>,
    namespace: &str,
    attempt: i64,
) -> Result<(JobRef, Json), Failure> {
    let spec = job.spec.as_ref().ok_or_else(|| Failure("job.spec is missing; write the Job's spec".to_owned()))?;
    let written = job.metadata.as_ref();
    let mut labels = written.and_then(|written| written.labels.clone()).unwrap_or_default();
    labels.insert(RUN_UID.to_owned(), run.uid.to_owned());
    let mut annotations = written.and_then(|written| written.annotations.clone()).unwrap_or_default();
    annotations.insert(RUN_NAME.to_owned(), run.name.to_owned());
    annotations.insert(RUN_NAMESPACE.to_owned(), run.namespace.to_owned());
    annotations.insert(METRIC_NAME.to_owned(), metric.to_owned());
    let name = name(run.uid, metric, attempt);
    let mut object = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": name, "namespace": namespace, "labels": labels, "annotations": annotations},
        "spec": spec.as_json(),
    });
    // An owner in another namespace would have the Job deleted at once.
    if namespace == run.namespace {
        object["metadata"]["ownerReferences"] = json!([{
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "name": run.name, "uid": run.uid,
            "controller": true, "blockOwnerDeletion": true,
        }]);
    }
    Ok((JobRef { namespace: namespace.to_owned(), name }, object))
}

/// `<uid>.<metric>.<attempt>`; where that is too long, the metric's part is cut, because the others tell Jobs apart.
fn name(uid: &str, metric: &str, attempt: i64) -> String {
    let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    let metric: String = metric.to_ascii_lowercase().chars().map(plain).collect();
    let room = LONGEST_NAME.saturating_sub(format!("{uid}..{attempt}").len());
    let metric = metric.get(..room).unwrap_or(&metric).trim_matches('-');
    let name = if metric.is_empty() { format!("{uid}.{attempt}") } else { format!("{uid}.{metric}.{attempt}") };
    name.get(..LONGEST_NAME).map_or(name.clone(), str::to_owned)
}

/// What a Job says, with the pods that it has.
pub fn parse(job_ref: &JobRef, job: &Json, pods: &[Json], asked_at: Timestamp, now: Timestamp) -> Outcome {
    let verdict = |phase, message| Outcome::Verdict { phase, message, metadata: job_ref.notes() };
    if let Some(complete) = condition(job, "Complete") {
        return verdict(AnalysisPhase::Successful, reason(complete).unwrap_or_else(|| "the Job completed".to_owned()));
    }
    if let Some(failed) = condition(job, "Failed") {
        return verdict(AnalysisPhase::Failed, reason(failed).unwrap_or_else(|| "the Job failed".to_owned()));
    }
    if let Some(image) = pods.iter().find_map(missing_image) {
        return verdict(AnalysisPhase::Inconclusive, image);
    }
    Outcome::InFlight { resume_at: look_again(asked_at, now), metadata: job_ref.notes() }
}

/// A Job that was begun.
pub fn begun(job_ref: &JobRef, now: Timestamp) -> Outcome {
    Outcome::InFlight { resume_at: look_again(now, now), metadata: job_ref.notes() }
}

/// A Job that was ended because nobody waits for it any more.
pub fn ended(job_ref: &JobRef) -> Outcome {
    let message = "ended with its run".to_owned();
    Outcome::Verdict { phase: AnalysisPhase::Inconclusive, message, metadata: job_ref.notes() }
}

/// A Job that isn't there although its measurement waits for it.
pub fn gone(job_ref: &JobRef) -> Outcome {
    Outcome::Failure(Failure(format!("the Job {} was deleted before it ended", job_ref.name)))
}

fn condition<'j>(job: &'j Json, kind: &str) -> Option<&'j Json> {
    let conditions = job.pointer("/status/conditions")?.as_array()?;
    conditions.iter().find(|condition| condition["type"] == kind && condition["status"] == "True")
}

fn reason(condition: &Json) -> Option<String> {
    let text = |field: &str| condition[field].as_str().map(excerpt).filter(|text| !text.is_empty());
    match (text("reason"), text("message")) {
        (Some(reason), Some(message)) => Some(format!("{reason}: {message}")),
        (one, other) => one.or(other),
    }
}

/// The pod can't start because its image isn't to be had: that says nothing about the release.
fn missing_image(pod: &Json) -> Option<String> {
    let lists = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let containers = lists.iter().filter_map(|list| pod.pointer(list)?.as_array()).flatten();
    let mut waiting = containers.filter_map(|container| container.pointer("/state/waiting"));
    waiting.find_map(|waiting| {
        let why = waiting["reason"].as_str()?;
        let is_image = ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"].contains(&why);
        is_image.then(|| reason(waiting)).flatten()
    })
}

/// Jobs are watched, so this is only for what a watch misses: half of the time that it took so far.
fn look_again(asked_at: Timestamp, now: Timestamp) -> Timestamp {
    let (least, most) = (SignedDuration::from_secs(5), SignedDuration::from_secs(60));
    let wait = (now.duration_since(asked_at) / 2).clamp(least, most);
    now.saturating_add(wait).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "6f2c1d0e-1111-2222-3333-444455556666";

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn job_ref() -> JobRef {
        JobRef { namespace: "shop".to_owned(), name: "j".to_owned() }
    }

    #[test]
    fn a_job_is_named_after_its_run_metric_and_attempt_in_63_characters() {
        let rows = [
            ("smoke", 1, "6f2c1d0e-1111-2222-3333-444455556666.smoke.1"),
            ("Smoke_Test", 12, "6f2c1d0e-1111-2222-3333-444455556666.smoke-test.12"),
            (
                "a-metric-with-a-very-long-name-indeed",
                3,
                "6f2c1d0e-1111-2222-3333-444455556666.a-metric-with-a-very-lon.3",
            ),
            ("---", 3, "6f2c1d0e-1111-2222-3333-444455556666.3"),
            ("é", 3, "6f2c1d0e-1111-2222-3333-444455556666.3"),
        ];
        for (metric, attempt, expected) in rows {
            let name = name(UID, metric, attempt);
            assert_eq!(name, expected);
            assert!(name.len() <= 63, "{name}");
        }
        assert_eq!(name(&"u".repeat(80), "m", 1), "u".repeat(63));
    }

    #[test]
    fn a_job_says_which_run_and_metric_it_is_for() {
        let metric: JobMetric = serde_json::from_value(json!({
            "metadata": {"labels": {"team": "shop"}, "annotations": {"note": "x"}},
            "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never"}}},
        }))
        .expect("a job");
        let run = RunIdentity { name: "web-1", namespace: "shop", uid: UID };
        let (job, object) = request("smoke", &metric, run, "shop", 1).expect("a Job");
        assert_eq!(job.name, format!("{UID}.smoke.1"));
        assert_eq!(
            object,
            json!({
                "apiVersion": "batch/v1", "kind": "Job",
                "metadata": {
                    "name": format!("{UID}.smoke.1"), "namespace": "shop",
                    "labels": {"team": "shop", "analysisrun.argoproj.io/uid": UID},
                    "annotations": {
                        "note": "x", "analysisrun.argoproj.io/name": "web-1",
                        "analysisrun.argoproj.io/namespace": "shop", "analysisrun.argoproj.io/metric-name": "smoke",
                    },
                    "ownerReferences": [{
                        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "name": "web-1", "uid": UID,
                        "controller": true, "blockOwnerDeletion": true,
                    }],
                },
                "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never"}}},
            })
        );
        let (_, elsewhere) = request("smoke", &metric, run, "jobs", 1).expect("a Job");
        assert_eq!(elsewhere["metadata"].get("ownerReferences"), None);
    }

    #[test]
    fn the_state_of_a_job_is_its_verdict() {
        let condition = |kind: &str, status: &str, reason: &str, message: &str| json!({"status": {"conditions": [{"type": kind, "status": status, "reason": reason, "message": message}]}});
        let waiting = |reason: &str| json!({"status": {"containerStatuses": [{"state": {"waiting": {"reason": reason, "message": "no such image"}}}]}});
        let rows = [
            (condition("Complete", "True", "", ""), vec![], Some((AnalysisPhase::Successful, "the Job completed"))),
            (
                condition("Failed", "True", "BackoffLimitExceeded", "too many"),
                vec![],
                Some((AnalysisPhase::Failed, "BackoffLimitExceeded: too many")),
            ),
            (condition("Failed", "False", "", ""), vec![], None),
            (condition("Suspended", "True", "", ""), vec![], None),
            (json!({}), vec![waiting("ContainerCreating")], None),
            (
                json!({}),
                vec![json!({}), waiting("ImagePullBackOff")],
                Some((AnalysisPhase::Inconclusive, "ImagePullBackOff: no such image")),
            ),
        ];
        let (asked, now) = (time("2026-01-01T12:00:00Z"), time("2026-01-01T12:01:00Z"));
        for (job, pods, expected) in rows {
            let outcome = parse(&job_ref(), &job, &pods, asked, now);
            match (&outcome, &expected) {
                (Outcome::Verdict { phase, message, .. }, Some((wanted, sentence))) => {
                    assert_eq!((phase, message.as_str()), (wanted, *sentence));
                }
                (Outcome::InFlight { resume_at, .. }, None) => assert_eq!(*resume_at, time("2026-01-01T12:01:30Z")),
                _ => panic!("{job}: {outcome:?}"),
            }
        }
    }
}
