//! Several templates as one: their metrics, arguments and rules together, with the templates that they name in turn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sluice_crds::analysis::{AnalysisTemplateSpec, Argument, Metric};
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::rollout::analysis::{DryRun, MeasurementRetention, TemplateRef};

/// The templates that can be named: those of a namespace, and those of the cluster.
#[derive(Clone, Debug, Default)]
pub struct Templates<'t> {
    by_name: BTreeMap<(bool, &'t str), &'t AnalysisTemplateSpec>,
}

impl<'t> Templates<'t> {
    /// Adds an AnalysisTemplate of the namespace.
    pub fn insert(&mut self, name: &'t str, spec: &'t AnalysisTemplateSpec) {
        self.by_name.insert((false, name), spec);
    }

    /// Adds a ClusterAnalysisTemplate.
    pub fn insert_of_cluster(&mut self, name: &'t str, spec: &'t AnalysisTemplateSpec) {
        self.by_name.insert((true, name), spec);
    }
}

/// What several templates say together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merged {
    /// What to measure.
    pub metrics: Vec<Metric>,
    /// The arguments; some may still have no value.
    pub args: Vec<Argument>,
    /// Metrics that don't count.
    pub dry_run: Vec<DryRun>,
    /// How many measurements are kept.
    pub measurement_retention: Vec<MeasurementRetention>,
}

/// Puts the named templates together, and those that they name in turn, each of them once.
///
/// # Errors
/// All that doesn't fit: templates that are not there, metrics of the same name, and arguments to which two templates
/// give different values.
pub fn merge(path: &FieldPath, named: &[TemplateRef], templates: &Templates<'_>) -> Result<Merged, Vec<Mistake>> {
    let named = named.iter().enumerate();
    merge_each(named.map(|(index, one)| (path.index(index).field("templateName"), one.clone())).collect(), templates)
}

/// The same, where each name stands at a place of its own.
pub(super) fn merge_each(
    named: VecDeque<(FieldPath, TemplateRef)>,
    templates: &Templates<'_>,
) -> Result<Merged, Vec<Mistake>> {
    let mut merging = Merging {
        templates,
        seen: BTreeSet::new(),
        from: BTreeMap::new(),
        merged: Merged::default(),
        mistakes: Vec::new(),
    };
    merging.follow(named);
    if merging.mistakes.is_empty() { Ok(merging.merged) } else { Err(merging.mistakes) }
}

struct Merging<'m, 't> {
    templates: &'m Templates<'t>,
    seen: BTreeSet<(bool, String)>,
    /// Which template a metric comes from.
    from: BTreeMap<String, String>,
    merged: Merged,
    mistakes: Vec<Mistake>,
}

impl Merging<'_, '_> {
    /// Breadth first with a list of its own: templates that name each other in a circle, or a chain of thousands,
    /// must not overflow the stack.
    fn follow(&mut self, mut waiting: VecDeque<(FieldPath, TemplateRef)>) {
        while let Some((path, reference)) = waiting.pop_front() {
            let name = reference.template_name.clone().unwrap_or_default();
            let in_cluster = reference.cluster_scope();
            if !self.seen.insert((in_cluster, name.clone())) {
                continue;
            }
            let Some(spec) = self.templates.by_name.get(&(in_cluster, name.as_str())) else {
                let kind = if in_cluster { "ClusterAnalysisTemplate" } else { "AnalysisTemplate" };
                let problem = format!("names no {kind} that is there");
                self.mistakes.push(Mistake::wrong(path, &name, problem, "apply the template, or name another one"));
                continue;
            };
            self.add(&path, &name, spec);
            waiting.extend(spec.templates().iter().map(|one| (path.clone(), one.clone())));
        }
    }

    fn add(&mut self, path: &FieldPath, template: &str, spec: &AnalysisTemplateSpec) {
        for metric in spec.metrics() {
            if let Some(other) = self.from.insert(metric.name.clone(), template.to_owned()) {
                let problem = format!("has the metric {:?}, as {other:?} has", metric.name);
                self.mistakes.push(Mistake::wrong(path.clone(), template, problem, "name one of the two otherwise"));
            }
            self.merged.metrics.push(metric.clone());
        }
        for argument in spec.args() {
            self.add_argument(path, template, argument);
        }
        add_new(&mut self.merged.dry_run, spec.dry_run.as_deref());
        add_new(&mut self.merged.measurement_retention, spec.measurement_retention.as_deref());
    }

    /// One that has no value takes the value that another template gives it.
    fn add_argument(&mut self, path: &FieldPath, template: &str, argument: &Argument) {
        let Some(known) = self.merged.args.iter_mut().find(|known| known.name == argument.name) else {
            self.merged.args.push(argument.clone());
            return;
        };
        let has_value = |argument: &Argument| argument.value.is_some() || argument.value_from.is_some();
        if !has_value(known) {
            *known = argument.clone();
        } else if has_value(argument) && known != argument {
            let problem = format!("gives the argument {:?} another value than a template before it", argument.name);
            self.mistakes.push(Mistake::wrong(path.clone(), template, problem, "give it one value only"));
        }
    }
}

/// Adds the rules that are not there yet.
pub(super) fn add_new<R: Clone + PartialEq>(rules: &mut Vec<R>, more: Option<&[R]>) {
    for rule in more.into_iter().flatten() {
        if !rules.contains(rule) {
            rules.push(rule.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn template(spec: Value) -> AnalysisTemplateSpec {
        serde_json::from_value(spec).expect("a template")
    }

    fn named(names: &[(&str, bool)]) -> Vec<TemplateRef> {
        names
            .iter()
            .map(|(name, in_cluster)| TemplateRef {
                template_name: Some((*name).to_owned()),
                cluster_scope: Some(*in_cluster),
            })
            .collect()
    }

    #[test]
    fn templates_and_those_that_they_name_become_one() {
        let latency = template(json!({
            "metrics": [{"name": "p95"}], "args": [{"name": "service"}, {"name": "limit", "value": "0.3"}],
            "dryRun": [{"metricName": "p95"}], "templates": [{"templateName": "errors", "clusterScope": true}],
        }));
        let errors = template(json!({
            "metrics": [{"name": "errors"}], "args": [{"name": "service", "value": "web"}],
            "dryRun": [{"metricName": "p95"}], "measurementRetention": [{"metricName": ".*", "limit": 3}],
            "templates": [{"templateName": "latency"}],
        }));
        let mut templates = Templates::default();
        templates.insert("latency", &latency);
        templates.insert_of_cluster("errors", &errors);
        let merged =
            merge(&FieldPath::of("templates"), &named(&[("latency", false)]), &templates).expect("no mistakes");
        let names: Vec<&str> = merged.metrics.iter().map(|metric| metric.name.as_str()).collect();
        assert_eq!(names, ["p95", "errors"], "a circle is followed once");
        let args: Vec<(&str, Option<&str>)> =
            merged.args.iter().map(|argument| (argument.name.as_str(), argument.value.as_deref())).collect();
        assert_eq!(args, [("service", Some("web")), ("limit", Some("0.3"))]);
        assert_eq!(merged.dry_run.len(), 1);
        assert_eq!(merged.measurement_retention.len(), 1);
    }

    #[test]
    fn all_that_does_not_fit_together_is_told_at_once() {
        let one = template(json!({"metrics": [{"name": "m"}], "args": [{"name": "limit", "value": "1"}]}));
        let two = template(json!({"metrics": [{"name": "m"}], "args": [{"name": "limit", "value": "2"}]}));
        let mut templates = Templates::default();
        templates.insert("one", &one);
        templates.insert("two", &two);
        let asked = named(&[("one", false), ("two", false), ("two", true), ("none", false)]);
        let mistakes = merge(&FieldPath::of("templates"), &asked, &templates).expect_err("four mistakes");
        let sentences: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(
            sentences,
            [
                "templates[1].templateName: \"two\" has the metric \"m\", as \"one\" has; name one of the two otherwise",
                "templates[1].templateName: \"two\" gives the argument \"limit\" another value than a template before it; give it one value only",
                "templates[2].templateName: \"two\" names no ClusterAnalysisTemplate that is there; apply the template, or name another one",
                "templates[3].templateName: \"none\" names no AnalysisTemplate that is there; apply the template, or name another one",
            ]
        );
    }
}
