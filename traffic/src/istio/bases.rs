//! Which routes of a VirtualService divide traffic between our revisions.

use serde_json::Value;
use sluice_crds::rollout::router::{IstioTcpRoute, IstioTlsRoute, IstioVirtualService};

use super::destinations::Destinations;
use super::{managed, sticky};

/// A route, by its list (`http`, `tls` or `tcp`) and index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) list: &'static str,
    pub(super) index: usize,
}

impl Base {
    pub(super) fn place(&self) -> String {
        format!("spec.{}[{}]", self.list, self.index)
    }

    pub(super) fn route<'v>(&self, service: &'v Value) -> &'v Value {
        &service["spec"][self.list][self.index]
    }
}

/// The routes that the Rollout names; without a name the only one that there is.
///
/// # Errors
/// One sentence about what is named and isn't there, or what isn't named and has to be.
pub(super) fn of(
    named: &IstioVirtualService,
    service: &Value,
    destinations: &Destinations<'_>,
) -> Result<Vec<Base>, String> {
    let names = named.routes.as_deref().unwrap_or_default();
    let tls = named.tls_routes.as_deref().unwrap_or_default();
    let tcp = named.tcp_routes.as_deref().unwrap_or_default();
    if names.is_empty() && tls.is_empty() && tcp.is_empty() {
        return only_one(service, destinations);
    }
    let mut bases = Vec::new();
    for name in names {
        let found = routes(service, "http").find(|(_, route)| route["name"] == name.as_str());
        let (index, _) = found.ok_or_else(|| not_named(service, name))?;
        bases.push(Base { list: "http", index });
    }
    for (number, wanted) in tls.iter().enumerate() {
        let found: Vec<Base> = matching(service, "tls", |one| tls_matches(wanted, one)).collect();
        if found.is_empty() {
            return Err(format!(
                "spec.tls has no route that tlsRoutes[{number}] describes; write the port and the sniHosts of one"
            ));
        }
        bases.extend(found);
    }
    for (number, wanted) in tcp.iter().enumerate() {
        let found: Vec<Base> = matching(service, "tcp", |one| tcp_matches(wanted, one)).collect();
        if found.is_empty() {
            return Err(format!("spec.tcp has no route that tcpRoutes[{number}] describes; write the port of one"));
        }
        bases.extend(found);
    }
    bases.sort_by_key(|base| (base.list, base.index));
    bases.dedup();
    Ok(bases)
}

fn only_one(service: &Value, destinations: &Destinations<'_>) -> Result<Vec<Base>, String> {
    for (list, field) in [("http", "routes"), ("tls", "tlsRoutes"), ("tcp", "tcpRoutes")] {
        let mut users = routes(service, list).filter(|(_, route)| {
            list != "http" || !(managed::has_managed_name(route, destinations) || sticky::is_ours(route, destinations))
        });
        let Some((index, _)) = users.next() else { continue };
        let others = users.count();
        if others == 0 {
            return Ok(vec![Base { list, index }]);
        }
        let count = others + 1;
        return Err(format!(
            "spec.{list} has {count} routes; name those to edit in the Rollout's virtualService.{field}"
        ));
    }
    Err("spec has no http, tls or tcp route; write one with the stable and the canary destination".to_owned())
}

fn not_named(service: &Value, name: &str) -> String {
    let known: Vec<&str> = routes(service, "http").filter_map(|(_, route)| route["name"].as_str()).collect();
    let mend = match known.as_slice() {
        [] => "give the route this name".to_owned(),
        known => format!("give the route this name, or write one of {} in virtualService.routes", known.join(", ")),
    };
    format!("spec.http has no route named {name}; {mend}")
}

fn routes<'v>(service: &'v Value, list: &str) -> impl Iterator<Item = (usize, &'v Value)> {
    service["spec"][list].as_array().into_iter().flatten().enumerate()
}

fn matching<'v>(
    service: &'v Value,
    list: &'static str,
    matches: impl Fn(&Value) -> bool + 'v,
) -> impl Iterator<Item = Base> + 'v {
    routes(service, list)
        .filter(move |(_, route)| route["match"].as_array().into_iter().flatten().any(&matches))
        .map(move |(index, _)| Base { list, index })
}

fn tls_matches(wanted: &IstioTlsRoute, one: &Value) -> bool {
    let hosts = one["sniHosts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut asked = wanted.sni_hosts.iter().flatten();
    wanted.port.is_none_or(|port| one["port"].as_i64() == Some(port))
        && asked.all(|host| hosts.iter().any(|there| there == host.as_str()))
}

fn tcp_matches(wanted: &IstioTcpRoute, one: &Value) -> bool {
    wanted.port.is_none_or(|port| one["port"].as_i64() == Some(port))
}
