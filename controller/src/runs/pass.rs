//! One pass over one AnalysisRun: judge the answers that came in, ask what is due, write the status once.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use sluice_analysis::provider::job::{self, JobRef};
use sluice_analysis::provider::{Failure, Question, question, read};
use sluice_analysis::run::{self, Answer, Outcome as Came, Prepared, Task, What, assess};
use sluice_crds::AnalysisRun;
use sluice_crds::analysis::{AnalysisPhase, AnalysisRunStatus};
use sluice_crds::mistake::Mistake;
use sluice_planner::engine::{Moment, Outcome};
use sluice_planner::{Action, Kind, Target};

use super::desk::{Desk, UnderWay};
use super::jobs::Jobs;
use super::secrets::{self, NoSecrets};
use super::{Providers, news};
use crate::cache::{Name, RunView, Watched};
use crate::clock::Clock;
use crate::dispatch::Worker;
use crate::hub::{Begin, Hub};
use crate::informer::INSTANCE_LABEL;
use crate::metrics::PassEnd;
use crate::pass::text_of;
use crate::recorder::{Recorder, Subject};
use crate::requests::{RequestError, Requests};
use crate::work::Work;

/// Answers without a verdict wait so long for the others of their run, so that one write has them all.
const GATHERING: Moment = Duration::from_millis(500);
/// Time that has passed already is not asked for again and again.
const SOONEST_WAKE: Moment = Moment::from_millis(20);

const NO_JOBS: &str = "the controller may not list and watch jobs; give its account that right (the chart does), or measure in \
                       another way";

/// What every pass over a run needs.
#[derive(Debug)]
pub(crate) struct RunPasses {
    pub(crate) hub: Arc<Hub>,
    pub(crate) clock: Clock,
    pub(crate) requests: Arc<Requests>,
    pub(crate) recorder: Recorder,
    pub(crate) desk: Arc<Desk>,
    pub(crate) providers: Arc<Providers>,
    /// Whose runs these are; empty for those without one.
    pub(crate) instance_id: String,
}

/// A run and the time at which it is looked at.
struct Look<'r> {
    name: &'r Name,
    view: &'r RunView,
    now: Timestamp,
}

/// What a pass has come to before anything is written.
struct Judged {
    status: AnalysisRunStatus,
    dropped_jobs: Vec<JobRef>,
    /// Answers that are in the status.
    settled: Vec<usize>,
    /// Whether a Job was begun or ended, which must be in the status.
    has_news_of_jobs: bool,
    wake_at: Option<Timestamp>,
    waits_for_answers: bool,
}

impl Worker for RunPasses {
    fn work(&self) -> Work {
        Work::Runs
    }

    fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    fn clock(&self) -> Clock {
        self.clock
    }

    /// Runs one pass. A panic in it is a bug of ours: it is counted, this run is held back, the others go on.
    async fn pass(&self, name: &Name) -> Outcome {
        let (outcome, end) = match AssertUnwindSafe(self.try_pass(name)).catch_unwind().await {
            Ok(ended) => ended,
            Err(panic) => {
                let what = text_of(panic.as_ref());
                tracing::error!(namespace = &*name.namespace, run = &*name.name, "a bug: the pass panicked: {what}");
                (Outcome::Failed, PassEnd::Panicked)
            }
        };
        self.hub.metrics().pass(Work::Runs, name, end, self.clock.moment());
        outcome
    }

    /// Only the leader asks providers.
    fn stand_by(&self) {
        self.desk.close_all();
    }
}

impl RunPasses {
    async fn try_pass(&self, name: &Name) -> (Outcome, PassEnd) {
        let view = match self.hub.begin_run(name) {
            Begin::Plan(view) => view,
            Begin::Wait(until) => return (Outcome::Later { at: until }, PassEnd::Waiting),
            Begin::Gone => {
                self.desk.close(name);
                return (SETTLED, PassEnd::Gone);
            }
        };
        let look = Look { name, view: &view, now: self.clock.now() };
        let labels = view.run.metadata.labels.as_ref();
        let instance = labels.and_then(|labels| labels.get(INSTANCE_LABEL)).map_or("", String::as_str);
        let outcome = if instance != self.instance_id {
            // Known only because it has a name that one of ours would get.
            Ok((SETTLED, PassEnd::Idle))
        } else if view.run.metadata.deletion_timestamp.is_some() {
            self.desk.close(name);
            Ok((SETTLED, PassEnd::Idle))
        } else if phase(&view.run).is_some_and(AnalysisPhase::is_completed) {
            self.desk.close(name);
            self.after_the_end(&look).await
        } else {
            self.measure(&look).await
        };
        outcome.unwrap_or_else(|problem| self.failed(name, &problem))
    }

    /// A run that has its verdict stays until its time to live is over.
    async fn after_the_end(&self, look: &Look<'_>) -> Result<(Outcome, PassEnd), RequestError> {
        let Some(at) = run::deleted_at(&look.view.run) else { return Ok((SETTLED, PassEnd::Idle)) };
        if at > look.now {
            return Ok((self.wake_at(Some(at)), PassEnd::Idle));
        }
        let meta = &look.view.run.metadata;
        let action = Action::Delete {
            uid: meta.uid.clone().unwrap_or_default(),
            resource_version: meta.resource_version.clone().unwrap_or_default(),
        };
        match self.write(look.name, &action).await {
            Ok(_) | Err(RequestError::Stale { code: 404, .. }) => Ok((SETTLED, PassEnd::Applied)),
            Err(problem) => Err(problem),
        }
    }

    async fn measure(&self, look: &Look<'_>) -> Result<(Outcome, PassEnd), RequestError> {
        let run = &look.view.run;
        let prepared = match self.prepare(look).await? {
            Ok(prepared) => prepared,
            Err(mistakes) => {
                let status = run::refuse(run, &mistakes, look.now);
                self.write_status(look, &status).await?;
                return Ok((SETTLED, PassEnd::Applied));
            }
        };
        let under_way = self.desk.under_way(look.name);
        let first_answer = under_way.first_answer;
        let judged = self.judge(look, &prepared, under_way).await?;
        let settled = self.wake_at(judged.wake_at);
        if run.status.as_ref() == Some(&judged.status) {
            self.desk.settled(look.name, judged.settled);
            return Ok((settled, PassEnd::Idle));
        }
        let until = first_answer.map(|at| at.saturating_add(GATHERING)).filter(|until| *until > self.clock.moment());
        let can_wait = judged.waits_for_answers
            && !judged.has_news_of_jobs
            && !news::has_verdict(run.status.as_ref(), &judged.status);
        if let Some(until) = until.filter(|_| can_wait) {
            return Ok((Outcome::Later { at: until }, PassEnd::Waiting));
        }
        self.write_status(look, &judged.status).await?;
        self.desk.settled(look.name, judged.settled);
        let jobs = self.jobs(look, run);
        for job in &judged.dropped_jobs {
            jobs.end(job).await?;
        }
        Ok((settled, PassEnd::Applied))
    }

    /// What the run says, read once; the outer error is one to try again after.
    async fn prepare(&self, look: &Look<'_>) -> Result<Result<Arc<Prepared>, Vec<Mistake>>, RequestError> {
        let run = &look.view.run;
        if let Some(prepared) = self.desk.prepared(look.name, run) {
            return Ok(Ok(prepared));
        }
        let secrets = match secrets::read(&self.requests, run).await {
            Ok(secrets) => secrets,
            Err(NoSecrets::Refused(mistakes)) => return Ok(Err(mistakes)),
            Err(NoSecrets::Later(problem)) => return Err(problem),
        };
        Ok(Prepared::new(run, secrets).map(|prepared| self.desk.open(look.name, run, prepared)))
    }

    /// Judges what has come in, and begins what is due.
    async fn judge(
        &self,
        look: &Look<'_>,
        prepared: &Arc<Prepared>,
        under_way: UnderWay,
    ) -> Result<Judged, RequestError> {
        let (run, now) = (&look.view.run, look.now);
        let jobs = self.jobs(look, run);
        let settled: Vec<usize> = under_way.answers.iter().map(|(_, answer)| answer.metric).collect();
        // The answer to a write may be lost although it was carried out: what is in the status is not counted twice.
        let awaited = |attempt: i64, answer: &Answer| {
            let metric = prepared.metrics().get(answer.metric);
            metric.is_some_and(|metric| run::next_attempt(run.status.as_ref(), metric) == attempt)
        };
        let mut answers = jobs.news(prepared);
        answers.extend(under_way.answers.into_iter().filter(|(n, answer)| awaited(*n, answer)).map(|(_, a)| a));
        let first = assess(prepared, run, answers, now);
        let mut dropped_jobs = first.dropped_jobs;
        let mut after = AnalysisRun { status: Some(first.status), ..(**run).clone() };
        let mut asking = under_way.asking;
        let tasks = run::plan(prepared, &after, &asking, now).tasks;
        let mut more = Vec::new();
        for task in tasks {
            match self.begin(look, prepared, &after, &task).await? {
                Some(outcome) => more.push(Answer { metric: task.metric, asked_at: now, outcome }),
                None => drop(asking.insert(task.metric)),
            }
        }
        let has_news_of_jobs = !more.is_empty();
        if has_news_of_jobs {
            let second = assess(prepared, &after, more, now);
            dropped_jobs.extend(second.dropped_jobs);
            after.status = Some(second.status);
        }
        let next = run::plan(prepared, &after, &asking, now);
        let wake_at = if next.tasks.is_empty() { next.wake_at } else { Some(now) };
        Ok(Judged {
            status: after.status.unwrap_or_default(),
            dropped_jobs,
            settled,
            has_news_of_jobs,
            wake_at,
            waits_for_answers: !asking.is_empty(),
        })
    }

    /// Does what a task says. `None`: the answer comes later by itself.
    async fn begin(
        &self,
        look: &Look<'_>,
        prepared: &Arc<Prepared>,
        run: &AnalysisRun,
        task: &Task,
    ) -> Result<Option<Came>, RequestError> {
        let Some(metric) = prepared.metrics().get(task.metric) else { return Ok(None) };
        let jobs = self.jobs(look, run);
        let attempt = match &task.what {
            What::Measure { attempt } => *attempt,
            What::Resume(job) => return jobs.resume(metric, job).await.map(Some),
            What::Stop(job) => {
                jobs.end(job).await?;
                return Ok(Some(job::ended(job)));
            }
        };
        match question(&metric.metric, prepared.secrets(), self.providers.settings(), look.now) {
            Err(failure) => Ok(Some(Came::Failure(failure))),
            // How it ends would not be seen.
            Ok(Question::Job) if self.hub.refused().contains(&Watched::Job) => {
                Ok(Some(Came::Failure(Failure(NO_JOBS.to_owned()))))
            }
            Ok(Question::Job) => jobs.begin(metric, attempt).await.map(Some),
            Ok(Question::Http(request)) => {
                let (prepared, index, clock) = (Arc::clone(prepared), task.metric, self.clock);
                let providers = Arc::clone(&self.providers);
                let asking = async move {
                    let answer = providers.ask(*request).await;
                    let reading = answer.and_then(|answer| match prepared.metrics().get(index) {
                        Some(metric) => read(&metric.metric, &answer),
                        None => Err(Failure("there is no such metric".to_owned())),
                    });
                    reading.map_or_else(Came::Failure, Came::Reading)
                };
                let of = (task.metric, attempt, look.now);
                self.desk.ask(&self.hub, look.name, of, asking, move || clock.moment());
                Ok(None)
            }
        }
    }

    fn jobs<'r>(&'r self, look: &'r Look<'_>, run: &'r AnalysisRun) -> Jobs<'r> {
        Jobs { requests: &self.requests, run, seen: &look.view.jobs, now: look.now }
    }

    /// The whole status, written onto the very state that it was made from.
    async fn write_status(&self, look: &Look<'_>, status: &AnalysisRunStatus) -> Result<(), RequestError> {
        let run = &look.view.run;
        let action = Action::Patch(vec![
            json!({"op": "test", "path": "/metadata/uid", "value": run.metadata.uid}),
            json!({"op": "test", "path": "/metadata/resourceVersion", "value": run.metadata.resource_version}),
            json!({"op": "add", "path": "/status", "value": status}),
        ]);
        self.write(look.name, &action).await?;
        self.recorder.tell(&Subject::of(Work::Runs, &run.metadata), &news::events(run.status.as_ref(), status));
        tracing::info!(
            namespace = &*look.name.namespace,
            run = &*look.name.name,
            phase = status.phase.as_ref().map(AnalysisPhase::as_str),
            "{}",
            status.message.as_deref().unwrap_or_default()
        );
        Ok(())
    }

    async fn write(&self, name: &Name, action: &Action) -> Result<Value, RequestError> {
        let target =
            Target { kind: Kind::AnalysisRun, namespace: name.namespace.to_string(), name: name.name.to_string() };
        let stored = self.requests.carry_out(&target, action).await?;
        if let Action::Patch(_) = action {
            let version = stored["metadata"]["resourceVersion"].as_str().unwrap_or_default();
            self.hub.wrote(Work::Runs, name, &(Watched::AnalysisRun, name.clone()), version);
        }
        Ok(stored)
    }

    fn wake_at(&self, at: Option<Timestamp>) -> Outcome {
        let soonest = self.clock.moment().saturating_add(SOONEST_WAKE);
        Outcome::Settled { wake_at: at.map(|at| self.clock.moment_of(at).max(soonest)) }
    }

    fn failed(&self, name: &Name, problem: &RequestError) -> (Outcome, PassEnd) {
        let (namespace, run) = (&*name.namespace, &*name.name);
        match problem {
            RequestError::NotLeading => (Outcome::Failed, PassEnd::NotLeading),
            // The usual race; one that goes on and on is worth a look.
            RequestError::Stale { .. } if self.hub.failures(Work::Runs, name) < 5 => {
                tracing::debug!(namespace, run, "judged again: {problem}");
                (Outcome::Failed, PassEnd::Stale)
            }
            _ => {
                tracing::warn!(namespace, run, "a request failed: {problem}");
                (Outcome::Failed, PassEnd::Failed)
            }
        }
    }
}

const SETTLED: Outcome = Outcome::Settled { wake_at: None };

fn phase(run: &AnalysisRun) -> Option<&AnalysisPhase> {
    run.status.as_ref()?.phase.as_ref()
}
