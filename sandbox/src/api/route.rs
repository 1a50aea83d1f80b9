//! What a path means.

use percent_encoding::percent_decode_str;

/// The parts of the server, by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `/api` or `/apis`.
    Discovery(Prefix),
    /// `/apis/{group}`.
    Group(String),
    /// `/api/v1` or `/apis/{group}/{version}`.
    GroupVersion {
        group: String,
        version: String,
    },
    Resource(ResourcePath),
    Version,
    /// `/healthz`, `/livez`, `/readyz`.
    Health,
    OpenApiIndex,
    /// `/openapi/v3/{api/v1 | apis/{group}/{version}}`.
    OpenApiDocument {
        group: String,
        version: String,
    },
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    Core,
    Groups,
}

/// A path to a collection, an object, or a door beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourcePath {
    pub group: String,
    pub version: String,
    /// Empty for cluster-scoped resources and for lists over all namespaces.
    pub namespace: String,
    pub plural: String,
    /// Empty for collections.
    pub name: String,
    /// Empty for the object itself.
    pub subresource: String,
    /// `/api/v1/watch/…`: how watches were asked for before there was a parameter.
    pub watch: bool,
}

/// Reads a path that is still percent-encoded.
pub fn route(path: &str) -> Route {
    let Some(segments) = segments(path) else {
        return Route::Unknown;
    };
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["version"] => Route::Version,
        ["healthz" | "livez" | "readyz"] | ["healthz" | "livez" | "readyz", "ping" | "etcd" | "log"] => Route::Health,
        ["api"] => Route::Discovery(Prefix::Core),
        ["apis"] => Route::Discovery(Prefix::Groups),
        ["openapi", "v3"] => Route::OpenApiIndex,
        ["openapi", "v3", "api", version] => {
            Route::OpenApiDocument { group: String::new(), version: (*version).to_owned() }
        }
        ["openapi", "v3", "apis", group, version] => {
            Route::OpenApiDocument { group: (*group).to_owned(), version: (*version).to_owned() }
        }
        ["apis", group] => Route::Group((*group).to_owned()),
        ["api", version] => group_version("", version),
        ["apis", group, version] => group_version(group, version),
        ["api", version, rest @ ..] => resource("", version, rest),
        ["apis", group, version, rest @ ..] => resource(group, version, rest),
        _ => Route::Unknown,
    }
}

fn group_version(group: &str, version: &str) -> Route {
    Route::GroupVersion { group: group.to_owned(), version: version.to_owned() }
}

fn resource(group: &str, version: &str, rest: &[&str]) -> Route {
    let mut path = ResourcePath { group: group.to_owned(), version: version.to_owned(), ..ResourcePath::default() };
    let rest = match rest {
        ["watch", watched @ ..] if !watched.is_empty() => {
            path.watch = true;
            watched
        }
        other => other,
    };
    // `namespaces/{name}/status` is a door of the Namespace itself, not a resource in it.
    let rest = match rest {
        ["namespaces", _, "status" | "finalize"] => rest,
        ["namespaces", namespace, inner @ ..] if !inner.is_empty() => {
            (*namespace).clone_into(&mut path.namespace);
            inner
        }
        other => other,
    };
    let (plural, name, subresource) = match rest {
        [plural] => (plural, "", ""),
        [plural, name] => (plural, *name, ""),
        [plural, name, subresource] => (plural, *name, *subresource),
        _ => return Route::Unknown,
    };
    (*plural).clone_into(&mut path.plural);
    name.clone_into(&mut path.name);
    subresource.clone_into(&mut path.subresource);
    Route::Resource(path)
}

/// The decoded segments; a trailing slash is tolerated, an escape that isn't UTF-8 is not.
fn segments(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').map(|segment| Some(percent_decode_str(segment).decode_utf8().ok()?.into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(group: &str, namespace: &str, plural: &str, name: &str, subresource: &str) -> Route {
        Route::Resource(ResourcePath {
            group: group.into(),
            version: "v1".into(),
            namespace: namespace.into(),
            plural: plural.into(),
            name: name.into(),
            subresource: subresource.into(),
            watch: false,
        })
    }

    #[test]
    fn paths_lead_where_users_expect() {
        let table = [
            ("/api", Route::Discovery(Prefix::Core)),
            ("/apis/", Route::Discovery(Prefix::Groups)),
            ("/apis/apps", Route::Group("apps".into())),
            ("/apis/apps/v1", group_version("apps", "v1")),
            ("/api/v1/pods", path("", "", "pods", "", "")),
            ("/api/v1/namespaces/a/pods", path("", "a", "pods", "", "")),
            ("/api/v1/namespaces/a/pods/p/status", path("", "a", "pods", "p", "status")),
            ("/api/v1/namespaces/a", path("", "", "namespaces", "a", "")),
            ("/api/v1/namespaces/a/finalize", path("", "", "namespaces", "a", "finalize")),
            ("/apis/g/v1/namespaces/a/things/t%3Au", path("g", "a", "things", "t:u", "")),
            ("/openapi/v3", Route::OpenApiIndex),
            ("/readyz/ping", Route::Health),
            ("/", Route::Unknown),
            ("/api/v1/namespaces/a/pods/p/log/more", Route::Unknown),
            ("/api/v1/%ff", Route::Unknown),
        ];
        for (given, wanted) in table {
            assert_eq!(route(given), wanted, "{given}");
        }
    }
}
