//! The run that an Experiment asks for: its template, and every argument with a value, where the values may name what
//! is known only once the Experiment runs.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;
use sluice_crds::analysis::{AnalysisRunSpec, Argument};
use sluice_crds::experiment::{ExperimentAnalysis, ExperimentSpec};
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::rollout::analysis::TemplateRef;

use super::merge::{Templates, merge_each};
use super::new_run::{Asked, Object, plain, read_field};

/// What arguments can be read from.
#[derive(Clone, Copy, Debug)]
pub struct ExperimentFacts<'e> {
    /// The Experiment as JSON, for `fieldRef`.
    pub experiment: &'e Value,
    /// The Rollout that runs it as a step, for golden signals; `null` where there is none.
    pub rollout: &'e Value,
    /// What `{{templates.NAME.podTemplateHash}}` and the like stand for.
    pub words: &'e BTreeMap<String, String>,
}

/// The spec of the run that an analysis at `path` of an Experiment asks for. Values out of Secrets stay references.
///
/// # Errors
/// Everything that keeps the run from being judged, all at once.
pub fn new_experiment_run(
    path: &FieldPath,
    spec: &ExperimentSpec,
    analysis: &ExperimentAnalysis,
    templates: &Templates<'_>,
    facts: ExperimentFacts<'_>,
) -> Result<AnalysisRunSpec, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut given = BTreeMap::new();
    for (index, argument) in analysis.args.iter().flatten().enumerate() {
        match value_of(&path.field("args").index(index), argument, facts) {
            Ok(value) => drop(given.insert(argument.name.as_str(), value)),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    let named = TemplateRef { template_name: analysis.template_name.clone(), cluster_scope: analysis.cluster_scope };
    let asked = Asked {
        merged: merge_each(VecDeque::from([(path.field("templateName"), named)]), templates),
        templates_at: path.field("templateName"),
        args_at: path.field("args"),
        given,
        asks: Object { json: facts.experiment, kind: "Experiment" },
        signals_of: facts.rollout,
        dry_run: spec.dry_run.as_deref(),
        measurement_retention: spec.measurement_retention.as_deref(),
    };
    asked.run(mistakes)
}

fn value_of(path: &FieldPath, argument: &Argument, facts: ExperimentFacts<'_>) -> Result<Argument, Mistake> {
    let Some(field) = argument.value_from.as_ref().and_then(|source| source.field_ref.as_ref()) else {
        let Some(value) = &argument.value else { return Ok(argument.clone()) };
        return filled(&path.field("value"), value, facts.words).map(|value| plain(&argument.name, value));
    };
    let at = path.field("valueFrom").field("fieldRef").field("fieldPath");
    let object = Object { json: facts.experiment, kind: "Experiment" };
    read_field(at, &field.field_path, object).map(|value| plain(&argument.name, value))
}

/// What stands in double braces and is not ours stays as it is: it may be meant for whoever reads the value.
fn filled(path: &FieldPath, text: &str, words: &BTreeMap<String, String>) -> Result<String, Mistake> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((inside, after)) = behind.split_once("}}") else {
            filled.push_str("{{");
            rest = behind;
            continue;
        };
        let word = inside.trim();
        match words.get(word) {
            Some(value) => filled.push_str(value),
            None if word.starts_with("templates.") || word.starts_with("experiment.") => {
                let known: Vec<&str> = words.keys().map(String::as_str).collect();
                let mend = format!("write one of {}", known.join(", "));
                return Err(Mistake::wrong(path.clone(), word, "is nothing that this Experiment has", mend));
            }
            None => {
                filled.push_str("{{");
                filled.push_str(inside);
                filled.push_str("}}");
            }
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sluice_crds::analysis::AnalysisTemplateSpec;

    use super::*;

    fn run(args: &Value) -> Result<Value, Vec<String>> {
        let template: AnalysisTemplateSpec = serde_json::from_value(json!({
            "metrics": [{"name": "compare"}],
            "args": [{"name": "old"}, {"name": "region", "value": "eu"}],
        }))
        .expect("a template");
        let spec: ExperimentSpec = serde_json::from_value(json!({
            "dryRun": [{"metricName": "compare"}],
            "measurementRetention": [{"metricName": "compare", "limit": 4}],
            "analyses": [{"name": "judge", "templateName": "compare", "args": args}],
        }))
        .expect("a spec");
        let words = [("templates.old.podTemplateHash", "abc"), ("experiment.availableAt", "2026-01-01T00:00:00Z")];
        let words = words.map(|(word, value)| (word.to_owned(), value.to_owned())).into();
        let experiment = json!({"metadata": {"name": "trial"}});
        let facts = ExperimentFacts { experiment: &experiment, rollout: &Value::Null, words: &words };
        let mut templates = Templates::default();
        templates.insert("compare", &template);
        let path = FieldPath::of("spec.analyses").index(0);
        match new_experiment_run(&path, &spec, &spec.analyses()[0], &templates, facts) {
            Ok(spec) => Ok(serde_json::to_value(spec).expect("JSON")),
            Err(mistakes) => Err(mistakes.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn arguments_name_the_versions_of_the_experiment_and_its_fields() {
        let args = json!([
            {"name": "old", "value": "{{templates.old.podTemplateHash}} since {{ experiment.availableAt }} {{.Other}} {{"},
            {"name": "region", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ]);
        assert_eq!(
            run(&args),
            Ok(json!({
                "metrics": [{"name": "compare"}],
                "args": [
                    {"name": "old", "value": "abc since 2026-01-01T00:00:00Z {{.Other}} {{"},
                    {"name": "region", "value": "trial"},
                ],
                "dryRun": [{"metricName": "compare"}],
                "measurementRetention": [{"metricName": "compare", "limit": 4}],
            }))
        );
    }

    #[test]
    fn all_that_an_experiment_does_not_have_is_told_at_once() {
        let args = json!([
            {"name": "old", "value": "{{templates.new.podTemplateHash}}"},
            {"name": "region", "valueFrom": {"fieldRef": {"fieldPath": "spec.region"}}},
        ]);
        assert_eq!(
            run(&args),
            Err(vec![
                "spec.analyses[0].args[0].value: \"templates.new.podTemplateHash\" is nothing that this Experiment has; write one of experiment.availableAt, templates.old.podTemplateHash".to_owned(),
                "spec.analyses[0].args[1].valueFrom.fieldRef.fieldPath: \"spec.region\" is not a field of this Experiment; write the path of a field that is set".to_owned(),
                "spec.analyses[0].args: does not give \"old\", which a template needs; add - name: old with its value".to_owned(),
            ])
        );
    }
}
