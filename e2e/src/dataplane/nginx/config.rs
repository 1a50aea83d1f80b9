//! Ingresses as an nginx configuration, canary annotations included, the way ingress-nginx reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::dataplane::view::{Destination, View};

const PREFIX: &str = "nginx.ingress.kubernetes.io";

/// What does not follow from the objects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    /// Where nginx may write.
    pub(super) folder: &'a Path,
    pub(super) listen: SocketAddr,
    /// What [`super::GENERATION_PATH`] answers.
    pub(super) generation: u64,
}

/// Nothing is tried twice, and who has no pods answers 503.
const HEAD: &str = "\
daemon off;
worker_processes 1;
pid FOLDER/nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path FOLDER/body;
  proxy_temp_path FOLDER/proxy;
  fastcgi_temp_path FOLDER/fastcgi;
  uwsgi_temp_path FOLDER/uwsgi;
  scgi_temp_path FOLDER/scgi;
  map_hash_bucket_size 256;
  server_names_hash_bucket_size 256;
  proxy_next_upstream off;
  proxy_set_header Host $http_host;
  server { listen unix:FOLDER/nobody.sock; return 503; }
";

/// A path of a host: who serves it, and who takes a part of that.
#[derive(Debug)]
struct Location<'a> {
    stable: Destination,
    canary: Option<(Destination, &'a Value)>,
}

/// Host → (whether the path is exact, path) → who serves it.
type Hosts<'a> = BTreeMap<&'a str, BTreeMap<(bool, &'a str), Location<'a>>>;

/// The whole configuration.
pub(super) fn text(view: &View, frame: Frame<'_>) -> Result<String> {
    let hosts = hosts(view)?;
    let mut text = HEAD.replace("FOLDER", &frame.folder.display().to_string());
    for destination in used(&hosts) {
        upstream(&mut text, view, destination, frame.folder);
    }
    let generation = format!("location = {} {{ return 200 \"{}\"; }}", super::GENERATION_PATH, frame.generation);
    let listen = frame.listen;
    writeln!(text, "  server {{ listen {listen} default_server; {generation} location / {{ return 404; }} }}")?;
    let mut count = 0;
    for (host, locations) in &hosts {
        let mut server = format!("  server {{\n    listen {listen};\n    server_name {host};\n    {generation}\n");
        for ((exact, path), location) in locations {
            let to = choice(&mut text, location, count)?;
            count += 1;
            // A prefix of nginx is one of letters, and not of whole parts of a path.
            ensure!(*exact || *path == "/", "the path {path} is not translated here; write / or an exact one");
            let modifier = if *exact { "= " } else { "" };
            writeln!(server, "    location {modifier}{path} {{ proxy_pass http://{to}; }}")?;
        }
        text += &server;
        text += "  }\n";
    }
    text += "}\n";
    Ok(text)
}

fn hosts(view: &View) -> Result<Hosts<'_>> {
    let is_canary = |ingress: &&Value| annotation(ingress, "canary") == Some("true");
    let mut hosts = Hosts::new();
    for ingress in view.all("Ingress").filter(|ingress| !is_canary(ingress)) {
        for (host, key, backend) in paths(ingress) {
            let stable = destination(view, backend)?;
            hosts.entry(host).or_default().insert(key, Location { stable, canary: None });
        }
    }
    // A canary Ingress takes part in what another one serves, and serves nothing by itself.
    for ingress in view.all("Ingress").filter(is_canary) {
        for (host, key, backend) in paths(ingress) {
            if let Some(location) = hosts.get_mut(host).and_then(|paths| paths.get_mut(&key)) {
                location.canary = Some((destination(view, backend)?, ingress));
            }
        }
    }
    Ok(hosts)
}

/// Host, path and backend of every path of an Ingress.
fn paths(ingress: &Value) -> impl Iterator<Item = (&str, (bool, &str), &Value)> {
    let rules = ingress["spec"]["rules"].as_array().into_iter().flatten();
    rules.flat_map(|rule| {
        let host = rule["host"].as_str().unwrap_or("_");
        let paths = rule["http"]["paths"].as_array().into_iter().flatten();
        paths.map(move |path| {
            let key = (path["pathType"] == "Exact", path["path"].as_str().unwrap_or("/"));
            (host, key, &path["backend"])
        })
    })
}

fn destination(view: &View, backend: &Value) -> Result<Destination> {
    let service = backend["service"]["name"].as_str().context("a path whose backend is no Service")?;
    let port = &backend["service"]["port"];
    let port = if port["number"].is_null() { &port["name"] } else { &port["number"] };
    Ok(Destination::new(service, view.port(service, port)?))
}

fn used<'a>(hosts: &'a Hosts<'_>) -> BTreeSet<&'a Destination> {
    let locations = hosts.values().flat_map(BTreeMap::values);
    locations
        .flat_map(|location| std::iter::once(&location.stable).chain(location.canary.iter().map(|(to, _)| to)))
        .collect()
}

fn upstream(text: &mut String, view: &View, to: &Destination, folder: &Path) {
    let endpoints = view.endpoints(to);
    // A server that fails is not left out for a while: each failure is to be seen.
    let mut servers: String = endpoints.iter().map(|at| format!(" server {at} max_fails=0;")).collect();
    if servers.is_empty() {
        servers = format!(" server unix:{}/nobody.sock max_fails=0;", folder.display());
    }
    text.push_str(&format!("  upstream {} {{{servers} }}\n", to.name()));
}

/// Says to whom requests of a location go: a name, or a variable that is worked out for each of them. A header
/// comes before a cookie, and that before the weight.
fn choice(text: &mut String, location: &Location<'_>, count: usize) -> Result<String> {
    let stable = location.stable.name();
    let Some((canary, ingress)) = &location.canary else { return Ok(stable) };
    let canary = canary.name();
    let number = |name: &str| annotation(ingress, name).map(str::parse::<u32>).transpose();
    let (weight, total) = (number("canary-weight")?.unwrap_or(0), number("canary-weight-total")?.unwrap_or(100));
    ensure!(weight <= total && total > 0, "canary-weight {weight} of {total}");
    let mut to = match weight {
        0 => stable.clone(),
        weight if weight == total => canary.clone(),
        weight => {
            let percent = f64::from(weight) * 100.0 / f64::from(total);
            writeln!(text, "  split_clients $request_id $weight{count} {{ {percent:.2}% {canary}; * {stable}; }}")?;
            format!("$weight{count}")
        }
    };
    if let Some(cookie) = annotation(ingress, "canary-by-cookie") {
        let ways = format!("always {canary}; never {stable};");
        writeln!(text, "  map $cookie_{cookie} $cookie{count} {{ default {to}; {ways} }}")?;
        to = format!("$cookie{count}");
    }
    if let Some(header) = annotation(ingress, "canary-by-header") {
        let variable = header.to_ascii_lowercase().replace('-', "_");
        let ways =
            match (annotation(ingress, "canary-by-header-value"), annotation(ingress, "canary-by-header-pattern")) {
                (Some(value), _) => format!("\"{value}\" {canary};"),
                (None, Some(pattern)) => format!("\"~{pattern}\" {canary};"),
                (None, None) => format!("always {canary}; never {stable};"),
            };
        writeln!(text, "  map $http_{variable} $header{count} {{ default {to}; {ways} }}")?;
        to = format!("$header{count}");
    }
    Ok(to)
}

fn annotation<'a>(ingress: &'a Value, name: &str) -> Option<&'a str> {
    ingress["metadata"]["annotations"][format!("{PREFIX}/{name}")].as_str()
}
