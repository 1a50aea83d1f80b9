//! What is wrong with a template or a run, told when it is applied or linted instead of after five failed
//! measurements. The shape of the fields is checked where they are declared; here is what only those who use them
//! know.

use sluice_crds::analysis::{Metric, Provider};
use sluice_crds::mistake::{FieldPath, Mistake, Pictured};
use sluice_crds::unit::IntOrString;

use crate::condition::Condition;
use crate::provider::json_path::JsonPath;
use crate::provider::prometheus::is_amazon;
use crate::verdict::{in_field, time};

/// Where values are taken from; plugins are told of in other words where the fields are declared.
const ASKED: [&str; 4] = ["prometheus", "web", "job", "plugin"];

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
        check_signing(&path, metric, &mut found);
        for name in provider.into_iter().flat_map(Provider::names).filter(|name| !ASKED.contains(name)) {
            let mend = "use prometheus, web or job";
            found.push(Mistake::about(path.field(name), "is not built yet", mend).into());
        }
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

/// Signing that would fail at each measurement.
fn check_signing(path: &FieldPath, metric: &Metric, found: &mut Vec<Pictured>) {
    let provider = metric.provider.as_ref();
    let web = provider.and_then(|provider| provider.web.as_ref()?.authentication.as_ref()?.sigv4.as_ref());
    if web.is_some() {
        let path = path.field("web").field("authentication").field("sigv4");
        found.push(Mistake::about(path, "is not there for web requests", "remove it").into());
    }
    let Some(prometheus) = provider.and_then(|provider| provider.prometheus.as_ref()) else { return };
    let Some(sigv4) = prometheus.authentication.as_ref().and_then(|ways| ways.sigv4.as_ref()) else { return };
    // Of other servers nothing is signed, whatever is written.
    if !prometheus.address.as_deref().is_some_and(is_amazon) {
        return;
    }
    let path = path.field("prometheus").field("authentication").field("sigv4");
    for (field, value) in [("profile", &sigv4.profile), ("roleArn", &sigv4.role_arn)] {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            let mend = "remove it, and give the controller the credentials of that role or profile in AWS_ACCESS_KEY_ID \
                        and AWS_SECRET_ACCESS_KEY";
            found.push(Mistake::wrong(path.field(field), value, "can't be taken on", mend).into());
        }
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

    #[test]
    fn signing_that_is_not_there_is_told_by_its_field() {
        let metrics: Vec<Metric> = serde_json::from_value(json!([
            {"name": "a", "provider": {"prometheus": {"address": "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1",
                "authentication": {"sigv4": {"region": "eu-west-1", "profile": "shop", "roleArn": "arn:aws:iam::1:role/shop"}}}}},
            {"name": "b", "provider": {"prometheus": {"address": "http://prometheus:9090",
                "authentication": {"sigv4": {"profile": "shop"}}}}},
            {"name": "c", "provider": {"web": {"url": "http://x", "authentication": {"sigv4": {}}}}},
        ]))
        .expect("metrics");
        let found: Vec<String> = check(&metrics).iter().map(|one| one.mistake.to_string()).collect();
        let mend = "remove it, and give the controller the credentials of that role or profile in AWS_ACCESS_KEY_ID and \
                    AWS_SECRET_ACCESS_KEY";
        assert_eq!(
            found,
            [
                format!(
                    "spec.metrics[0].provider.prometheus.authentication.sigv4.profile: \"shop\" can't be taken on; {mend}"
                ),
                format!(
                    "spec.metrics[0].provider.prometheus.authentication.sigv4.roleArn: \"arn:aws:iam::1:role/shop\" can't \
                     be taken on; {mend}"
                ),
                "spec.metrics[2].provider.web.authentication.sigv4: is not there for web requests; remove it"
                    .to_owned(),
            ]
        );
    }
}
