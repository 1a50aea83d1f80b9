//! `analysis list` and `analysis show`.

use jiff::Timestamp;
use serde_json::Value;

use super::ages::age;
use super::evidence::{self, Counts, sparkline};
use super::page::row;
use super::text::{Cell, labelled, sign, table};

pub(crate) fn header(namespaces: bool) -> Vec<Cell> {
    let before = namespaces.then_some("NAMESPACE").into_iter();
    before.chain(["NAME", "OF", "STATUS", "MEASURED", "AGE", "MESSAGE"]).map(Cell::from).collect()
}

pub(crate) fn list_row(run: &Value, namespaces: bool, now: Timestamp) -> Vec<Cell> {
    let (metadata, status) = (&run["metadata"], &run["status"]);
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).unwrap_or("-").to_owned();
    let counts = evidence::of_run(run).iter().fold(Counts::default(), |sum, metric| sum.plus(metric.counts)).told();
    let phase = status["phase"].as_str().unwrap_or("Pending");
    let mut row: Vec<Cell> = namespaces.then(|| text(&metadata["namespace"]).into()).into_iter().collect();
    row.extend([
        text(&metadata["name"]).into(),
        owner(run).into(),
        Cell::new(phase, sign(phase).1),
        if counts.is_empty() { "-".to_owned() } else { counts }.into(),
        age(&metadata["creationTimestamp"], now).into(),
        text(&status["message"]).into(),
    ]);
    row
}

/// `rollout/shop`, or a dash for a run of its own.
fn owner(run: &Value) -> String {
    let owners = run["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    let mut controllers = owners.filter(|reference| reference["controller"] == true);
    controllers.next().map_or_else(
        || "-".to_owned(),
        |owner| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            format!("{}/{}", text(&owner["kind"]).to_lowercase(), text(&owner["name"]))
        },
    )
}

pub(crate) fn page(run: &Value, now: Timestamp, width: Option<usize>) -> Vec<Vec<Cell>> {
    let (metadata, status) = (&run["metadata"], &run["status"]);
    let text = |value: &Value| Cell::from(value.as_str().unwrap_or_default());
    let mut lines = labelled("Name:", text(&metadata["name"]), width);
    lines.extend(labelled("Namespace:", text(&metadata["namespace"]), width));
    lines.extend(labelled("Of:", owner(run).into(), width));
    lines.extend(labelled("Status:", Cell::state(status["phase"].as_str().unwrap_or("Pending")), width));
    if let Some(message) = status["message"].as_str().filter(|message| !message.is_empty()) {
        lines.extend(labelled("Message:", message.into(), width));
    }
    lines.extend(labelled("Begun:", format!("{} ago", age(&metadata["creationTimestamp"], now)).into(), width));
    let metrics = evidence::of_run(run);
    if metrics.is_empty() {
        return lines;
    }
    let header = ["METRIC", "STATUS", "VALUE", "LIMIT", "MEASURED", "COURSE"].map(Cell::from).to_vec();
    let rows = metrics.iter().map(|metric| {
        let mut cells = row(metric);
        cells.push(sparkline(&metric.values).into());
        cells
    });
    lines.push(Vec::new());
    lines.extend(table(std::iter::once(header).chain(rows).collect()));
    for metric in metrics.iter().filter(|metric| !metric.message.is_empty()) {
        lines.extend(labelled(&format!("{}:", metric.metric), metric.message.as_str().into(), width));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::text::{Style, joined};
    use super::*;

    #[test]
    fn a_run_shows_values_limits_and_their_course() {
        let run = json!({
            "metadata": {"name": "shop-2", "namespace": "demo", "creationTimestamp": "2026-01-01T00:00:00Z", "ownerReferences": [{"kind": "Rollout", "name": "shop", "controller": true}]},
            "spec": {"metrics": [{"name": "errors", "failureCondition": "result[0] > 0.05"}]},
            "status": {"phase": "Failed", "message": "errors failed", "metricResults": [{"name": "errors", "phase": "Failed", "successful": 1, "failed": 1, "measurements": [{"value": "[0.0]"}, {"value": "[0.2]"}]}]},
        });
        let now = "2026-01-01T00:01:00Z".parse().expect("a time");
        let expected = "\
Name:            shop-2
Namespace:       demo
Of:              rollout/shop
Status:          ✖ Failed
Message:         errors failed
Begun:           60s ago

METRIC  STATUS    VALUE  LIMIT                  MEASURED     COURSE
errors  ✖ Failed  [0.2]  bad: result[0] > 0.05  2 (✔ 1,✖ 1)  ▁█
";
        assert_eq!(joined(&page(&run, now, None), Style::default()), expected);
        let row = joined(&table(vec![header(false), list_row(&run, false, now)]), Style::default());
        assert_eq!(
            row,
            "NAME    OF            STATUS  MEASURED  AGE  MESSAGE\nshop-2  rollout/shop  Failed  ✔ 1,✖ 1   60s  errors failed\n"
        );
    }
}
