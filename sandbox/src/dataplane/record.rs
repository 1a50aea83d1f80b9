//! What became of every request, exactly: totals per flow and revision, and stretches of time.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::behaviour::BUCKETS_MS;
use super::flow::Entry;
use super::split::{Backend, Split, Target};

/// Everything that happened so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    flows: BTreeMap<String, FlowRecord>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct FlowRecord {
    revisions: BTreeMap<String, RevisionRecord>,
    mirrored: BTreeMap<Target, u64>,
    stretches: Vec<Stretch>,
    answers: BTreeMap<Answerer, RevisionRecord>,
}

/// As what requests came in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// By which door.
    pub entry: Entry,
    /// The host asked for.
    pub host: String,
    /// The path asked for.
    pub path: String,
    /// The method.
    pub method: String,
}

/// What ingress-nginx knows of a request besides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Through {
    /// The name of the stable Ingress.
    pub ingress: String,
    /// The Service of the stable Ingress.
    pub service: String,
    /// The upstream of the canary Ingress, as nginx spells it; empty for the stable one's.
    pub canary: String,
}

/// Who answered, and how requests came there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answerer {
    /// The name of the pod; none where no pod was there to answer.
    pub pod: Option<String>,
    /// The pod's revision.
    pub revision: String,
    /// The Service that they were sent to.
    pub backend: Arc<Backend>,
    /// As what they came in.
    pub asked: Arc<Asked>,
    /// For requests through ingress-nginx.
    pub through: Option<Arc<Through>>,
}

/// What one revision answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevisionRecord {
    /// Requests that reached a pod of it.
    pub requests: u64,
    /// Those of them that it answered with an error.
    pub errors: u64,
    /// Requests per latency bucket ([`BUCKETS_MS`], then the slower ones).
    pub latency_buckets: Vec<u64>,
}

/// A time during which one split was in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// How the router split.
    pub split: Split,
    /// Requests by the revision that answered.
    pub served: BTreeMap<String, u64>,
    /// Answers that were errors.
    pub errors: u64,
    /// Requests that were sent to a Service without a pod that serves, or to a pod that was gone.
    pub met_no_ready_pod: u64,
    /// Requests that no route took, by reason.
    pub unrouted: BTreeMap<String, u64>,
}

impl Stretch {
    /// All requests of this stretch.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.served.values().sum::<u64>() + self.met_no_ready_pod + self.unrouted.values().sum::<u64>()
    }
}

impl Record {
    /// The stretches of a flow, oldest first.
    #[must_use]
    pub fn stretches(&self, flow: &str) -> &[Stretch] {
        self.flows.get(flow).map_or(&[], |flow| &flow.stretches)
    }

    /// What each revision answered of a flow.
    pub fn revisions(&self, flow: &str) -> impl Iterator<Item = (&str, &RevisionRecord)> {
        self.flows
            .get(flow)
            .into_iter()
            .flat_map(|flow| &flow.revisions)
            .map(|(revision, record)| (revision.as_str(), record))
    }

    /// What one revision answered of a flow.
    #[must_use]
    pub fn revision(&self, flow: &str, revision: &str) -> RevisionRecord {
        self.flows.get(flow).and_then(|flow| flow.revisions.get(revision)).cloned().unwrap_or_default()
    }

    /// What each pod answered, by the way on which requests came to it; where no pod was there, all were errors.
    pub fn answers(&self) -> impl Iterator<Item = (&Answerer, &RevisionRecord)> {
        self.flows.values().flat_map(|flow| &flow.answers)
    }

    /// All requests of a flow.
    #[must_use]
    pub fn requests(&self, flow: &str) -> u64 {
        self.stretches(flow).iter().map(Stretch::requests).sum()
    }

    /// Requests of a flow that met no pod that serves.
    #[must_use]
    pub fn met_no_ready_pod(&self, flow: &str) -> u64 {
        self.stretches(flow).iter().map(|stretch| stretch.met_no_ready_pod).sum()
    }

    /// Requests of a flow that no route took.
    #[must_use]
    pub fn unrouted(&self, flow: &str) -> u64 {
        self.stretches(flow).iter().flat_map(|stretch| stretch.unrouted.values()).sum()
    }

    /// Copies of a flow's requests that were sent besides to a Service.
    #[must_use]
    pub fn mirrored(&self, flow: &str, service: &str) -> u64 {
        self.flows
            .get(flow)
            .into_iter()
            .flat_map(|flow| &flow.mirrored)
            .filter(|(target, _)| matches!(target, Target::Backend(backend) if backend.service == service))
            .map(|(_, copies)| copies)
            .sum()
    }

    pub(super) fn add(&mut self, moment: Moment) {
        let flow = self.flows.entry(moment.flow).or_default();
        for (revision, served) in moment.revisions {
            flow.revisions.entry(revision).or_default().add(&served);
        }
        for (answerer, served) in moment.answers {
            flow.answers.entry(answerer).or_default().add(&served);
        }
        for (target, copies) in moment.mirrored {
            *flow.mirrored.entry(target).or_default() += copies;
        }
        match flow.stretches.last_mut() {
            Some(last) if last.split == moment.stretch.split && last.until == moment.stretch.from => {
                last.extend(moment.stretch);
            }
            _ => flow.stretches.push(moment.stretch),
        }
    }
}

impl RevisionRecord {
    fn add(&mut self, more: &Self) {
        self.requests += more.requests;
        self.errors += more.errors;
        self.latency_buckets.resize(BUCKETS_MS.len() + 1, 0);
        for (total, more) in self.latency_buckets.iter_mut().zip(&more.latency_buckets) {
            *total += more;
        }
    }
}

impl Stretch {
    fn extend(&mut self, more: Self) {
        self.until = more.until;
        self.errors += more.errors;
        self.met_no_ready_pod += more.met_no_ready_pod;
        for (revision, served) in more.served {
            *self.served.entry(revision).or_default() += served;
        }
        for (reason, lost) in more.unrouted {
            *self.unrouted.entry(reason).or_default() += lost;
        }
    }
}

/// The account of one flow over one time without changes, before it goes into the record.
#[derive(Debug)]
pub(super) struct Moment {
    flow: String,
    stretch: Stretch,
    revisions: BTreeMap<String, RevisionRecord>,
    answers: BTreeMap<Answerer, RevisionRecord>,
    mirrored: BTreeMap<Target, u64>,
}

impl Moment {
    pub(super) fn new(flow: &str, from: Timestamp, until: Timestamp, split: &Split) -> Self {
        Self {
            flow: flow.to_owned(),
            stretch: Stretch {
                from,
                until,
                split: split.clone(),
                served: BTreeMap::new(),
                errors: 0,
                met_no_ready_pod: 0,
                unrouted: BTreeMap::new(),
            },
            revisions: BTreeMap::new(),
            answers: BTreeMap::new(),
            mirrored: BTreeMap::new(),
        }
    }

    pub(super) fn served(&mut self, by: Answerer, requests: u64, errors: u64, latency_buckets: Vec<u64>) {
        if requests == 0 {
            return;
        }
        *self.stretch.served.entry(by.revision.clone()).or_default() += requests;
        self.stretch.errors += errors;
        let served = RevisionRecord { requests, errors, latency_buckets };
        self.revisions.entry(by.revision.clone()).or_default().add(&served);
        self.answers.entry(by).or_default().add(&served);
    }

    pub(super) fn met_no_ready_pod(&mut self, at: Answerer, requests: u64) {
        if requests == 0 {
            return;
        }
        self.stretch.met_no_ready_pod += requests;
        let lost = RevisionRecord { requests, errors: requests, latency_buckets: Vec::new() };
        self.answers.entry(at).or_default().add(&lost);
    }

    pub(super) fn unrouted(&mut self, requests: u64, reason: &str) {
        if requests > 0 {
            *self.stretch.unrouted.entry(reason.to_owned()).or_default() += requests;
        }
    }

    pub(super) fn mirrored(&mut self, target: &Target, copies: u64) {
        if copies > 0 {
            *self.mirrored.entry(target.clone()).or_default() += copies;
        }
    }
}
