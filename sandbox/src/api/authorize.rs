//! From a request to the question whether it may go on, and as whom.

use super::access::User;
use super::options::Query;
use super::rbac::{self, Attributes};
use super::request::Request;
use super::route::{ResourcePath, Route};
use super::status::{Answer, Status};
use crate::world::World;

/// Who asks, impersonation included; refused where the rules don't allow the request.
pub(crate) fn admitted(world: &World, request: &Request, route: &Route) -> Answer<User> {
    let user = world.access.authenticate(request)?;
    let user = impersonated(world, request, user)?;
    let attributes = attributes(request, route);
    if rbac::allowed(world, &user, &attributes).is_some() {
        return Ok(user);
    }
    Err(rbac::refusal(&user, &attributes))
}

fn attributes(request: &Request, route: &Route) -> Attributes {
    match route {
        Route::Resource(path) => resource_attributes(request, path),
        _ => Attributes { verb: request.method.to_lowercase(), path: request.path.clone(), ..Attributes::default() },
    }
}

fn resource_attributes(request: &Request, path: &ResourcePath) -> Attributes {
    let query = Query::parse(&request.query);
    let watch = path.watch || query.flag("watch") == Some(true);
    let mut name = path.name.clone();
    let verb = match (request.method.as_str(), name.is_empty()) {
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", true) => "deletecollection",
        ("DELETE", false) => "delete",
        (_, _) if watch => "watch",
        (_, true) => "list",
        (_, false) => "get",
    };
    if name.is_empty() && matches!(verb, "list" | "watch") {
        // A list of one named object may be allowed where a list of all isn't.
        let selected = query.text("fieldSelector").split(',').find_map(|term| term.strip_prefix("metadata.name="));
        selected.unwrap_or("").clone_into(&mut name);
    }
    let resource =
        if path.subresource.is_empty() { path.plural.clone() } else { format!("{}/{}", path.plural, path.subresource) };
    // A Namespace's own rules are asked for in that namespace.
    let namespace =
        if path.plural == "namespaces" && path.group.is_empty() { path.name.clone() } else { path.namespace.clone() };
    Attributes { verb: verb.to_owned(), group: path.group.clone(), resource, namespace, name, path: String::new() }
}

fn impersonated(world: &World, request: &Request, user: User) -> Answer<User> {
    let all = |name: &str| -> Vec<String> {
        let found = request.headers.iter().filter(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).collect()
    };
    let groups = all("impersonate-group");
    let Some(name) = request.header("impersonate-user").filter(|name| !name.is_empty()) else {
        if groups.is_empty() {
            return Ok(user);
        }
        return Err(Status::internal(format!("requested groups {groups:?} without impersonating a user")));
    };
    let account = name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    let question = match account {
        Some((namespace, account)) => impersonation("serviceaccounts", namespace, account),
        None => impersonation("users", "", name),
    };
    let asked = std::iter::once(question).chain(groups.iter().map(|group| impersonation("groups", "", group)));
    for attributes in asked {
        if rbac::allowed(world, &user, &attributes).is_none() {
            return Err(rbac::refusal(&user, &attributes));
        }
    }
    let mut other = match account {
        Some((namespace, account)) if groups.is_empty() => User::service_account(namespace, account),
        _ => User::named(name, &groups.iter().map(String::as_str).collect::<Vec<_>>()),
    };
    for (header, value) in &request.headers {
        if let Some(key) = header.strip_prefix("impersonate-extra-") {
            other.extra.entry(key.to_owned()).or_default().push(value.clone());
        }
    }
    Ok(other)
}

fn impersonation(resource: &str, namespace: &str, name: &str) -> Attributes {
    Attributes {
        verb: "impersonate".into(),
        resource: resource.into(),
        namespace: namespace.into(),
        name: name.into(),
        ..Attributes::default()
    }
}
