//! A cluster in memory with Sluice in it, furnished from manifests, under load: what `playground` shows live and
//! `simulate` tells on a clock of its own.

pub(crate) mod director;
pub(crate) mod frame;
pub(crate) mod furniture;
pub(crate) mod line;
pub(crate) mod load;
pub(crate) mod release;
pub(crate) mod scenario;
pub(crate) mod story;
pub(crate) mod traffic;

use serde_json::Value;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::Request;
use sluice_sandbox::doors::Door;

/// Asks the cluster as its administrator.
pub(crate) fn ask(door: &Door, request: Request) -> anyhow::Result<Value> {
    let answer = door.handle(&request.as_user(User::admin()));
    let body = answer.json_body();
    anyhow::ensure!(answer.status < 300, "{}", body["message"].as_str().unwrap_or("the cluster refuses it"));
    Ok(body)
}

/// The path of an object of Sluice's kinds.
pub(crate) fn rollout_path(namespace: &str, name: &str) -> String {
    format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/rollouts/{name}")
}
