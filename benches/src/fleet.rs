//! Many Rollouts as they are after some releases: one is really released in a simulated cluster, and copied.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use kube::Client;
use serde_json::{Value, json};
use sluice_controller::{Clock, Controller, Settings, ShutdownHandle};
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::Request;
use sluice_sandbox::doors::{Clock as DoorClock, Door};
use sluice_sandbox::{Cluster, World};

use crate::admin::AsAdmin;

pub(crate) const ROLLOUTS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts";
const REPLICA_SETS: &str = "/apis/apps/v1/namespaces/default/replicasets";
const SERVICES: &str = "/api/v1/namespaces/default/services";
const INGRESSES: &str = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";
const PODS: &str = "/api/v1/namespaces/default/pods";
/// So far a watch may lag behind. Each state that is kept is a whole object.
const KEPT_CHANGES: usize = 1_000;
const START: &str = "2026-01-01T00:00:00Z";

/// A Rollout `web` with all that belongs to it.
pub(crate) struct Model {
    pub(crate) rollout: Value,
    pub(crate) replica_sets: Vec<Value>,
    pub(crate) pods: Vec<Value>,
    services: Vec<Value>,
    ingresses: Vec<Value>,
}

/// How a controller runs beside nothing else: alone, and without a limit on its requests.
pub(crate) fn alone() -> Settings {
    Settings {
        namespace: String::new(),
        instance_id: String::new(),
        election: None,
        qps: 0.0,
        burst: 1,
        passes_at_once: 10,
        resync: Duration::from_secs(900),
        seed: 1,
    }
}

impl Model {
    /// A Rollout of three pods that was released so often; where `stops` is set, the last release waits at a pause.
    pub(crate) fn released(revisions: u32, stops: bool) -> anyhow::Result<Self> {
        Self::of(&[(ROLLOUTS, manifest())], revisions, stops)
    }

    /// The same behind an Ingress; its second release waits with a third of the traffic.
    pub(crate) fn routed() -> anyhow::Result<Self> {
        let mut rollout = manifest();
        let canary = &mut rollout["spec"]["strategy"]["canary"];
        canary["stableService"] = json!("web-stable");
        canary["canaryService"] = json!("web-canary");
        canary["trafficRouting"] = json!({"nginx": {"stableIngress": "web-ingress"}});
        let service = |name: &str| {
            json!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
                "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
            })
        };
        let backend = json!({"service": {"name": "web-stable", "port": {"number": 80}}});
        let ingress = json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web-ingress"},
            "spec": {"rules": [{"host": "web.example.com", "http": {"paths": [
                {"path": "/", "pathType": "Prefix", "backend": backend},
            ]}}]},
        });
        let manifests = [
            (SERVICES, service("web-stable")),
            (SERVICES, service("web-canary")),
            (INGRESSES, ingress),
            (ROLLOUTS, rollout),
        ];
        Self::of(&manifests, 2, true)
    }

    fn of(manifests: &[(&str, Value)], revisions: u32, stops: bool) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
        runtime.block_on(async {
            let start: Timestamp = START.parse()?;
            let mut cluster = Cluster::new(1, 2, start);
            install_crds(&mut |request| cluster.handle(&request.as_user(User::admin())).status)?;
            let door = Door::to_cluster(cluster, DoorClock::following_runtime(start));
            let life = door.clone();
            let living = tokio::spawn(async move { life.keep_going().await });
            let (handle, shutdown) = ShutdownHandle::new();
            let client = Client::new(AsAdmin(door.clone()), "default");
            let controller = Controller::new(client, alone(), Clock::following_runtime(start));
            let running = tokio::spawn(controller.run(handle.clone(), shutdown));
            for (path, manifest) in manifests {
                ask(&door, Request::post(path, manifest))?;
            }
            until(&door, "Healthy").await?;
            for revision in 2..=revisions {
                let image = format!("registry.example/shop/web:{revision}.0.0");
                let change =
                    json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image}]);
                let path = format!("{ROLLOUTS}/web");
                ask(&door, Request::patch(&path, "application/json-patch+json", &change))?;
                until(&door, "Paused").await?;
                if revision < revisions || !stops {
                    promote(&door, "web")?;
                    until(&door, "Healthy").await?;
                }
            }
            // Pods on their way out are gone.
            tokio::time::sleep(Duration::from_secs(120)).await;
            let model = Self {
                rollout: ask(&door, Request::get(&format!("{ROLLOUTS}/web")))?,
                replica_sets: items(&door, REPLICA_SETS)?,
                pods: items(&door, PODS)?,
                services: named_like_the_model(items(&door, SERVICES)?),
                ingresses: items(&door, INGRESSES)?,
            };
            handle.begin();
            running.await??;
            living.abort();
            ensure!(model.replica_sets.len() == usize::try_from(revisions)?, "a ReplicaSet for each revision");
            Ok(model)
        })
    }
}

/// An API server that holds so many copies of models; nobody but a client changes anything there.
pub(crate) fn server(copies: &[(&Model, &str, usize)], clock: DoorClock) -> anyhow::Result<Door> {
    // Nobody asks for what was before.
    let mut world = World::new(1).with_log_capacity(KEPT_CHANGES);
    let now = clock.now();
    let furnished = sluice_sandbox::api::bootstrap(&mut world, now);
    ensure!(furnished.is_ok(), "an empty world takes its first objects: {furnished:?}");
    install_crds(&mut |request| sluice_sandbox::api::handle(&mut world, &request.as_user(User::admin()), now).status)?;
    let door = Door::new(world, clock);
    for (model, name, number) in copies {
        for copy in 0..*number {
            place(&door, model, &format!("{name}-{copy}"))?;
        }
    }
    Ok(door)
}

/// Promotes as existing tools do.
pub(crate) fn promote(door: &Door, name: &str) -> anyhow::Result<()> {
    let change = json!({"status": {"pauseConditions": null}});
    ask(door, Request::patch(&format!("{ROLLOUTS}/{name}/status"), "application/merge-patch+json", &change)).map(drop)
}

/// Changes something of a Rollout's ReplicaSets that asks for a pass and leaves nothing to write.
pub(crate) fn poke(door: &Door, replica_set: &str, round: usize) -> anyhow::Result<()> {
    let change = json!({"metadata": {"labels": {"round": round.to_string()}}});
    let path = format!("{REPLICA_SETS}/{replica_set}");
    ask(door, Request::patch(&path, "application/merge-patch+json", &change)).map(drop)
}

/// The name that a model's ReplicaSet has in a copy.
pub(crate) fn renamed(original: &Value, copy: &str) -> String {
    let name = original["metadata"]["name"].as_str().unwrap_or_default();
    format!("{copy}{}", name.strip_prefix("web").unwrap_or(name))
}

/// The newest versions of everything that a controller might write.
pub(crate) fn versions(door: &Door) -> anyhow::Result<u64> {
    let mut newest = 0;
    for path in [ROLLOUTS, REPLICA_SETS, PODS, "/api/v1/namespaces/default/events"] {
        let versions = items(door, path)?;
        let versions = versions.iter().filter_map(|item| item["metadata"]["resourceVersion"].as_str()?.parse().ok());
        newest = versions.fold(newest, u64::max);
    }
    Ok(newest)
}

pub(crate) fn ask(door: &Door, request: Request) -> anyhow::Result<Value> {
    let path = request.path.clone();
    let answer = door.handle(&request.as_user(User::admin()));
    let body = answer.json_body();
    ensure!(answer.status < 300, "{path}: {} {body}", answer.status);
    Ok(body)
}

/// Not those that every cluster has.
fn named_like_the_model(mut services: Vec<Value>) -> Vec<Value> {
    services.retain(|service| service["metadata"]["name"].as_str().is_some_and(|name| name.starts_with("web-")));
    services
}

fn items(door: &Door, path: &str) -> anyhow::Result<Vec<Value>> {
    let list = ask(door, Request::get(path))?;
    Ok(list["items"].as_array().context("a list")?.clone())
}

async fn until(door: &Door, phase: &str) -> anyhow::Result<()> {
    for _ in 0..10_000 {
        let rollout = ask(door, Request::get(&format!("{ROLLOUTS}/web")))?;
        let observed = rollout["status"]["observedGeneration"].as_str().and_then(|text| text.parse::<i64>().ok());
        if rollout["status"]["phase"] == phase && observed == rollout["metadata"]["generation"].as_i64() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("the model never became {phase}")
}

fn install_crds(ask: &mut dyn FnMut(Request) -> u16) -> anyhow::Result<()> {
    for crd in sluice_crds::schema::crds() {
        let status = ask(Request::post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &crd));
        ensure!(status == 201, "a CRD was refused with {status}");
    }
    Ok(())
}

fn place(door: &Door, model: &Model, name: &str) -> anyhow::Result<()> {
    let mut uids = BTreeMap::new();
    create(door, ROLLOUTS, &model.rollout, name, &mut uids)?;
    for replica_set in &model.replica_sets {
        create(door, REPLICA_SETS, replica_set, name, &mut uids)?;
    }
    let others = [(PODS, &model.pods), (SERVICES, &model.services), (INGRESSES, &model.ingresses)];
    for (path, objects) in others {
        for object in objects {
            create(door, path, object, name, &mut uids)?;
        }
    }
    Ok(())
}

/// Creates an object's copy and then its status; both are new to the copy's owner.
fn create(
    door: &Door,
    path: &str,
    original: &Value,
    name: &str,
    uids: &mut BTreeMap<String, Value>,
) -> anyhow::Result<()> {
    // What names the copy's own Services and Ingresses.
    let text = original.to_string();
    let parts = ["stable", "canary", "ingress"];
    let text = parts.iter().fold(text, |text, part| text.replace(&format!("web-{part}"), &format!("{name}-{part}")));
    let text = text.replace("managed-by-rollouts\":\"web\"", &format!("managed-by-rollouts\":\"{name}\""));
    let mut object: Value = serde_json::from_str(&text)?;
    let own = object["metadata"]["name"].as_str().filter(|own| own.starts_with(name)).map(str::to_owned);
    let name = own.unwrap_or_else(|| renamed(&object, name));
    if let Some(addresses) = object.get_mut("spec").and_then(Value::as_object_mut) {
        addresses.remove("clusterIP");
        addresses.remove("clusterIPs");
    }
    let metadata = object["metadata"].as_object_mut().context("metadata")?;
    for field in ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "generateName"] {
        metadata.remove(field);
    }
    metadata.insert("name".to_owned(), json!(name));
    for owner in metadata.get_mut("ownerReferences").and_then(Value::as_array_mut).into_iter().flatten() {
        let uid = owner["uid"].as_str().and_then(|uid| uids.get(uid)).context("the owner comes first")?;
        owner["uid"] = uid.clone();
    }
    let stored = ask(door, Request::post(path, &object))?;
    let uid = original["metadata"]["uid"].as_str().context("a uid")?;
    uids.insert(uid.to_owned(), stored["metadata"]["uid"].clone());
    let mut status = object["status"].clone();
    if status.is_null() {
        return Ok(());
    }
    if let Some(observed) = status.get_mut("observedGeneration") {
        *observed = if observed.is_string() { json!("1") } else { json!(1) };
    }
    let path = format!("{path}/{name}/status");
    ask(door, Request::patch(&path, "application/merge-patch+json", &json!({"status": status}))).map(drop)
}

/// As large as what people really run: probes, resources, a volume, variables.
fn manifest() -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web", "team": "shop"}},
        "spec": {
            "replicas": 3,
            "revisionHistoryLimit": 10,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web", "team": "shop"}, "annotations": {"prometheus.io/scrape": "true"}},
                "spec": {
                    "containers": [{
                        "name": "web",
                        "image": "registry.example/shop/web:1.0.0",
                        "ports": [{"name": "http", "containerPort": 8080}],
                        "env": [
                            {"name": "LOG_LEVEL", "value": "info"},
                            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "shop", "key": "password"}}},
                        ],
                        "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
                        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
                        "volumeMounts": [{"name": "config", "mountPath": "/etc/web"}],
                    }],
                    "volumes": [{"name": "config", "emptyDir": {}}],
                },
            },
            "strategy": {"canary": {"steps": [{"setWeight": 34}, {"pause": {}}, {"setWeight": 67}]}},
        },
    })
}
