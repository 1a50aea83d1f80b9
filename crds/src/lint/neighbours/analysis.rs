//! Analysis templates that a Rollout runs: it must give them their arguments, and those that a step waits for must
//! come to an end.

use std::collections::{BTreeMap, BTreeSet};

use super::{File, Finding, Here};
use crate::analysis::{AnalysisTemplateSpec, Metric};
use crate::lint::object::Content;
use crate::mistake::{FieldPath, Mistake, word};
use crate::rollout::RolloutAnalysis;

pub(super) fn check(here: &Here<'_>, file: &File<'_>, found: &mut Vec<Finding>) {
    for asked in analyses_of(here) {
        check_one(here, file, &asked, found);
    }
}

/// An analysis that the Rollout asks for.
struct Asked<'o> {
    path: FieldPath,
    analysis: &'o RolloutAnalysis,
    /// Whether the release goes on meanwhile; all others have to come to an end.
    in_background: bool,
}

fn analyses_of<'o>(here: &Here<'o>) -> Vec<Asked<'o>> {
    let mut all = Vec::new();
    if let Some(canary) = here.rollout.spec.canary() {
        let path = FieldPath::of("spec.strategy.canary");
        if let Some(background) = &canary.analysis {
            let analysis = &background.analysis;
            all.push(Asked { path: path.field("analysis"), analysis, in_background: true });
        }
        for (index, step) in canary.steps().iter().enumerate() {
            if let Some(analysis) = &step.analysis {
                let path = path.field("steps").index(index).field("analysis");
                all.push(Asked { path, analysis, in_background: false });
            }
        }
    }
    if let Some(blue_green) = here.rollout.spec.blue_green() {
        let path = FieldPath::of("spec.strategy.blueGreen");
        let fields = [
            ("prePromotionAnalysis", &blue_green.pre_promotion_analysis),
            ("postPromotionAnalysis", &blue_green.post_promotion_analysis),
        ];
        for (field, analysis) in fields {
            let asked = analysis.as_ref();
            all.extend(asked.map(|analysis| Asked { path: path.field(field), analysis, in_background: false }));
        }
    }
    all
}

fn check_one(here: &Here<'_>, file: &File<'_>, asked: &Asked<'_>, found: &mut Vec<Finding>) {
    // With one template in another file nobody can tell which arguments it brings.
    let templates: Option<Vec<(&str, &AnalysisTemplateSpec)>> = asked
        .analysis
        .templates()
        .iter()
        .map(|reference| {
            let name = reference.template_name.as_deref()?;
            let spec = find(here, file, name, reference.cluster_scope())?;
            spec.templates().is_empty().then_some((name, spec))
        })
        .collect();
    let Some(templates) = templates.filter(|templates| !templates.is_empty()) else {
        return;
    };
    let mut mistakes = Vec::new();
    check_arguments(asked, &templates, &mut mistakes);
    check_metrics(asked, &templates, &mut mistakes);
    found.extend(mistakes.into_iter().map(|mistake| here.object.finding(mistake)));
}

fn find<'o>(here: &Here<'_>, file: &File<'o>, name: &str, in_cluster: bool) -> Option<&'o AnalysisTemplateSpec> {
    if in_cluster {
        match &file.find_in_cluster("ClusterAnalysisTemplate", name)?.content {
            Content::ClusterAnalysisTemplate(template) => Some(&template.spec),
            _ => None,
        }
    } else {
        match &file.find("AnalysisTemplate", name, here)?.content {
            Content::AnalysisTemplate(template) => Some(&template.spec),
            _ => None,
        }
    }
}

fn check_arguments(asked: &Asked<'_>, templates: &[(&str, &AnalysisTemplateSpec)], found: &mut Vec<Mistake>) {
    let path = asked.path.field("args");
    let given: BTreeSet<&str> = asked.analysis.args().iter().map(|argument| argument.name.as_str()).collect();
    // The same argument may be declared by several templates, and have its value in one of them.
    let mut declared: BTreeMap<&str, (&str, bool)> = BTreeMap::new();
    for (template, spec) in templates {
        for argument in spec.args() {
            let has_value = argument.value.is_some() || argument.value_from.is_some();
            let entry = declared.entry(&argument.name).or_insert((template, false));
            entry.1 |= has_value;
        }
    }
    for (name, (template, has_value)) in &declared {
        if !has_value && !given.contains(name) && !name.is_empty() {
            let (name, template) = (word(name), word(template));
            let problem = format!("does not give {name}, which the template {template} needs");
            let mend = format!("add - name: {name} with its value");
            found.push(Mistake::about(path.clone(), problem, mend));
        }
    }
    for (index, argument) in asked.analysis.args().iter().enumerate() {
        if !argument.name.is_empty() && !declared.contains_key(argument.name.as_str()) {
            let path = path.index(index).field("name");
            let mend = "remove it, or declare it in the template";
            let mistake = Mistake::doubtful(path, "is not an argument of the template", mend);
            found.push(Mistake { value: Some(argument.name.as_str().into()), ..mistake });
        }
    }
}

fn check_metrics(asked: &Asked<'_>, templates: &[(&str, &AnalysisTemplateSpec)], found: &mut Vec<Mistake>) {
    let mut seen = BTreeMap::new();
    for (index, (template, spec)) in templates.iter().enumerate() {
        let path = asked.path.field("templates").index(index).field("templateName");
        for metric in spec.metrics() {
            if let Some(other) = seen.insert(metric.name.as_str(), *template)
                && other != *template
            {
                let problem = format!("has the metric {}, as {} has", word(&metric.name), word(other));
                found.push(Mistake::wrong(path.clone(), *template, problem, "name one of the two otherwise"));
            }
            if !asked.in_background && never_ends(metric) {
                let problem = format!("has the metric {}, which never ends", word(&metric.name));
                let mend = "set its count, or run the template in the background";
                found.push(Mistake::wrong(path.clone(), *template, problem, mend));
            }
        }
    }
}

/// With an interval and no count a metric is measured until somebody ends the run, or until enough good values in a
/// row are enough.
fn never_ends(metric: &Metric) -> bool {
    let has_interval = metric.interval.as_ref().is_some_and(|interval| !interval.0.is_empty());
    has_interval && metric.count.is_none() && metric.consecutive_success_limit.is_none()
}
