//! The one sentence that says what is going on and what it waits for, with its numbers.

mod blue_green;
mod gist;
mod routed;

use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sluice_crds::rollout::StepKind;
use sluice_crds::rollout::status::PauseReason;
use sluice_crds::template::TemplateHash;
use sluice_crds::values::seconds_time;

use crate::advance::Advanced;
use crate::analyses;
use crate::conditions::Stage;
use crate::observe::{Release, Strategy};
use crate::plugins;
use crate::snapshot::ReplicaSet;
use crate::steps::{describe, length_of};
use crate::strategy::{Target, target_at};
use crate::switch;
use crate::traffic::Routed;
use crate::trials;

pub(crate) use gist::says_the_same;

/// Why the release is where it is.
pub(crate) fn sentence(
    release: &Release<'_>,
    target: Target,
    advanced: &Advanced<'_>,
    routed: &Routed,
    stage: Stage,
) -> String {
    let said = of_release(release, target, advanced, stage);
    routed::with_routers(release, advanced, routed, stage, said)
}

fn of_release(release: &Release<'_>, target: Target, advanced: &Advanced<'_>, stage: Stage) -> String {
    let revision = release.revision;
    let new = available(release.new, target.new);
    if release.name_is_taken {
        let name = release.new_name();
        return format!("revision {revision} gets another name: ReplicaSet {name} is not this Rollout's");
    }
    if release.name_is_leaving {
        return format!("waiting: ReplicaSet {} is just being deleted", release.new_name());
    }
    match stage {
        Stage::Aborted if release.is_held => {
            let (rejected, stable) = (was_rejected(release), available(release.other_stable(), release.replicas));
            format!("held: revision {revision} waits for a retry{rejected}; stable has {stable} pods available")
        }
        Stage::Aborted if release.has_no_way_back() => format!(
            "aborted: revision {revision} is taken back and keeps its {} pods, because the stable ReplicaSet is gone; \
             retry, or release another version",
            release.new.map_or(0, |new| new.wanted)
        ),
        Stage::Aborted => {
            if let Some(sentence) = blue_green::still_on_new(release) {
                return sentence;
            }
            let stable = available(release.other_stable(), release.replicas);
            let left = release.new.map_or(0, |new| new.replicas);
            let trouble = trouble(release, release.other_stable());
            format!(
                "aborted: revision {revision} is taken back; stable has {stable} pods available, the canary {left} left{trouble}"
            )
        }
        Stage::Paused => paused(release, advanced, target),
        Stage::Promoted if release.new.is_some_and(|new| new.available_to_stay() >= release.replicas) => {
            format!(
                "revision {revision} is stable: {} pods available{}",
                available(release.new, release.replicas),
                leftovers(release)
            )
        }
        Stage::Promoted => {
            let trouble = trouble(release, release.new);
            format!(
                "waiting: revision {revision} is stable with {} pods available{trouble}",
                available(release.new, release.replicas)
            )
        }
        Stage::TimedOut => {
            let seconds = release.rollout.spec.progress_deadline_seconds();
            let trouble = trouble(release, release.new);
            format!("stuck: no progress for {seconds} s; revision {revision} has {new} pods available{trouble}")
        }
        Stage::Retried | Stage::Moving => moving(release, target, advanced),
    }
}

/// Why a revision is taken back: who or what did it, and how far it was.
pub(crate) fn rejected(release: &Release<'_>, advanced: &Advanced<'_>) -> String {
    let step = release.stored.current_step_index.and_then(|step| usize::try_from(step).ok()).unwrap_or(0);
    let place = place_at(release, step);
    if let Some(failure) = &advanced.failure {
        return format!("{failure}, at {place}");
    }
    if release.stored.abort == Some(true) {
        return format!("aborted on request at {place}");
    }
    let seconds = release.rollout.spec.progress_deadline_seconds();
    format!("no progress for {seconds} seconds at {place}{}", trouble(release, release.new))
}

/// What is remembered of a revision that is tried once more.
pub(crate) fn was_rejected(release: &Release<'_>) -> String {
    let same = |hash: Option<&TemplateHash>| hash == Some(&release.new_hash);
    let Some(rejected) = release.facts.rejected.iter().find(|rejected| same(rejected.pod_hash.as_ref())) else {
        return String::new();
    };
    let at = rejected.at.as_ref().map_or_else(String::new, |Time(at)| format!(" at {}", seconds_time(*at)));
    format!("; it was rejected{at}: {}", rejected.reason.as_deref().unwrap_or("no reason given"))
}

/// What the release waits to be measured, and what was measured last.
fn analysis(release: &Release<'_>, advanced: &Advanced<'_>) -> Option<String> {
    let place = place(release, advanced);
    if let Some(blind) = &advanced.blind {
        return Some(format!("{place}: waiting: nothing goes on while the background analysis can't measure: {blind}"));
    }
    if let Some(name) = &advanced.waits_for_experiment {
        let said = trials::message_of(release, name).unwrap_or_else(|| "begins".to_owned());
        return Some(format!("{place}: waiting for the experiment ({name}): {said}"));
    }
    let kind = advanced.waits_for_run?;
    let named = advanced.facts.runs.clone().of(kind).take()?;
    let what = analyses::called(kind);
    let said = analyses::find(release, &named.name).map_or_else(|| "begins".to_owned(), analyses::last_measurements);
    Some(format!("{place}: waiting for the {what} ({}): {said}", named.name))
}

fn moving(release: &Release<'_>, target: Target, advanced: &Advanced<'_>) -> String {
    let revision = release.revision;
    let target = match release.strategy {
        Strategy::Canary(_) => target_at(release, advanced.facts.step),
        Strategy::BlueGreen(_) => target,
    };
    let Some(new) = release.new else { return format!("revision {revision} gets its ReplicaSet") };
    if let Some(sentence) = analysis(release, advanced) {
        return sentence;
    }
    let place = place(release, advanced);
    if let Some(sentence) = plugins::sentence(advanced) {
        return format!("{place}: {sentence}");
    }
    let trouble = trouble(release, Some(new));
    let has = available(Some(new), target.new);
    if new.available_to_stay() < target.new {
        return format!("{place}: waiting: revision {revision} has {has} pods available{trouble}");
    }
    if let Strategy::BlueGreen(_) = release.strategy {
        return blue_green::moving(release, advanced, &place, &has);
    }
    if let Some(wait) = &advanced.waits_for_routers {
        return format!("{place}: {}; revision {revision} has {has} pods available", wait.sentence);
    }
    let stable = release.other_stable().map(|stable| stable.replicas).filter(|pods| *pods != target.stable);
    match stable {
        Some(pods) => format!("{place}: waiting: stable has {pods} pods and goes to {}", target.stable),
        None => format!("{place}: revision {revision} has {has} pods available{}", leftovers(release)),
    }
}

fn paused(release: &Release<'_>, advanced: &Advanced<'_>, target: Target) -> String {
    let has = available(release.new, target.new);
    if release.rollout.spec.paused() {
        return format!("paused by spec.paused; revision {} has {has} pods available", release.revision);
    }
    let place = place(release, advanced);
    let Some(pause) = advanced.facts.pauses.first() else { return place };
    if !matches!(pause.reason, Some(PauseReason::CanaryPauseStep | PauseReason::BlueGreenPause)) {
        let reason = pause.reason.as_ref().map_or("no reason", |reason| reason.as_str());
        let runs = advanced.facts.runs.all().filter_map(|run| run.message.as_deref());
        let of_experiment = advanced.facts.experiment.as_ref().and_then(|name| trials::message_of(release, name));
        let told: Vec<&str> = runs.chain(of_experiment.as_deref()).collect();
        let told = if told.is_empty() { String::new() } else { format!(": {}", told.join("; ")) };
        return format!("{place}: paused ({reason}) until somebody promotes or aborts{told}");
    }
    let start = pause.start_time.as_ref().map(|Time(at)| *at);
    let end = length(release, advanced).zip(start).and_then(|(length, start)| start.checked_add(length).ok());
    match end {
        Some(end) => format!(
            "{place}: paused until {}; revision {} has {has} pods available",
            seconds_time(end),
            release.revision
        ),
        None => {
            format!("{place}: paused until somebody promotes; revision {} has {has} pods available", release.revision)
        }
    }
}

/// How long the current pause lasts, if it ends by itself.
fn length(release: &Release<'_>, advanced: &Advanced<'_>) -> Option<SignedDuration> {
    match release.strategy {
        Strategy::Canary(_) => match release.steps().get(advanced.facts.step)?.kind()? {
            StepKind::Pause(pause) => length_of(pause),
            _ => None,
        },
        Strategy::BlueGreen(blue_green) => switch::length_of_pause(blue_green),
    }
}

fn place(release: &Release<'_>, advanced: &Advanced<'_>) -> String {
    place_at(release, advanced.facts.step)
}

fn place_at(release: &Release<'_>, step: usize) -> String {
    let steps = release.steps();
    match steps.get(step) {
        Some(what) => format!("step {}/{} ({})", step + 1, steps.len(), describe(what)),
        None if release.stable.is_none() => "first release".to_owned(),
        None if matches!(release.strategy, Strategy::BlueGreen(_)) => blue_green::place(release),
        None if steps.is_empty() => "rolling update".to_owned(),
        None => format!("all {} steps done", steps.len()),
    }
}

fn available(set: Option<&ReplicaSet>, of: i32) -> String {
    format!("{} of {of}", set.map_or(0, ReplicaSet::available_to_stay))
}

fn leftovers(release: &Release<'_>) -> String {
    if let Some(kept) = blue_green::kept(release) {
        return kept;
    }
    let old: i32 = release.others.iter().fold(0_i32, |sum, set| sum.saturating_add(set.replicas));
    if old == 0 { String::new() } else { format!("; {old} pods of older revisions are on their way out") }
}

/// What keeps the pods back, from the ReplicaSet or else from the first pod that says so.
fn trouble(release: &Release<'_>, set: Option<&ReplicaSet>) -> String {
    let Some(set) = set else { return String::new() };
    if let Some((reason, message)) = &set.failure {
        return format!("; {reason}: {message}");
    }
    let mut pods = release.pods.iter().filter(|pod| pod.meta.controller.as_ref() == Some(&set.meta.uid) && !pod.ready);
    let told = pods.find_map(|pod| Some((&pod.meta.name, pod.trouble.as_ref()?)));
    told.map_or_else(String::new, |(name, trouble)| format!("; pod {name}: {trouble}"))
}
