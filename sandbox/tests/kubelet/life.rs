//! One pod, one modelled kubelet and a clock of our own.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sluice_sandbox::kubelet::{Node, Options, Outcome, PodMemory, step};

pub(crate) const UID: &str = "11111111-2222-3333-4444-555555555555";

pub(crate) struct Life {
    pub(crate) pod: Value,
    pub(crate) events: Vec<String>,
    memory: PodMemory,
    options: Options,
    began: Timestamp,
    now: Timestamp,
    wake_at: Option<Timestamp>,
    history: Vec<String>,
    gone: bool,
    /// The kubelet forgets everything between two looks, as if it were restarted each time.
    pub(crate) forgetful: bool,
}

impl Life {
    /// A pod that was just bound to the node; `spec` is the pod's YAML from `spec:` or `metadata:` on.
    pub(crate) fn of(yaml: &str) -> Self {
        Self::with(yaml, Options::default())
    }

    pub(crate) fn with(yaml: &str, options: Options) -> Self {
        let mut pod: Value = serde_saphyr::from_str(yaml).expect("the fixture is YAML");
        pod["metadata"]["name"] = json!("web");
        pod["metadata"]["namespace"] = json!("shop");
        pod["metadata"]["uid"] = json!(UID);
        pod["metadata"]["generation"] = json!(1);
        pod["spec"]["nodeName"] = json!("node-1");
        for container in pod["spec"]["containers"].as_array_mut().into_iter().flatten() {
            container.as_object_mut().expect("a container").entry("image").or_insert(json!("nginx:1.27"));
        }
        pod["status"] = json!({"phase": "Pending", "qosClass": "BestEffort"});
        let began: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a moment");
        let memory = PodMemory::of(&pod, "10.244.0.7");
        Self {
            pod,
            events: Vec::new(),
            memory,
            options,
            began,
            now: began,
            wake_at: Some(began),
            history: Vec::new(),
            gone: false,
            forgetful: false,
        }
    }

    /// Lives on until `end`, looking at every moment at which the kubelet asked to look.
    pub(crate) fn until(&mut self, end: &str) -> &mut Self {
        let end = self.moment(end);
        while let Some(wake_at) = self.wake_at.filter(|wake_at| *wake_at <= end) {
            assert!(wake_at >= self.now, "time goes forward");
            self.now = wake_at;
            self.look();
        }
        self.now = end;
        self
    }

    /// Does not look before `end`, however much happens meanwhile.
    pub(crate) fn asleep_until(&mut self, end: &str) -> &mut Self {
        self.look_at(end);
        self
    }

    pub(crate) fn look_at(&mut self, moment: &str) -> Outcome {
        self.now = self.moment(moment);
        self.look()
    }

    /// Somebody changes the pod; the kubelet sees it at once.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Value)) -> &mut Self {
        change(&mut self.pod);
        self.look();
        self
    }

    pub(crate) fn annotate(&mut self, name: &str, value: &str) -> &mut Self {
        let name = format!("sandbox.sluice.dev/{name}");
        self.change(|pod| pod["metadata"]["annotations"][name] = json!(value))
    }

    pub(crate) fn delete(&mut self, grace_seconds: i64) -> &mut Self {
        let at = self.now + SignedDuration::from_secs(grace_seconds);
        self.change(|pod| {
            pod["metadata"]["deletionTimestamp"] = json!(at.to_string());
            pod["metadata"]["deletionGracePeriodSeconds"] = json!(grace_seconds);
        })
    }

    pub(crate) fn look(&mut self) -> Outcome {
        if self.forgetful && !self.history.is_empty() {
            self.memory = PodMemory::of(&self.pod, "10.244.9.9");
        }
        let node = Node { name: "node-1".into(), ip: "192.168.0.1".into() };
        let outcome = step(&self.pod, &node, self.memory.clone(), self.now, &self.options);
        if let Some(patch) = &outcome.status {
            assert_eq!(patch["metadata"]["uid"], UID);
            apply(&mut self.pod["status"], &patch["status"]);
        }
        for event in &outcome.events {
            let told = format!("{} {}: {}", self.age(event.at), event.reason, event.message);
            self.events.push(told);
        }
        self.memory = outcome.memory.clone();
        self.wake_at = outcome.wake_at;
        let look = if outcome.delete.is_some() { "gone".to_owned() } else { self.kubectl_line() };
        if outcome.delete.is_some() {
            self.gone = true;
            self.wake_at = None;
        }
        if self.history.last().is_none_or(|last| last.split_once(' ').is_none_or(|(_, last)| last != look)) {
            self.history.push(format!("{} {look}", self.age(self.now)));
        }
        outcome
    }

    #[track_caller]
    pub(crate) fn shows(&self, expected: &[&str]) {
        assert_eq!(self.history, expected);
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone
    }

    pub(crate) fn container(&self, name: &str) -> &Value {
        ["containerStatuses", "initContainerStatuses"]
            .into_iter()
            .flat_map(|list| self.pod["status"][list].as_array().into_iter().flatten())
            .find(|status| status["name"] == name)
            .expect("the container has a status")
    }

    pub(crate) fn condition(&self, kind: &str) -> &Value {
        let conditions = self.pod["status"]["conditions"].as_array().expect("conditions");
        conditions.iter().find(|condition| condition["type"] == kind).expect("the condition is there")
    }

    /// The reasons of the events that were told, in order.
    pub(crate) fn reasons(&self) -> Vec<&str> {
        self.events.iter().filter_map(|event| event.split([' ', ':']).nth(1)).collect()
    }

    fn moment(&self, offset: &str) -> Timestamp {
        self.began + offset.parse::<SignedDuration>().expect("a duration")
    }

    fn age(&self, t: Timestamp) -> String {
        let age = t.duration_since(self.began);
        if age.subsec_nanos() == 0 { format!("{}s", age.as_secs()) } else { format!("{}ms", age.as_millis()) }
    }

    /// READY, STATUS and RESTARTS as kubectl prints them, and whether the pod's Ready condition is true.
    fn kubectl_line(&self) -> String {
        let status = &self.pod["status"];
        let empty = Vec::new();
        let main = status["containerStatuses"].as_array().unwrap_or(&empty);
        let ready = main.iter().filter(|container| container["ready"] == true).count();
        let restarts: i64 = main.iter().filter_map(|container| container["restartCount"].as_i64()).sum();
        let conditions = status["conditions"].as_array().unwrap_or(&empty);
        let is_ready = conditions.iter().any(|c| c["type"] == "Ready" && c["status"] == "True");
        let mark = if is_ready { " ready" } else { "" };
        format!("{ready}/{} {} {restarts}{mark}", main.len(), self.kubectl_status(main))
    }

    fn kubectl_status(&self, main: &[Value]) -> String {
        if self.pod["metadata"]["deletionTimestamp"].is_string() {
            return "Terminating".to_owned();
        }
        let status = &self.pod["status"];
        if let Some(reason) = status["reason"].as_str() {
            return reason.to_owned();
        }
        let word = |value: &Value| value.as_str().map(str::to_owned);
        let empty = Vec::new();
        let init = status["initContainerStatuses"].as_array().unwrap_or(&empty);
        let sidecars = self.pod["spec"]["initContainers"].as_array().unwrap_or(&empty);
        for (i, container) in init.iter().enumerate() {
            let sidecar = sidecars[i]["restartPolicy"] == "Always";
            let done = container["state"]["terminated"]["exitCode"] == 0 || (sidecar && container["started"] == true);
            if done {
                continue;
            }
            let state = &container["state"];
            let stuck = word(&state["terminated"]["reason"]).or_else(|| word(&state["waiting"]["reason"]));
            return match stuck.filter(|reason| reason != "PodInitializing") {
                Some(reason) => format!("Init:{reason}"),
                None => format!("Init:{i}/{}", init.len()),
            };
        }
        let phase = word(&status["phase"]).unwrap_or_default();
        main.iter()
            .find_map(|container| {
                let state = &container["state"];
                word(&state["waiting"]["reason"]).or_else(|| word(&state["terminated"]["reason"]))
            })
            .unwrap_or(phase)
    }
}

/// The part of a strategic merge patch that a pod status needs: conditions merge by type, the rest is replaced.
fn apply(status: &mut Value, patch: &Value) {
    for (field, value) in patch.as_object().into_iter().flatten() {
        if field != "conditions" {
            status[field] = value.clone();
            continue;
        }
        for condition in value.as_array().into_iter().flatten() {
            if !status["conditions"].is_array() {
                status["conditions"] = json!([]);
            }
            let all = status["conditions"].as_array_mut().expect("an array");
            let at = all.iter().position(|known| known["type"] == condition["type"]).unwrap_or_else(|| {
                all.push(json!({}));
                all.len() - 1
            });
            for (field, value) in condition.as_object().into_iter().flatten() {
                if value.is_null() {
                    all[at].as_object_mut().expect("an object").remove(field);
                } else {
                    all[at][field] = value.clone();
                }
            }
        }
    }
}
