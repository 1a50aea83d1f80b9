//! Experiments are begun, held while they have a share, ended when the release goes on without them, and forgotten
//! beyond the limits.

use serde_json::Value;
use sluice_crds::Experiment;
use sluice_crds::analysis::AnalysisPhase;
use sluice_crds::template::HASH_LABEL;

use super::destinations::with_share;
use super::{NewTrial, build, current, is_held, name_of, ours, phase_of};
use crate::advance::Advanced;
use crate::names::ROUTED;
use crate::observe::Release;
use crate::packed_map::PackedMap;
use crate::patch::Patch;
use crate::plan::{Action, Event, Kind, Target, Write};
use crate::revisions::TextMap;
use crate::traffic::{Routed, taken_out};

/// What is to be done with Experiments now.
pub(crate) fn writes(release: &Release<'_>, advanced: &Advanced<'_>, routed: &Routed) -> Vec<Write> {
    let mut writes: Vec<Write> = advanced.new_trial.iter().filter_map(|trial| begin(release, trial)).collect();
    let aborted = advanced.facts.aborted_at.is_some();
    let counts = |one: &Experiment| !aborted && advanced.facts.experiment.as_deref() == Some(name_of(one));
    writes.extend(hold(release, advanced));
    for one in ours(release) {
        if !phase_of(one).is_completed() && !one.spec.terminate() && !counts(one) {
            writes.push(end(release, one));
        }
        if is_held(one) && !is_going_on(one, counts(one)) && has_no_share(release, routed, one) {
            writes.push(let_go(release, one));
        }
    }
    let mut over: Vec<&Experiment> = ours(release)
        .filter(|one| phase_of(one).is_completed() && !counts(one) && !is_held(one) && has_no_pods(release, one))
        .collect();
    over.sort_by_key(|one| std::cmp::Reverse(one.metadata.creation_timestamp.as_ref().map(|at| at.0)));
    writes.extend(surplus(release, &over).into_iter().map(|one| forget(release, one)));
    writes
}

fn begin(release: &Release<'_>, trial: &NewTrial<'_>) -> Option<Write> {
    let object = build::object(release, trial)?;
    let name = &trial.name;
    let sentence = format!("Experiment {name} begins for revision {}", release.revision);
    Some(Write {
        target: target(release, name),
        action: Action::Create(object),
        reason: sentence.clone(),
        events: vec![Event::normal("ExperimentCreated", sentence)],
    })
}

/// Before any share is given the Experiment is told to keep its pods for it, which it does only while it runs.
fn hold(release: &Release<'_>, advanced: &Advanced<'_>) -> Option<Write> {
    let (experiment, asked) = current(release)?;
    let still_counts = advanced.facts.experiment.as_deref() == Some(name_of(experiment));
    let runs = phase_of(experiment) == AnalysisPhase::Running && !experiment.spec.terminate();
    let wants = release.traffic.is_some() && with_share(asked).next().is_some();
    if !(still_counts && runs && wants) || is_held(experiment) {
        return None;
    }
    let there = experiment.metadata.annotations.as_ref().map(PackedMap::from);
    let wanted = TextMap::from([(ROUTED.to_owned(), release.name().to_owned())]);
    let patch = of(experiment).read("/status/phase", "Running").annotate(there.as_ref(), &wanted);
    let name = name_of(experiment);
    Some(patched(release, name, patch, format!("Experiment {name} keeps its pods for its share of the traffic")))
}

fn is_going_on(experiment: &Experiment, counts: bool) -> bool {
    counts && phase_of(experiment) == AnalysisPhase::Running && !experiment.spec.terminate()
}

/// Whether no router leads anything to its pods any more, and all of them do as they were told.
fn has_no_share(release: &Release<'_>, routed: &Routed, experiment: &Experiment) -> bool {
    let Some(traffic) = &release.traffic else { return taken_out(release.snapshot).is_empty() };
    let there = traffic.additional();
    let versions = experiment.status.iter().flat_map(|status| status.template_statuses.iter().flatten());
    let mut services = versions.filter_map(|version| version.service_name.as_ref());
    traffic.is_known() && routed.is_settled && services.all(|service| !there.contains_key(service))
}

fn let_go(release: &Release<'_>, experiment: &Experiment) -> Write {
    let name = name_of(experiment);
    let there = experiment.metadata.annotations.as_ref().and_then(|all| all.get(ROUTED)).map_or("", String::as_str);
    let patch = of(experiment).unannotate(ROUTED, there);
    patched(release, name, patch, format!("Experiment {name} has no share of the traffic any more"))
}

fn end(release: &Release<'_>, experiment: &Experiment) -> Write {
    let patch = of(experiment)
        .read("/spec/terminate", experiment.spec.terminate.map_or(Value::Null, Value::from))
        .set("/spec/terminate", true);
    let name = name_of(experiment);
    patched(release, name, patch, format!("Experiment {name} is ended: the release goes on without it"))
}

/// The oldest beyond the limits, and those of revisions that are forgotten. Newest first come in.
fn surplus<'e>(release: &Release<'_>, over: &[&'e Experiment]) -> Vec<&'e Experiment> {
    let limits = release.rollout.spec.analysis.clone().unwrap_or_default();
    let limit = |limit: Option<i32>| usize::try_from(limit.unwrap_or(5)).unwrap_or(0);
    let is_good = |one: &&&Experiment| phase_of(one) == AnalysisPhase::Successful;
    let good = over.iter().filter(is_good).skip(limit(limits.successful_run_history_limit));
    let bad = over.iter().filter(|one| !is_good(one)).skip(limit(limits.unsuccessful_run_history_limit));
    let mut surplus: Vec<&Experiment> = good.chain(bad).copied().collect();
    let is_known = |one: &Experiment| {
        let hash = one.metadata.labels.as_ref().and_then(|labels| labels.get(HASH_LABEL)).map_or("", String::as_str);
        hash == release.new_hash.as_str() || release.all().any(|set| set.hash() == hash)
    };
    for one in over.iter().copied().filter(|one| !is_known(one)) {
        if surplus.iter().all(|there| name_of(there) != name_of(one)) {
            surplus.push(one);
        }
    }
    surplus
}

fn has_no_pods(release: &Release<'_>, experiment: &Experiment) -> bool {
    let sets = release.snapshot.replica_sets.iter().filter(|set| set.meta.controller == experiment.metadata.uid);
    sets.into_iter().all(|set| set.wanted == 0 && set.replicas == 0)
}

fn forget(release: &Release<'_>, experiment: &Experiment) -> Write {
    let name = name_of(experiment);
    Write {
        target: target(release, name),
        action: Action::Delete {
            uid: experiment.metadata.uid.clone().unwrap_or_default(),
            resource_version: experiment.metadata.resource_version.clone().unwrap_or_default(),
        },
        reason: format!("Experiment {name} is older than those that are kept"),
        events: Vec::new(),
    }
}

fn of(experiment: &Experiment) -> Patch {
    Patch::of(experiment.metadata.uid.as_deref().unwrap_or_default())
}

fn patched(release: &Release<'_>, name: &str, patch: Patch, reason: String) -> Write {
    let action = Action::Patch(patch.operations());
    Write { target: target(release, name), action, reason, events: Vec::new() }
}

fn target(release: &Release<'_>, name: &str) -> Target {
    Target { kind: Kind::Experiment, namespace: release.namespace().to_owned(), name: name.to_owned() }
}
