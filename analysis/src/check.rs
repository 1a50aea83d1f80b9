//! What is wrong with a template or a run, told when it is applied or linted instead of after five failed
//! measurements. The shape of the fields is checked where they are declared; here is what only those who use them
//! know.

use sluice_crds::analysis::Metric;
use sluice_crds::mistake::{FieldPath, Mistake, Pictured};
use sluice_crds::unit::IntOrString;

use crate::condition::Condition;
use crate::provider::json_path::JsonPath;
use crate::verdict::{in_field, time};

/// All mistakes in metrics as they are written, with arguments still in them.
pub fn check(metrics: &[Metric]) -> Vec<Pictured> {
    let path = FieldPath::of("spec.metrics");
    let mut found = Vec::new();
    for (index, metric) in metrics.iter().enumerate() {
        let path = path.index(index);
        check_condition(path.field("successCondition"), metric.success_condition.as_deref(), &mut found);
        check_condition(path.field("failureCondition"), metric.failure_condition.as_deref(), &mut found);
        check_limits(&path, metric, &mut found);
        let provider = metric.provider.as_ref();
        let path = path.field("provider");
        if let Some(web) = provider.and_then(|provider| provider.web.as_ref()) {
            check_json_path(path.field("web").field("jsonPath"), web.json_path(), &mut found);
        }
        if let Some(range) = provider.and_then(|provider| provider.prometheus.as_ref()?.range_query.as_ref()) {
            let path = path.field("prometheus").field("rangeQuery");
            check_time(path.field("start"), range.start.as_deref(), &mut found);
            check_time(path.field("end"), range.end.as_deref(), &mut found);
        }
    }
    found
}

fn check_condition(path: FieldPath, source: Option<&str>, found: &mut Vec<Pictured>) {
    let Some(source) = source.filter(|source| is_settled(source)) else {
        return;
    };
    if let Err(mistake) = Condition::compile(source) {
        let picture = Some(mistake.place.to_string());
        found.push(Pictured { mistake: in_field(path, source, &mistake), picture });
    }
}

fn check_time(path: FieldPath, source: Option<&str>, found: &mut Vec<Pictured>) {
    let Some(source) = source.filter(|source| is_settled(source)) else {
        return;
    };
    // Which time it is doesn't matter: an expression names one at every time or at none.
    if let Err(problem) = time(source, jiff::Timestamp::UNIX_EPOCH) {
        let mend = "write one such as now() - duration(\"5m\")";
        found.push(Mistake::wrong(path, source, format!("is not a time, {problem}"), mend).into());
    }
}

/// Whether a text is there and says all that it is going to say: only a run fills its arguments in.
fn is_settled(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains("{{")
}

/// Limits that pass every release.
fn check_limits(path: &FieldPath, metric: &Metric, found: &mut Vec<Pictured>) {
    let number = |written: &IntOrString| match written {
        IntOrString::Int(number) => Some(*number),
        IntOrString::String(text) => text.parse().ok(),
    };
    let count = metric.count.as_ref().and_then(number).filter(|count| *count > 0);
    let (Some(count), Some(limit)) = (count, metric.failure_limit.as_ref().and_then(number)) else {
        return;
    };
    let has_other_limit = metric.consecutive_failure_limit.is_some() || metric.consecutive_success_limit.is_some();
    if limit >= count && !has_other_limit {
        let problem = format!("bears all {count} measurements, so the metric never fails");
        let mend = format!("write less than {count}, or -1 where that is meant");
        found.push(Mistake::doubtful(path.field("failureLimit"), problem, mend).into());
    }
}

fn check_json_path(path: FieldPath, text: &str, found: &mut Vec<Pictured>) {
    if !is_settled(text) {
        return;
    }
    if let Err(problem) = JsonPath::read(text) {
        let (problem, mend) = problem.split_once("; ").unwrap_or((&problem, "write one such as {$.data.ok}"));
        found.push(Mistake::wrong(path, text, problem, mend).into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mistakes_that_would_show_in_production_are_told_when_the_template_is_applied() {
        let metrics: Vec<Metric> = serde_json::from_value(json!([
            {"name": "a", "successCondition": "result[0 < 0.05", "failureCondition": "lenn(result) > 0"},
            {"name": "b", "successCondition": "result[0] < {{args.limit}}", "count": 3, "failureLimit": 3},
            {"name": "c", "provider": {"web": {"url": "http://x", "jsonPath": "{$.a[}"}}},
            {"name": "d", "provider": {"prometheus": {"rangeQuery": {"start": "5", "end": "now()"}}}},
            {"name": "e", "count": 3, "failureLimit": 3, "consecutiveFailureLimit": 2, "successCondition": "result > 1"},
        ]))
        .expect("metrics");
        let found = check(&metrics);
        let places: Vec<String> = found.iter().map(|one| one.mistake.path.to_string()).collect();
        assert_eq!(
            places,
            [
                "spec.metrics[0].successCondition",
                "spec.metrics[0].failureCondition",
                "spec.metrics[1].failureLimit",
                "spec.metrics[2].provider.web.jsonPath",
                "spec.metrics[3].provider.prometheus.rangeQuery.start",
            ]
        );
        let picture = found[0].picture.as_deref().expect("a picture");
        assert_eq!(picture.lines().next(), Some("  result[0 < 0.05"));
        assert_eq!(picture.lines().nth(1).map(str::trim), Some("^"));
        assert!(found.iter().all(|one| !one.mistake.to_string().contains('\n')), "{found:?}");
    }
}
