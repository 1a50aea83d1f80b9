//! The schema of a pod template in a CRD: small, and yet server-side apply can merge two managers' work in it.
//!
//! A full schema of `PodTemplateSpec` is 50 kB without a word of description, and ties the CRD to one Kubernetes
//! version. Here only that is named what server-side apply or an early refusal needs; everything else passes as
//! it is (`x-kubernetes-preserve-unknown-fields`) and is judged by our validation and by the API server when the
//! ReplicaSet is made.
//!
//! Which lists are merged by key. A keyed list refuses two items with the same key and items without one, and
//! no manifest may be refused that runs today. So a list is keyed where Kubernetes itself wants the key and
//! refuses duplicates: containers, volumes, mounts, devices, claims, spread constraints. Besides these `env`,
//! because that two managers set variables in one container is what server-side apply is used for. Kubernetes
//! merely warns of a variable that is set twice; here a new object with one is refused, while an object that was
//! stored before goes on taking every patch. All other lists are replaced as a whole:
//! - `ports`: their key upstream is `containerPort` with `protocol`, and `protocol` is optional there because it
//!   has a default. A CRD must either require a key or default it. Required, `- containerPort: 80` is refused;
//!   defaulted, what is stored differs from what was applied and Git shows drift; keyed by `containerPort` alone,
//!   DNS on 53/TCP and 53/UDP is refused.
//! - `imagePullSecrets` and `hostAliases`: Kubernetes takes repetitions and empty names there.
//! - `tolerations`, `envFrom`, `command`, `args` and the like are replaced as a whole upstream too.

use schemars::{Schema, json_schema};
use serde_json::{Value, json};

pub(super) fn pod_template() -> Schema {
    let text_map = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    json_schema!({
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": true,
        "properties": {
            "metadata": {
                "type": "object",
                "x-kubernetes-preserve-unknown-fields": true,
                "properties": { "labels": text_map, "annotations": text_map },
            },
            "spec": {
                "type": "object",
                "description": "A Kubernetes PodSpec; see `kubectl explain pod.spec`.",
                "x-kubernetes-preserve-unknown-fields": true,
                "required": ["containers"],
                "properties": {
                    "containers": containers(),
                    "initContainers": containers(),
                    "ephemeralContainers": containers(),
                    "volumes": keyed_list(&["name"], &json!({ "name": { "type": "string" } })),
                    "resourceClaims": keyed_list(&["name"], &json!({ "name": { "type": "string" } })),
                    "topologySpreadConstraints": keyed_list(
                        &["topologyKey", "whenUnsatisfiable"],
                        &json!({ "topologyKey": { "type": "string" }, "whenUnsatisfiable": { "type": "string" } }),
                    ),
                },
            },
        },
    })
}

fn containers() -> Value {
    keyed_list(
        &["name"],
        &json!({
            "name": { "type": "string" },
            "image": { "type": "string" },
            "env": keyed_list(&["name"], &json!({ "name": { "type": "string" }, "value": { "type": "string" } })),
            "volumeMounts": keyed_list(&["mountPath"], &json!({ "mountPath": { "type": "string" } })),
            "volumeDevices": keyed_list(&["devicePath"], &json!({ "devicePath": { "type": "string" } })),
        }),
    )
}

/// A list whose items are told apart by these fields, which every item must have.
fn keyed_list(keys: &[&str], properties: &Value) -> Value {
    json!({
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": keys,
        "items": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": true,
            "required": keys,
            "properties": properties,
        },
    })
}
