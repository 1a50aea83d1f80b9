//! Events: told in order, off the way of the passes, the same thing said again counted instead of repeated.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};
use sluice_crds::values::seconds_time;
use sluice_planner::Event;
use tokio::sync::mpsc;

use crate::cache::Watched;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::requests::{FIELD_MANAGER, Request, RequestError, Requests};
use crate::shutdown::Shutdown;
use crate::work::Work;

/// More than this waits only where the API server is down; what comes then is counted, not kept.
const MOST_WAITING: usize = 4_096;
/// How many different events are remembered for counting.
const MOST_REMEMBERED: usize = 4_096;
/// The same event after so long is a new one.
const SAME_FOR: SignedDuration = SignedDuration::from_mins(10);
/// For how long events are still posted when the controller ends.
const LAST_WORDS: Duration = Duration::from_secs(3);
const COMPONENT: &str = "rollouts-controller";

/// The object that an event is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subject {
    pub(crate) kind: Watched,
    /// Empty for objects of the cluster.
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
}

impl Subject {
    pub(crate) fn of(work: Work, meta: &ObjectMeta) -> Self {
        Self {
            kind: work.kind(),
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
        }
    }
}

impl Subject {
    /// Where events about it are.
    fn namespace_of_events(&self) -> &str {
        if self.namespace.is_empty() { "default" } else { &self.namespace }
    }
}

/// Something to post.
struct Told {
    subject: Subject,
    event: Event,
    at: Timestamp,
    /// Set for what is said once, whoever says it: the name of the event.
    once: Option<String>,
}

/// Where passes leave their events.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    sender: mpsc::Sender<Told>,
    clock: Clock,
    metrics: Metrics,
}

impl Recorder {
    pub(crate) fn tell(&self, subject: &Subject, events: &[Event]) {
        for event in events {
            self.send(subject, event, None);
        }
    }

    /// The same once in all, also after a restart and by another replica: for this state of the object.
    pub(crate) fn tell_once(&self, subject: &Subject, event: &Event, state: &str) {
        let short = subject.uid.get(..8).unwrap_or(&subject.uid);
        self.send(subject, event, Some(format!("{}.{short}.{state}", subject.name)));
    }

    fn send(&self, subject: &Subject, event: &Event, once: Option<String>) {
        self.metrics.event(subject, event);
        let told = Told { subject: subject.clone(), event: event.clone(), at: self.clock.now(), once };
        if self.sender.try_send(told).is_err() {
            self.metrics.event_dropped();
        }
    }
}

/// Posts events until nobody is left who tells any.
pub(crate) struct Poster {
    told: mpsc::Receiver<Told>,
    requests: Arc<Requests>,
    known: BTreeMap<(Subject, &'static str, String), Known>,
    oldest_first: VecDeque<(Subject, &'static str, String)>,
    posted: u64,
}

struct Known {
    name: String,
    count: u32,
    last: Timestamp,
}

/// The two ends: where events are left and who posts them.
pub(crate) fn recorder(clock: Clock, requests: Arc<Requests>, metrics: Metrics) -> (Recorder, Poster) {
    let (sender, told) = mpsc::channel(MOST_WAITING);
    let poster = Poster { told, requests, known: BTreeMap::new(), oldest_first: VecDeque::new(), posted: 0 };
    (Recorder { sender, clock, metrics }, poster)
}

impl Poster {
    /// When the controller ends, what is left to post has a short time to be posted.
    pub(crate) async fn run(mut self, mut shutdown: Shutdown) {
        let out_of_time = async {
            shutdown.wait_for_passes().await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        tokio::select! {
            () = self.post_all() => {}
            () = out_of_time => {}
        }
    }

    async fn post_all(&mut self) {
        while let Some(Told { subject, event, at, once }) = self.told.recv().await {
            let posted = match once {
                Some(name) => self.post_once(&subject, &event, &name, at).await,
                None => self.post(&subject, &event, at).await,
            };
            if let Err(problem) = posted {
                tracing::warn!(
                    namespace = subject.namespace,
                    object = subject.name,
                    reason = event.reason,
                    "an event could not be posted: {problem}"
                );
            }
        }
    }

    async fn post(&mut self, subject: &Subject, event: &Event, at: Timestamp) -> Result<(), RequestError> {
        let key = (subject.clone(), event.reason, event.message.clone());
        let collection = collection(subject);
        if let Some(known) = self.known.get_mut(&key).filter(|known| at.duration_since(known.last) < SAME_FOR) {
            known.count += 1;
            known.last = at;
            let again = json!({"count": known.count, "lastTimestamp": seconds_time(at)});
            let request = Request {
                kind: "Event",
                method: "PATCH",
                path: &format!("{collection}/{}", known.name),
                content_type: "application/merge-patch+json",
                body: &again,
                manager: FIELD_MANAGER,
            };
            match self.requests.write(&request).await {
                Err(RequestError::Stale { .. }) => {}
                answer => return answer.map(drop),
            }
        }
        self.posted += 1;
        let name = format!("{}.{:x}.{:x}", subject.name, at.as_microsecond(), self.posted);
        self.remember(key, Known { name: name.clone(), count: 1, last: at });
        self.create(subject, event, &name, at).await
    }

    /// One of this name that is there says the same.
    async fn post_once(&self, subject: &Subject, event: &Event, name: &str, at: Timestamp) -> Result<(), RequestError> {
        match self.create(subject, event, name, at).await {
            Err(RequestError::Stale { code: 409, .. }) => Ok(()),
            answer => answer,
        }
    }

    async fn create(&self, subject: &Subject, event: &Event, name: &str, at: Timestamp) -> Result<(), RequestError> {
        let (path, body) = (collection(subject), body(subject, event, name, at));
        let request = Request {
            kind: "Event",
            method: "POST",
            path: &path,
            content_type: "application/json",
            body: &body,
            manager: FIELD_MANAGER,
        };
        self.requests.write(&request).await.map(drop)
    }

    fn remember(&mut self, key: (Subject, &'static str, String), known: Known) {
        if self.known.insert(key.clone(), known).is_none() {
            self.oldest_first.push_back(key);
        }
        if self.oldest_first.len() > MOST_REMEMBERED
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

fn collection(subject: &Subject) -> String {
    format!("/api/v1/namespaces/{}/events", subject.namespace_of_events())
}

fn body(subject: &Subject, event: &Event, name: &str, at: Timestamp) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": subject.namespace_of_events()},
        "involvedObject": {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": subject.kind.as_str(),
            "namespace": subject.namespace,
            "name": subject.name,
            "uid": subject.uid,
        },
        "type": event.kind.as_str(),
        "reason": event.reason,
        "message": event.message,
        "count": 1,
        "firstTimestamp": seconds_time(at),
        "lastTimestamp": seconds_time(at),
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
    })
}
