//! The way from an object to the router that obeys it: it takes time, and it goes wrong.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::Table;
use super::endpoints::EndpointTable;
use super::gateway::Routes;
use super::ingress::Ingresses;
use super::istio::Mesh;

/// A part of the data plane that learns on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plane {
    /// Which pods are behind a Service; all routers share this knowledge.
    Endpoints,
    /// Gateway API routes.
    Gateway,
    /// Ingresses.
    Ingress,
    /// VirtualServices and DestinationRules.
    Istio,
}

/// What goes wrong with the next thing that a router is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// It takes this much longer.
    Slow(SignedDuration),
    /// It is never heard; the next change tells everything anew.
    Lost,
    /// The router refuses it and whatever comes after, until it is told otherwise.
    Refused,
}

#[derive(Clone, Debug, Default)]
struct Channel {
    delay: SignedDuration,
    mishaps: VecDeque<Mishap>,
    refuses: bool,
    told: Option<Table>,
    under_way: VecDeque<(Timestamp, Table)>,
    in_force: Option<Table>,
}

/// All parts of the data plane, each with what it was told, what is under way and what is in force.
#[derive(Clone, Debug, Default)]
pub struct Propagation {
    channels: BTreeMap<Plane, Channel>,
}

/// What is in force everywhere.
#[derive(Debug)]
pub(super) struct Tables<'a> {
    pub(super) endpoints: &'a EndpointTable,
    pub(super) gateway: &'a Routes,
    pub(super) ingress: &'a Ingresses,
    pub(super) istio: &'a Mesh,
}

impl Propagation {
    /// From now on, changes take this long to reach this part.
    pub fn set_delay(&mut self, plane: Plane, delay: SignedDuration) {
        self.channel(plane).delay = delay;
    }

    /// Something will go wrong with the next change (after those already scripted).
    pub fn script(&mut self, plane: Plane, mishap: Mishap) {
        self.channel(plane).mishaps.push_back(mishap);
    }

    /// A router that refused accepts again; what it was told last reaches it after its delay.
    pub fn accept_again(&mut self, plane: Plane, now: Timestamp) {
        let channel = self.channel(plane);
        channel.refuses = false;
        let arrives = later(now, channel.delay);
        if let Some(told) = channel.told.clone() {
            channel.under_way.push_back((arrives, told));
        }
    }

    fn channel(&mut self, plane: Plane) -> &mut Channel {
        self.channels.entry(plane).or_default()
    }

    pub(super) fn tell(&mut self, plane: Plane, table: Table, now: Timestamp) {
        let channel = self.channel(plane);
        if channel.told.as_ref() == Some(&table) {
            return;
        }
        channel.told = Some(table.clone());
        let mut arrives = later(now, channel.delay);
        match channel.mishaps.pop_front() {
            Some(Mishap::Slow(by)) => arrives = later(arrives, by),
            Some(Mishap::Lost) => return,
            Some(Mishap::Refused) => channel.refuses = true,
            None => {}
        }
        if !channel.refuses {
            // Routers are told in order: a quick change doesn't overtake a slow one.
            let last = channel.under_way.back().map_or(arrives, |(at, _)| *at);
            channel.under_way.push_back((arrives.max(last), table));
        }
    }

    /// Puts into force what has arrived by `now`.
    pub(super) fn settle(&mut self, now: Timestamp) {
        for channel in self.channels.values_mut() {
            while channel.under_way.front().is_some_and(|(at, _)| *at <= now) {
                channel.in_force = channel.under_way.pop_front().map(|(_, table)| table);
            }
        }
    }

    pub(super) fn next_change(&self) -> Option<Timestamp> {
        self.channels.values().filter_map(|channel| channel.under_way.front()).map(|(at, _)| *at).min()
    }

    pub(super) fn tables(&self) -> Tables<'_> {
        static NO_ENDPOINTS: EndpointTable = EndpointTable::empty();
        static NO_ROUTES: Routes = Routes::empty();
        static NO_INGRESSES: Ingresses = Ingresses::empty();
        static NO_MESH: Mesh = Mesh::empty();
        let mut tables =
            Tables { endpoints: &NO_ENDPOINTS, gateway: &NO_ROUTES, ingress: &NO_INGRESSES, istio: &NO_MESH };
        for table in self.channels.values().filter_map(|channel| channel.in_force.as_ref()) {
            match table {
                Table::Endpoints(endpoints) => tables.endpoints = endpoints,
                Table::Gateway(routes) => tables.gateway = routes,
                Table::Ingress(ingresses) => tables.ingress = ingresses,
                Table::Istio(mesh) => tables.istio = mesh,
            }
        }
        tables
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
