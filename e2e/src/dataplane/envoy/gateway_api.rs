//! HTTPRoutes.

use std::cmp::Reverse;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value, json};

use super::route::{divided, header_match, mirror, text_match};
use crate::dataplane::view::{Destination, View};

pub(in crate::dataplane) fn virtual_hosts(view: &View) -> Result<Vec<Value>> {
    let all = view.all("HTTPRoute").map(|route| {
        let name = &route["metadata"]["name"];
        let routes = routes(view, route).with_context(|| format!("HTTPRoute {name}"))?;
        let hosts = route["spec"]["hostnames"].clone();
        let domains = if hosts.is_null() { json!(["*"]) } else { hosts };
        Ok(json!({"name": name, "domains": domains, "routes": routes}))
    });
    all.collect()
}

fn routes(view: &View, route: &Value) -> Result<Vec<Value>> {
    let mut all: Vec<(Precedence, Value)> = Vec::new();
    for rule in list(&route["spec"]["rules"]) {
        ensure!(rule["sessionPersistence"].is_null(), "sessionPersistence is not translated here");
        let mut clusters = Vec::new();
        for backend in list(&rule["backendRefs"]) {
            let weight = backend["weight"].as_u64().unwrap_or(1);
            clusters.push(json!({"name": destination(view, backend)?.name(), "weight": weight}));
        }
        let mut mirrors = Vec::new();
        for filter in list(&rule["filters"]) {
            mirrors.push(filtered(view, filter)?);
        }
        let to = divided(&clusters, &mirrors);
        for one in list(&rule["matches"]) {
            let mut route = to.clone();
            route["match"] = request(one)?;
            all.push((precedence(one), route));
        }
    }
    // Envoy takes the first that matches. Among equals the order of the rules decides, which stays.
    all.sort_by_key(|(precedence, _)| Reverse(*precedence));
    Ok(all.into_iter().map(|(_, route)| route).collect())
}

/// Which of several matching rules serves: an exact path, the longest prefix, a method, the most headers.
type Precedence = (bool, usize, bool, usize);

fn precedence(one: &Value) -> Precedence {
    let path = &one["path"];
    let length = path["value"].as_str().unwrap_or("/").len();
    (path["type"] == "Exact", length, !one["method"].is_null(), list(&one["headers"]).len())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn destination(view: &View, backend: &Value) -> Result<Destination> {
    let service = backend["name"].as_str().context("a backend without a name")?;
    Ok(Destination::new(service, view.port(service, &backend["port"])?))
}

fn filtered(view: &View, filter: &Value) -> Result<Value> {
    ensure!(filter["type"] == "RequestMirror", "the filter {} is not translated here", filter["type"]);
    let mirrored = &filter["requestMirror"];
    let of = |fraction: &Value| {
        let denominator = fraction["denominator"].as_f64().unwrap_or(100.0);
        Some(fraction["numerator"].as_f64()? * 100.0 / denominator)
    };
    let percent = mirrored["percent"].as_f64().or_else(|| of(&mirrored["fraction"])).unwrap_or(100.0);
    Ok(mirror(&destination(view, &mirrored["backendRef"])?.name(), percent))
}

fn request(wanted: &Value) -> Result<Value> {
    let mut found = Map::new();
    let path = wanted["path"]["value"].as_str().unwrap_or("/");
    match wanted["path"]["type"].as_str().unwrap_or("PathPrefix") {
        "Exact" => found.insert("path".to_owned(), path.into()),
        "RegularExpression" => found.insert("safe_regex".to_owned(), text_match("regex", path)["safe_regex"].clone()),
        _ if path == "/" => found.insert("prefix".to_owned(), path.into()),
        _ => found.insert("path_separated_prefix".to_owned(), path.trim_end_matches('/').into()),
    };
    let mut headers = Vec::new();
    for header in list(&wanted["headers"]) {
        let name = header["name"].as_str().context("a header without a name")?;
        let way = if header["type"] == "RegularExpression" { "regex" } else { "exact" };
        headers.push(header_match(name, way, header["value"].as_str().unwrap_or_default()));
    }
    if let Some(method) = wanted["method"].as_str() {
        headers.push(header_match(":method", "exact", method));
    }
    if !list(&wanted["queryParams"]).is_empty() {
        bail!("queryParams are not translated here");
    }
    if !headers.is_empty() {
        found.insert("headers".to_owned(), headers.into());
    }
    Ok(found.into())
}
