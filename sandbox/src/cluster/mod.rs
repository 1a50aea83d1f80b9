//! A whole cluster: the API server, Kubernetes' own controllers, nodes with their kubelets, and the
//! traffic through it, on one clock that the caller moves.

mod nodes;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::api::bootstrap;
use crate::api::request::{Request, Response};
use crate::controllers::Controllers;
use crate::dataplane::{DataPlane, Objects};
use crate::kubelet::Options;
use crate::metrics::{Answer, Metrics};
use crate::world::{Object, ResourceKey, World};

use nodes::Nodes;

/// More rounds than this in one instant, and the parts of the cluster are answering each other for ever
/// (a pod that is evicted the moment it starts, say). In a real cluster every round takes time.
const MOST_ROUNDS: usize = 100;

/// How long they then rest.
const REST: SignedDuration = SignedDuration::from_secs(1);

/// What the data plane looks at, as `(group, plural)`.
const ROUTING: [(&str, &str); 7] = [
    ("", "pods"),
    ("", "services"),
    ("discovery.k8s.io", "endpointslices"),
    ("gateway.networking.k8s.io", "httproutes"),
    ("networking.istio.io", "destinationrules"),
    ("networking.istio.io", "virtualservices"),
    ("networking.k8s.io", "ingresses"),
];

/// A cluster in memory. A clone is a fork: both go on independently from the same state.
#[derive(Clone, Debug)]
pub struct Cluster {
    world: World,
    controllers: Controllers,
    nodes: Nodes,
    plane: DataPlane,
    metrics: Metrics,
    routed: Option<u64>,
    resting_until: Option<Timestamp>,
    now: Timestamp,
}

impl Cluster {
    /// A cluster with the namespaces and roles that every cluster has, and so many nodes. The seed decides uids
    /// and generated names.
    #[must_use]
    pub fn new(seed: u64, nodes: usize, now: Timestamp) -> Self {
        let mut cluster = Self {
            world: World::new(seed),
            controllers: Controllers::default(),
            nodes: Nodes::default(),
            plane: DataPlane::new(now),
            metrics: Metrics::default(),
            routed: None,
            resting_until: None,
            now,
        };
        let begun = bootstrap(&mut cluster.world, now);
        debug_assert!(begun.is_ok(), "an empty world takes its first objects: {begun:?}");
        cluster.settle();
        for number in 1..=nodes {
            cluster.add_node(&format!("node-{number}"));
        }
        cluster
    }

    /// The time that the cluster has reached.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Everything that is stored.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Everything that is stored, to be changed behind the API server's back.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// The traffic through the cluster.
    #[must_use]
    pub fn plane(&self) -> &DataPlane {
        &self.plane
    }

    /// The traffic through the cluster, to start flows and script mishaps.
    pub fn plane_mut(&mut self) -> &mut DataPlane {
        &mut self.plane
    }

    /// The metrics backend, which scrapes the cluster once it is told how often.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The metrics backend, to start scraping, push samples and script faults.
    pub fn metrics_mut(&mut self) -> &mut Metrics {
        &mut self.metrics
    }

    /// Asks the metrics backend through Prometheus' HTTP API.
    #[must_use]
    pub fn ask_metrics(&self, request: &Request) -> Answer {
        self.metrics.ask(request, self.now)
    }

    /// Answers one request and lets the cluster react to it.
    pub fn handle(&mut self, request: &Request) -> Response {
        let response = crate::api::handle(&mut self.world, request, self.now);
        self.settle();
        response
    }

    /// A node joins.
    pub fn add_node(&mut self, name: &str) {
        self.nodes.join(&mut self.world, name, self.now);
        self.settle();
    }

    /// A node's kubelet falls silent: its pods stop being ready, and nothing on it changes any more.
    pub fn lose_node(&mut self, name: &str) {
        self.nodes.lose(&mut self.world, name, self.now);
        self.settle();
    }

    /// A lost node comes back as it was.
    pub fn recover_node(&mut self, name: &str) {
        self.nodes.recover(&mut self.world, name, self.now);
        self.settle();
    }

    /// How quickly kubelets back off.
    pub fn set_kubelet_options(&mut self, options: Options) {
        self.nodes.set_options(options);
    }

    /// When something happens next although nobody asks for it.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let parts = [self.controllers.next_wake(), self.nodes.next_wake()].into_iter().flatten().min();
        // Whoever rests does nothing before, even if it is due.
        let parts = match self.resting_until {
            Some(rested) => Some(parts.map_or(rested, |due| due.max(rested))),
            None => parts,
        };
        [parts, self.metrics.next_scrape()].into_iter().flatten().min()
    }

    /// Lets time pass; everything on the way happens at its own moment.
    pub fn advance_to(&mut self, until: Timestamp) {
        while let Some(wake) = self.next_wake().filter(|wake| *wake <= until) {
            self.now = self.now.max(wake);
            self.settle();
        }
        self.now = self.now.max(until);
        self.settle();
    }

    /// Lets controllers and kubelets work until nothing is left to do at this moment.
    pub fn settle(&mut self) {
        if self.resting_until.is_none_or(|rested| rested <= self.now) {
            self.resting_until = None;
            if !self.work() {
                self.resting_until = self.now.checked_add(REST).ok();
            }
        }
        self.route();
        self.scrape();
    }

    fn scrape(&mut self) {
        if !self.metrics.is_due(self.now) {
            return;
        }
        let pods = self.world.list("", "pods", "");
        let pods: Vec<&Value> = pods.iter().map(|pod| pod.value()).collect();
        self.metrics.scrape(&pods, self.plane.record(), self.now);
    }

    /// Whether everybody came to an end.
    fn work(&mut self) -> bool {
        for _ in 0..MOST_ROUNDS {
            let before = self.world.revision();
            self.controllers.run(&mut self.world, self.now);
            self.nodes.run(&mut self.world, self.now);
            if self.world.revision() == before {
                return true;
            }
        }
        false
    }

    fn route(&mut self) {
        self.plane.advance_to(self.now);
        let changed =
            self.routed.is_none_or(|seen| ROUTING.iter().any(|(group, plural)| self.changed(group, plural, seen)));
        if !changed {
            return;
        }
        self.routed = Some(self.world.revision());
        let all: Vec<Vec<std::sync::Arc<Object>>> =
            ROUTING.iter().map(|(group, plural)| self.world.list(group, plural, "")).collect();
        let values = |index: usize| -> Vec<&Value> { all[index].iter().map(|object| object.value()).collect() };
        let objects = Objects {
            pods: values(0),
            services: values(1),
            endpoint_slices: values(2),
            http_routes: values(3),
            destination_rules: values(4),
            virtual_services: values(5),
            ingresses: values(6),
        };
        self.plane.observe(&objects, self.now);
    }

    fn changed(&self, group: &str, plural: &str, since: u64) -> bool {
        self.world.collection(&ResourceKey::new(group, plural)).is_some_and(|collection| {
            collection.oldest_revision() > since || collection.changes_after(since).next().is_some()
        })
    }
}
