//! The page that Prometheus reads: what was counted, and the Rollouts as they are now.

use sluice_planner::engine::Moment;

use super::text::{Kind, Text};
use super::{Counts, Metrics, OfRollout, gauges};
use crate::cache::{Name, Watched};
use crate::hub::Hub;

impl Metrics {
    /// Who leads tells of the Rollouts: told by each replica, they would count double in every sum.
    pub(crate) fn page(&self, hub: &Hub, leading: bool, now: Moment) -> String {
        // Copied, so that no pass waits for a page.
        let counts = self.counts().clone();
        let mut text = Text::default();
        about_us(&mut text, leading);
        if leading {
            gauges::write(&mut text, &hub.rollouts());
        }
        rollouts(&mut text, &counts);
        counts.releases.write(&mut text);
        queue(&mut text, &counts, hub, now);
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

fn rollouts(text: &mut Text, counts: &Counts) {
    let passed = || counts.rollouts.iter().filter(|(_, rollout)| rollout.passes.count() > 0);
    let mut reconcile = text.family("rollout_reconcile", Kind::Histogram, "Seconds that a pass over a Rollout took");
    for (name, rollout) in passed() {
        reconcile.buckets(&labels_of(name), &rollout.passes);
    }
    let mut failed = text.family("rollout_reconcile_error", Kind::Counter, "Passes over a Rollout that failed");
    for (name, rollout) in passed() {
        failed.value(&labels_of(name), rollout.failed);
    }
    let mut events = text.family("rollout_events_total", Kind::Counter, "Events told about a Rollout");
    for (name, OfRollout { events: told, .. }) in &counts.rollouts {
        for ((kind, reason), count) in told {
            let labels =
                [("namespace", name.namespace.as_str()), ("name", &name.name), ("type", kind), ("reason", reason)];
            events.value(&labels, count);
        }
    }
}

/// The one queue, by the names that every controller's queue has.
fn queue(text: &mut Text, counts: &Counts, hub: &Hub, now: Moment) {
    let name = [("name", "Rollouts")];
    let running = counts.under_way.values().map(|began| now.saturating_sub(*began).as_secs_f64());
    let (unfinished, longest) =
        running.fold((0.0, 0.0), |(sum, longest): (f64, f64), took| (sum + took, longest.max(took)));
    text.family("workqueue_depth", Kind::Gauge, "Rollouts that wait for a pass").value(&name, hub.waiting());
    text.family("workqueue_adds_total", Kind::Counter, "Passes that were asked for").value(&name, hub.added());
    text.family("workqueue_retries_total", Kind::Counter, "Passes that are tried again").value(&name, counts.retries);
    text.family("workqueue_queue_duration_seconds", Kind::Histogram, "How long a due pass waited")
        .buckets(&name, &counts.waited);
    text.family("workqueue_work_duration_seconds", Kind::Histogram, "How long a pass took")
        .buckets(&name, &counts.worked);
    text.family("workqueue_unfinished_work_seconds", Kind::Gauge, "How long the passes under way take already")
        .value(&name, unfinished);
    text.family("workqueue_longest_running_processor_seconds", Kind::Gauge, "The same for the longest of them")
        .value(&name, longest);
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
    for kind in Watched::ALL {
        let broken_for = broken.iter().find(|(broken, _)| *broken == kind).map_or(0.0, |(_, time)| time.as_secs_f64());
        seconds.value(&[("kind", kind.as_str())], broken_for);
    }
}
