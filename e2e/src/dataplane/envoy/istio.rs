//! VirtualServices and DestinationRules.

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

use super::route::{divided, header_match, mirror, text_match};
use crate::dataplane::view::{Destination, View};

pub(in crate::dataplane) fn virtual_hosts(view: &View) -> Result<Vec<Value>> {
    let all = view.all("VirtualService").map(|service| {
        let name = &service["metadata"]["name"];
        let routes = routes(view, service).with_context(|| format!("VirtualService {name}"))?;
        Ok(json!({"name": name, "domains": service["spec"]["hosts"], "routes": routes}))
    });
    all.collect()
}

fn routes(view: &View, service: &Value) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for http in list(&service["spec"]["http"]) {
        let mut clusters = Vec::new();
        for one in list(&http["route"]) {
            clusters.push(cluster(view, one, list(&http["route"]).len())?);
        }
        let to = divided(&clusters, &mirrors(view, http)?);
        let everything = [json!({})];
        let matches = if list(&http["match"]).is_empty() { &everything[..] } else { list(&http["match"]) };
        for one in matches {
            let mut route = to.clone();
            route["match"] = request(one)?;
            if !http["name"].is_null() {
                route["name"] = http["name"].clone();
            }
            all.push(route);
        }
    }
    Ok(all)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A destination alone needs no weight.
fn cluster(view: &View, one: &Value, count: usize) -> Result<Value> {
    let weight = one["weight"].as_u64().unwrap_or(u64::from(count == 1));
    let mut cluster = json!({"name": destination(view, &one["destination"])?.name(), "weight": weight});
    for (side, field) in [("response", "response_headers_to_add"), ("request", "request_headers_to_add")] {
        let mut headers = Vec::new();
        for (way, action) in [("add", "APPEND_IF_EXISTS_OR_ADD"), ("set", "OVERWRITE_IF_EXISTS_OR_ADD")] {
            let named = one["headers"][side][way].as_object().into_iter().flatten();
            headers.extend(
                named.map(|(key, value)| json!({"header": {"key": key, "value": value}, "append_action": action})),
            );
        }
        if !headers.is_empty() {
            cluster[field] = headers.into();
        }
    }
    Ok(cluster)
}

fn destination(view: &View, to: &Value) -> Result<Destination> {
    let host = to["host"].as_str().context("a destination without a host")?;
    let service = host.split('.').next().unwrap_or_default();
    let port = view.port(service, &to["port"]["number"])?;
    let subset = to["subset"].as_str().map(str::to_owned);
    Ok(Destination { subset, ..Destination::new(service, port) })
}

fn mirrors(view: &View, http: &Value) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    if !http["mirror"].is_null() {
        let percent = http["mirrorPercentage"]["value"].as_f64().unwrap_or(100.0);
        all.push(mirror(&destination(view, &http["mirror"])?.name(), percent));
    }
    for one in list(&http["mirrors"]) {
        let percent = one["percentage"]["value"].as_f64().unwrap_or(100.0);
        all.push(mirror(&destination(view, &one["destination"])?.name(), percent));
    }
    Ok(all)
}

fn request(wanted: &Value) -> Result<Value> {
    let mut found = Map::new();
    let mut headers = Vec::new();
    for (field, value) in wanted.as_object().into_iter().flatten() {
        match field.as_str() {
            "uri" => match one_way(value)? {
                ("exact", text) => found.insert("path".to_owned(), text.into()),
                ("prefix", text) => found.insert("prefix".to_owned(), text.into()),
                (way, text) => found.insert("safe_regex".to_owned(), text_match(way, text)["safe_regex"].clone()),
            },
            "headers" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    let (way, text) = one_way(value)?;
                    headers.push(header_match(name, way, text));
                }
                None
            }
            "method" => {
                let (way, text) = one_way(value)?;
                headers.push(header_match(":method", way, text));
                None
            }
            "name" => None,
            other => bail!("match.{other} is not translated here"),
        };
    }
    if found.is_empty() {
        found.insert("prefix".to_owned(), "/".into());
    }
    if !headers.is_empty() {
        found.insert("headers".to_owned(), headers.into());
    }
    Ok(found.into())
}

fn one_way(value: &Value) -> Result<(&str, &str)> {
    let mut ways = value.as_object().into_iter().flatten();
    let found = ways.find_map(|(way, text)| Some((way.as_str(), text.as_str()?)));
    found.with_context(|| format!("{value} compares with nothing"))
}
