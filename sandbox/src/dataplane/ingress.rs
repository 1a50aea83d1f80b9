//! Ingresses as ingress-nginx serves them: a stable Ingress by host and path, and at most one canary
//! Ingress beside each of its paths, chosen by header, then cookie, then weight.

use std::collections::BTreeMap;

use serde_json::Value;

use super::flow::Flow;
use super::json::{list, name, namespace, text};
use super::matching::{HostFit, Pattern, host_fit, path_is_under};
use super::objects::Objects;
use super::record::Through;
use super::split::{Backend, Split, Target};

const PREFIX: &str = "nginx.ingress.kubernetes.io/";

#[derive(Clone, Debug, PartialEq)]
struct Location {
    ingress: String,
    host: String,
    path: String,
    exact: bool,
    backend: Backend,
    /// The number or name of the Service's port.
    port: String,
}

#[derive(Clone, Debug, PartialEq)]
struct Canary {
    header: Option<(String, Option<Pattern>)>,
    cookie: Option<String>,
    weight: u64,
    total: u64,
}

/// All Ingresses, compiled.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ingresses {
    stable: Vec<Location>,
    canaries: Vec<(Location, Canary)>,
}

impl Ingresses {
    pub(super) const fn empty() -> Self {
        Self { stable: Vec::new(), canaries: Vec::new() }
    }

    pub(super) fn of(objects: &Objects<'_>) -> Self {
        let mut ingresses = Self::default();
        for ingress in &objects.ingresses {
            let locations = locations(ingress);
            match canary(ingress) {
                Some(canary) => {
                    ingresses.canaries.extend(locations.into_iter().map(|location| (location, canary.clone())));
                }
                None => ingresses.stable.extend(locations),
            }
        }
        ingresses
    }

    pub(super) fn split(&self, flow: &Flow) -> Split {
        let Some(stable) = best(self.stable.iter(), flow) else {
            return Split::nowhere("no Ingress has this host and path");
        };
        let beside =
            self.canaries.iter().find(|(location, _)| location.host == stable.host && location.path == stable.path);
        let Some((location, canary)) = beside else {
            return Split::all_to(stable.backend.clone());
        };
        match canary.decides(flow) {
            Some(true) => Split::all_to(location.backend.clone()),
            Some(false) => Split::all_to(stable.backend.clone()),
            None => {
                let weight = canary.weight.min(canary.total);
                Split {
                    parts: vec![
                        (canary.total - weight, Target::Backend(stable.backend.clone())),
                        (weight, Target::Backend(location.backend.clone())),
                    ],
                    mirrors: Vec::new(),
                }
            }
        }
    }
}

impl Ingresses {
    /// How requests of this flow come to this backend.
    pub(super) fn through(&self, flow: &Flow, backend: &Backend) -> Option<Through> {
        let stable = best(self.stable.iter(), flow)?;
        let canary = self.canaries.iter().map(|(location, _)| location).find(|location| {
            location.backend == *backend && location.host == stable.host && location.path == stable.path
        });
        Some(Through {
            ingress: stable.ingress.clone(),
            service: stable.backend.service.clone(),
            canary: canary
                .map(|location| format!("{}-{}-{}", backend.namespace, backend.service, location.port))
                .unwrap_or_default(),
        })
    }
}

impl Canary {
    /// Whether header or cookie settle it; the weight decides otherwise.
    fn decides(&self, flow: &Flow) -> Option<bool> {
        if let Some((header, wanted)) = &self.header
            && let Some(value) = flow.header(header)
        {
            let settled = match wanted {
                Some(pattern) => pattern.matches(value).then_some(true),
                None => always_or_never(value),
            };
            if settled.is_some() {
                return settled;
            }
        }
        let cookie = self.cookie.as_deref().and_then(|name| flow.cookie(name));
        cookie.and_then(always_or_never)
    }
}

fn always_or_never(value: &str) -> Option<bool> {
    match value {
        "always" => Some(true),
        "never" => Some(false),
        _ => None,
    }
}

fn canary(ingress: &Value) -> Option<Canary> {
    let annotations: BTreeMap<String, String> = super::json::labels(ingress, &["metadata", "annotations"]);
    let get = |key: &str| annotations.get(&format!("{PREFIX}{key}")).map(String::as_str);
    if get("canary") != Some("true") {
        return None;
    }
    let pattern = get("canary-by-header-value")
        .map(|value| Pattern::Exact(value.to_owned()))
        .or_else(|| get("canary-by-header-pattern").map(Pattern::anywhere));
    Some(Canary {
        header: get("canary-by-header").map(|header| (header.to_owned(), pattern)),
        cookie: get("canary-by-cookie").map(ToOwned::to_owned),
        weight: get("canary-weight").and_then(|weight| weight.parse().ok()).unwrap_or(0),
        total: get("canary-weight-total")
            .and_then(|total| total.parse().ok())
            .filter(|total| *total > 0)
            .unwrap_or(100),
    })
}

fn locations(ingress: &Value) -> Vec<Location> {
    let mut locations = Vec::new();
    let mut add = |host: &str, path: &str, exact: bool, backend: &Value| {
        let service = text(backend, &["service", "name"]);
        if !service.is_empty() {
            locations.push(Location {
                ingress: name(ingress).to_owned(),
                host: host.to_owned(),
                path: path.to_owned(),
                exact,
                port: match super::json::at(backend, &["service", "port", "number"]).as_u64() {
                    Some(number) => number.to_string(),
                    None => text(backend, &["service", "port", "name"]).to_owned(),
                },
                backend: Backend {
                    namespace: namespace(ingress).to_owned(),
                    service: service.to_owned(),
                    subset: BTreeMap::new(),
                },
            });
        }
    };
    for rule in list(ingress, &["spec", "rules"]) {
        let host = text(rule, &["host"]);
        for path in list(rule, &["http", "paths"]) {
            let exact = text(path, &["pathType"]) == "Exact";
            add(host, text(path, &["path"]), exact, &path["backend"]);
        }
    }
    add("", "/", false, super::json::at(ingress, &["spec", "defaultBackend"]));
    locations
}

fn best<'a>(locations: impl Iterator<Item = &'a Location>, flow: &Flow) -> Option<&'a Location> {
    let fit = |location: &Location| -> Option<(HostFit, bool, usize)> {
        let host = host_fit(&location.host, &flow.host)?;
        let here = if location.exact { flow.path == location.path } else { path_is_under(&flow.path, &location.path) };
        here.then_some((host, location.exact, location.path.len()))
    };
    locations
        .filter_map(|location| Some((fit(location)?, location)))
        .max_by(|(a, first), (b, second)| a.cmp(b).then_with(|| second.ingress.cmp(&first.ingress)))
        .map(|(_, location)| location)
}
