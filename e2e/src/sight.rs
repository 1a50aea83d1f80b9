//! What people look for in a pod.

use serde_json::Value;

/// The word in kubectl's STATUS column, for pods without init containers.
#[must_use]
pub fn status(pod: &Value) -> String {
    let word = |value: &Value| value.as_str().map(str::to_owned);
    if pod["metadata"]["deletionTimestamp"].is_string() {
        return "Terminating".to_owned();
    }
    let of_container = |container: &Value| {
        let state = &container["state"];
        word(&state["waiting"]["reason"]).or_else(|| word(&state["terminated"]["reason"]))
    };
    word(&pod["status"]["reason"])
        .or_else(|| containers(pod).find_map(of_container))
        .or_else(|| word(&pod["status"]["phase"]))
        .unwrap_or_default()
}

#[must_use]
pub fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready").is_some_and(|ready| ready["status"] == "True")
}

#[must_use]
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().find(|condition| condition["type"] == kind)
}

/// The status of the first container.
#[must_use]
pub fn container(pod: &Value) -> &Value {
    &pod["status"]["containerStatuses"][0]
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    pod["status"]["containerStatuses"].as_array().into_iter().flatten()
}

#[must_use]
pub fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}
