//! What ten thousand metrics at ten seconds cost: every answer is judged in a pass of its own, and the pass is planned
//! anew.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, anyhow, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sluice_analysis::condition::Value;
use sluice_analysis::provider::Reading;
use sluice_analysis::run::{Answer, Outcome, Prepared, assess, plan};
use sluice_analysis::secrets::Secrets;
use sluice_crds::AnalysisRun;

use crate::figure::{Figure, median_of, time};

const METRICS: usize = 5;
const PASSES: i32 = 2_000;
/// 10,000 metrics, each measured every ten seconds.
const PER_SECOND: f64 = 1_000.0;

pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let metric = |number: usize| {
        json!({
            "name": format!("errors-{number}"), "interval": "10s", "failureLimit": 3,
            "successCondition": "result[0] >= 0.95", "failureCondition": "result[0] < 0.9",
            "provider": {"prometheus": {"address": "http://p:9090", "query": "errors{service=\"{{args.service}}\"}"}},
        })
    };
    let mut run: AnalysisRun = serde_json::from_value(json!({"metadata": {"name": "run"}, "spec": {
        "metrics": (0..METRICS).map(metric).collect::<Vec<_>>(), "args": [{"name": "service", "value": "web"}],
    }}))?;
    let prepared =
        Prepared::new(&run, Secrets::default()).map_err(|mistakes| anyhow!("the run has mistakes: {mistakes:?}"))?;
    let answer = |metric: usize, now: Timestamp| {
        let reading = Reading {
            value: Some(Value::from(vec![0.97])),
            shown: "[0.97]".to_owned(),
            metadata: BTreeMap::from([("ResolvedPrometheusQuery".to_owned(), "errors".to_owned())]),
        };
        Answer { metric, asked_at: now, outcome: Outcome::Reading(reading) }
    };
    let mut now: Timestamp = "2026-01-01T12:00:00Z".parse()?;
    let mut tasks = 0;
    let spent = median_of(5, || {
        time(|| {
            for pass in 0..PASSES {
                now = now.saturating_add(SignedDuration::from_secs(2)).unwrap_or(now);
                let metric = usize::try_from(pass).unwrap_or(0) % METRICS;
                run.status = Some(assess(&prepared, &run, vec![answer(metric, now)], now).status);
                tasks += plan(&prepared, &run, &BTreeSet::new(), now).tasks.len();
            }
        })
    });
    ensure!(tasks > 0, "metrics become due");
    let status = run.status.context("a status")?;
    let kept = status.metric_results.iter().flatten().filter_map(|result| result.measurements.as_ref()).map(Vec::len);
    ensure!(kept.sum::<usize>() == METRICS * 10, "ten measurements of each metric are kept");
    let pass = spent.as_secs_f64() / f64::from(PASSES);
    Ok(vec![
        Figure::new("one answer judged and its run of 5 metrics planned", pass * 1e6, "µs").at_most(100.0),
        Figure::new("10,000 metrics at 10 s, of one core", pass * PER_SECOND * 100.0, "%").at_most(10.0),
    ])
}
