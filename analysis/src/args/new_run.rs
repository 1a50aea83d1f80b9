//! The run that a Rollout asks for: its templates put together, and every argument with a value.

use std::collections::BTreeMap;

use serde_json::Value;
use sluice_crds::analysis::{AnalysisRunSpec, Argument};
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::rollout::analysis::{AnalysisArg, DryRun, MeasurementRetention};
use sluice_crds::rollout::{PodTemplateHash, RolloutAnalysis};

use super::field_ref;
use super::merge::{Merged, Templates, add_new, merge};
use crate::signals;

/// What arguments can be read from.
#[derive(Clone, Copy, Debug)]
pub struct RolloutFacts<'r> {
    /// The Rollout as JSON, for `fieldRef`.
    pub rollout: &'r Value,
    /// Pod template hash of the stable revision; of the new one while there is no other.
    pub stable_hash: &'r str,
    /// Pod template hash of the new revision.
    pub latest_hash: &'r str,
}

/// The spec of the run that an `analysis` at `path` of the Rollout asks for. Values out of Secrets stay references:
/// they are read when they are needed, and are never written into the run.
///
/// # Errors
/// Everything that keeps the run from being judged, all at once.
pub fn new_run(
    path: &FieldPath,
    analysis: &RolloutAnalysis,
    templates: &Templates<'_>,
    facts: RolloutFacts<'_>,
) -> Result<AnalysisRunSpec, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let resolved = resolve(path, analysis.args(), facts, &mut mistakes);
    let given = resolved.iter().map(|argument| (argument.name.as_str(), argument.clone())).collect();
    let asked = Asked {
        merged: merge(&path.field("templates"), analysis.templates(), templates),
        templates_at: path.field("templates"),
        args_at: path.field("args"),
        given,
        asks: Object { json: facts.rollout, kind: "Rollout" },
        signals_of: facts.rollout,
        dry_run: analysis.dry_run.as_deref(),
        measurement_retention: analysis.measurement_retention.as_deref(),
    };
    asked.run(mistakes)
}

/// The arguments that a Rollout gives, each with its value; for whoever runs the analysis in its place.
///
/// # Errors
/// Those that have none, all at once.
pub fn resolved(
    path: &FieldPath,
    args: &[AnalysisArg],
    facts: RolloutFacts<'_>,
) -> Result<Vec<Argument>, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let resolved = resolve(path, args, facts, &mut mistakes);
    if mistakes.is_empty() { Ok(resolved) } else { Err(mistakes) }
}

fn resolve(
    path: &FieldPath,
    args: &[AnalysisArg],
    facts: RolloutFacts<'_>,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Argument> {
    let mut resolved = Vec::new();
    for (index, argument) in args.iter().enumerate() {
        match rollout_value(&path.field("args").index(index), argument, facts) {
            Ok(Some(value)) => resolved.push(plain(&argument.name, value)),
            Ok(None) => {}
            Err(mistake) => mistakes.push(mistake),
        }
    }
    resolved
}

/// The object that asks for a run.
#[derive(Clone, Copy)]
pub(super) struct Object<'r> {
    pub(super) json: &'r Value,
    /// What its fields are fields of.
    pub(super) kind: &'static str,
}

/// A run that is asked for, whoever asks.
pub(super) struct Asked<'r> {
    pub(super) merged: Result<Merged, Vec<Mistake>>,
    pub(super) templates_at: FieldPath,
    pub(super) args_at: FieldPath,
    pub(super) given: BTreeMap<&'r str, Argument>,
    pub(super) asks: Object<'r>,
    /// The Rollout whose traffic golden signals are about; `null` where there is none.
    pub(super) signals_of: &'r Value,
    pub(super) dry_run: Option<&'r [DryRun]>,
    pub(super) measurement_retention: Option<&'r [MeasurementRetention]>,
}

impl Asked<'_> {
    /// The run, unless there are mistakes, those that were found already among them.
    pub(super) fn run(self, mut mistakes: Vec<Mistake>) -> Result<AnalysisRunSpec, Vec<Mistake>> {
        let mut merged = match self.merged {
            Ok(merged) => merged,
            Err(more) => {
                mistakes.extend(more);
                return Err(mistakes);
            }
        };
        if let Err(more) = signals::fill(&self.templates_at, &mut merged.metrics, self.signals_of) {
            mistakes.extend(more);
        }
        let mut args = Vec::with_capacity(merged.args.len());
        for argument in merged.args {
            match settle(&self.templates_at, &self.args_at, argument, &self.given, self.asks) {
                Ok(argument) => args.push(argument),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        if merged.metrics.is_empty() {
            let mend = "name a template that has metrics";
            mistakes.push(Mistake::about(self.templates_at, "has no metric in any template", mend));
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let (mut dry_run, mut retention) = (merged.dry_run, merged.measurement_retention);
        add_new(&mut dry_run, self.dry_run);
        add_new(&mut retention, self.measurement_retention);
        Ok(AnalysisRunSpec {
            metrics: Some(merged.metrics),
            args: some(args),
            dry_run: some(dry_run),
            measurement_retention: some(retention),
            ..AnalysisRunSpec::default()
        })
    }
}

pub(super) fn plain(name: &str, value: String) -> Argument {
    Argument { name: name.to_owned(), value: Some(value), value_from: None }
}

fn some<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}

/// The value that the Rollout gives to an argument.
fn rollout_value(path: &FieldPath, argument: &AnalysisArg, facts: RolloutFacts<'_>) -> Result<Option<String>, Mistake> {
    if let Some(value) = argument.value.as_ref().filter(|value| !value.is_empty()) {
        return Ok(Some(value.clone()));
    }
    let Some(source) = &argument.value_from else {
        return Ok(argument.value.clone());
    };
    if let Some(field) = &source.field_ref {
        let path = path.field("valueFrom").field("fieldRef").field("fieldPath");
        let rollout = Object { json: facts.rollout, kind: "Rollout" };
        return read_field(path, &field.field_path, rollout).map(Some);
    }
    match &source.pod_template_hash_value {
        Some(PodTemplateHash::Stable) => Ok(Some(facts.stable_hash.to_owned())),
        Some(PodTemplateHash::Latest) => Ok(Some(facts.latest_hash.to_owned())),
        Some(PodTemplateHash::Other(word)) => {
            let path = path.field("valueFrom").field("podTemplateHashValue");
            Err(Mistake::wrong(path, word, "is not known here", "write Stable or Latest"))
        }
        None => {
            let mend = "write podTemplateHashValue or fieldRef";
            Err(Mistake::about(path.field("valueFrom"), "names no source", mend))
        }
    }
}

pub(super) fn read_field(path: FieldPath, field: &str, object: Object<'_>) -> Result<String, Mistake> {
    field_ref::read(object.json, object.kind, field)
        .map_err(|problem| Mistake::wrong(path, field, problem, "write the path of a field that is set"))
}

/// An argument of a template with the value that whoever asks gives it, else with its own.
fn settle(
    templates_at: &FieldPath,
    args_at: &FieldPath,
    argument: Argument,
    given: &BTreeMap<&str, Argument>,
    asks: Object<'_>,
) -> Result<Argument, Mistake> {
    let name = argument.name.clone();
    if let Some(given) = given.get(name.as_str()) {
        return Ok(given.clone());
    }
    if argument.value.is_some() {
        return Ok(Argument { value_from: None, ..argument });
    }
    match argument.value_from.as_ref() {
        Some(source) if source.secret_key_ref.is_some() => Ok(argument),
        Some(source) => {
            let field = source.field_ref.as_ref().map(|field| field.field_path.as_str()).unwrap_or_default();
            let value = read_field(templates_at.field("args").key(&name), field, asks)?;
            Ok(plain(&name, value))
        }
        None => {
            let problem = format!("does not give {name:?}, which a template needs");
            Err(Mistake::about(args_at.clone(), problem, format!("add - name: {name} with its value")))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sluice_crds::analysis::AnalysisTemplateSpec;

    use super::*;

    fn run(template: Value, analysis: Value) -> Result<Value, Vec<String>> {
        let template: AnalysisTemplateSpec = serde_json::from_value(template).expect("a template");
        let analysis: RolloutAnalysis = serde_json::from_value(analysis).expect("an analysis");
        let rollout = json!({"metadata": {"name": "web", "labels": {"region": "eu"}}, "spec": {"replicas": 4}});
        let facts = RolloutFacts { rollout: &rollout, stable_hash: "old", latest_hash: "new" };
        let mut templates = Templates::default();
        templates.insert("errors", &template);
        match new_run(&FieldPath::of("spec.strategy.canary.analysis"), &analysis, &templates, facts) {
            Ok(spec) => Ok(serde_json::to_value(spec).expect("JSON")),
            Err(mistakes) => Err(mistakes.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn a_run_has_a_value_for_every_argument_and_no_secret_in_it() {
        let template = json!({
            "metrics": [{"name": "errors"}],
            "args": [
                {"name": "service"}, {"name": "limit", "value": "0.05"}, {"name": "hash"}, {"name": "old"},
                {"name": "pods", "valueFrom": {"fieldRef": {"fieldPath": "spec.replicas"}}},
                {"name": "token", "valueFrom": {"secretKeyRef": {"name": "prometheus", "key": "token"}}},
            ],
            "measurementRetention": [{"metricName": "errors", "limit": 20}],
        });
        let analysis = json!({
            "templates": [{"templateName": "errors"}],
            "args": [
                {"name": "service", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['region']"}}},
                {"name": "limit", "value": "0.01"},
                {"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}},
                {"name": "old", "valueFrom": {"podTemplateHashValue": "Stable"}},
                {"name": "nobody-asks", "value": "x"},
            ],
            "dryRun": [{"metricName": "errors"}],
        });
        assert_eq!(
            run(template, analysis),
            Ok(json!({
                "metrics": [{"name": "errors"}],
                "args": [
                    {"name": "service", "value": "eu"}, {"name": "limit", "value": "0.01"},
                    {"name": "hash", "value": "new"}, {"name": "old", "value": "old"},
                    {"name": "pods", "value": "4"},
                    {"name": "token", "valueFrom": {"secretKeyRef": {"name": "prometheus", "key": "token"}}},
                ],
                "dryRun": [{"metricName": "errors"}],
                "measurementRetention": [{"metricName": "errors", "limit": 20}],
            }))
        );
    }

    #[test]
    fn all_gaps_are_told_before_the_run_begins() {
        let template = json!({
            "metrics": [{"name": "errors"}],
            "args": [{"name": "service"}, {"name": "x", "valueFrom": {"fieldRef": {"fieldPath": "spec.nothing"}}}],
        });
        let analysis = json!({
            "templates": [{"templateName": "errors"}],
            "args": [{"name": "y", "valueFrom": {"fieldRef": {"fieldPath": "spec.none"}}}],
        });
        assert_eq!(
            run(template, analysis),
            Err(vec![
                "spec.strategy.canary.analysis.args[0].valueFrom.fieldRef.fieldPath: \"spec.none\" is not a field of this Rollout; write the path of a field that is set".to_owned(),
                "spec.strategy.canary.analysis.args: does not give \"service\", which a template needs; add - name: service with its value".to_owned(),
                "spec.strategy.canary.analysis.templates.args.x: \"spec.nothing\" is not a field of this Rollout; write the path of a field that is set".to_owned(),
            ])
        );
    }
}
