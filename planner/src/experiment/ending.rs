//! After the verdict: analyses end, pods stay for a while and then go, and Services go with the last pod.

use jiff::{SignedDuration, Timestamp};
use sluice_crds::experiment::ExperimentStatus;
use sluice_crds::values::seconds_time;

use super::observe::Trial;
use super::{analyses, report, services, sets, versions};
use crate::delays::without_deadline;
use crate::names::SCALE_DOWN_DEADLINE;
use crate::patch::Patch;
use crate::plan::{Kind, Plan, Write};
use crate::revisions::{TextMap, annotations_of};
use crate::snapshot::ReplicaSet;

pub(super) fn plan(trial: &Trial<'_>) -> Plan {
    let mut plan = Plan { writes: analyses::end(trial), ..Plan::default() };
    plan.writes.extend(trial.sets().filter_map(|set| drain(trial, set)));
    plan.writes.extend(
        trial
            .services()
            .filter(|service| is_left(trial, &service.selector))
            .map(|service| services::delete(trial, service)),
    );
    let next = ExperimentStatus {
        template_statuses: Some(trial.versions.iter().map(versions::counted).collect()),
        analysis_runs: analyses::statuses(trial, &[]),
        ..trial.stored.clone()
    };
    plan.wake_at = next_deadline(trial);
    plan.why = why(trial);
    report::write(trial, &next, Vec::new(), &mut plan);
    plan
}

/// Pods that a Rollout sends traffic to stay until it has said that it does so no more.
fn drain(trial: &Trial<'_>, set: &ReplicaSet) -> Option<Write> {
    if set.wanted == 0 {
        return None;
    }
    let delay = trial.experiment.spec.scale_down_delay_seconds();
    let name = &set.meta.name;
    let patch = Patch::of(&set.meta.uid);
    match set.scale_down_deadline {
        None if delay > 0 => {
            let at = seconds_time(trial.now.checked_add(SignedDuration::from_secs(delay.into())).ok()?);
            let wanted = TextMap::from([(SCALE_DOWN_DEADLINE.to_owned(), at.clone())]);
            let patch = patch.annotate(annotations_of(set), &wanted);
            Some(Write {
                target: trial.target(Kind::ReplicaSet, name),
                action: crate::plan::Action::Patch(patch.operations()),
                reason: format!("the Experiment is over; ReplicaSet {name} keeps its pods until {at}"),
                events: Vec::new(),
            })
        }
        Some(at) if at > trial.now => None,
        _ if trial.is_routed() => None,
        _ => Some(sets::resize(trial, set, without_deadline(set, patch), Some(0), "the Experiment is over")),
    }
}

/// Whether no pod is left behind this selector.
fn is_left(trial: &Trial<'_>, selector: &TextMap) -> bool {
    let hash = selector.get(sluice_crds::template::HASH_LABEL).map(String::as_str);
    let mut serving = trial.sets().filter(|set| hash == Some(set.hash()));
    !trial.is_routed() && serving.all(|set| set.wanted == 0 && set.is_observed() && set.available == 0)
}

fn next_deadline(trial: &Trial<'_>) -> Option<Timestamp> {
    trial
        .sets()
        .filter(|set| set.wanted > 0)
        .filter_map(|set| set.scale_down_deadline)
        .filter(|at| *at > trial.now)
        .min()
}

fn why(trial: &Trial<'_>) -> String {
    let verdict = trial.stored.message.clone().unwrap_or_default();
    let has_pods = trial.sets().any(|set| set.wanted > 0);
    let behind = match next_deadline(trial) {
        Some(at) => format!("; its pods stay until {}", seconds_time(at)),
        None if trial.is_routed() && has_pods => {
            "; its pods stay until the Rollout has taken their traffic away".to_owned()
        }
        None => String::new(),
    };
    format!("{verdict}{behind}")
}
