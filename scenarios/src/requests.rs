//! Requests that run through the sandbox's routers while a story is told.

use sluice_sandbox::dataplane::{Entry, Flow};

use crate::file::{Door, Requests};
use crate::site::Site;

/// Requests per second of each flow.
const RATE: u32 = 100;

impl Site {
    /// These requests come in from now on.
    pub fn send(&mut self, requests: &Requests) {
        let entry = match requests.through {
            Door::Ingress => Entry::Ingress,
            Door::Gateway => Entry::Gateway,
            Door::Mesh => Entry::Mesh,
        };
        let now = self.cluster.now();
        self.cluster.plane_mut().send(Flow::get(&requests.host, entry, &requests.host, RATE), now);
        self.flows.push(requests.host.clone());
    }

    /// Requests that met no pod, in one sentence.
    pub fn lost_requests(&self) -> Option<String> {
        let record = self.cluster.plane().record();
        let lost = |flow: &String| {
            let mut bad = record
                .stretches(flow)
                .iter()
                .filter(|stretch| stretch.met_no_ready_pod > 0 || !stretch.unrouted.is_empty());
            bad.next().map(|stretch| format!("requests to {flow} are lost: {stretch:?}"))
        };
        self.flows.iter().find_map(lost)
    }
}
