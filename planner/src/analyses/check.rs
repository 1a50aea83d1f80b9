//! Whether the analyses that a Rollout asks for can run: their templates are there, every argument has a value, and
//! those that something waits for come to an end.

use sluice_analysis::args::{RolloutFacts, Templates, new_run};
use sluice_analysis::names::RunKind;
use sluice_crds::Rollout;
use sluice_crds::analysis::{AnalysisRunSpec, Metric};
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::rollout::{CanaryStrategy, RolloutAnalysis, StepKind};

use crate::observe::Release;
use crate::snapshot::Snapshot;

/// Everything that keeps an analysis of this Rollout from running.
pub(crate) fn mistakes(snapshot: &Snapshot) -> Vec<Mistake> {
    let asked = asked(&snapshot.rollout);
    if asked.is_empty() {
        return Vec::new();
    }
    let rollout = snapshot.rollout.to_json();
    let templates = templates_of(snapshot);
    let facts = RolloutFacts { rollout: &rollout, stable_hash: "stable", latest_hash: "latest" };
    let mut found = Vec::new();
    if let Some((_, path, _)) = asked.first() {
        found.extend(of_templates(snapshot, &path.field("templates")));
    }
    for (kind, path, analysis) in asked {
        match new_run(&path, analysis, &templates, facts) {
            Err(mistakes) => found.extend(mistakes),
            Ok(spec) if kind != RunKind::Background => {
                found.extend(
                    spec.metrics().iter().filter(|metric| is_endless(metric)).map(|metric| endless(&path, metric)),
                );
            }
            Ok(_) => {}
        }
    }
    found
}

/// Templates that can't be judged, although they are there.
pub(crate) fn of_templates(snapshot: &Snapshot, path: &FieldPath) -> Vec<Mistake> {
    let all = snapshot.templates.iter().map(|template| ("AnalysisTemplate", template));
    let all = all.chain(snapshot.cluster_templates.iter().map(|template| ("ClusterAnalysisTemplate", template)));
    let wrong = all.filter(|(_, template)| !template.mistakes.is_empty());
    let told = wrong.map(|(kind, template)| {
        let mistakes: Vec<String> = template.mistakes.iter().map(ToString::to_string).collect();
        let problem = format!("use {kind} {:?}, which has mistakes: {}", template.meta.name, mistakes.join("; "));
        Mistake::about(path.clone(), problem, "mend the template")
    });
    told.collect()
}

/// The spec of a run, from the templates as they are now.
pub(crate) fn spec_of(
    release: &Release<'_>,
    kind: RunKind,
    analysis: &RolloutAnalysis,
) -> Result<AnalysisRunSpec, Vec<Mistake>> {
    let rollout = release.rollout.to_json();
    let latest = release.new_hash.as_str();
    let stable = release.facts.stable_hash.as_ref().map_or(latest, |hash| hash.as_str());
    let facts = RolloutFacts { rollout: &rollout, stable_hash: stable, latest_hash: latest };
    new_run(&path_of(kind), analysis, &templates_of(release.snapshot), facts)
}

/// Each analysis that a Rollout asks for, with its place.
pub(crate) fn asked(rollout: &Rollout) -> Vec<(RunKind, FieldPath, &RolloutAnalysis)> {
    let canary = rollout.spec.canary();
    let steps = canary.map(CanaryStrategy::steps).unwrap_or_default().iter().enumerate();
    let of_steps = steps.filter_map(|(index, step)| match step.kind() {
        Some(StepKind::Analysis(analysis)) => Some((RunKind::Step(index), analysis)),
        _ => None,
    });
    let background = canary.and_then(|canary| canary.analysis.as_ref());
    let blue_green = rollout.spec.blue_green();
    let pre = blue_green.and_then(|blue_green| blue_green.pre_promotion_analysis.as_ref());
    let post = blue_green.and_then(|blue_green| blue_green.post_promotion_analysis.as_ref());
    background
        .map(|background| (RunKind::Background, &background.analysis))
        .into_iter()
        .chain(of_steps)
        .chain(pre.map(|pre| (RunKind::PrePromotion, pre)))
        .chain(post.map(|post| (RunKind::PostPromotion, post)))
        .map(|(kind, analysis)| (kind, path_of(kind), analysis))
        .collect()
}

fn path_of(kind: RunKind) -> FieldPath {
    match kind {
        RunKind::Step(index) => FieldPath::of("spec.strategy.canary.steps").index(index).field("analysis"),
        RunKind::Background => FieldPath::of("spec.strategy.canary.analysis"),
        RunKind::PrePromotion => FieldPath::of("spec.strategy.blueGreen.prePromotionAnalysis"),
        RunKind::PostPromotion => FieldPath::of("spec.strategy.blueGreen.postPromotionAnalysis"),
    }
}

pub(crate) fn templates_of(snapshot: &Snapshot) -> Templates<'_> {
    let mut templates = Templates::default();
    for template in &snapshot.templates {
        templates.insert(&template.meta.name, &template.spec);
    }
    for template in &snapshot.cluster_templates {
        templates.insert_of_cluster(&template.meta.name, &template.spec);
    }
    templates
}

/// Whether a metric measures until somebody ends it.
pub(crate) fn is_endless(metric: &Metric) -> bool {
    metric.interval.is_some() && metric.count.is_none() && metric.consecutive_success_limit.is_none()
}

pub(crate) fn endless(path: &FieldPath, metric: &Metric) -> Mistake {
    let problem = format!("measures {:?} without end, and something waits for its verdict", metric.name);
    Mistake::about(path.field("templates"), problem, "give the metric a count")
}
