//! The AnalysisRuns as they are at this moment, read from the cache when somebody asks.

use std::sync::Arc;

use sluice_crds::AnalysisRun;
use sluice_crds::analysis::{AnalysisPhase, Metric, MetricResult};

use super::text::{Kind, Text};

pub(super) fn write(text: &mut Text, runs: &[Arc<AnalysisRun>]) {
    let mut info = text.family("analysis_run_info", Kind::Gauge, "Each AnalysisRun");
    for run in runs {
        let [namespace, name] = name(run);
        info.value(&[namespace, name, ("phase", phase(run))], 1);
    }
    let mut phases = text.family("analysis_run_phase", Kind::Gauge, "1 for the phase that it is in");
    for run in runs {
        let [namespace, name] = name(run);
        for known in AnalysisPhase::KNOWN {
            phases.value(&[namespace, name, ("phase", known)], u8::from(*known == phase(run)));
        }
    }
    let mut types = text.family("analysis_run_metric_type", Kind::Gauge, "Each metric and its provider");
    for (run, metric) in metrics(runs) {
        let [namespace, name] = name(run);
        types.value(&[namespace, name, ("metric", &metric.name), ("type", provider(metric))], 1);
    }
    let mut phases = text.family("analysis_run_metric_phase", Kind::Gauge, "1 for the phase that a metric is in");
    for (run, metric) in metrics(runs) {
        let [namespace, name] = name(run);
        let result = result(run, metric);
        let now = result.and_then(|result| result.phase.as_ref()).map_or("", AnalysisPhase::as_str);
        let dry_run = result.and_then(|result| result.dry_run).unwrap_or(false);
        let (metric, provider) = (("metric", metric.name.as_str()), ("type", provider(metric)));
        let dry_run = ("dry_run", if dry_run { "true" } else { "false" });
        for known in AnalysisPhase::KNOWN {
            phases.value(&[namespace, name, metric, provider, dry_run, ("phase", known)], u8::from(*known == now));
        }
    }
}

fn metrics(runs: &[Arc<AnalysisRun>]) -> impl Iterator<Item = (&AnalysisRun, &Metric)> {
    runs.iter().flat_map(|run| run.spec.metrics().iter().map(move |metric| (&**run, metric)))
}

fn name(run: &AnalysisRun) -> [(&'static str, &str); 2] {
    let meta = &run.metadata;
    let [namespace, name] = [&meta.namespace, &meta.name].map(|text| text.as_deref().unwrap_or_default());
    [("namespace", namespace), ("name", name)]
}

fn phase(run: &AnalysisRun) -> &str {
    run.status.as_ref().and_then(|status| status.phase.as_ref()).map_or("", AnalysisPhase::as_str)
}

fn provider(metric: &Metric) -> &'static str {
    metric.provider.as_ref().and_then(|provider| provider.names().first().copied()).unwrap_or("")
}

fn result<'r>(run: &'r AnalysisRun, metric: &Metric) -> Option<&'r MetricResult> {
    run.status.as_ref()?.metric_results.as_deref()?.iter().find(|result| result.name == metric.name)
}
