//! Flows: rates of equal requests, and how a stretch of time of one is accounted for.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::apportion::Credits;
use super::behaviour::BUCKETS_MS;
use super::objects::{Key, Pod, Pods};
use super::propagation::Tables;
use super::record::{Answerer, Asked, Moment, Record};
use super::split::{Split, Target};

/// By which door requests come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// Through the Gateway API's routes.
    Gateway,
    /// Through ingress-nginx.
    Ingress,
    /// From a neighbour in an Istio mesh; without a matching VirtualService straight to the Service.
    Mesh,
    /// Straight to the Service that the host names (`name`, or `name.namespace` and longer).
    Service,
}

/// A rate of equal requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// What the record calls it.
    pub name: String,
    /// Where it comes in.
    pub entry: Entry,
    /// The host asked for.
    pub host: String,
    /// The path asked for.
    pub path: String,
    /// The method.
    pub method: String,
    /// Header fields, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Requests per second.
    pub rate_per_s: u32,
}

impl Flow {
    /// `GET /` of a host.
    #[must_use]
    pub fn get(name: &str, entry: Entry, host: &str, rate_per_s: u32) -> Self {
        Self {
            name: name.to_owned(),
            entry,
            host: host.to_owned(),
            path: "/".to_owned(),
            method: "GET".to_owned(),
            headers: BTreeMap::new(),
            rate_per_s,
        }
    }

    /// With this header field.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.to_owned());
        self
    }

    /// With this path.
    #[must_use]
    pub fn with_path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        self.header("cookie")?
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))
    }
}

pub(super) fn split(flow: &Flow, tables: &Tables<'_>) -> Split {
    match flow.entry {
        Entry::Gateway => tables.gateway.split(flow),
        Entry::Ingress => tables.ingress.split(flow),
        Entry::Mesh => {
            tables.istio.split(flow).unwrap_or_else(|| super::istio::to_service(&flow.host, tables.endpoints))
        }
        Entry::Service => super::istio::to_service(&flow.host, tables.endpoints),
    }
}

/// A flow under way, with the remainders that make its numbers come out even.
#[derive(Clone, Debug)]
pub(super) struct Running {
    flow: Flow,
    asked: Arc<Asked>,
    since: Timestamp,
    sent: u64,
    targets: Credits<Target>,
    mirrors: BTreeMap<Target, Credits<bool>>,
    members: BTreeMap<Target, Credits<Key>>,
    pods: BTreeMap<Key, PodCarry>,
}

/// Remainders of one pod.
#[derive(Clone, Debug, Default)]
struct PodCarry {
    failed: Credits<bool>,
    bucket: Credits<usize>,
}

impl Running {
    pub(super) fn starting_at(flow: Flow, since: Timestamp) -> Self {
        let asked = Arc::new(Asked {
            entry: flow.entry,
            host: flow.host.clone(),
            path: flow.path.clone(),
            method: flow.method.clone(),
        });
        Self {
            flow,
            asked,
            since,
            sent: 0,
            targets: Credits::default(),
            mirrors: BTreeMap::new(),
            members: BTreeMap::new(),
            pods: BTreeMap::new(),
        }
    }

    /// Sends what falls due between `from` and `until`, during which nothing about routing changes.
    #[expect(clippy::cast_precision_loss, reason = "weights and counts stay far below 2^52")]
    pub(super) fn carry(
        &mut self,
        tables: &Tables<'_>,
        pods: &Pods,
        from: Timestamp,
        until: Timestamp,
        record: &mut Record,
    ) {
        let due = self.due(until);
        let requests = due - self.sent;
        self.sent = due;
        self.pods.retain(|key, _| pods.0.contains_key(key));
        let split = split(&self.flow, tables);
        let mut moment = Moment::new(&self.flow.name, from, until, &split);
        let takers: Vec<(f64, Target)> =
            split.parts.iter().map(|(weight, target)| (*weight as f64, target.clone())).collect();
        let counts = self.targets.share_out(requests, &takers);
        let routed: u64 = counts.iter().sum();
        moment.unrouted(requests - routed, "the split has no weight");
        for ((_, target), count) in takers.iter().zip(counts) {
            self.deliver(target, count, tables, pods, &mut moment);
        }
        for (percent, target) in &split.mirrors {
            let carried = self.mirrors.entry(target.clone()).or_default();
            let copies = carried.share_out(requests, &[(*percent, true), (100.0 - percent, false)])[0];
            moment.mirrored(target, copies);
        }
        record.add(moment);
    }

    /// Requests since the start of the flow: the k-th is sent k/rate seconds after it.
    fn due(&self, until: Timestamp) -> u64 {
        let elapsed_ns = until.duration_since(self.since).as_nanos().max(0);
        let due = elapsed_ns * i128::from(self.flow.rate_per_s) / 1_000_000_000;
        u64::try_from(due).unwrap_or(u64::MAX)
    }

    fn deliver(&mut self, target: &Target, requests: u64, tables: &Tables<'_>, pods: &Pods, moment: &mut Moment) {
        let backend = match target {
            Target::Nowhere(reason) => return moment.unrouted(requests, reason),
            Target::Backend(backend) => backend,
        };
        if requests == 0 {
            return;
        }
        let through = match self.flow.entry {
            Entry::Ingress => tables.ingress.through(&self.flow, backend).map(Arc::new),
            Entry::Gateway | Entry::Mesh | Entry::Service => None,
        };
        let nobody = Answerer {
            asked: self.asked.clone(),
            backend: Arc::new(backend.clone()),
            pod: None,
            revision: String::new(),
            through,
        };
        let listed = tables.endpoints.pods_of(backend, pods);
        if listed.is_empty() {
            return moment.met_no_ready_pod(nobody, requests);
        }
        // Even shares, in the order of the names: the same every time.
        let takers: Vec<(f64, Key)> = listed.iter().map(|key| (1.0, (*key).clone())).collect();
        let counts = self.members.entry(target.clone()).or_default().share_out(requests, &takers);
        for (key, count) in listed.into_iter().zip(counts) {
            match pods.0.get(key) {
                Some(pod) if pod.serves => {
                    let (errors, buckets) = self.pods.entry(key.clone()).or_default().serve(pod, count);
                    let by = Answerer { pod: Some(key.1.clone()), revision: pod.revision.clone(), ..nobody.clone() };
                    moment.served(by, count, errors, buckets);
                }
                _ => moment.met_no_ready_pod(nobody.clone(), count),
            }
        }
    }
}

impl PodCarry {
    /// How many of these requests fail, and how many fall into each latency bucket.
    fn serve(&mut self, pod: &Pod, requests: u64) -> (u64, Vec<u64>) {
        let rate = pod.behaviour.error_rate;
        let errors = self.failed.share_out(requests, &[(rate, true), (1.0 - rate, false)])[0];
        let shares: Vec<(f64, usize)> =
            pod.behaviour.latency.bucket_shares().into_iter().zip(0..=BUCKETS_MS.len()).collect();
        (errors, self.bucket.share_out(requests, &shares))
    }
}
