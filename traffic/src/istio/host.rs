//! Names of Services as Istio writes them.

use std::borrow::Cow;

/// The Service that a host names: name and namespace. `None` where it is no Service of a cluster.
pub(super) fn service_of<'h>(host: &'h str, own_namespace: &'h str) -> Option<(&'h str, &'h str)> {
    let mut parts = host.split('.');
    let name = parts.next().filter(|name| !name.is_empty() && *name != "*")?;
    match (parts.next(), parts.next()) {
        (None, _) => Some((name, own_namespace)),
        (Some(namespace), None | Some("svc")) => Some((name, namespace)),
        (Some(_), Some(_)) => None,
    }
}

/// The host by which an object in `from` names a Service.
pub(super) fn host_for<'s>(service: &'s str, namespace: &str, from: &str) -> Cow<'s, str> {
    if namespace == from { service.into() } else { format!("{service}.{namespace}.svc.cluster.local").into() }
}
