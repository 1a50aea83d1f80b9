//! The data plane: where requests go, and what becomes of them.
//!
//! Traffic is not sent one request at a time. A [`Flow`] is a rate of equal requests; between two
//! changes of the configuration its requests are shared out in whole numbers, remainders carried
//! over, so that an hour costs microseconds and every request is still accounted for exactly once.
//!
//! What a router does lags behind what its objects say: see [`propagation`].

mod apportion;
mod behaviour;
mod endpoints;
mod flow;
mod gateway;
mod ingress;
mod istio;
mod json;
mod matching;
mod objects;
pub mod propagation;
mod record;
mod split;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

pub use behaviour::{BUCKETS_MS, Behaviour, Latency};
pub use flow::{Entry, Flow};
pub use objects::Objects;
pub use propagation::{Mishap, Plane};
pub use record::{Answerer, Asked, Record, RevisionRecord, Stretch, Through};
pub use split::{Backend, Split, Target};

use endpoints::EndpointTable;
use objects::Pods;
use propagation::Propagation;

/// What one kind of router was told, ready to route by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Table {
    Endpoints(EndpointTable),
    Gateway(gateway::Routes),
    Ingress(ingress::Ingresses),
    Istio(istio::Mesh),
}

/// A cluster's routers and the traffic that they carry.
#[derive(Clone, Debug)]
pub struct DataPlane {
    flows: BTreeMap<String, flow::Running>,
    propagation: Propagation,
    pods: Arc<Pods>,
    record: Record,
    reached: Timestamp,
}

impl DataPlane {
    /// A data plane without traffic.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            flows: BTreeMap::new(),
            propagation: Propagation::default(),
            pods: Arc::default(),
            record: Record::default(),
            reached: now,
        }
    }

    /// Starts a flow, or changes the one of this name from now on.
    pub fn send(&mut self, flow: Flow, now: Timestamp) {
        self.advance_to(now);
        self.flows.insert(flow.name.clone(), flow::Running::starting_at(flow, now));
    }

    /// Ends a flow.
    pub fn stop(&mut self, name: &str, now: Timestamp) {
        self.advance_to(now);
        self.flows.remove(name);
    }

    /// Lag and misbehaviour of the routers.
    pub fn propagation(&mut self) -> &mut Propagation {
        &mut self.propagation
    }

    /// Takes note of the routing objects and pods as they are now. The pods count at once, since they
    /// serve or don't; what routers were told counts when it has reached them.
    pub fn observe(&mut self, objects: &Objects<'_>, now: Timestamp) {
        self.advance_to(now);
        self.propagation.tell(Plane::Endpoints, Table::Endpoints(EndpointTable::of(objects)), now);
        self.propagation.tell(Plane::Gateway, Table::Gateway(gateway::Routes::of(objects)), now);
        self.propagation.tell(Plane::Ingress, Table::Ingress(ingress::Ingresses::of(objects)), now);
        self.propagation.tell(Plane::Istio, Table::Istio(istio::Mesh::of(objects)), now);
        self.pods = Arc::new(Pods::of(objects));
        self.propagation.settle(now);
    }

    /// When the routing changes next although no object does.
    #[must_use]
    pub fn next_change(&self) -> Option<Timestamp> {
        self.propagation.next_change()
    }

    /// Accounts for all traffic up to `now`.
    pub fn advance_to(&mut self, now: Timestamp) {
        while self.reached < now {
            self.propagation.settle(self.reached);
            let until = self.next_change().map_or(now, |change| change.min(now));
            let tables = self.propagation.tables();
            for running in self.flows.values_mut() {
                running.carry(&tables, &self.pods, self.reached, until, &mut self.record);
            }
            self.reached = until;
        }
        self.propagation.settle(self.reached);
    }

    /// How the routers would split these requests at this moment.
    #[must_use]
    pub fn split(&self, flow: &Flow) -> Split {
        flow::split(flow, &self.propagation.tables())
    }

    /// What became of all requests so far.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }
}
