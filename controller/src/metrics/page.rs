//! The page that Prometheus reads: what was counted, and the Rollouts as they are now.

use sluice_planner::engine::Moment;

use super::text::{Kind, Text};
use super::{Counts, Metrics, OfObject, OfWork, experiments, gauges, runs};
use crate::cache::{Name, Watched};
use crate::hub::Hub;
use crate::work::Work;

impl Metrics {
    /// Who leads tells of the Rollouts: told by each replica, they would count double in every sum.
    pub(crate) fn page(&self, hub: &Hub, leading: bool, now: Moment) -> String {
        // Copied, so that no pass waits for a page.
        let counts = self.counts().clone();
        let mut text = Text::default();
        about_us(&mut text, leading);
        if leading {
            gauges::write(&mut text, &hub.rollouts());
            runs::write(&mut text, &hub.runs());
            experiments::write(&mut text, &hub.experiments());
        }
        rollouts(&mut text, &counts.rollouts);
        passes(&mut text, &counts.runs, "AnalysisRun", "analysis_run_reconcile", "analysis_run_reconcile_error");
        passes(&mut text, &counts.experiments, "Experiment", "experiment_reconcile", "experiment_reconcile_error");
        counts.releases.write(&mut text);
        queues(&mut text, &counts, hub, now);
        outcomes(&mut text, &counts);
        watches(&mut text, &counts, hub, now);
        text.into_page()
    }
}

fn about_us(text: &mut Text, leading: bool) {
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    text.family("argo_rollouts_controller_info", Kind::Gauge, "The controller that runs").value(&version, 1);
    text.family("build_info", Kind::Gauge, "What it was built from").value(&version, 1);
    text.family("sluice_leading", Kind::Gauge, "1 for the replica that writes").value(&[], u8::from(leading));
}

fn labels_of(name: &Name) -> [(&'static str, &str); 2] {
    [("namespace", &name.namespace), ("name", &name.name)]
}

fn rollouts(text: &mut Text, counts: &OfWork) {
    passes(text, counts, "Rollout", "rollout_reconcile", "rollout_reconcile_error");
    let mut events = text.family("rollout_events_total", Kind::Counter, "Events told about a Rollout");
    for (name, OfObject { events: told, .. }) in &counts.objects {
        for ((kind, reason), count) in told {
            let labels = [("namespace", &*name.namespace), ("name", &name.name), ("type", kind), ("reason", reason)];
            events.value(&labels, count);
        }
    }
}

fn passes(text: &mut Text, counts: &OfWork, kind: &str, took: &'static str, failed: &'static str) {
    let passed = || counts.objects.iter().filter(|(_, object)| object.passes.count() > 0);
    let mut reconcile = text.family(took, Kind::Histogram, &format!("Seconds that a pass over a {kind} took"));
    for (name, object) in passed() {
        reconcile.buckets(&labels_of(name), &object.passes);
    }
    let mut errors = text.family(failed, Kind::Counter, &format!("Passes over a {kind} that failed"));
    for (name, object) in passed() {
        errors.value(&labels_of(name), object.failed);
    }
}

/// How the number of a queue is read.
type Number<'h> = &'h dyn Fn(Work, &OfWork) -> f64;

/// The queues, by the names that every controller's queues have.
fn queues(text: &mut Text, counts: &Counts, hub: &Hub, now: Moment) {
    let all =
        [(Work::Rollouts, &counts.rollouts), (Work::Runs, &counts.runs), (Work::Experiments, &counts.experiments)];
    let unfinished = |of_work: &OfWork| -> Vec<f64> {
        of_work.under_way.values().map(|began| now.saturating_sub(*began).as_secs_f64()).collect()
    };
    let numbers: [(&'static str, Kind, &str, Number<'_>); 5] = [
        ("workqueue_depth", Kind::Gauge, "Objects that wait for a pass", &|work, _| hub.waiting(work) as f64),
        ("workqueue_adds_total", Kind::Counter, "Passes that were asked for", &|work, _| hub.added(work) as f64),
        ("workqueue_retries_total", Kind::Counter, "Passes that are tried again", &|_, of_work| of_work.retries as f64),
        (
            "workqueue_unfinished_work_seconds",
            Kind::Gauge,
            "How long the passes under way take already",
            &|_, of_work| unfinished(of_work).into_iter().sum(),
        ),
        (
            "workqueue_longest_running_processor_seconds",
            Kind::Gauge,
            "The same for the longest of them",
            &|_, of_work| unfinished(of_work).into_iter().fold(0.0, f64::max),
        ),
    ];
    for (name, kind, help, number) in numbers {
        let mut family = text.family(name, kind, help);
        for (work, of_work) in all {
            family.value(&[("name", work.as_str())], number(work, of_work));
        }
    }
    let mut waited = text.family("workqueue_queue_duration_seconds", Kind::Histogram, "How long a due pass waited");
    for (work, of_work) in all {
        waited.buckets(&[("name", work.as_str())], &of_work.waited);
    }
    let mut worked = text.family("workqueue_work_duration_seconds", Kind::Histogram, "How long a pass took");
    for (work, of_work) in all {
        worked.buckets(&[("name", work.as_str())], &of_work.worked);
    }
}

fn outcomes(text: &mut Text, counts: &Counts) {
    let mut passes = text.family("sluice_passes_total", Kind::Counter, "Passes by how they ended");
    for (outcome, count) in &counts.passes {
        passes.value(&[("outcome", outcome)], count);
    }
    let mut requests =
        text.family("controller_clientset_k8s_request_total", Kind::Counter, "Requests to the API server");
    for ((resource, verb, code), count) in &counts.requests {
        let code = code.to_string();
        requests.value(&[("kind", resource), ("verb", verb.as_str()), ("status_code", &code)], count);
    }
    text.family("sluice_events_dropped_total", Kind::Counter, "Events that were not posted")
        .value(&[], counts.events_dropped);
    let mut unreadable =
        text.family("sluice_unreadable_objects_total", Kind::Counter, "Objects that can't be read and were skipped");
    for (kind, count) in &counts.unreadable {
        unreadable.value(&[("kind", kind.as_str())], count);
    }
}

fn watches(text: &mut Text, counts: &Counts, hub: &Hub, now: Moment) {
    let mut failures = text.family("sluice_watch_failures_total", Kind::Counter, "Times that a watch broke");
    for (kind, count) in &counts.watch_failures {
        failures.value(&[("kind", kind.as_str())], count);
    }
    let broken = hub.broken_watches(now);
    let mut seconds =
        text.family("sluice_watch_broken_seconds", Kind::Gauge, "For how long a watch has shown nothing; 0: it works");
    for kind in hub.watched_kinds() {
        let broken_for = broken.iter().find(|(broken, _)| *broken == kind).map_or(0.0, |(_, time)| time.as_secs_f64());
        seconds.value(&[("kind", kind.as_str())], broken_for);
    }
    let refused = hub.refused();
    let mut missing =
        text.family("sluice_watch_refused", Kind::Gauge, "1 for a kind that is done without, for lack of the right");
    for kind in Watched::ALL.into_iter().filter(|kind| kind.can_be_done_without()) {
        missing.value(&[("kind", kind.as_str())], u8::from(refused.contains(&kind)));
    }
}
