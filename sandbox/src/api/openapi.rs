//! OpenAPI v3, as far as `kubectl explain`, `kubectl apply` and generators of clients read it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::discovery::GIT_VERSION;
use super::registry::{Registry, Resource, Subresource, Version, api_version};
use super::request::Response;

/// The same table that objects are decoded with; its references are names of definitions.
static TABLE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../schema/builtin.json")).unwrap_or_default());

const OBJECT_META: &str = "meta.v1.ObjectMeta";

/// The documents, one per group and version; each address carries a hash, so that clients can keep what they have.
pub(crate) fn index(registry: &Registry) -> Value {
    let mut groups = registry.groups();
    groups.push(String::new());
    let mut paths = Map::new();
    for group in &groups {
        for version in registry.versions(group) {
            let path = relative_path(group, &version);
            let url = format!("/openapi/v3/{path}?hash={}", hash(registry, group, &version));
            paths.insert(path, json!({"serverRelativeURL": url}));
        }
    }
    json!({"paths": paths})
}

/// One document.
pub(crate) fn document(registry: &Registry, group: &str, version: &str) -> Response {
    let mut builder = Builder::default();
    for resource in registry.in_group(group) {
        if let Some(facts) = resource.served(version) {
            builder.add(resource, facts);
        }
    }
    let body = json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": GIT_VERSION},
        "paths": builder.paths,
        "components": {"schemas": builder.schemas},
    });
    let mut response = Response::json(200, body.to_string());
    let etag = format!("\"{}\"", hash(registry, group, version));
    response.headers.push(("etag", etag));
    response
}

fn relative_path(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

/// Changes whenever a document does: built-in ones never do, custom ones with their definitions.
fn hash(registry: &Registry, group: &str, version: &str) -> String {
    let mut hash = Fnv::default();
    hash.add(GIT_VERSION);
    for resource in registry.in_group(group) {
        if let Some(facts) = resource.served(version) {
            hash.add(&resource.plural);
            hash.add(&resource.kind);
            for subresource in &facts.subresources {
                hash.add(subresource.name());
            }
            if let Some(schema) = &facts.schema {
                hash.add(&schema.hash);
            }
        }
    }
    hash.text()
}

/// FNV-1a: short, stable, and good enough to notice a change.
#[derive(Debug, Clone)]
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    pub(crate) fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn text(&self) -> String {
        format!("{:016X}", self.0)
    }
}

#[derive(Default)]
struct Builder {
    paths: Map<String, Value>,
    schemas: Map<String, Value>,
    taken: BTreeSet<String>,
}

impl Builder {
    fn add(&mut self, resource: &Resource, facts: &Version) {
        let gvk = json!({"group": resource.group, "version": facts.name, "kind": resource.kind});
        let schema = match &facts.schema {
            Some(schema) => self.custom(resource, facts, &schema.written, &gvk),
            None => self.built_in(&api_version(&resource.group, &facts.name), &resource.kind, &gvk),
        };
        self.add_paths(resource, facts, &schema, &gvk);
    }

    /// Takes a kind of the table, with everything that it refers to; returns the name of its schema.
    fn built_in(&mut self, api_version: &str, kind: &str, gvk: &Value) -> String {
        let name = TABLE["kinds"][format!("{api_version}/{kind}")].as_str().unwrap_or("").to_owned();
        self.take(&name);
        if let Some(schema) = self.schemas.get_mut(&component(&name)) {
            schema["x-kubernetes-group-version-kind"] = json!([gvk]);
        }
        component(&name)
    }

    fn take(&mut self, name: &str) {
        if name.is_empty() || !self.taken.insert(name.to_owned()) {
            return;
        }
        let mut schema = TABLE["definitions"][name].clone();
        let mut references = Vec::new();
        rewrite_references(&mut schema, &mut references);
        self.schemas.insert(component(name), schema);
        for reference in references {
            self.take(&reference);
        }
    }

    fn custom(&mut self, resource: &Resource, facts: &Version, written: &Value, gvk: &Value) -> String {
        self.take(OBJECT_META);
        let reversed: Vec<&str> = resource.group.split('.').rev().collect();
        let name = format!("{}.{}.{}", reversed.join("."), facts.name, resource.kind);
        let mut schema = written.clone();
        schema["properties"]["apiVersion"] = json!({"type": "string"});
        schema["properties"]["kind"] = json!({"type": "string"});
        schema["properties"]["metadata"] = json!({"allOf": [{"$ref": reference(OBJECT_META)}]});
        schema["x-kubernetes-group-version-kind"] = json!([gvk]);
        self.schemas.insert(name.clone(), schema);
        name
    }

    fn add_paths(&mut self, resource: &Resource, facts: &Version, schema: &str, gvk: &Value) {
        let scope = if resource.namespaced { "/namespaces/{namespace}" } else { "" };
        let base = format!("/{}{scope}/{}", relative_path(&resource.group, &facts.name), resource.plural);
        let custom = resource.rules.custom;
        let body = json!({"$ref": format!("#/components/schemas/{schema}")});
        let operation = |action: &str| operation(action, gvk, &body, custom);
        if resource.rules.review {
            self.paths.insert(base, json!({"post": operation("post")}));
            return;
        }
        self.paths.insert(
            base.clone(),
            json!({"get": operation("list"), "post": operation("post"), "delete": operation("deletecollection")}),
        );
        let one = format!("{base}/{{name}}");
        let object = json!({
            "get": operation("get"),
            "put": operation("put"),
            "patch": operation("patch"),
            "delete": operation("delete"),
        });
        self.paths.insert(one.clone(), object);
        for subresource in &facts.subresources {
            if *subresource == Subresource::Status {
                let door = json!({"get": operation("get"), "put": operation("put"), "patch": operation("patch")});
                self.paths.insert(format!("{one}/status"), door);
            }
        }
    }
}

/// What a client wants to know about a verb: the kind, the parameters, and the patches that are understood.
fn operation(action: &str, gvk: &Value, schema: &Value, custom: bool) -> Value {
    let parameter =
        |name: &str, kind: &str| json!({"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": true}});
    let mut parameters = vec![parameter("pretty", "string")];
    if matches!(action, "post" | "put" | "patch") {
        parameters.push(parameter("dryRun", "string"));
        parameters.push(parameter("fieldManager", "string"));
        parameters.push(parameter("fieldValidation", "string"));
    }
    if action == "patch" {
        parameters.push(parameter("force", "boolean"));
    }
    if action == "delete" {
        parameters.push(parameter("dryRun", "string"));
        parameters.push(parameter("propagationPolicy", "string"));
    }
    let mut operation = json!({
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": gvk,
        "parameters": parameters,
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}},
    });
    let types: &[&str] = match action {
        "post" | "put" => &["application/json", "application/yaml"],
        "patch" if custom => {
            &["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"]
        }
        "patch" => &[
            "application/apply-patch+yaml",
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/strategic-merge-patch+json",
        ],
        _ => &[],
    };
    if !types.is_empty() {
        let content: Map<String, Value> =
            types.iter().map(|media_type| ((*media_type).to_owned(), json!({"schema": schema}))).collect();
        operation["requestBody"] = json!({"content": content, "required": true});
    }
    operation
}

fn component(name: &str) -> String {
    format!("io.k8s.{name}")
}

fn reference(name: &str) -> String {
    format!("#/components/schemas/{}", component(name))
}

/// Makes the table's short references full ones. Beside a reference OpenAPI ignores everything, so it moves into `allOf`.
fn rewrite_references(schema: &mut Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(name)) = fields.get("$ref") {
                let name = name.clone();
                let target = json!({"$ref": reference(&name)});
                found.push(name);
                fields.remove("$ref");
                if fields.is_empty() {
                    *schema = target;
                    return;
                }
                fields.insert("allOf".into(), json!([target]));
                return;
            }
            for inner in fields.values_mut() {
                rewrite_references(inner, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                rewrite_references(item, found);
            }
        }
        _ => {}
    }
}
