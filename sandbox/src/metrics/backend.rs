//! A Prometheus server in the cluster: it scrapes at an interval of virtual time, and answers.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::exports::{self, Exported};
use super::faults::MetricsFaults;
use super::http;
use super::labels::Labels;
use super::store::Store;
use crate::api::request::{Request, Response};
use crate::dataplane::Record;

/// What a client learns of its query.
#[derive(Debug)]
pub struct Answer {
    /// How long it takes.
    pub after: SignedDuration,
    /// The answer; none where nobody answers.
    pub response: Option<Response>,
}

/// A metrics backend; it scrapes nothing until it is told how often.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    store: Store,
    faults: MetricsFaults,
    interval: Option<SignedDuration>,
    due: Option<Timestamp>,
    /// What each counter stood at in the last scrape, zeros not taken off.
    counted: BTreeMap<Labels, f64>,
    /// What each counter stood at when it began at zero again.
    zeros: BTreeMap<Labels, f64>,
    /// What the last scrape saw, to know what has ended.
    seen: Vec<Labels>,
    restarts: BTreeMap<(String, String), u64>,
}

impl Metrics {
    /// Scrapes everything in the cluster this often from now on; intervals below a millisecond are one.
    pub fn scrape_every(&mut self, interval: SignedDuration, now: Timestamp) {
        self.interval = Some(interval.max(SignedDuration::from_millis(1)));
        self.due = Some(now);
    }

    /// The samples.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The samples, to push some by hand.
    pub fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }

    /// What is wrong with this backend, to be changed.
    pub fn faults_mut(&mut self) -> &mut MetricsFaults {
        &mut self.faults
    }

    /// Every counter of the cluster begins at zero again, as when all that count are restarted.
    pub fn reset_counters(&mut self) {
        self.zeros.clone_from(&self.counted);
    }

    /// Answers one request, if the faults let it.
    #[must_use]
    pub fn ask(&self, request: &Request, now: Timestamp) -> Answer {
        let answer = || http::answer(&self.store, request, now, self.faults.values);
        Answer { after: self.faults.slow, response: (!self.faults.gone).then(answer) }
    }

    /// When the next scrape is due.
    #[must_use]
    pub(crate) fn next_scrape(&self) -> Option<Timestamp> {
        self.due
    }

    /// Whether a scrape is due.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Scrapes these pods and what is known of traffic, and puts the next scrape on the calendar.
    pub(crate) fn scrape(&mut self, pods: &[&Value], record: &Record, now: Timestamp) {
        self.due = self.interval.and_then(|interval| now.checked_add(interval).ok());
        if self.faults.stale {
            return;
        }
        self.store.forget_before_retention(now);
        let page = exports::all(pods, record);
        self.note_restarts(pods, &page);
        let seen: Vec<Labels> = page.iter().map(|exported| exported.labels.clone()).collect();
        self.counted.clear();
        for Exported { labels, value, is_counter } in page {
            let zero = if is_counter { self.zeros.get(&labels).copied().unwrap_or(0.0) } else { 0.0 };
            if is_counter {
                self.counted.insert(labels.clone(), value);
            }
            self.store.push(labels, now, value - zero);
        }
        let here: std::collections::BTreeSet<&Labels> = seen.iter().collect();
        for gone in self.seen.iter().filter(|labels| !here.contains(labels)) {
            self.store.end(gone.clone(), now);
            self.zeros.remove(gone);
        }
        self.seen = seen;
    }

    /// A container that was started anew counts from zero: from where it stood in the last scrape before.
    fn note_restarts(&mut self, pods: &[&Value], page: &[Exported]) {
        let mut now = BTreeMap::new();
        for pod in pods {
            let text = |key: &str| pod["metadata"][key].as_str().unwrap_or_default().to_owned();
            let containers = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
            let restarts = containers.filter_map(|container| container["restartCount"].as_u64()).sum();
            now.insert((text("namespace"), text("name")), restarts);
        }
        let restarted = |labels: &Labels| {
            let pod = (labels.get("namespace").to_owned(), labels.get("pod").to_owned());
            self.restarts.get(&pod).is_some_and(|before| now.get(&pod) > Some(before))
        };
        for Exported { labels, .. } in page.iter().filter(|exported| exported.is_counter) {
            // Who watches the pods goes on counting.
            if labels.get("job") == "pods"
                && restarted(labels)
                && let Some(stood) = self.counted.get(labels)
            {
                self.zeros.insert(labels.clone(), *stood);
            }
        }
        self.restarts = now;
    }
}
