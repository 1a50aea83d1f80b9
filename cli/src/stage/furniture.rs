//! Puts manifests into a cluster in memory.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use sluice_sandbox::Cluster;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::Request;

use crate::lint::files;

const ISTIO: &str = include_str!("../../../e2e/router-crds/istio.yaml");
const GATEWAY_API: &str = include_str!("../../../e2e/router-crds/gateway-api.yaml");
const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// An object and the file that it is from.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    file: String,
    pub(crate) object: Value,
}

/// Reads what `-f` names.
pub(crate) fn read(names: &[String]) -> anyhow::Result<Vec<Manifest>> {
    let mut manifests = Vec::new();
    for source in files::find(names)? {
        let bytes = source.read()?;
        let text = std::str::from_utf8(&bytes).with_context(|| format!("{} is not UTF-8", source.name()))?;
        manifests.extend(documents(&source.name(), text)?);
    }
    Ok(manifests)
}

/// The objects of a text in YAML.
pub(crate) fn documents(file: &str, text: &str) -> anyhow::Result<Vec<Manifest>> {
    let read = serde_saphyr::from_multiple::<Value>(text).map_err(|error| {
        // Below its first line is a picture of the place.
        let error = error.to_string();
        anyhow::anyhow!("{file} is no YAML: {}", error.lines().next().unwrap_or_default().trim_start_matches("error: "))
    })?;
    let whole = read.into_iter().filter(|document| !document.is_null());
    let lists = whole.flat_map(|document| match &document["items"] {
        Value::Array(items) if document["kind"].as_str().is_some_and(|kind| kind.ends_with("List")) => items.clone(),
        _ => vec![document],
    });
    let named = lists.map(|object| {
        let says = |field: &str| object[field].as_str().is_some_and(|text| !text.is_empty());
        if says("apiVersion") && says("kind") {
            return Ok(Manifest { file: file.to_owned(), object });
        }
        bail!("{file} has a document without apiVersion and kind; only objects of Kubernetes can be put into a cluster")
    });
    named.collect()
}

/// The kinds that Sluice serves.
pub(crate) fn install_crds(cluster: &mut Cluster) -> anyhow::Result<()> {
    for crd in sluice_crds::schema::crds() {
        create(cluster, CRDS, &crd).map_err(anyhow::Error::msg)?;
    }
    Ok(())
}

/// Puts everything in, definitions before what they define and Rollouts last. Says what was left out because nothing
/// in the cluster knows its kind; what is refused ends it, all refusals at once.
pub(crate) fn install(cluster: &mut Cluster, manifests: &[Manifest]) -> anyhow::Result<Vec<String>> {
    install_routers(cluster, manifests)?;
    let mut ordered: Vec<&Manifest> = manifests.iter().collect();
    ordered.sort_by_key(|manifest| rank(&manifest.object));
    let (mut left_out, mut refused) = (Vec::new(), Vec::new());
    for manifest in ordered {
        let (mut object, named) = (manifest.object.clone(), named(manifest));
        let Some((path, namespaced)) = collection(cluster, &object) else {
            left_out.push(format!("{named} is left out: nothing here serves {}", object["apiVersion"]));
            continue;
        };
        let path = if namespaced { in_namespace(cluster, &path, &mut object)? } else { path };
        if let Err(why) = create(cluster, &path, &object) {
            refused.push(format!("{named}: {why}"));
        }
    }
    if refused.is_empty() { Ok(left_out) } else { bail!("{}", refused.join("\n")) }
}

/// Definitions of routers' kinds, for manifests that come without them.
fn install_routers(cluster: &mut Cluster, manifests: &[Manifest]) -> anyhow::Result<()> {
    let defined: BTreeSet<&str> =
        manifests.iter().filter_map(|manifest| manifest.object["spec"]["group"].as_str()).collect();
    for (group, definitions) in [("networking.istio.io", ISTIO), ("gateway.networking.k8s.io", GATEWAY_API)] {
        let is_meant = |manifest: &Manifest| {
            manifest.object["apiVersion"].as_str().is_some_and(|version| version.starts_with(group))
        };
        if !defined.contains(group) && manifests.iter().any(is_meant) {
            for definition in documents(group, definitions)? {
                create(cluster, CRDS, &definition.object).map_err(anyhow::Error::msg)?;
            }
        }
    }
    Ok(())
}

fn rank(object: &Value) -> u8 {
    match object["kind"].as_str() {
        Some("Namespace") => 0,
        Some("CustomResourceDefinition") => 1,
        Some("Rollout") => 3,
        _ => 2,
    }
}

fn named(Manifest { file, object }: &Manifest) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!("{file}: {} {}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

/// Where objects of this kind are, as the cluster's own discovery says, and whether namespaces have them.
fn collection(cluster: &mut Cluster, object: &Value) -> Option<(String, bool)> {
    let version = object["apiVersion"].as_str()?;
    let root = if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
    let answer = cluster.handle(&Request::get(&root).as_user(User::admin()));
    let body = answer.json_body();
    let resources = body["resources"].as_array()?;
    let is_it = |one: &&Value| one["kind"] == object["kind"] && one["name"].as_str().is_some_and(|n| !n.contains('/'));
    let resource = resources.iter().find(is_it)?;
    Some((format!("{root}/{}", resource["name"].as_str()?), resource["namespaced"] == true))
}

/// The path in the object's namespace, which is made where it isn't there yet.
fn in_namespace(cluster: &mut Cluster, path: &str, object: &mut Value) -> anyhow::Result<String> {
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default").to_owned();
    if cluster.world().get("", "namespaces", "", &namespace).is_none() {
        let made = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        create(cluster, "/api/v1/namespaces", &made).map_err(anyhow::Error::msg)?;
    }
    let (root, plural) = path.rsplit_once('/').unwrap_or_default();
    Ok(format!("{root}/namespaces/{namespace}/{plural}"))
}

fn create(cluster: &mut Cluster, path: &str, object: &Value) -> Result<(), String> {
    let answer = cluster.handle(&Request::post(path, object).as_user(User::admin()));
    if answer.status == 201 {
        return Ok(());
    }
    Err(answer.json_body()["message"].as_str().unwrap_or("the cluster refuses it").to_owned())
}
