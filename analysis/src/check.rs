//! What is wrong with a template or a run, told when it is applied or linted instead of after five failed
//! measurements. The shape of the fields is checked where they are declared; here is what only those who use them
//! know.

use sluice_crds::analysis::Metric;
use sluice_crds::mistake::{FieldPath, Mistake};

use crate::condition::Condition;
use crate::provider::json_path::JsonPath;
use crate::verdict::in_field;

/// A mistake, and where a picture says more than words, the text with a caret below the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The mistake.
    pub mistake: Mistake,
    /// Two lines: the text, and the caret.
    pub picture: Option<String>,
}

/// All mistakes in metrics as they are written, with arguments still in them.
pub fn check(metrics: &[Metric]) -> Vec<Checked> {
    let path = FieldPath::of("spec.metrics");
    let mut found = Vec::new();
    for (index, metric) in metrics.iter().enumerate() {
        let path = path.index(index);
        check_condition(path.field("successCondition"), metric.success_condition.as_deref(), &mut found);
        check_condition(path.field("failureCondition"), metric.failure_condition.as_deref(), &mut found);
        let provider = metric.provider.as_ref();
        let path = path.field("provider");
        if let Some(web) = provider.and_then(|provider| provider.web.as_ref()) {
            check_json_path(path.field("web").field("jsonPath"), web.json_path(), &mut found);
        }
        if let Some(range) = provider.and_then(|provider| provider.prometheus.as_ref()?.range_query.as_ref()) {
            let path = path.field("prometheus").field("rangeQuery");
            check_condition(path.field("start"), range.start.as_deref(), &mut found);
            check_condition(path.field("end"), range.end.as_deref(), &mut found);
        }
    }
    found
}

/// A condition that arguments fill in can't be read before that, except in the usual case that each stands for a
/// value: then any value will do.
fn check_condition(path: FieldPath, source: Option<&str>, found: &mut Vec<Checked>) {
    let Some(source) = source.filter(|source| !source.trim().is_empty()) else {
        return;
    };
    let has_arguments = source.contains("{{");
    let Err(mistake) = Condition::compile(source) else {
        return;
    };
    if has_arguments {
        return;
    }
    let picture = Some(mistake.place.to_string());
    found.push(Checked { mistake: in_field(path, source, &mistake), picture });
}

fn check_json_path(path: FieldPath, text: &str, found: &mut Vec<Checked>) {
    if text.contains("{{") || text.trim().is_empty() {
        return;
    }
    if let Err(problem) = JsonPath::read(text) {
        let (problem, mend) = problem.split_once("; ").unwrap_or((&problem, "write one such as {$.data.ok}"));
        found.push(Checked { mistake: Mistake::wrong(path, text, problem, mend), picture: None });
    }
}
