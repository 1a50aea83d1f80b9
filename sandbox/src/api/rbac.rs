//! Who may do what: Roles and their bindings, read from the objects themselves.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::access::User;
use super::selector::LabelSelector;
use super::status::Status;
use crate::world::{Object, World};

pub(crate) const GROUP: &str = "rbac.authorization.k8s.io";

/// What somebody wants to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    pub verb: String,
    pub group: String,
    /// The plural name; with a door behind a slash, as in `pods/status`. Empty for paths that are no resources.
    pub resource: String,
    pub namespace: String,
    pub name: String,
    pub path: String,
}

impl Attributes {
    fn concerns_resources(&self) -> bool {
        !self.resource.is_empty()
    }
}

/// Whom a binding names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    User(String),
    Group(String),
}

/// Which bindings name whom, so that no request looks at all of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bindings {
    /// Namespace (empty for cluster-wide ones) and name.
    by_subject: BTreeMap<Subject, BTreeSet<(String, String)>>,
}

impl Bindings {
    pub(crate) fn add(&mut self, binding: &Object) {
        for subject in subjects(binding) {
            self.by_subject.entry(subject).or_default().insert(place(binding));
        }
    }

    pub(crate) fn remove(&mut self, binding: &Object) {
        for subject in subjects(binding) {
            if let Some(places) = self.by_subject.get_mut(&subject) {
                places.remove(&place(binding));
            }
        }
    }

    fn of<'a>(&'a self, user: &User) -> BTreeSet<&'a (String, String)> {
        let groups = user.groups.iter().map(|group| Subject::Group(group.clone()));
        std::iter::once(Subject::User(user.name.clone()))
            .chain(groups)
            .filter_map(|subject| self.by_subject.get(&subject))
            .flatten()
            .collect()
    }
}

fn place(binding: &Object) -> (String, String) {
    (binding.namespace().to_owned(), binding.name().to_owned())
}

fn subjects(binding: &Object) -> Vec<Subject> {
    let listed = binding.value()["subjects"].as_array().into_iter().flatten();
    listed
        .filter_map(|subject| {
            let name = subject["name"].as_str()?;
            match subject["kind"].as_str()? {
                "User" => Some(Subject::User(name.to_owned())),
                "Group" => Some(Subject::Group(name.to_owned())),
                "ServiceAccount" => {
                    let namespace = subject["namespace"].as_str().unwrap_or(binding.namespace());
                    Some(Subject::User(format!("system:serviceaccount:{namespace}:{name}")))
                }
                _ => None,
            }
        })
        .collect()
}

/// A rule that a user has, and the binding that gives it.
struct Granted {
    rule: Value,
    by: String,
}

/// Why something is allowed; `None` where nothing allows it.
pub(crate) fn allowed(world: &World, user: &User, attributes: &Attributes) -> Option<String> {
    if user.is_master() {
        return Some(String::new());
    }
    granted(world, user, &attributes.namespace)
        .into_iter()
        .find(|granted| covers(&granted.rule, attributes))
        .map(|granted| format!("RBAC: allowed by {}", granted.by))
}

/// All rules that a user has in a namespace, those for the whole cluster included.
pub(crate) fn rules(world: &World, user: &User, namespace: &str) -> Vec<Value> {
    granted(world, user, namespace).into_iter().map(|granted| granted.rule).collect()
}

fn granted(world: &World, user: &User, namespace: &str) -> Vec<Granted> {
    let mut found = Vec::new();
    for (of, name) in world.access.bindings.of(user) {
        if !of.is_empty() && of != namespace {
            continue;
        }
        let (kind, plural) =
            if of.is_empty() { ("ClusterRoleBinding", "clusterrolebindings") } else { ("RoleBinding", "rolebindings") };
        let Some(binding) = world.get(GROUP, plural, of, name) else {
            continue;
        };
        let role = &binding.value()["roleRef"];
        let role_kind = role["kind"].as_str().unwrap_or("");
        let role_name = role["name"].as_str().unwrap_or("");
        let shown = if of.is_empty() { name.clone() } else { format!("{name}/{of}") };
        let by = format!("{kind} {shown:?} of {role_kind} {role_name:?} to {}", named_subject(binding, user));
        for rule in role_rules(world, role_kind, role_name, of) {
            found.push(Granted { rule, by: by.clone() });
        }
    }
    found
}

fn named_subject(binding: &Object, user: &User) -> String {
    let listed = subjects(binding);
    let found = listed.iter().find(|subject| match subject {
        Subject::User(name) => *name == user.name,
        Subject::Group(name) => user.groups.contains(name),
    });
    match found {
        Some(Subject::Group(name)) => format!("Group {name:?}"),
        _ => match user.name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':')) {
            Some((namespace, name)) => format!("ServiceAccount {:?}", format!("{name}/{namespace}")),
            None => format!("User {:?}", user.name),
        },
    }
}

fn role_rules(world: &World, kind: &str, name: &str, namespace: &str) -> Vec<Value> {
    let role = match kind {
        "ClusterRole" => world.get(GROUP, "clusterroles", "", name),
        _ => world.get(GROUP, "roles", namespace, name),
    };
    let Some(role) = role else {
        return Vec::new();
    };
    let mut rules = own_rules(role);
    let selectors = role.value()["aggregationRule"]["clusterRoleSelectors"].as_array();
    for selector in selectors.into_iter().flatten().filter_map(LabelSelector::from_spec) {
        for other in world.list(GROUP, "clusterroles", "") {
            if other.name() != name && selector.matches(other.labels()) {
                rules.extend(own_rules(&other));
            }
        }
    }
    rules
}

fn own_rules(role: &Object) -> Vec<Value> {
    role.value()["rules"].as_array().cloned().unwrap_or_default()
}

fn covers(rule: &Value, attributes: &Attributes) -> bool {
    let has = |field: &str, wanted: &str| {
        let listed = rule[field].as_array().into_iter().flatten().filter_map(Value::as_str);
        listed.into_iter().any(|one| one == "*" || one == wanted)
    };
    if !has("verbs", &attributes.verb) {
        return false;
    }
    if !attributes.concerns_resources() {
        let urls = rule["nonResourceURLs"].as_array().into_iter().flatten().filter_map(Value::as_str);
        return urls.into_iter().any(|url| match url.strip_suffix('*') {
            Some(prefix) => attributes.path.starts_with(prefix),
            None => attributes.path == url,
        });
    }
    let door = attributes.resource.split_once('/').map(|(_, door)| format!("*/{door}"));
    let resource = has("resources", &attributes.resource) || door.is_some_and(|door| has("resources", &door));
    let names = rule["resourceNames"].as_array().map_or(&[][..], Vec::as_slice);
    let named = names.is_empty() || names.iter().any(|name| *name == attributes.name);
    has("apiGroups", &attributes.group) && resource && named
}

/// The refusal, as the real server words it.
pub(crate) fn refusal(user: &User, attributes: &Attributes) -> Box<Status> {
    let who = &user.name;
    let verb = &attributes.verb;
    if !attributes.concerns_resources() {
        let why = format!("User {who:?} cannot {verb} path {:?}", attributes.path);
        return Status::forbidden("", "", "", why);
    }
    let place = if attributes.namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace {:?}", attributes.namespace)
    };
    let resource = &attributes.resource;
    let why = format!("User {who:?} cannot {verb} resource {resource:?} in API group {:?} {place}", attributes.group);
    let plural = resource.split('/').next().unwrap_or(resource);
    Status::forbidden(&attributes.group, plural, &attributes.name, why)
}
