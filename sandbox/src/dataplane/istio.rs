//! Istio's VirtualServices and DestinationRules, as a sidecar or gateway applies them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::endpoints::EndpointTable;
use super::flow::Flow;
use super::json::{at, labels, list, namespace, text};
use super::matching::{Pattern, host_fit};
use super::objects::{Key, Objects};
use super::split::{Backend, Split, Target};

#[derive(Clone, Debug, PartialEq)]
struct VirtualService {
    /// As written, and short names completed by namespace.
    hosts: Vec<String>,
    routes: Vec<Route>,
}

#[derive(Clone, Debug, PartialEq)]
struct Route {
    /// Any of these; none means every request.
    matches: Vec<Match>,
    split: Split,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Match {
    uri: Option<Pattern>,
    method: Option<Pattern>,
    authority: Option<Pattern>,
    headers: Vec<(String, Pattern)>,
    without: Vec<(String, Pattern)>,
}

/// All VirtualServices, compiled; subsets are resolved to labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Mesh {
    services: Vec<VirtualService>,
}

impl Mesh {
    pub(super) const fn empty() -> Self {
        Self { services: Vec::new() }
    }

    pub(super) fn of(objects: &Objects<'_>) -> Self {
        let subsets = Subsets::of(objects);
        Self {
            services: objects
                .virtual_services
                .iter()
                .map(|service| VirtualService {
                    hosts: list(service, &["spec", "hosts"])
                        .iter()
                        .filter_map(Value::as_str)
                        .map(|host| full_name(host, namespace(service)))
                        .collect(),
                    routes: list(service, &["spec", "http"])
                        .iter()
                        .map(|route| compile(route, namespace(service), &subsets))
                        .collect(),
                })
                .collect(),
        }
    }

    /// `None` where no VirtualService speaks for this host.
    pub(super) fn split(&self, flow: &Flow) -> Option<Split> {
        let (_, service) = self
            .services
            .iter()
            .filter_map(|service| {
                let fit = service.hosts.iter().filter_map(|host| fits(host, &flow.host)).max()?;
                Some((fit, service))
            })
            .max_by_key(|(fit, _)| *fit)?;
        let route = service
            .routes
            .iter()
            .find(|route| route.matches.is_empty() || route.matches.iter().any(|one| one.takes(flow)));
        Some(
            route.map_or_else(|| Split::nowhere("no route of the VirtualService matches"), |route| route.split.clone()),
        )
    }
}

/// A host as a client names it may be shorter than the host that the VirtualService names.
fn fits(wanted: &str, host: &str) -> Option<super::matching::HostFit> {
    host_fit(wanted, host).or_else(|| {
        let (name, rest) = host.split_once('.').unwrap_or((host, "default"));
        let asked = full_name(name, rest.split('.').next().unwrap_or("default"));
        host_fit(wanted, &asked)
    })
}

/// `web` in namespace `shop` is `web.shop.svc.cluster.local`; names with dots stay as they are,
/// except `web.shop` and `web.shop.svc`.
fn full_name(host: &str, namespace: &str) -> String {
    let parts: Vec<&str> = host.split('.').collect();
    match parts[..] {
        [name] if name != "*" => format!("{name}.{namespace}.svc.cluster.local"),
        [name, namespace, "svc"] => format!("{name}.{namespace}.svc.cluster.local"),
        _ => host.to_owned(),
    }
}

fn service_of(host: &str, default_namespace: &str) -> Key {
    let mut parts = host.split('.');
    let name = parts.next().unwrap_or_default().to_owned();
    (parts.next().unwrap_or(default_namespace).to_owned(), name)
}

/// Straight to the Service that a host names.
pub(super) fn to_service(host: &str, endpoints: &EndpointTable) -> Split {
    let (namespace, service) = service_of(host, "default");
    if endpoints.has(&namespace, &service) {
        Split::all_to(Backend { namespace, service, subset: BTreeMap::new() })
    } else {
        Split::nowhere("no Service has this name")
    }
}

struct Subsets(BTreeMap<(Key, String), BTreeMap<String, String>>);

impl Subsets {
    fn of(objects: &Objects<'_>) -> Self {
        let mut subsets = BTreeMap::new();
        for rule in &objects.destination_rules {
            let service = service_of(text(rule, &["spec", "host"]), namespace(rule));
            for subset in list(rule, &["spec", "subsets"]) {
                subsets.insert((service.clone(), text(subset, &["name"]).to_owned()), labels(subset, &["labels"]));
            }
        }
        Self(subsets)
    }

    fn target(&self, destination: &Value, default_namespace: &str) -> Target {
        let (namespace, service) = service_of(text(destination, &["host"]), default_namespace);
        let subset = text(destination, &["subset"]);
        if subset.is_empty() {
            return Target::Backend(Backend { namespace, service, subset: BTreeMap::new() });
        }
        match self.0.get(&((namespace.clone(), service.clone()), subset.to_owned())) {
            Some(labels) => Target::Backend(Backend { namespace, service, subset: labels.clone() }),
            None => Target::Nowhere(format!("no DestinationRule has the subset {subset}")),
        }
    }
}

fn compile(route: &Value, namespace: &str, subsets: &Subsets) -> Route {
    let destinations = list(route, &["route"]);
    let parts: Vec<(u64, Target)> = destinations
        .iter()
        .map(|one| {
            let weight = at(one, &["weight"]).as_u64();
            // A route with one destination needs no weight.
            let weight = weight.unwrap_or(u64::from(destinations.len() == 1));
            (weight, subsets.target(at(one, &["destination"]), namespace))
        })
        .collect();
    let parts =
        if destinations.len() == 1 { parts.into_iter().map(|(_, target)| (1, target)).collect() } else { parts };
    Route {
        matches: list(route, &["match"]).iter().map(Match::of).collect(),
        split: Split { parts, mirrors: mirrors(route, namespace, subsets) },
    }
}

fn mirrors(route: &Value, namespace: &str, subsets: &Subsets) -> Vec<(f64, Target)> {
    let mut mirrors = Vec::new();
    let one = at(route, &["mirror"]);
    if !one.is_null() {
        let percent = at(route, &["mirrorPercentage", "value"])
            .as_f64()
            .or_else(|| at(route, &["mirrorPercent"]).as_f64())
            .unwrap_or(100.0);
        mirrors.push((percent.clamp(0.0, 100.0), subsets.target(one, namespace)));
    }
    for one in list(route, &["mirrors"]) {
        let percent = at(one, &["percentage", "value"]).as_f64().unwrap_or(100.0);
        mirrors.push((percent.clamp(0.0, 100.0), subsets.target(at(one, &["destination"]), namespace)));
    }
    mirrors
}

impl Match {
    fn of(value: &Value) -> Self {
        Self {
            uri: string_match(at(value, &["uri"])),
            method: string_match(at(value, &["method"])),
            authority: string_match(at(value, &["authority"])),
            headers: header_matches(at(value, &["headers"])),
            without: header_matches(at(value, &["withoutHeaders"])),
        }
    }

    fn takes(&self, flow: &Flow) -> bool {
        let fits = |pattern: &Option<Pattern>, text: &str| pattern.as_ref().is_none_or(|pattern| pattern.matches(text));
        let has =
            |(header, pattern): &(String, Pattern)| flow.header(header).is_some_and(|value| pattern.matches(value));
        fits(&self.uri, &flow.path)
            && fits(&self.method, &flow.method)
            && fits(&self.authority, &flow.host)
            && self.headers.iter().all(has)
            && !self.without.iter().any(has)
    }
}

fn header_matches(value: &Value) -> Vec<(String, Pattern)> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(header, wanted)| (header.clone(), string_match(wanted).unwrap_or(Pattern::Anything)))
        .collect()
}

fn string_match(value: &Value) -> Option<Pattern> {
    let given = |key: &str| at(value, &[key]).as_str();
    given("exact")
        .map(|text| Pattern::Exact(text.to_owned()))
        .or_else(|| given("prefix").map(|text| Pattern::Prefix(text.to_owned())))
        .or_else(|| given("regex").map(Pattern::whole))
}
