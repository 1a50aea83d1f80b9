//! The node that a modelled kubelet speaks for, and what becomes of a node's pods when it is lost.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::read::{list, text};
use super::time::stamp;

/// A node as its kubelet knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub name: String,
    pub ip: String,
}

impl Node {
    /// The Node object that a kubelet registers; `labels` go beside the usual ones.
    #[must_use]
    pub fn object(&self, labels: &[(&str, &str)]) -> Value {
        let mut all = json!({
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
        });
        for (label, value) in labels {
            all[*label] = json!(value);
        }
        json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": all},
            "spec": {},
        })
    }

    /// The status patch of a kubelet that is well and has room for plenty of pods.
    #[must_use]
    pub fn ready_status(&self, now: Timestamp) -> Value {
        let room = json!({"cpu": "64", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": "1000"});
        let quiet = ["MemoryPressure", "DiskPressure", "PIDPressure"].map(|kind| {
            let reason = format!("KubeletHasNo{kind}");
            condition(kind, "False", &reason, "no pressure", now)
        });
        let ready = condition("Ready", "True", "KubeletReady", "kubelet is posting ready status", now);
        json!({"status": {
            "capacity": room,
            "allocatable": room,
            "addresses": [
                {"type": "InternalIP", "address": self.ip},
                {"type": "Hostname", "address": self.name},
            ],
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": "", "machineID": "", "systemUUID": "",
                "containerRuntimeVersion": "containerd://2.0.0",
                "kernelVersion": "6.1.0",
                "kubeProxyVersion": "",
                "kubeletVersion": "v1.36.2",
                "operatingSystem": "linux",
                "osImage": "Sluice sandbox",
            },
            "conditions": quiet.into_iter().chain([ready]).collect::<Value>(),
        }})
    }

    /// What the node controller writes to a Node whose kubelet has stopped reporting.
    #[must_use]
    pub fn lost_status(now: Timestamp) -> Value {
        let silent = ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"]
            .map(|kind| condition(kind, "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", now));
        json!({"status": {"conditions": silent}})
    }
}

fn condition(kind: &str, status: &str, reason: &str, message: &str, now: Timestamp) -> Value {
    json!({
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastHeartbeatTime": stamp(now),
        "lastTransitionTime": stamp(now),
    })
}

/// What the node controller, and not the kubelet, does to a pod on a lost node: it is no longer ready, everything
/// else stays as the kubelet last said. `None` where nothing has to change.
#[must_use]
pub fn mark_pod_on_lost_node(pod: &Value, now: Timestamp) -> Option<Value> {
    let is_ready = |condition: &Value| text(condition, "/type") == "Ready" && text(condition, "/status") == "True";
    let ready = list(pod, "/status/conditions").iter().any(is_ready);
    ready.then(|| {
        json!({
            "metadata": {"uid": text(pod, "/metadata/uid")},
            "status": {"conditions": [{
                "type": "Ready",
                "status": "False",
                "reason": "NodeNotReady",
                "message": "the node's kubelet has stopped reporting",
                "lastTransitionTime": stamp(now),
            }]},
        })
    })
}

/// Hands out pod addresses of the range 10.244.0.0/16, none twice until all were used. The range holds far more
/// addresses than a test cluster has pods; `taken` decides about those that are still in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    next: u16,
}

impl Addresses {
    pub fn fresh(&mut self, taken: impl Fn(&str) -> bool) -> String {
        let mut address = String::new();
        for _ in 0..=u16::MAX {
            self.next = self.next.wrapping_add(1);
            let [high, low] = self.next.to_be_bytes();
            address = format!("10.244.{high}.{low}");
            // Neither a network's own address nor its broadcast address.
            if low != 0 && low != 255 && !taken(&address) {
                break;
            }
        }
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_fresh_and_skip_those_in_use() {
        let mut addresses = Addresses::default();
        assert_eq!(addresses.fresh(|_| false), "10.244.0.1");
        assert_eq!(addresses.fresh(|ip| ip == "10.244.0.2"), "10.244.0.3");
        let mut late = Addresses { next: 254 };
        assert_eq!(late.fresh(|_| false), "10.244.1.1");
        let mut last = Addresses { next: u16::MAX - 1 };
        assert_eq!(last.fresh(|_| false), "10.244.0.1");
    }

    #[test]
    fn a_ready_pod_on_a_lost_node_is_marked_once() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let pod = |status: &str| json!({"metadata": {"uid": "u"}, "status": {"conditions": [{"type": "Ready", "status": status}]}});
        let patch = mark_pod_on_lost_node(&pod("True"), now).unwrap();
        assert_eq!(patch.pointer("/status/conditions/0/status"), Some(&json!("False")));
        assert_eq!(patch.pointer("/metadata/uid"), Some(&json!("u")));
        assert_eq!(mark_pod_on_lost_node(&pod("False"), now), None);
        assert_eq!(mark_pod_on_lost_node(&json!({}), now), None);
    }
}
