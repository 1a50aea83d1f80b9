//! What was measured last, beside what it was to be.

use serde_json::Value;

/// One metric of a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Evidence {
    pub(crate) metric: String,
    pub(crate) phase: String,
    /// The latest value; empty where there is none.
    pub(crate) value: String,
    /// What makes a value good or bad, as it was written.
    pub(crate) limit: String,
    /// So many measurements, and how many were good, bad, neither, and not made.
    pub(crate) measured: i64,
    pub(crate) counts: Counts,
    pub(crate) message: String,
    /// Its values that are numbers, the latest last.
    pub(crate) values: Vec<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) good: i64,
    pub(crate) bad: i64,
    pub(crate) unclear: i64,
    pub(crate) errors: i64,
}

impl Counts {
    pub(crate) fn of(result: &Value) -> Self {
        let count = |field: &str| result[field].as_i64().unwrap_or(0);
        Self { good: count("successful"), bad: count("failed"), unclear: count("inconclusive"), errors: count("error") }
    }

    /// As the tree of `get` shows them: `✔ 4,✖ 1`.
    pub(crate) fn told(self) -> String {
        let all = [("✔", self.good), ("✖", self.bad), ("?", self.unclear), ("⚠", self.errors)];
        let there = all.iter().filter(|(_, count)| *count > 0);
        there.map(|(icon, count)| format!("{icon} {count}")).collect::<Vec<_>>().join(",")
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            good: self.good + other.good,
            bad: self.bad + other.bad,
            unclear: self.unclear + other.unclear,
            errors: self.errors + other.errors,
        }
    }
}

/// All metrics of a run, in its own order.
pub(crate) fn of_run(run: &Value) -> Vec<Evidence> {
    let results = run["status"]["metricResults"].as_array().into_iter().flatten();
    results.map(|result| of_metric(run, result)).collect()
}

fn of_metric(run: &Value, result: &Value) -> Evidence {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = text(&result["name"]);
    let metrics = run["spec"]["metrics"].as_array().into_iter().flatten();
    let spec = metrics.into_iter().find(|metric| metric["name"] == name.as_str()).unwrap_or(&Value::Null);
    let measurements = result["measurements"].as_array().map_or(&[][..], Vec::as_slice);
    let values: Vec<f64> = measurements.iter().filter_map(|measurement| number(&measurement["value"])).collect();
    let latest = measurements.iter().rev().find(|measurement| measurement["value"].is_string());
    let last_message = measurements.last().map(|measurement| text(&measurement["message"])).unwrap_or_default();
    let message = text(&result["message"]);
    let counts = Counts::of(result);
    Evidence {
        metric: name,
        phase: text(&result["phase"]),
        value: latest.map(|measurement| text(&measurement["value"])).unwrap_or_default(),
        limit: limit(spec),
        measured: counts.good + counts.bad + counts.unclear + counts.errors,
        counts,
        message: if message.is_empty() { last_message } else { message },
        values,
    }
}

fn limit(spec: &Value) -> String {
    let part = |field: &str, word: &str| spec[field].as_str().map(|condition| format!("{word} {condition}"));
    let parts = [part("successCondition", "good:"), part("failureCondition", "bad:")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `0.2` and `[0.2]` are the same number.
fn number(value: &Value) -> Option<f64> {
    let text = value.as_str()?.trim();
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    inner.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// Values as a line of bars, the latest last.
pub(crate) fn sparkline(values: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let bar = |value: &f64| {
        let share = if high > low { (value - low) / (high - low) } else { 0.0 };
        let index = [0.071, 0.214, 0.357, 0.5, 0.643, 0.786, 0.929].iter().filter(|edge| share > **edge).count();
        BARS[index.min(BARS.len() - 1)]
    };
    values.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn evidence_has_the_value_the_limit_and_how_often() {
        let run = json!({
            "spec": {"metrics": [{"name": "error-rate", "failureCondition": "result[0] > 0.05"}]},
            "status": {"metricResults": [{
                "name": "error-rate", "phase": "Failed", "successful": 1, "failed": 2,
                "message": "2 bad measurements, 1 is borne",
                "measurements": [{"value": "[0.01]"}, {"value": "[0.2]"}, {"value": "[0.3]"}],
            }]},
        });
        let evidence = &of_run(&run)[0];
        assert_eq!((evidence.value.as_str(), evidence.limit.as_str()), ("[0.3]", "bad: result[0] > 0.05"));
        assert_eq!((evidence.measured, evidence.counts.told().as_str()), (3, "✔ 1,✖ 2"));
        assert_eq!(sparkline(&evidence.values), "▁▆█");
    }

    #[test]
    fn nothing_measured_is_no_evidence_and_no_panic() {
        assert!(of_run(&json!({"status": {"metricResults": "?"}})).is_empty());
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&[1.0, 1.0]), "▁▁");
    }
}
