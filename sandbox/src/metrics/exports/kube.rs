//! The state of pods, as kube-state-metrics shows it.

use serde_json::Value;

use super::{Page, label_name};
use crate::metrics::labels::Labels;

const PHASES: [&str; 5] = ["Failed", "Pending", "Running", "Succeeded", "Unknown"];

pub(super) fn export(pods: &[&Value], page: &mut Page) {
    for pod in pods {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (namespace, name) = (text(&pod["metadata"]["namespace"]), text(&pod["metadata"]["name"]));
        let labels = |metric: &str| {
            Labels::of(metric, &[("job", "kube-state-metrics"), ("namespace", &namespace), ("pod", &name)])
        };
        let conditions = pod["status"]["conditions"].as_array();
        let ready = conditions.into_iter().flatten().find(|condition| condition["type"] == "Ready");
        let ready = ready.map_or(String::new(), |ready| text(&ready["status"]).to_ascii_lowercase());
        for condition in ["true", "false", "unknown"] {
            let is = ready == condition;
            page.gauge(labels("kube_pod_status_ready").with("condition", condition), one_if(is));
        }
        let phase = text(&pod["status"]["phase"]);
        for known in PHASES {
            page.gauge(labels("kube_pod_status_phase").with("phase", known), one_if(phase == known));
        }
        let own = pod["metadata"]["labels"].as_object().into_iter().flatten();
        let all = own.fold(labels("kube_pod_labels"), |all, (key, value)| {
            all.with(&format!("label_{}", label_name(key)), value.as_str().unwrap_or_default())
        });
        page.gauge(all, 1.0);
        for container in pod["status"]["containerStatuses"].as_array().into_iter().flatten() {
            let restarts = container["restartCount"].as_u64().unwrap_or(0);
            let labels = labels("").with("container", &text(&container["name"]));
            page.counter("kube_pod_container_status_restarts_total", &labels, super::number(restarts));
        }
    }
}

fn one_if(is: bool) -> f64 {
    if is { 1.0 } else { 0.0 }
}
