//! What a proxy's translator sees of a namespace: routing objects, Services, endpoints and pods as they are stored.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::kubelets::listens_at;

/// The objects of one namespace, by kind and name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    objects: BTreeMap<(String, String), Value>,
}

/// A place that requests are sent to: the pods behind a port of a Service, or those of them with these labels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Destination {
    pub service: String,
    pub port: u16,
    pub subset: Option<String>,
}

impl Destination {
    #[must_use]
    pub fn new(service: &str, port: u16) -> Self {
        Self { service: service.to_owned(), port, subset: None }
    }

    /// Its name in the configuration of a proxy.
    #[must_use]
    pub fn name(&self) -> String {
        let Self { service, port, subset } = self;
        subset.as_ref().map_or_else(|| format!("{service}_{port}"), |subset| format!("{service}_{port}_{subset}"))
    }
}

impl View {
    /// Objects as somebody would write them down.
    #[cfg(test)]
    pub(super) fn of(objects: impl IntoIterator<Item = Value>) -> Self {
        let mut view = Self::default();
        objects.into_iter().for_each(|object| view.insert(object));
        view
    }

    pub(super) fn insert(&mut self, object: Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.objects.insert((text(&object["kind"]), text(&object["metadata"]["name"])), object);
    }

    pub(super) fn remove(&mut self, kind: &str, name: &str) {
        self.objects.remove(&(kind.to_owned(), name.to_owned()));
    }

    /// Keeps only these of a kind.
    pub(super) fn retain(&mut self, kind: &str, names: &BTreeSet<String>) {
        self.objects.retain(|(of, name), _| of != kind || names.contains(name));
    }

    /// The object, or null.
    #[must_use]
    pub fn get(&self, kind: &str, name: &str) -> &Value {
        self.objects.get(&(kind.to_owned(), name.to_owned())).unwrap_or(&Value::Null)
    }

    /// All objects of a kind, by name.
    pub fn all<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.objects.iter().filter(move |((of, _), _)| of == kind).map(|(_, object)| object)
    }

    /// The number of a Service's port that is given by number, by name, or (null) by being the only one.
    pub(super) fn port(&self, service: &str, port: &Value) -> Result<u16> {
        let ports = self.get("Service", service)["spec"]["ports"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found = match port {
            Value::Null => {
                ensure!(ports.len() == 1, "Service {service} has {} ports, and none is named", ports.len());
                ports.first()
            }
            port => ports.iter().find(|one| one["port"] == *port || one["name"] == *port),
        };
        let number = found.with_context(|| format!("Service {service} has no port {port}"))?["port"].as_u64();
        Ok(u16::try_from(number.context("a port without a number")?)?)
    }

    /// Every port of every Service, and of every subset that a DestinationRule makes of one.
    pub(super) fn destinations(&self) -> Vec<Destination> {
        let mut all = Vec::new();
        for service in self.all("Service") {
            let name = service["metadata"]["name"].as_str().unwrap_or_default();
            let numbers = service["spec"]["ports"].as_array().into_iter().flatten();
            for port in numbers.filter_map(|port| u16::try_from(port["port"].as_u64()?).ok()) {
                let whole = Destination::new(name, port);
                let subsets = self.subsets(name).filter_map(|subset| subset["name"].as_str());
                all.extend(subsets.map(|subset| Destination { subset: Some(subset.to_owned()), ..whole.clone() }));
                all.push(whole);
            }
        }
        all.sort();
        all
    }

    fn subsets<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Value> {
        let rules = self.all("DestinationRule");
        let of_service = rules.filter(move |rule| {
            rule["spec"]["host"].as_str().is_some_and(|host| host.split('.').next() == Some(service))
        });
        of_service.flat_map(|rule| rule["spec"]["subsets"].as_array().into_iter().flatten())
    }

    /// Where the ready pods of a destination listen.
    pub(super) fn endpoints(&self, to: &Destination) -> Vec<SocketAddrV4> {
        let all: BTreeSet<SocketAddrV4> =
            self.ready(to).filter_map(|(slice, endpoint)| self.address(slice, endpoint, to)).collect();
        all.into_iter().collect()
    }

    /// The ready pods of a destination.
    #[must_use]
    pub fn pods_behind(&self, to: &Destination) -> Vec<&Value> {
        self.ready(to).map(|(_, endpoint)| self.pod_of(endpoint)).collect()
    }

    /// Where a pod listens to requests for a destination, if it is one of those behind it.
    #[must_use]
    pub fn address_of(&self, pod: &str, to: &Destination) -> Option<SocketAddrV4> {
        let (slice, endpoint) = self.ready(to).find(|(_, endpoint)| endpoint["targetRef"]["name"] == pod)?;
        self.address(slice, endpoint, to)
    }

    fn address(&self, slice: &Value, endpoint: &Value, to: &Destination) -> Option<SocketAddrV4> {
        let ip: Ipv4Addr = endpoint["addresses"][0].as_str()?.parse().ok()?;
        Some(SocketAddrV4::new(listens_at(ip), self.target_port(slice, to)?))
    }

    /// Ready endpoints, each with the slice that it is in.
    fn ready<'a>(&'a self, to: &'a Destination) -> impl Iterator<Item = (&'a Value, &'a Value)> {
        let labels = to.subset.as_deref().map(|name| {
            let subset = self.subsets(&to.service).find(|subset| subset["name"] == name);
            subset.map_or(&Value::Null, |subset| &subset["labels"])
        });
        let of_service =
            |slice: &&Value| slice["metadata"]["labels"]["kubernetes.io/service-name"] == to.service.as_str();
        let slices = self.all("EndpointSlice").filter(of_service);
        let all =
            slices.flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten().map(move |one| (slice, one)));
        all.filter(move |(_, endpoint)| {
            endpoint["conditions"]["ready"] != false && labels.is_none_or(|labels| self.has_labels(endpoint, labels))
        })
    }

    /// The port of the pods in a slice: it goes by the name of the Service's port.
    fn target_port(&self, slice: &Value, to: &Destination) -> Option<u16> {
        let name = |port: &Value| port["name"].as_str().unwrap_or_default().to_owned();
        let ports = self.get("Service", &to.service)["spec"]["ports"].as_array()?;
        let wanted = name(ports.iter().find(|one| one["port"] == to.port)?);
        let found = slice["ports"].as_array()?.iter().find(|one| name(one) == wanted)?;
        u16::try_from(found["port"].as_u64()?).ok()
    }

    fn pod_of(&self, endpoint: &Value) -> &Value {
        self.get("Pod", endpoint["targetRef"]["name"].as_str().unwrap_or_default())
    }

    fn has_labels(&self, endpoint: &Value, labels: &Value) -> bool {
        let pod = self.pod_of(endpoint);
        labels.as_object().into_iter().flatten().all(|(key, value)| pod["metadata"]["labels"][key] == *value)
    }
}
