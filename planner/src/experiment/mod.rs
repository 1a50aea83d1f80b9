//! Experiments: versions that run beside each other for a while and are judged, without being released.
//!
//! The same shape as a release: what is observed, and the time, become the next safe writes, a status and one
//! sentence. A verdict is written down first and acted on in the next pass, so that nothing is taken away that a
//! restart would ask for again.

mod analyses;
mod ending;
mod observe;
mod refuse;
mod report;
mod services;
mod sets;
mod verdict;
mod versions;

use std::sync::Arc;

use jiff::Timestamp;
use sluice_crds::AnalysisRun;
use sluice_crds::Experiment;

use crate::plan::{Action, Event, Kind, Plan, Write};
use crate::read_rollout::ReadRollout;
use crate::snapshot::{Pod, ReplicaSet, Service, Template};
use observe::Trial;
pub(crate) use services::ports_of;
use verdict::Verdict;

/// Everything that is observed around one Experiment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The Experiment itself.
    pub experiment: Arc<Experiment>,
    /// The Rollout that runs it as a step, if one does.
    pub rollout: Option<Arc<ReadRollout>>,
    /// At least: the ReplicaSets that it owns, and those whose name begins with its name and a dash.
    pub replica_sets: Vec<Arc<ReplicaSet>>,
    /// At least: the pods of its ReplicaSets.
    pub pods: Vec<Arc<Pod>>,
    /// At least: the Services that it owns, those that have a name that one of them gets, and those of the Rollout.
    pub services: Vec<Arc<Service>>,
    /// At least: the AnalysisRuns that it owns, and those whose name begins with its name and a dash.
    pub runs: Vec<Arc<AnalysisRun>>,
    /// At least: the AnalysisTemplates that its analyses name, and those that these name in turn.
    pub templates: Vec<Arc<Template>>,
    /// The same of ClusterAnalysisTemplates.
    pub cluster_templates: Vec<Arc<Template>>,
}

/// What is to be done now for one Experiment.
pub fn plan(snapshot: &Snapshot, now: Timestamp) -> Plan {
    let now = whole_seconds(now);
    if snapshot.experiment.metadata.deletion_timestamp.is_some() {
        return Plan {
            why: "the Experiment is being deleted, and all that it owns with it".to_owned(),
            ..Plan::default()
        };
    }
    let trial = Trial::observe(snapshot, now);
    if trial.is_over() {
        return ending::plan(&trial);
    }
    going_on(&trial)
}

/// What users see while the API server refuses to create something, with its sentence: no plan comes as far as its
/// status then. Nothing where that was said already.
pub fn create_refused(snapshot: &Snapshot, write: &Write, problem: &str, now: Timestamp) -> Option<Plan> {
    if !matches!(write.action, Action::Create(_)) {
        return None;
    }
    let mut trial = Trial::observe(snapshot, whole_seconds(now));
    let (kind, reason) = match write.target.kind {
        Kind::Service => ("Service", "ServiceCreateError"),
        Kind::AnalysisRun => ("AnalysisRun", "AnalysisRunCreateError"),
        _ => ("ReplicaSet", "ReplicaSetCreateError"),
    };
    let sentence = format!("{kind} {} can't be created: {problem}", write.target.name);
    trial.refused = Some((write.target.name.clone(), sentence.clone()));
    let plan = Plan { writes: Vec::new(), ..going_on(&trial) };
    let is_news = plan.status.is_some();
    is_news.then(|| {
        let mut plan = plan;
        plan.events.push(Event::warning(reason, sentence));
        plan
    })
}

fn going_on(trial: &Trial<'_>) -> Plan {
    let mistakes = refuse::mistakes(trial);
    let mut next = trial.stored.clone();
    next.template_statuses = Some(versions::statuses(trial, &mistakes.references));
    let begin = analyses::begin(trial);
    next.analysis_runs = analyses::statuses(trial, &begin);
    let verdict = verdict::of(trial, &mistakes, &begin, &next);
    let mut plan = Plan::default();
    match &verdict {
        // What has not begun is written down first: deadlines count from then, whatever is refused.
        _ if trial.stored.phase.is_none() => {}
        // Nothing begins any more.
        Verdict::Ended { .. } => next.analysis_runs = analyses::statuses(trial, &[]),
        Verdict::Waiting { .. } if !mistakes.references.is_empty() => {}
        Verdict::Waiting { .. } | Verdict::Running { .. } => {
            plan.writes.extend(sets::up(trial));
            plan.writes.extend(services::up(trial));
            plan.writes.extend(begin.into_iter().filter_map(|run| run.write));
        }
    }
    report::report(trial, next, verdict, &mistakes, &mut plan);
    plan
}

/// Objects hold whole seconds: what was written is what is read back.
fn whole_seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

#[cfg(test)]
mod tables;
