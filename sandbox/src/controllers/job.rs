//! Job: runs pods to their end, counts each end exactly once, and says when it is over.
//!
//! A finished pod is counted in two moves, as Kubernetes does it: its uid goes into
//! `uncountedTerminatedPods`, then the pod loses the tracking finalizer, then the uid becomes a count.
//! A crash between any two of them loses and doubles nothing.
//!
//! Only `NonIndexed` Jobs are run. An `Indexed` one is left alone, with a condition that says so.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::object::{
    at, condition_is_true, controller_reference, controller_uid, count, is_being_deleted, moment, name, namespace, set,
    stamp, text, uid,
};
use super::pods::{is_active, is_ready, is_terminating};
use super::replica_set::BURST;
use super::write::{Decision, Kind, Write};

const TRACKING: &str = "batch.kubernetes.io/job-tracking";
const FIRST_RETRY_AFTER_S: i64 = 10;
const LONGEST_RETRY_AFTER_S: i64 = 600;

/// Decides for one Job. `pods` are all pods of its namespace that it owns.
#[must_use]
pub fn decide(job: &Value, pods: &[&Value], now: Timestamp) -> Decision {
    let mut pass = Pass {
        job,
        pods: pods.iter().copied().filter(|pod| controller_uid(pod) == Some(uid(job))).collect(),
        status: at(job, &["status"]).clone(),
        now,
        decision: Decision::nothing(),
    };
    if is_over(job) {
        pass.release_tracked_pods();
        pass.delete_when_ttl_is_over();
    } else if text(job, &["spec", "completionMode"]) == "Indexed" {
        pass.refuse_indexed();
    } else if !is_being_deleted(job) {
        pass.run();
    }
    if &pass.status != at(job, &["status"]) {
        let mut reported = job.clone();
        set(&mut reported, &["status"], pass.status);
        pass.decision.writes.push(Write::ReplaceStatus(Kind::Job, reported));
    }
    pass.decision
}

fn is_over(job: &Value) -> bool {
    condition_is_true(job, "Complete") || condition_is_true(job, "Failed")
}

fn succeeded(pod: &Value) -> bool {
    text(pod, &["status", "phase"]) == "Succeeded"
}

fn failed(pod: &Value) -> bool {
    // A pod that is being deleted before its end counts as failed once it is over.
    text(pod, &["status", "phase"]) == "Failed"
}

fn is_tracked(pod: &Value) -> bool {
    at(pod, &["metadata", "finalizers"]).as_array().is_some_and(|all| all.iter().any(|finalizer| finalizer == TRACKING))
}

fn finished_at(pod: &Value) -> Option<Timestamp> {
    at(pod, &["status", "containerStatuses"])
        .as_array()?
        .iter()
        .filter_map(|one| moment(one, &["state", "terminated", "finishedAt"]))
        .max()
}

struct Pass<'a> {
    job: &'a Value,
    pods: Vec<&'a Value>,
    status: Value,
    now: Timestamp,
    decision: Decision,
}

impl Pass<'_> {
    fn run(&mut self) {
        if at(&self.status, &["startTime"]).is_null() && !self.is_suspended() {
            set(&mut self.status, &["startTime"], stamp(self.now));
        }
        self.count_ends();
        let verdict = self.verdict();
        match verdict {
            Some(verdict) => {
                self.stop_active_pods();
                self.conclude(verdict);
            }
            None if self.is_suspended() => self.stop_active_pods(),
            None => self.start_pods(),
        }
        self.count_living();
    }

    fn is_suspended(&self) -> bool {
        at(self.job, &["spec", "suspend"]) == &Value::Bool(true)
    }

    fn uncounted(&self, key: &str) -> Vec<Value> {
        at(&self.status, &["uncountedTerminatedPods", key]).as_array().cloned().unwrap_or_default()
    }

    fn count_ends(&mut self) {
        for (key, total, ended) in
            [("succeeded", "succeeded", succeeded as fn(&Value) -> bool), ("failed", "failed", failed)]
        {
            let (mut waiting, mut counted) = (Vec::new(), 0);
            for listed in self.uncounted(key) {
                let holder = self.pods.iter().copied().find(|pod| listed == uid(pod) && is_tracked(pod));
                if let Some(pod) = holder {
                    self.decision.writes.push(release(pod));
                    waiting.push(listed);
                } else {
                    counted += 1;
                }
            }
            let fresh: Vec<Value> = self
                .pods
                .iter()
                .filter(|pod| is_tracked(pod) && ended(pod))
                .map(|pod| json!(uid(pod)))
                .filter(|uid| !waiting.contains(uid))
                .collect();
            waiting.extend(fresh);
            let before = count(&self.status, &[total]);
            if before + counted > 0 {
                set(&mut self.status, &[total], json!(before + counted));
            }
            if at(&self.status, &["uncountedTerminatedPods"]).is_null() {
                set(&mut self.status, &["uncountedTerminatedPods"], json!({}));
            }
            if let Some(lists) = self.status["uncountedTerminatedPods"].as_object_mut() {
                if waiting.is_empty() {
                    lists.remove(key);
                } else {
                    lists.insert(key.to_owned(), Value::Array(waiting));
                }
            }
        }
    }

    fn total(&self, key: &str) -> i64 {
        let listed = i64::try_from(self.uncounted(key).len()).unwrap_or(i64::MAX);
        count(&self.status, &[key]).saturating_add(listed)
    }

    fn verdict(&mut self) -> Option<Verdict> {
        let limit = at(self.job, &["spec", "backoffLimit"]).as_i64().unwrap_or(6);
        let restarts_in_place: i64 = if text(self.job, &["spec", "template", "spec", "restartPolicy"]) == "OnFailure" {
            self.pods.iter().filter(|pod| is_active(pod)).map(|pod| super::pods::restarts(pod)).sum()
        } else {
            0
        };
        if self.total("failed") > limit || (restarts_in_place > 0 && restarts_in_place >= limit) {
            return Some(Verdict::TooManyFailures);
        }
        if let Some(deadline) = self.deadline() {
            if deadline <= self.now {
                return Some(Verdict::TooLong);
            }
            self.decision.wake_no_later_than(Some(deadline));
        }
        let done = match at(self.job, &["spec", "completions"]).as_i64() {
            Some(completions) => self.total("succeeded") >= completions,
            None => self.total("succeeded") > 0 && !self.pods.iter().any(|pod| is_active(pod)),
        };
        done.then_some(Verdict::Complete)
    }

    fn deadline(&self) -> Option<Timestamp> {
        let seconds = at(self.job, &["spec", "activeDeadlineSeconds"]).as_i64()?;
        moment(&self.status, &["startTime"])?.checked_add(SignedDuration::from_secs(seconds)).ok()
    }

    fn start_pods(&mut self) {
        let active = i64::try_from(self.pods.iter().filter(|pod| is_active(pod)).count()).unwrap_or(i64::MAX);
        let parallelism = at(self.job, &["spec", "parallelism"]).as_i64().unwrap_or(1);
        let wanted = match at(self.job, &["spec", "completions"]).as_i64() {
            Some(completions) => parallelism.min(completions - self.total("succeeded")),
            None if self.total("succeeded") > 0 => active,
            None => parallelism,
        };
        if active > wanted {
            let surplus = usize::try_from(active - wanted.max(0)).unwrap_or(0);
            let going: Vec<Write> =
                self.pods.iter().filter(|pod| is_active(pod)).take(surplus).map(|pod| delete(pod)).collect();
            self.decision.writes.extend(going);
        } else if active < wanted {
            match self.retry_at() {
                Some(at) if at > self.now => self.decision.wake_no_later_than(Some(at)),
                _ => {
                    let pod = self.pod();
                    let missing = (active..wanted.min(active.saturating_add(BURST)))
                        .map(|_| Write::Create(Kind::Pod, pod.clone()));
                    self.decision.writes.extend(missing);
                }
            }
        }
    }

    /// After n failures in a row the next pod waits 10 s · 2ⁿ⁻¹, at most ten minutes.
    fn retry_at(&self) -> Option<Timestamp> {
        let failures = u32::try_from(self.total("failed")).ok().filter(|failures| *failures > 0)?;
        let last = self.pods.iter().filter(|pod| failed(pod)).filter_map(|pod| finished_at(pod)).max()?;
        let delay_s = FIRST_RETRY_AFTER_S
            .saturating_mul(1_i64.checked_shl(failures - 1).filter(|factor| *factor > 0).unwrap_or(i64::MAX))
            .min(LONGEST_RETRY_AFTER_S);
        last.checked_add(SignedDuration::from_secs(delay_s)).ok()
    }

    fn pod(&self) -> Value {
        let template = at(self.job, &["spec", "template"]);
        let mut metadata = json!({
            "generateName": format!("{}-", name(self.job)),
            "namespace": namespace(self.job),
            "finalizers": [TRACKING],
            "ownerReferences": [controller_reference(self.job)],
        });
        for key in ["labels", "annotations"] {
            let given = at(template, &["metadata", key]);
            if !given.is_null() {
                set(&mut metadata, &[key], given.clone());
            }
        }
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": at(template, &["spec"])})
    }

    fn stop_active_pods(&mut self) {
        let stops: Vec<Write> = self.pods.iter().filter(|pod| is_active(pod)).map(|pod| delete(pod)).collect();
        self.decision.writes.extend(stops);
    }

    /// The verdict is announced at once; the end is declared when the last pod is gone.
    fn conclude(&mut self, verdict: Verdict) {
        let (interim, end, reason, message) = verdict.words();
        self.add_condition(interim, reason, message);
        let pods_left = self.pods.iter().any(|pod| is_active(pod) || is_terminating(pod));
        let counting = !(self.uncounted("succeeded").is_empty() && self.uncounted("failed").is_empty());
        if !pods_left && !counting {
            self.add_condition(end, reason, message);
            if matches!(verdict, Verdict::Complete) {
                set(&mut self.status, &["completionTime"], stamp(self.now));
            }
        }
    }

    fn refuse_indexed(&mut self) {
        self.add_condition(
            "Failed",
            "IndexedJobsAreNotRun",
            "this cluster runs NonIndexed Jobs only; remove spec.completionMode",
        );
    }

    fn add_condition(&mut self, kind: &str, reason: &str, message: &str) {
        let mut conditions = at(&self.status, &["conditions"]).as_array().cloned().unwrap_or_default();
        if super::object::condition(&conditions, kind).is_some() {
            return;
        }
        conditions.push(json!({
            "type": kind,
            "status": "True",
            "reason": reason,
            "message": message,
            "lastProbeTime": stamp(self.now),
            "lastTransitionTime": stamp(self.now),
        }));
        set(&mut self.status, &["conditions"], Value::Array(conditions));
    }

    fn count_living(&mut self) {
        let tally = |test: fn(&Value) -> bool| self.pods.iter().filter(|pod| test(pod)).count();
        let (active, terminating) = (tally(is_active), tally(is_terminating));
        let ready = tally(|pod| is_active(pod) && is_ready(pod));
        set(&mut self.status, &["terminating"], json!(terminating));
        set(&mut self.status, &["ready"], json!(ready));
        if let Some(status) = self.status.as_object_mut() {
            if active > 0 {
                status.insert("active".to_owned(), json!(active));
            } else {
                status.remove("active");
            }
        }
    }

    fn release_tracked_pods(&mut self) {
        let releases: Vec<Write> = self.pods.iter().filter(|pod| is_tracked(pod)).map(|pod| release(pod)).collect();
        self.decision.writes.extend(releases);
    }

    fn delete_when_ttl_is_over(&mut self) {
        let Some(ttl) = at(self.job, &["spec", "ttlSecondsAfterFinished"]).as_i64() else {
            return;
        };
        let over_since = at(self.job, &["status", "conditions"]).as_array().and_then(|all| {
            all.iter()
                .filter(|one| matches!(text(one, &["type"]), "Complete" | "Failed"))
                .find_map(|one| moment(one, &["lastTransitionTime"]))
        });
        let expires = over_since.and_then(|since| since.checked_add(SignedDuration::from_secs(ttl)).ok());
        match expires {
            Some(expires) if expires <= self.now => self.decision.writes.push(Write::Delete {
                kind: Kind::Job,
                namespace: namespace(self.job).to_owned(),
                name: name(self.job).to_owned(),
                uid: uid(self.job).to_owned(),
            }),
            later => self.decision.wake_no_later_than(later),
        }
    }
}

#[derive(Clone, Copy)]
enum Verdict {
    Complete,
    TooManyFailures,
    TooLong,
}

impl Verdict {
    /// Interim condition, final condition, reason, message.
    fn words(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Complete => {
                ("SuccessCriteriaMet", "Complete", "CompletionsReached", "Reached expected number of succeeded pods")
            }
            Self::TooManyFailures => {
                ("FailureTarget", "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
            }
            Self::TooLong => {
                ("FailureTarget", "Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
            }
        }
    }
}

fn delete(pod: &Value) -> Write {
    Write::Delete {
        kind: Kind::Pod,
        namespace: namespace(pod).to_owned(),
        name: name(pod).to_owned(),
        uid: uid(pod).to_owned(),
    }
}

fn release(pod: &Value) -> Write {
    let left: Vec<Value> = at(pod, &["metadata", "finalizers"])
        .as_array()
        .into_iter()
        .flatten()
        .filter(|finalizer| *finalizer != TRACKING)
        .cloned()
        .collect();
    let left = if left.is_empty() { Value::Null } else { Value::Array(left) };
    Write::Patch {
        kind: Kind::Pod,
        namespace: namespace(pod).to_owned(),
        name: name(pod).to_owned(),
        patch: json!({"metadata": {"uid": uid(pod), "finalizers": left}}),
    }
}
