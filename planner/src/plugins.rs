//! Steps that a plugin carries out: which call is due, and what its answer means. The call itself is made beside the
//! passes. What is under way is written down first, so that a crash between a call and its answer asks the very same
//! thing again, under the same key.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::rollout::status::{StepPluginOperation, StepPluginPhase, StepPluginStatus};
use sluice_crds::rollout::step::PluginStep;
use sluice_crds::rollout::{CanaryStrategy, StepKind};
use sluice_crds::values::{DurationString, GoDuration, seconds_time};

use crate::advance::Advanced;
use crate::observe::Release;
use crate::plan::Event;
use crate::snapshot::Snapshot;
use crate::wishes;

/// Who says that it is still running is asked again after so long, if it doesn't say when.
const ASKED_AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// And no sooner than this.
const SOONEST: SignedDuration = SignedDuration::from_secs(10);
/// Nor later than this.
const LATEST: SignedDuration = SignedDuration::from_hours(1);
/// Errors in a row are answered with longer and longer pauses up to this.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// An abort or termination that fails so often is given up; a step that runs never is.
const MOST_TRIES: i32 = 10;

/// One call of a plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The plugin.
    pub plugin: String,
    /// The same call has the same key, also after a crash.
    pub key: String,
    /// What it is given.
    pub body: Value,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Which call.
    pub key: String,
    /// What the plugin said, or why it said nothing.
    pub reply: Result<Reply, String>,
    /// When.
    pub at: Timestamp,
}

/// What a plugin says.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    phase: StepPluginPhase,
    message: Option<String>,
    again_after: Option<SignedDuration>,
    status: Option<Value>,
}

impl Reply {
    /// Reads what a plugin has answered.
    ///
    /// # Errors
    /// It is not what plugins answer; the sentence says why.
    pub fn read(answer: &Value) -> Result<Self, String> {
        let word = answer["phase"].as_str().unwrap_or_default();
        let phase = match word {
            "Running" => StepPluginPhase::Running,
            "Successful" => StepPluginPhase::Successful,
            "Failed" => StepPluginPhase::Failed,
            "Error" => StepPluginPhase::Error,
            _ => return Err(format!("phase {word:?} is none of Running, Successful, Failed and Error")),
        };
        let again_after = match &answer["requeueAfter"] {
            Value::Null => None,
            Value::String(text) => match text.parse::<GoDuration>() {
                Ok(duration) => Some(SignedDuration::from(duration)),
                Err(problem) => return Err(format!("requeueAfter: {problem}")),
            },
            other => return Err(format!("requeueAfter: {other} is not a duration such as \"30s\"")),
        };
        let message = answer["message"].as_str().filter(|message| !message.is_empty());
        let message = message.map(|message| message.chars().take(LONGEST_MESSAGE).collect());
        let status = Some(answer["status"].clone()).filter(|status| !status.is_null());
        if status.as_ref().is_some_and(|status| status.to_string().len() > LARGEST_STATUS) {
            return Err(format!("its status is larger than {LARGEST_STATUS} bytes, which a Rollout has no room for"));
        }
        Ok(Self { phase, message, again_after, status })
    }
}

/// What a plugin says stands in the status and in events.
const LONGEST_MESSAGE: usize = 300;
/// A plugin's own notes are kept in the Rollout.
const LARGEST_STATUS: usize = 8_192;

/// Plugins that steps name and that nobody has configured.
pub(crate) fn unknown(snapshot: &Snapshot) -> Vec<Mistake> {
    let steps = snapshot.rollout.spec.canary().map(CanaryStrategy::steps).unwrap_or_default();
    let named = steps.iter().enumerate().filter_map(|(index, step)| match step.kind() {
        Some(StepKind::Plugin(plugin)) if !plugin.name.is_empty() => Some((index, plugin)),
        _ => None,
    });
    let known: &BTreeSet<String> = &snapshot.plugins;
    let unknown = named.filter(|(_, plugin)| !known.contains(&plugin.name));
    unknown
        .map(|(index, plugin)| {
            let path = FieldPath::of("spec.strategy.canary.steps").index(index).field("plugin").field("name");
            let there: Vec<&str> = known.iter().map(String::as_str).collect();
            let there =
                if there.is_empty() { "there are none".to_owned() } else { format!("there are {}", there.join(", ")) };
            let problem = format!("is no plugin that this controller knows; {there}");
            Mistake::wrong(path, &plugin.name, problem, "start it with --step-plugin NAME=URL")
        })
        .collect()
}

/// Goes on with the plugin of the current step. Says whether the step is done.
pub(crate) fn run(release: &Release<'_>, advanced: &mut Advanced<'_>, plugin: &PluginStep, now: Timestamp) -> bool {
    let step = advanced.facts.step;
    advanced.waits_for_plugin = true;
    let entry = entry(advanced, step, &StepPluginOperation::Run);
    let Some(at) = entry else {
        begin(advanced, step, &plugin.name, StepPluginOperation::Run, now);
        return false;
    };
    go_on(release, advanced, at, now);
    let status = &advanced.facts.plugins[at];
    match status.phase {
        Some(StepPluginPhase::Successful) => {
            advanced.waits_for_plugin = false;
            true
        }
        Some(StepPluginPhase::Failed) => {
            let message = status.message.clone().unwrap_or_else(|| "no reason given".to_owned());
            advanced.failure = Some(format!("plugin {} failed: {message}", plugin.name));
            wishes::abort(&mut advanced.facts, now);
            false
        }
        _ => false,
    }
}

/// What is left to tell plugins: an abort tells those that ran, the last one first; one whose step was left while it
/// was running is told to end.
pub(crate) fn wind_up(release: &Release<'_>, advanced: &mut Advanced<'_>, now: Timestamp) {
    let aborted = advanced.facts.aborted_at.is_some();
    let operation = if aborted { StepPluginOperation::Abort } else { StepPluginOperation::Terminate };
    let ran = advanced.facts.plugins.iter().filter(|status| status.operation == Some(StepPluginOperation::Run));
    let told = ran.filter(|status| {
        let is_left = usize::try_from(status.index.unwrap_or(0)) != Ok(advanced.facts.step);
        let was_called = status.executions.unwrap_or(0) > 0;
        was_called && (aborted || (is_left && status.finished_at.is_none()))
    });
    let mut told: Vec<(usize, String)> =
        told.map(|status| (usize::try_from(status.index.unwrap_or(0)).unwrap_or(0), status.name.clone())).collect();
    told.sort_by_key(|(step, _)| std::cmp::Reverse(*step));
    for (step, name) in told {
        let Some(at) = entry(advanced, step, &operation) else {
            begin(advanced, step, &name, operation, now);
            return;
        };
        if advanced.facts.plugins[at].finished_at.is_none() {
            go_on(release, advanced, at, now);
            // One after the other.
            return;
        }
    }
}

/// What the release waits for, if it is a plugin.
pub(crate) fn sentence(advanced: &Advanced<'_>) -> Option<String> {
    if !advanced.waits_for_plugin {
        return None;
    }
    let status = &advanced.facts.plugins[entry(advanced, advanced.facts.step, &StepPluginOperation::Run)?];
    let said = status.message.as_deref().map_or_else(String::new, |message| format!(": {message}"));
    let asked = status.executions.unwrap_or(0);
    let word = status.phase.as_ref().map_or("Running", StepPluginPhase::as_str);
    let next = due(status).filter(|_| asked > 0);
    let next = next.map_or_else(String::new, |next| format!("; asked {asked} times, next at {}", seconds_time(next)));
    Some(format!("waiting for plugin {}, which says {word}{said}{next}", status.name))
}

fn entry(advanced: &Advanced<'_>, step: usize, operation: &StepPluginOperation) -> Option<usize> {
    let is_it = |status: &StepPluginStatus| {
        status.operation.as_ref() == Some(operation) && usize::try_from(status.index.unwrap_or(-1)) == Ok(step)
    };
    advanced.facts.plugins.iter().position(is_it)
}

/// It is written down before anything is called.
fn begin(advanced: &mut Advanced<'_>, step: usize, name: &str, operation: StepPluginOperation, now: Timestamp) {
    let sentence = format!("plugin {name}, step {}: {operation} begins", step + 1);
    advanced.events.push(Event::normal("StepPluginTransition", sentence));
    advanced.facts.plugins.push(StepPluginStatus {
        index: i32::try_from(step).ok(),
        name: name.to_owned(),
        operation: Some(operation),
        phase: Some(StepPluginPhase::Running),
        started_at: Some(Time(now)),
        ..StepPluginStatus::default()
    });
}

/// Takes an answer in, or asks, or waits until it is time.
fn go_on(release: &Release<'_>, advanced: &mut Advanced<'_>, at: usize, now: Timestamp) {
    let status = advanced.facts.plugins[at].clone();
    if status.finished_at.is_some() {
        return;
    }
    let key = key(release, &status);
    // What was begun in this pass is not written down yet.
    let is_stored = release.facts.plugins.get(at).is_some_and(|stored| stored.started_at == status.started_at);
    if let Some(answer) = release.snapshot.called.as_ref().filter(|answer| answer.key == key) {
        let after = after(&status, answer);
        if after.phase != status.phase {
            advanced.events.push(told(&after));
        }
        advanced.facts.plugins[at] = after;
        if let Some(due) = due(&advanced.facts.plugins[at]).filter(|_| advanced.facts.plugins[at].finished_at.is_none())
        {
            advanced.wake_at = Some(advanced.wake_at.map_or(due, |wake| wake.min(due)));
        }
        return;
    }
    match due(&status).filter(|due| *due > now) {
        Some(due) => advanced.wake_at = Some(advanced.wake_at.map_or(due, |wake| wake.min(due))),
        None if is_stored => advanced.call = Some(call(release, &status, key)),
        None => {}
    }
}

/// The status after an answer.
fn after(before: &StepPluginStatus, answer: &Answer) -> StepPluginStatus {
    let tries = before.executions.unwrap_or(0).saturating_add(1);
    let is_run = before.operation == Some(StepPluginOperation::Run);
    let (phase, message, again_after, status) = match &answer.reply {
        Ok(reply) => (reply.phase.clone(), reply.message.clone(), reply.again_after, reply.status.clone()),
        // It may quote an answer of any length.
        Err(problem) => (StepPluginPhase::Error, Some(problem.chars().take(LONGEST_MESSAGE).collect()), None, None),
    };
    let is_error = phase == StepPluginPhase::Error;
    let again_after = again_after.unwrap_or(ASKED_AGAIN).clamp(SOONEST, LATEST);
    let backoff = match pause(before).filter(|_| is_error && before.phase == Some(StepPluginPhase::Error)) {
        Some(pause) => pause.checked_mul(2).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE),
        None if is_error => ASKED_AGAIN,
        None => again_after,
    };
    let is_over = matches!(phase, StepPluginPhase::Successful | StepPluginPhase::Failed)
        || (is_error && !is_run && tries >= MOST_TRIES);
    StepPluginStatus {
        phase: Some(phase),
        message,
        updated_at: Some(Time(answer.at)),
        finished_at: is_over.then_some(Time(answer.at)),
        backoff: (!is_over).then(|| DurationString(format!("{}s", backoff.as_secs()))),
        executions: Some(tries),
        status: status.or_else(|| before.status.clone()),
        ..before.clone()
    }
}

fn told(status: &StepPluginStatus) -> Event {
    let phase = status.phase.clone().unwrap_or(StepPluginPhase::Running);
    let step = status.index.unwrap_or(0).saturating_add(1);
    let operation = status.operation.as_ref().map_or("Run", StepPluginOperation::as_str);
    let because = status.message.as_deref().map_or_else(String::new, |message| format!(": {message}"));
    let sentence = format!("plugin {}, step {step}: {operation} is {phase}{because}", status.name);
    match phase {
        StepPluginPhase::Failed | StepPluginPhase::Error => Event::warning("StepPluginTransition", sentence),
        _ => Event::normal("StepPluginTransition", sentence),
    }
}

/// When it is to be asked next; at once where it never was.
fn due(status: &StepPluginStatus) -> Option<Timestamp> {
    let Time(updated) = status.updated_at.as_ref()?;
    updated.checked_add(pause(status)?).ok()
}

fn pause(status: &StepPluginStatus) -> Option<SignedDuration> {
    let length: GoDuration = status.backoff.as_ref()?.parse().ok()?;
    Some(SignedDuration::from(length))
}

fn key(release: &Release<'_>, status: &StepPluginStatus) -> String {
    let uid = release.rollout.metadata.uid.as_deref().unwrap_or_default();
    let began = status.started_at.as_ref().map_or(0, |Time(at)| at.as_second());
    let operation = status.operation.as_ref().map_or("Run", StepPluginOperation::as_str);
    let (index, tries) = (status.index.unwrap_or(0), status.executions.unwrap_or(0));
    format!("{uid}/{}/{index}/{operation}/{began}/{tries}", release.new_hash)
}

fn call(release: &Release<'_>, status: &StepPluginStatus, key: String) -> Call {
    let index = usize::try_from(status.index.unwrap_or(0)).unwrap_or(0);
    let config = release.steps().get(index).and_then(|step| step.plugin.as_ref()?.config.clone());
    let of_run = release
        .facts
        .plugins
        .iter()
        .find(|run| run.operation == Some(StepPluginOperation::Run) && run.index == status.index);
    let known = status.status.clone().or_else(|| of_run.and_then(|run| run.status.clone()));
    let body = json!({
        "version": "v1",
        "operation": status.operation,
        "idempotencyKey": key,
        "rollout": {
            "namespace": release.namespace(),
            "name": release.name(),
            "uid": release.rollout.metadata.uid,
            "revision": release.revision,
            "podTemplateHash": release.new_hash,
            "stablePodTemplateHash": release.facts.stable_hash,
        },
        "step": {"index": index, "count": release.steps().len()},
        "config": config,
        "status": known,
    });
    Call { plugin: status.name.clone(), key, body }
}
