//! Begins a release, as a person would.

use serde_json::json;
use sluice_sandbox::api::request::Request;
use sluice_sandbox::doors::Door;

use super::scenario::Scenario;
use super::{ask, rollout_path};
use crate::actions::{Home, Part, Seen, release};

/// The next version of the template, wherever that is kept.
pub(crate) fn next_version(door: &Door, namespace: &str, name: &str, scenario: Scenario) -> anyhow::Result<()> {
    let rollout = ask(door, Request::get(&rollout_path(namespace, name)))?;
    let home = Home::of(&rollout).map_err(anyhow::Error::msg)?;
    let kind = home.kind;
    let root = if kind.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", kind.group) };
    let path = format!("{root}/{}/namespaces/{namespace}/{}/{}", kind.version, kind.plural, home.name);
    let template = scenario.next_version();
    let patch = if home.path() == "/template" {
        json!({"template": template})
    } else {
        json!({"spec": {"template": template}})
    };
    ask(door, Request::patch(&path, "application/merge-patch+json", &patch)).map(drop)
}

/// Another image for the first container.
pub(crate) fn next_image(door: &Door, namespace: &str, name: &str, image: &str) -> anyhow::Result<()> {
    let change = json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image}]);
    let path = rollout_path(namespace, name);
    ask(door, Request::patch(&path, "application/json-patch+json", &change)).map(drop)
}

/// What `sluice promote` does.
pub(crate) fn promote(door: &Door, namespace: &str, name: &str) -> anyhow::Result<()> {
    let path = rollout_path(namespace, name);
    let rollout = ask(door, Request::get(&path))?;
    for change in release::promote(Seen(&rollout)).changes() {
        let path = if change.part == Part::Status { format!("{path}/status") } else { path.clone() };
        ask(door, Request::patch(&path, "application/json-patch+json", &change.operations()))?;
    }
    Ok(())
}
