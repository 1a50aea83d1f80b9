//! Which of Sluice's kinds an object is, and what is wrong with it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::CheckMetrics;
use super::object::{Content, Object};
use crate::mistake::{FieldPath, Mistake, Nature, Pictured};
use crate::shape::{API_VERSION, GROUP};
use crate::validate::{Read, distance, either, read_for_lint};
use crate::{AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, Experiment};

const KINDS: &[&str] = &["Rollout", "AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun", "Experiment"];

/// Kinds of the same group and version that other controllers own.
const NEIGHBOURS: &[&str] = &[
    "Application",
    "ApplicationSet",
    "AppProject",
    "Workflow",
    "WorkflowTemplate",
    "ClusterWorkflowTemplate",
    "CronWorkflow",
    "WorkflowEventBinding",
    "WorkflowTaskSet",
    "WorkflowTaskResult",
    "WorkflowArtifactGCTask",
    "EventBus",
    "EventSource",
    "Sensor",
    "ArgoCD",
];

/// Checks an object of one of Sluice's kinds and keeps it in typed form; passes over any other.
pub(super) fn check(object: &mut Object, check_metrics: CheckMetrics<'_>) -> Vec<Pictured> {
    let Content::Other(json) = &mut object.content else {
        return Vec::new();
    };
    let kind = object.name.kind.as_str();
    if object.api_version != API_VERSION || !KINDS.contains(&kind) {
        return nearly_ours(json, &object.api_version, kind).into_iter().map(Pictured::from).collect();
    }
    let json = std::mem::take(json);
    let mut more = Vec::new();
    let (content, mistakes) = match kind {
        "Rollout" => typed(read_for_lint(json), Content::Rollout),
        "AnalysisTemplate" => {
            let read = read_for_lint::<AnalysisTemplate>(json);
            more = check_metrics(read.object.spec.metrics());
            typed(read, Content::AnalysisTemplate)
        }
        "ClusterAnalysisTemplate" => {
            let read = read_for_lint::<ClusterAnalysisTemplate>(json);
            more = check_metrics(read.object.spec.metrics());
            typed(read, Content::ClusterAnalysisTemplate)
        }
        "AnalysisRun" => {
            let read = read_for_lint::<AnalysisRun>(json);
            more = check_metrics(read.object.spec.metrics());
            (Content::Other(Value::Null), read.mistakes)
        }
        _ => (Content::Other(Value::Null), read_for_lint::<Experiment>(json).mistakes),
    };
    object.content = content;
    object.is_ours = true;
    let told_better = |mistake: &Mistake| more.iter().any(|better| better.mistake.path == mistake.path);
    let told: Vec<Mistake> = without_echoes(mistakes).into_iter().filter(|mistake| !told_better(mistake)).collect();
    told.into_iter().map(Pictured::from).chain(more).collect()
}

/// Leaves out what is missing only because its name is misspelled: the misspelling is told already.
fn without_echoes(mut mistakes: Vec<Mistake>) -> Vec<Mistake> {
    let unknown: BTreeMap<FieldPath, Vec<String>> = mistakes
        .iter()
        .filter(|mistake| mistake.nature == Nature::Unknown)
        .fold(BTreeMap::new(), |mut unknown, mistake| {
            let parent = mistake.path.parent().unwrap_or_default();
            unknown.entry(parent).or_insert_with(Vec::new).push(mistake.mend.clone());
            unknown
        });
    mistakes.retain(|mistake| {
        if mistake.nature != Nature::Missing {
            return true;
        }
        let meant = || {
            let parent = mistake.path.parent()?;
            let name = mistake.path.to_string();
            let name = name.rsplit('.').next()?;
            let mend = format!("did you mean {name}?");
            Some(unknown.get(&parent)?.contains(&mend))
        };
        !unknown.contains_key(&mistake.path) && meant() != Some(true)
    });
    mistakes
}

fn typed<K>(read: Read<K>, content: fn(Box<K>) -> Content) -> (Content, Vec<Mistake>) {
    (content(Box::new(read.object)), read.mistakes)
}

/// What is wrong with an object that was meant to be one of Sluice's, but does not say so.
fn nearly_ours(json: &Value, api_version: &str, kind: &str) -> Vec<Mistake> {
    let Value::Object(fields) = json else {
        return Vec::new();
    };
    let is_ours = KINDS.contains(&kind);
    let wrong = |field: &'static str, problem: &str, mend: String| {
        let path = FieldPath::of(field);
        vec![match fields.get(field) {
            Some(value) => Mistake::wrong(path, value, problem, mend),
            None => Mistake::missing(path, "is required", mend),
        }]
    };
    // Other projects have Rollouts and Experiments too; without a version nobody can tell whose it is.
    if api_version.is_empty() {
        return if is_ours { wrong("apiVersion", "is not text", format!("write {API_VERSION}")) } else { Vec::new() };
    }
    match api_version.split_once('/') {
        Some((GROUP, version)) if is_ours && version != "v1alpha1" => {
            wrong("apiVersion", "is not a version that there is", format!("write {API_VERSION}"))
        }
        Some((GROUP, "v1alpha1")) if kind.is_empty() => {
            wrong("kind", "is not text", format!("write {}", either(KINDS)))
        }
        Some((GROUP, "v1alpha1")) if !NEIGHBOURS.contains(&kind) => match meant(kind) {
            Some(meant) => wrong("kind", "is not a kind of argoproj.io/v1alpha1", format!("did you mean {meant}?")),
            None => Vec::new(),
        },
        Some((group, _)) if is_ours && is_near(group, GROUP) => {
            wrong("apiVersion", "is not a group that there is", format!("write {API_VERSION}"))
        }
        _ => Vec::new(),
    }
}

/// The kind that a misspelled one stands for.
fn meant(kind: &str) -> Option<&'static str> {
    KINDS.iter().copied().find(|known| is_near(kind, known))
}

fn is_near(written: &str, known: &str) -> bool {
    const TOLERATED: usize = 2;
    const LONGEST: usize = 64;
    let letters = |text: &str| text.to_lowercase().chars().collect::<Vec<char>>();
    written.len() <= LONGEST && distance(&letters(written), &letters(known)) <= TOLERATED
}
