//! What the server tells about itself: groups, versions, resources and their verbs.

use serde_json::{Value, json};

use super::negotiate::{self, DiscoveryForm};
use super::openapi;
use super::registry::{Registry, Resource, Subresource, Version, api_version};
use super::request::{Request, Response};
use super::route::{Prefix, Route};
use super::status::{Answer, Status};
use crate::world::World;

/// The Kubernetes version whose behaviour the server follows.
pub(crate) const GIT_VERSION: &str = "v1.36.2";

/// Answers everything that isn't about objects.
pub(crate) fn answer(world: &World, request: &Request, route: &Route) -> Answer<Response> {
    let known = !matches!(route, Route::Unknown);
    if known && !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Err(Status::method_not_allowed());
    }
    let registry = &world.registry;
    Ok(match route {
        Route::Health => Response::text(200, "ok"),
        Route::Version => json_response(&version()),
        Route::Discovery(prefix) => groups(registry, *prefix, request.header("accept"))?,
        Route::Group(group) => match group_entry(registry, group) {
            Some(mut entry) => {
                entry["kind"] = json!("APIGroup");
                entry["apiVersion"] = json!("v1");
                json_response(&entry)
            }
            None => Response::page_not_found(),
        },
        Route::GroupVersion { group, version } if registry.serves(group, version) => {
            json_response(&resource_list(registry, group, version))
        }
        Route::OpenApiIndex => json_response(&openapi::index(registry)),
        Route::OpenApiDocument { group, version } if registry.serves(group, version) => {
            openapi::document(registry, group, version)
        }
        // A version that a served group doesn't have.
        Route::GroupVersion { group, .. } if group.is_empty() || registry.in_group(group).next().is_some() => {
            return Err(Status::no_such_resource());
        }
        Route::OpenApiDocument { .. } => Response::nothing_found(),
        _ => Response::page_not_found(),
    })
}

fn json_response(value: &Value) -> Response {
    Response::json(200, value.to_string())
}

fn version() -> Value {
    json!({
        "major": "1",
        "minor": "36",
        "gitVersion": GIT_VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": "linux/amd64",
    })
}

fn groups(registry: &Registry, prefix: Prefix, accept: Option<&str>) -> Answer<Response> {
    let version = match negotiate::discovery(accept)? {
        DiscoveryForm::Legacy => return Ok(json_response(&legacy_groups(registry, prefix))),
        DiscoveryForm::AggregatedV2 => "v2",
        DiscoveryForm::AggregatedV2Beta1 => "v2beta1",
    };
    let groups = match prefix {
        Prefix::Core => vec![String::new()],
        Prefix::Groups => registry.groups(),
    };
    let items: Vec<Value> = groups.iter().map(|group| aggregated_group(registry, group)).collect();
    let body = json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": format!("apidiscovery.k8s.io/{version}"),
        "metadata": {},
        "items": items,
    });
    let mut response = json_response(&body);
    // Clients compare this text; order and parameters count.
    let content_type = format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
    response.headers = vec![("content-type", content_type), ("vary", "Accept".to_owned())];
    Ok(response)
}

fn legacy_groups(registry: &Registry, prefix: Prefix) -> Value {
    match prefix {
        Prefix::Core => json!({
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}],
        }),
        Prefix::Groups => {
            let groups: Vec<Value> =
                registry.groups().iter().filter_map(|group| group_entry(registry, group)).collect();
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        }
    }
}

fn group_entry(registry: &Registry, group: &str) -> Option<Value> {
    let versions: Vec<Value> = registry
        .versions(group)
        .iter()
        .map(|version| json!({"groupVersion": api_version(group, version), "version": version}))
        .collect();
    let preferred = versions.first()?.clone();
    Some(json!({"name": group, "versions": versions, "preferredVersion": preferred}))
}

/// The served resources of one version, by plural name.
fn resources<'a>(
    registry: &'a Registry,
    group: &'a str,
    version: &'a str,
) -> impl Iterator<Item = (&'a Resource, &'a Version)> {
    registry.in_group(group).filter_map(move |resource| Some((resource.as_ref(), resource.served(version)?)))
}

fn verbs(resource: &Resource) -> Vec<&'static str> {
    if resource.rules.review {
        return vec!["create"];
    }
    if resource.rules.custom {
        return vec!["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
    }
    let mut verbs = vec!["create", "delete"];
    if resource.rules.deletes_collections {
        verbs.push("deletecollection");
    }
    verbs.extend(["get", "list", "patch", "update", "watch"]);
    verbs
}

/// The kind that a door shows and what can be done through it.
fn door(resource: &Resource, version: &str, subresource: &Subresource) -> (Value, Vec<&'static str>) {
    let kind = |group: &str, version: &str, kind: &str| json!({"group": group, "version": version, "kind": kind});
    match subresource {
        Subresource::Status => (kind(&resource.group, version, &resource.kind), vec!["get", "patch", "update"]),
        Subresource::Scale(_) => (kind("autoscaling", "v1", "Scale"), vec!["get", "patch", "update"]),
        Subresource::Eviction => (kind("policy", "v1", "Eviction"), vec!["create"]),
        Subresource::Binding => (kind("", "v1", "Binding"), vec!["create"]),
        Subresource::Finalize => (kind(&resource.group, version, &resource.kind), vec!["update"]),
    }
}

fn resource_list(registry: &Registry, group: &str, version: &str) -> Value {
    let mut entries = Vec::new();
    for (resource, facts) in resources(registry, group, version) {
        let mut entry = json!({
            "name": resource.plural,
            "singularName": resource.singular,
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": verbs(resource),
        });
        add_names(&mut entry, resource);
        entries.push(entry);
        for subresource in &facts.subresources {
            let (kind, verbs) = door(resource, version, subresource);
            let mut entry = json!({
                "name": format!("{}/{}", resource.plural, subresource.name()),
                "singularName": "",
                "namespaced": resource.namespaced,
                "kind": kind["kind"],
                "verbs": verbs,
            });
            if kind["group"] != json!(resource.group) {
                entry["group"] = kind["group"].clone();
                entry["version"] = kind["version"].clone();
            }
            entries.push(entry);
        }
    }
    let mut list = json!({
        "kind": "APIResourceList",
        "groupVersion": api_version(group, version),
        "resources": entries,
    });
    // The core group answers in the form that it had before there were versions of this list.
    if !group.is_empty() {
        list["apiVersion"] = json!("v1");
    }
    list
}

fn add_names(entry: &mut Value, resource: &Resource) {
    if !resource.short_names.is_empty() {
        entry["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        entry["categories"] = json!(resource.categories);
    }
}

fn aggregated_group(registry: &Registry, group: &str) -> Value {
    let versions: Vec<Value> = registry
        .versions(group)
        .iter()
        .map(|version| {
            let resources: Vec<Value> = resources(registry, group, version)
                .map(|(resource, facts)| aggregated_resource(resource, version, facts))
                .collect();
            json!({"version": version, "resources": resources, "freshness": "Current"})
        })
        .collect();
    let metadata = if group.is_empty() { json!({}) } else { json!({"name": group}) };
    json!({"metadata": metadata, "versions": versions})
}

fn aggregated_resource(resource: &Resource, version: &str, facts: &Version) -> Value {
    let mut entry = json!({
        "resource": resource.plural,
        "responseKind": {"group": resource.group, "version": version, "kind": resource.kind},
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular,
        "verbs": verbs(resource),
    });
    add_names(&mut entry, resource);
    let doors: Vec<Value> = facts
        .subresources
        .iter()
        .map(|subresource| {
            let (kind, verbs) = door(resource, version, subresource);
            json!({"subresource": subresource.name(), "responseKind": kind, "verbs": verbs})
        })
        .collect();
    if !doors.is_empty() {
        entry["subresources"] = Value::Array(doors);
    }
    entry
}
