//! The sandbox's table of built-in types, taken from the OpenAPI documents of a real control plane.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::process;

/// Where the types of the built-in kinds are published, and which kinds of each place the sandbox knows.
const SOURCES: &[(&str, &[&str])] = &[
    (
        "api/v1",
        &[
            "Namespace",
            "Node",
            "Pod",
            "PodTemplate",
            "Service",
            "Endpoints",
            "ConfigMap",
            "Secret",
            "ServiceAccount",
            "Event",
            "Binding",
            "ReplicationController",
            "LimitRange",
            "ResourceQuota",
            "PersistentVolumeClaim",
        ],
    ),
    ("apis/apps/v1", &["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ControllerRevision"]),
    ("apis/batch/v1", &["Job", "CronJob"]),
    ("apis/networking.k8s.io/v1", &["Ingress", "IngressClass", "NetworkPolicy"]),
    ("apis/autoscaling/v2", &["HorizontalPodAutoscaler"]),
    ("apis/autoscaling/v1", &["Scale"]),
    ("apis/policy/v1", &["PodDisruptionBudget", "Eviction"]),
    ("apis/coordination.k8s.io/v1", &["Lease"]),
    ("apis/discovery.k8s.io/v1", &["EndpointSlice"]),
    ("apis/events.k8s.io/v1", &["Event"]),
    ("apis/rbac.authorization.k8s.io/v1", &["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"]),
    ("apis/apiextensions.k8s.io/v1", &["CustomResourceDefinition"]),
    (
        "apis/authorization.k8s.io/v1",
        &["SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview", "LocalSubjectAccessReview"],
    ),
    ("apis/scheduling.k8s.io/v1", &["PriorityClass"]),
];

/// What the sandbox reads of a type; descriptions and examples stay behind.
const KEPT: &[&str] = &[
    "type",
    "format",
    "default",
    "required",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
    "x-kubernetes-patch-merge-key",
    "x-kubernetes-patch-strategy",
];

/// The table as it is checked in.
pub(crate) fn table(kubectl: &Path, kubeconfig: &Path) -> Result<String> {
    let mut published = BTreeMap::new();
    for (path, _) in SOURCES {
        let document = fetch(path, kubectl, kubeconfig)?;
        let schemas = document
            .pointer("/components/schemas")
            .and_then(Value::as_object)
            .with_context(|| format!("/openapi/v3/{path} has no schemas"))?;
        published.extend(schemas.iter().map(|(name, schema)| (name.clone(), schema.clone())));
    }
    let mut kinds = BTreeMap::new();
    for (path, wanted) in SOURCES {
        let api_version = path.trim_start_matches("apis/").trim_start_matches("api/");
        for kind in *wanted {
            let name = definition_of(&published, api_version, kind)
                .with_context(|| format!("no document knows {api_version} {kind}"))?;
            kinds.insert(format!("{api_version}/{kind}"), name);
        }
    }
    Table::collect(&published, &kinds)
}

fn fetch(path: &str, kubectl: &Path, kubeconfig: &Path) -> Result<Value> {
    let mut get = Command::new(kubectl);
    get.arg("--kubeconfig").arg(kubeconfig).args(["get", "--raw", &format!("/openapi/v3/{path}")]);
    serde_json::from_str(&process::answer_of(get)?).with_context(|| format!("/openapi/v3/{path} is no JSON"))
}

/// The type of a kind: several types can carry the same kind's mark, only one has its name.
fn definition_of(published: &BTreeMap<String, Value>, api_version: &str, kind: &str) -> Option<String> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let has_mark = |schema: &Value| {
        schema["x-kubernetes-group-version-kind"].as_array().is_some_and(|marks| {
            marks.iter().any(|mark| mark["group"] == group && mark["version"] == version && mark["kind"] == kind)
        })
    };
    published
        .iter()
        .find(|(name, schema)| name.rsplit('.').next() == Some(kind) && has_mark(schema))
        .map(|(name, _)| name.clone())
}

struct Table<'a> {
    published: &'a BTreeMap<String, Value>,
    taken: BTreeMap<String, Value>,
    waiting: BTreeSet<String>,
}

impl<'a> Table<'a> {
    /// All types that the kinds need, one a line.
    fn collect(published: &'a BTreeMap<String, Value>, kinds: &BTreeMap<String, String>) -> Result<String> {
        let mut table = Table { published, taken: BTreeMap::new(), waiting: kinds.values().cloned().collect() };
        // Patches and deletes carry options, which are checked like any other object.
        table.waiting.extend(published.keys().filter(|name| name.ends_with(".meta.v1.DeleteOptions")).cloned());
        while let Some(name) = table.waiting.pop_first() {
            if !table.taken.contains_key(&name) {
                let schema = table.published.get(&name).with_context(|| format!("{name} is not published"))?;
                let compact = table.compact(&name, schema);
                table.taken.insert(name, compact);
            }
        }
        let mut text = String::from("{\"kinds\":{\n");
        let kinds: Vec<String> =
            kinds.iter().map(|(kind, name)| format!("{}:{}", json!(kind), json!(short(name)))).collect();
        text.push_str(&kinds.join(",\n"));
        text.push_str("\n},\"definitions\":{\n");
        let definitions: Vec<String> =
            table.taken.iter().map(|(name, schema)| format!("{}:{schema}", json!(short(name)))).collect();
        if table.taken.keys().map(|name| short(name)).collect::<BTreeSet<_>>().len() != definitions.len() {
            bail!("two types share one short name");
        }
        text.push_str(&definitions.join(",\n"));
        text.push_str("\n}}\n");
        Ok(text)
    }

    fn compact(&mut self, name: &str, schema: &Value) -> Value {
        match name.rsplit('.').next() {
            Some("IntOrString") => return json!({"x-kubernetes-int-or-string": true}),
            Some("Quantity") => return json!({"type": "string"}),
            _ => {}
        }
        let mut compact = self.node(schema);
        // Types that JSON Schema can't describe: their content is nobody's business here.
        let opaque = schema.get("properties").is_none()
            && schema.get("additionalProperties").is_none()
            && matches!(schema["type"].as_str(), None | Some("object"));
        if opaque {
            compact["x-kubernetes-preserve-unknown-fields"] = json!(true);
        }
        compact
    }

    fn node(&mut self, schema: &Value) -> Value {
        let mut out = Map::new();
        // A reference with siblings is published as an `allOf` of one.
        let reference = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref")).and_then(Value::as_str);
        if let Some(reference) = reference {
            let name = reference.trim_start_matches("#/components/schemas/").to_owned();
            out.insert("$ref".into(), json!(short(&name)));
            self.waiting.insert(name);
        }
        for key in KEPT {
            if let Some(value) = schema.get(*key) {
                out.insert((*key).to_owned(), value.clone());
            }
        }
        if let Some(properties) = schema["properties"].as_object() {
            let compact: Map<String, Value> =
                properties.iter().map(|(name, property)| (name.clone(), self.node(property))).collect();
            out.insert("properties".into(), Value::Object(compact));
        }
        for key in ["items", "additionalProperties"] {
            if schema[key].is_object() {
                let compact = self.node(&schema[key]);
                out.insert(key.into(), compact);
            }
        }
        Value::Object(out)
    }
}

/// `io.k8s.api.apps.v1.Deployment` → `apps.v1.Deployment`.
fn short(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    parts[parts.len().saturating_sub(3)..].join(".")
}
