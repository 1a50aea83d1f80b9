//! What is wrong with the steps of a canary.

use super::header_routes::{self, Routers};
use crate::mistake::{FieldPath, Mistake};
use crate::rollout::experiment::{ExperimentStep, ExperimentStepAnalysis, ExperimentStepTemplate, SpecRef};
use crate::rollout::step::{PauseStep, SetCanaryScale};
use crate::rollout::{CanaryStrategy, StepKind};
use crate::validate::analysis::{check_dry_run, check_given_arguments, check_request};
use crate::validate::fields::{
    Found, duration, extra_metadata, known_word, not_negative, optional_name, repeated, required_name, required_text,
    taken,
};
use crate::validate::form::either;
use crate::validate::names::{DNS_LABEL, OBJECT_NAME};
use crate::validate::selector;
use crate::values::GoDuration;

/// What the strategy around the steps allows them.
struct Frame<'c> {
    most: i32,
    routers: Option<Routers<'c>>,
}

pub(super) fn check(path: &FieldPath, canary: &CanaryStrategy, found: &mut Found) {
    let frame =
        Frame { most: canary.max_traffic_weight().max(1), routers: canary.traffic_routing.as_ref().map(Routers::of) };
    let path = path.field("steps");
    for (index, step) in canary.steps().iter().enumerate() {
        let path = path.index(index);
        let kinds = step.kinds();
        match kinds.as_slice() {
            [] => found.push(Mistake::missing(
                path.clone(),
                "does nothing",
                "write one of setWeight, pause, setCanaryScale, setHeaderRoute, setMirrorRoute, analysis and experiment",
            )),
            [_] => {}
            _ => {
                let names: Vec<&str> = kinds.iter().map(name_of).collect();
                let problem = format!("is {} at once", either(&names).replace(" or ", " and "));
                found.push(Mistake::about(path.clone(), problem, "make a step of each, in the order that you want"));
            }
        }
        for kind in kinds {
            check_step(&path.field(name_of(&kind)), kind, &frame, found);
        }
    }
}

fn name_of(kind: &StepKind<'_>) -> &'static str {
    match kind {
        StepKind::SetWeight(_) => "setWeight",
        StepKind::Pause(_) => "pause",
        StepKind::SetCanaryScale(_) => "setCanaryScale",
        StepKind::SetHeaderRoute(_) => "setHeaderRoute",
        StepKind::SetMirrorRoute(_) => "setMirrorRoute",
        StepKind::Analysis(_) => "analysis",
        StepKind::Experiment(_) => "experiment",
        StepKind::Plugin(_) => "plugin",
    }
}

fn check_step(path: &FieldPath, kind: StepKind<'_>, frame: &Frame<'_>, found: &mut Found) {
    match kind {
        StepKind::SetWeight(weight) => check_weight(path, weight, frame.most, found),
        StepKind::Pause(pause) => check_pause(path, pause, found),
        StepKind::SetCanaryScale(scale) => check_scale(path, scale, frame, found),
        StepKind::SetHeaderRoute(route) => header_routes::check_header(path, route, frame.routers.as_ref(), found),
        StepKind::SetMirrorRoute(route) => header_routes::check_mirror(path, route, frame.routers.as_ref(), found),
        StepKind::Analysis(analysis) => check_request(path, analysis, found),
        StepKind::Experiment(experiment) => check_experiment(path, experiment, frame, found),
        StepKind::Plugin(plugin) => {
            let path = path.field("name");
            if plugin.name.is_empty() {
                found.push(Mistake::missing(path, "is required", "name one that the controller was started with"));
            }
        }
    }
}

fn check_weight(path: &FieldPath, weight: i32, most: i32, found: &mut Found) {
    if !(0..=most).contains(&weight) {
        let mend = format!("write 0 to {most}");
        found.push(Mistake::wrong(path.clone(), weight, "is not a weight", mend));
    }
}

fn check_pause(path: &FieldPath, pause: &PauseStep, found: &mut Found) {
    let Some(duration) = &pause.duration else {
        return;
    };
    let path = path.field("duration");
    match duration.parse() {
        Err(error) => found.push(Mistake::told(path, &error.to_string())),
        Ok(span) if span < GoDuration::default() => {
            let written = duration.to_string();
            let mend = "write 30s, 10m or 1h, or remove it to wait for a person";
            found.push(Mistake::wrong(path, &written, "is less than nothing", mend));
        }
        Ok(_) => {}
    }
}

fn check_scale(path: &FieldPath, scale: &SetCanaryScale, frame: &Frame<'_>, found: &mut Found) {
    if frame.routers.is_none() {
        let mend = "remove the step, or set trafficRouting";
        found.push(Mistake::about(path.clone(), "has a meaning with trafficRouting only", mend));
    }
    let set: Vec<&str> = [
        ("weight", scale.weight.is_some()),
        ("replicas", scale.replicas.is_some()),
        ("matchTrafficWeight", scale.match_traffic_weight()),
    ]
    .into_iter()
    .filter_map(|(name, is_set)| is_set.then_some(name))
    .collect();
    match set.as_slice() {
        [] => {
            let mend = "write weight, replicas or matchTrafficWeight: true";
            found.push(Mistake::missing(path.clone(), "does not say what size", mend));
        }
        [_] => {}
        _ => {
            let problem = format!("has {}", either(&set).replace(" or ", " and "));
            found.push(Mistake::about(path.clone(), problem, "keep one of them"));
        }
    }
    if let Some(weight) = scale.weight {
        check_weight(&path.field("weight"), weight, frame.most, found);
    }
    not_negative(path.field("replicas"), scale.replicas, found);
}

fn check_experiment(path: &FieldPath, step: &ExperimentStep, frame: &Frame<'_>, found: &mut Found) {
    if step.templates().is_empty() && step.analyses().is_empty() {
        let mend = "write the revisions to run in templates";
        found.push(Mistake::missing(path.field("templates"), "is required", mend));
    }
    duration(path.field("duration"), step.duration.as_ref(), found);
    check_names(&path.field("templates"), step.templates().iter().map(|template| template.name.as_str()), found);
    for (index, template) in step.templates().iter().enumerate() {
        check_version(&path.field("templates").index(index), template, frame, found);
    }
    let all: i64 = step.templates().iter().filter_map(|template| template.weight).map(i64::from).sum();
    if all > i64::from(frame.most) {
        let problem = format!("have {all} of {} weight in all", frame.most);
        found.push(Mistake::about(path.field("templates"), problem, "lower their weights"));
    }
    check_names(&path.field("analyses"), step.analyses().iter().map(|analysis| analysis.name.as_str()), found);
    for (index, analysis) in step.analyses().iter().enumerate() {
        check_analysis(&path.field("analyses").index(index), analysis, found);
    }
    check_dry_run(path, step.dry_run.as_deref(), None, found);
    extra_metadata(&path.field("analysisRunMetadata"), step.analysis_run_metadata.as_ref(), found);
}

/// Names that have to be there and differ.
fn check_names<'n>(path: &FieldPath, names: impl Iterator<Item = &'n str> + Clone, found: &mut Found) {
    for (index, name) in names.clone().enumerate() {
        required_name(path.index(index).field("name"), Some(name), &OBJECT_NAME, "name it", found);
    }
    for (index, name) in repeated(names) {
        found.push(taken(path.index(index).field("name"), name));
    }
}

fn check_version(path: &FieldPath, template: &ExperimentStepTemplate, frame: &Frame<'_>, found: &mut Found) {
    match &template.spec_ref {
        None => found.push(Mistake::missing(path.field("specRef"), "is required", "write canary or stable")),
        Some(SpecRef::Other(word)) => known_word(path.field("specRef"), word, SpecRef::KNOWN, found),
        Some(SpecRef::Canary | SpecRef::Stable) => {}
    }
    not_negative(path.field("replicas"), template.replicas, found);
    extra_metadata(&path.field("metadata"), template.metadata.as_ref(), found);
    selector::check_form(&path.field("selector"), template.selector.as_ref(), found);
    if let Some(name) = template.service.as_ref().and_then(|service| service.name.as_deref()) {
        optional_name(&path.field("service").field("name"), Some(name), &DNS_LABEL, found);
    }
    let Some(weight) = template.weight else {
        return;
    };
    let path = path.field("weight");
    if frame.routers.as_ref().is_none_or(|routers| !routers.take_experiments()) {
        let mend = "remove it, or use alb, istio, smi or gatewayAPI";
        found.push(Mistake::about(path.clone(), "needs a traffic router that can share with an experiment", mend));
    }
    check_weight(&path, weight, frame.most, found);
}

fn check_analysis(path: &FieldPath, analysis: &ExperimentStepAnalysis, found: &mut Found) {
    let mend = "name an AnalysisTemplate";
    required_text(path.field("templateName"), analysis.template_name.as_deref(), mend, found);
    check_given_arguments(path, analysis.args.as_deref(), found);
}
