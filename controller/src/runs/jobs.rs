//! Jobs that measure: created, looked after, ended and cleaned up.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use sluice_analysis::provider::Failure;
use sluice_analysis::provider::job::{self, JobRef, RunIdentity};
use sluice_analysis::run::{Answer, Outcome, Prepared, PreparedMetric, in_flight};
use sluice_crds::AnalysisRun;
use sluice_crds::analysis::Measurement;

use crate::cache::Name;
use crate::requests::{FIELD_MANAGER, Request, RequestError, Requests};

/// The Jobs of one run.
pub(crate) struct Jobs<'r> {
    pub(crate) requests: &'r Requests,
    pub(crate) run: &'r AnalysisRun,
    /// As the watch has shown them.
    pub(crate) seen: &'r BTreeMap<Name, Arc<Value>>,
    pub(crate) now: Timestamp,
}

impl Jobs<'_> {
    /// What Jobs have come to that a measurement waits for, whether or not it is time to look after them.
    pub(crate) fn news(&self, prepared: &Prepared) -> Vec<Answer> {
        let mut news = Vec::new();
        for (index, metric) in prepared.metrics().iter().enumerate() {
            let Some((job, begun)) = self.awaited(metric) else { continue };
            let Some(object) = self.seen.get(&self.name_of(&job)) else { continue };
            let outcome = job::parse(&job, object, &[], started(begun, self.now), self.now);
            if !matches!(outcome, Outcome::InFlight { .. }) {
                news.push(Answer { metric: index, asked_at: self.now, outcome });
            }
        }
        news
    }

    /// Creates the Job of an attempt, unless a controller that died before it could say so has done it.
    pub(crate) async fn begin(&self, metric: &PreparedMetric, attempt: i64) -> Result<Outcome, RequestError> {
        let written = metric.metric.provider.as_ref().and_then(|provider| provider.job.as_ref());
        let Some(written) = written else {
            return Ok(Outcome::Failure(Failure("the metric has no Job".to_owned())));
        };
        let meta = &self.run.metadata;
        let text = |text: &'_ Option<String>| text.clone().unwrap_or_default();
        let (name, namespace, uid) = (text(&meta.name), text(&meta.namespace), text(&meta.uid));
        let identity = RunIdentity { name: &name, namespace: &namespace, uid: &uid };
        let (job, object) = match job::request(&metric.metric.name, written, identity, &namespace, attempt) {
            Ok(made) => made,
            Err(failure) => return Ok(Outcome::Failure(failure)),
        };
        let path = format!("/apis/batch/v1/namespaces/{namespace}/jobs");
        let request = Request {
            kind: "Job",
            method: "POST",
            path: &path,
            content_type: "application/json",
            body: &object,
            manager: FIELD_MANAGER,
        };
        match self.requests.write(&request).await {
            Ok(_) => tracing::info!(run = name, job = job.name, "a Job measures {:?}", metric.metric.name),
            Err(RequestError::Stale { code: 409, .. }) => {}
            Err(RequestError::Refused { code, reason, message }) if code < 500 && code != 429 => {
                return Ok(Outcome::Failure(Failure(format!("the Job was refused with {code} {reason}: {message}"))));
            }
            Err(problem) => return Err(problem),
        }
        Ok(job::begun(&job, self.now))
    }

    /// Looks after a Job, past the cache where that doesn't show it.
    pub(crate) async fn resume(&self, metric: &PreparedMetric, job: &JobRef) -> Result<Outcome, RequestError> {
        let asked_at = self.awaited(metric).map_or(self.now, |(_, begun)| started(begun, self.now));
        let object = match self.seen.get(&self.name_of(job)) {
            Some(object) => Arc::clone(object),
            None => match self.requests.get("Job", &self.path(job)).await {
                Ok(object) => Arc::new(object),
                Err(RequestError::Stale { code: 404, .. }) => return Ok(job::gone(job)),
                Err(problem) => return Err(problem),
            },
        };
        let namespace = self.name_of(job).namespace;
        let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector=job-name%3D{}", job.name);
        // Pods only say why a Job can't begin; without them it is looked after all the same.
        let pods = self.requests.get("Pod", &path).await.unwrap_or_default();
        let pods = pods["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(job::parse(job, &object, pods, asked_at, self.now))
    }

    /// Ends a Job and its pods; one that is gone already is what is wanted.
    pub(crate) async fn end(&self, job: &JobRef) -> Result<(), RequestError> {
        let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"});
        let path = self.path(job);
        let request = Request {
            kind: "Job",
            method: "DELETE",
            path: &path,
            content_type: "application/json",
            body: &options,
            manager: FIELD_MANAGER,
        };
        match self.requests.write(&request).await {
            Ok(_) | Err(RequestError::Stale { code: 404, .. }) => Ok(()),
            Err(problem) => Err(problem),
        }
    }

    fn awaited(&self, metric: &PreparedMetric) -> Option<(JobRef, &Measurement)> {
        let results = self.run.status.as_ref()?.metric_results.as_deref()?;
        let begun = in_flight(results.iter().find(|result| result.name == metric.metric.name)?)?;
        Some((JobRef::of(begun)?, begun))
    }

    fn name_of(&self, job: &JobRef) -> Name {
        let own = self.run.metadata.namespace.as_deref().unwrap_or_default();
        Name::new(if job.namespace.is_empty() { own } else { &job.namespace }, &job.name)
    }

    fn path(&self, job: &JobRef) -> String {
        let Name { namespace, name } = self.name_of(job);
        format!("/apis/batch/v1/namespaces/{namespace}/jobs/{name}")
    }
}

fn started(measurement: &Measurement, now: Timestamp) -> Timestamp {
    measurement.started_at.as_ref().map_or(now, |time| time.0)
}
