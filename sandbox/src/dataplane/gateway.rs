//! Gateway API HTTPRoutes: the most specific match of all routes takes the request.

use std::collections::BTreeMap;

use serde_json::Value;

use super::flow::Flow;
use super::json::{at, list, name, namespace, text};
use super::matching::{HostFit, Pattern, host_fit, path_is_under};
use super::objects::Objects;
use super::split::{Backend, Split, Target};

#[derive(Clone, Debug, PartialEq)]
struct Rule {
    /// Creation time and name: of equals the older route wins.
    age: (String, String),
    hosts: Vec<String>,
    matches: Vec<Match>,
    split: Split,
}

#[derive(Clone, Debug, PartialEq)]
struct Match {
    path: Path,
    method: String,
    headers: Vec<(String, Pattern)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Path {
    Exact(String),
    Expression(Pattern),
    Prefix(String),
}

/// All HTTPRoutes, compiled.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Routes {
    rules: Vec<Rule>,
}

impl Routes {
    pub(super) const fn empty() -> Self {
        Self { rules: Vec::new() }
    }

    pub(super) fn of(objects: &Objects<'_>) -> Self {
        let mut rules = Vec::new();
        for route in &objects.http_routes {
            for rule in list(route, &["spec", "rules"]) {
                rules.push(compile(route, rule));
            }
        }
        Self { rules }
    }

    pub(super) fn split(&self, flow: &Flow) -> Split {
        self.rules
            .iter()
            .filter_map(|rule| Some((rule.fit(flow)?, rule)))
            // The first of equals: rules keep their order within a route.
            .rev()
            .max_by(|(a, first), (b, second)| a.cmp(b).then_with(|| second.age.cmp(&first.age)))
            .map_or_else(|| Split::nowhere("no HTTPRoute has this host and path"), |(_, rule)| rule.split.clone())
    }
}

/// More is more specific: the host, then the kind and length of the path, the method, the headers.
type Fit = (HostFit, u8, usize, bool, usize);

impl Rule {
    fn fit(&self, flow: &Flow) -> Option<Fit> {
        let host = if self.hosts.is_empty() {
            HostFit::Any
        } else {
            self.hosts.iter().filter_map(|host| host_fit(host, &flow.host)).max()?
        };
        self.matches
            .iter()
            .filter(|one| one.takes(flow))
            .map(|one| {
                let (kind, length) = one.path.rank();
                (host, kind, length, !one.method.is_empty(), one.headers.len())
            })
            .max()
    }
}

impl Match {
    fn of(value: &Value) -> Self {
        let path = text(value, &["path", "value"]);
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        Self {
            path: match text(value, &["path", "type"]) {
                "Exact" => Path::Exact(path),
                "RegularExpression" => Path::Expression(Pattern::whole(&path)),
                _ => Path::Prefix(path),
            },
            method: text(value, &["method"]).to_owned(),
            headers: list(value, &["headers"])
                .iter()
                .map(|header| {
                    let wanted = text(header, &["value"]);
                    let pattern = match text(header, &["type"]) {
                        "RegularExpression" => Pattern::whole(wanted),
                        _ => Pattern::Exact(wanted.to_owned()),
                    };
                    (text(header, &["name"]).to_owned(), pattern)
                })
                .collect(),
        }
    }

    fn takes(&self, flow: &Flow) -> bool {
        let path = match &self.path {
            Path::Exact(path) => *path == flow.path,
            Path::Expression(pattern) => pattern.matches(&flow.path),
            Path::Prefix(prefix) => path_is_under(&flow.path, prefix),
        };
        path && (self.method.is_empty() || self.method == flow.method)
            && self
                .headers
                .iter()
                .all(|(header, pattern)| flow.header(header).is_some_and(|value| pattern.matches(value)))
    }
}

impl Path {
    fn rank(&self) -> (u8, usize) {
        match self {
            Self::Exact(path) => (2, path.len()),
            Self::Prefix(path) => (1, path.len()),
            Self::Expression(_) => (0, 0),
        }
    }
}

fn compile(route: &Value, rule: &Value) -> Rule {
    let matches = list(rule, &["matches"]);
    let everything = [Value::Null];
    let matches = if matches.is_empty() { &everything } else { matches };
    let backends = list(rule, &["backendRefs"]);
    let parts: Vec<(u64, Target)> = backends
        .iter()
        .map(|backend| (at(backend, &["weight"]).as_u64().unwrap_or(1), target(route, backend)))
        .collect();
    let split = if parts.iter().all(|(weight, _)| *weight == 0) {
        Split::nowhere("the rule has no backend with a weight")
    } else {
        Split { parts, mirrors: Vec::new() }
    };
    let mirrors = list(rule, &["filters"])
        .iter()
        .filter(|filter| text(filter, &["type"]) == "RequestMirror")
        .map(|filter| {
            let mirror = at(filter, &["requestMirror"]);
            (percent(mirror), target(route, at(mirror, &["backendRef"])))
        })
        .collect();
    Rule {
        age: (
            text(route, &["metadata", "creationTimestamp"]).to_owned(),
            format!("{}/{}", namespace(route), name(route)),
        ),
        hosts: list(route, &["spec", "hostnames"]).iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
        matches: matches.iter().map(Match::of).collect(),
        split: Split { mirrors, ..split },
    }
}

fn percent(mirror: &Value) -> f64 {
    if let Some(percent) = at(mirror, &["percent"]).as_f64() {
        return percent.clamp(0.0, 100.0);
    }
    let part = at(mirror, &["fraction", "numerator"]).as_f64();
    let whole = at(mirror, &["fraction", "denominator"]).as_f64().unwrap_or(100.0);
    part.filter(|_| whole > 0.0).map_or(100.0, |part| (100.0 * part / whole).clamp(0.0, 100.0))
}

fn target(route: &Value, backend: &Value) -> Target {
    let kind = text(backend, &["kind"]);
    if !matches!(kind, "" | "Service") {
        return Target::Nowhere(format!("backend kind {kind} is not a Service"));
    }
    let given = text(backend, &["namespace"]);
    Target::Backend(Backend {
        namespace: if given.is_empty() { namespace(route) } else { given }.to_owned(),
        service: text(backend, &["name"]).to_owned(),
        subset: BTreeMap::new(),
    })
}
