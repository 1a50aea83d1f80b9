//! Columns of what runs: pods and the kinds that make them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Layout, age, age_of, list, name_of, number, or_none, text};
use crate::api::selector::LabelSelector;
use crate::clock::parse_rfc3339;

pub(super) fn layout(kind: &str) -> Option<Layout> {
    Some(match kind {
        "Pod" => Layout {
            columns: &[
                "Name",
                "Ready",
                "Status",
                "Restarts",
                "Age",
                "+IP",
                "+Node",
                "+Nominated Node",
                "+Readiness Gates",
            ],
            cells: pod,
        },
        "Deployment" => Layout {
            columns: &["Name", "Ready", "Up-to-date", "Available", "Age", "+Containers", "+Images", "+Selector"],
            cells: deployment,
        },
        "ReplicaSet" => Layout {
            columns: &["Name", "#Desired", "#Current", "#Ready", "Age", "+Containers", "+Images", "+Selector"],
            cells: replica_set,
        },
        "Job" => Layout {
            columns: &["Name", "Status", "Completions", "Duration", "Age", "+Containers", "+Images", "+Selector"],
            cells: job,
        },
        "HorizontalPodAutoscaler" => Layout {
            columns: &["Name", "Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age"],
            cells: autoscaler,
        },
        "PodDisruptionBudget" => Layout {
            columns: &["Name", "Min Available", "Max Unavailable", "#Allowed Disruptions", "Age"],
            cells: disruption_budget,
        },
        _ => return None,
    })
}

fn deployment(value: &Value, now: Timestamp) -> Vec<Value> {
    let ready = format!("{}/{}", number(value, "status.readyReplicas"), number(value, "spec.replicas"));
    let mut cells = vec![
        name_of(value),
        json!(ready),
        json!(number(value, "status.updatedReplicas")),
        json!(number(value, "status.availableReplicas")),
        age_of(value, now),
    ];
    cells.extend(template_cells(value));
    cells
}

fn replica_set(value: &Value, now: Timestamp) -> Vec<Value> {
    let mut cells = vec![
        name_of(value),
        json!(number(value, "spec.replicas")),
        json!(number(value, "status.replicas")),
        json!(number(value, "status.readyReplicas")),
        age_of(value, now),
    ];
    cells.extend(template_cells(value));
    cells
}

/// Containers, images and selector of whatever has a pod template.
fn template_cells(value: &Value) -> [Value; 3] {
    let containers = list(value, "spec.template.spec.containers");
    let joined = |field: &str| {
        let texts: Vec<&str> = containers.iter().map(|container| text(container, field)).collect();
        json!(texts.join(","))
    };
    let selector = LabelSelector::from_spec(&value["spec"]["selector"]).map(|selector| selector.to_string());
    [joined("name"), joined("image"), json!(or_none(&selector.unwrap_or_default()))]
}

fn job(value: &Value, now: Timestamp) -> Vec<Value> {
    let succeeded = number(value, "status.succeeded");
    let parallelism = number(value, "spec.parallelism");
    let completions = match value["spec"]["completions"].as_i64() {
        Some(wanted) => format!("{succeeded}/{wanted}"),
        None if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        None => format!("{succeeded}/1"),
    };
    let started = parse_rfc3339(text(value, "status.startTime"));
    let ended = parse_rfc3339(text(value, "status.completionTime"));
    let duration =
        started.map_or(String::new(), |started| age::human(ended.unwrap_or(now).duration_since(started).as_secs()));
    let mut cells =
        vec![name_of(value), json!(job_status(value)), json!(completions), json!(duration), age_of(value, now)];
    cells.extend(template_cells(value));
    cells
}

fn job_status(value: &Value) -> &'static str {
    let holds = |kind: &str| {
        let conditions = list(value, "status.conditions");
        conditions.iter().any(|condition| condition["type"] == kind && condition["status"] == "True")
    };
    if holds("Complete") {
        "Complete"
    } else if holds("Failed") {
        "Failed"
    } else if !text(value, "metadata.deletionTimestamp").is_empty() {
        "Terminating"
    } else if holds("Suspended") {
        "Suspended"
    } else if holds("FailureTarget") {
        "FailureTarget"
    } else if holds("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

fn autoscaler(value: &Value, now: Timestamp) -> Vec<Value> {
    let reference = format!("{}/{}", text(value, "spec.scaleTargetRef.kind"), text(value, "spec.scaleTargetRef.name"));
    let least = value["spec"]["minReplicas"].as_i64().map_or("<unset>".to_owned(), |least| least.to_string());
    vec![
        name_of(value),
        json!(reference),
        json!(autoscaler_targets(value)),
        json!(least),
        json!(number(value, "spec.maxReplicas")),
        json!(number(value, "status.currentReplicas")),
        age_of(value, now),
    ]
}

fn autoscaler_targets(value: &Value) -> String {
    let current = list(value, "status.currentMetrics");
    let shown: Vec<String> = list(value, "spec.metrics")
        .iter()
        .enumerate()
        .map(|(index, metric)| {
            let resource = &metric["resource"];
            let name = resource["name"].as_str().unwrap_or("metric");
            let measured = current.get(index).and_then(|metric| {
                let percent = metric["resource"]["current"]["averageUtilization"].as_i64()?;
                Some(format!("{percent}%"))
            });
            let wanted = match resource["target"]["averageUtilization"].as_i64() {
                Some(percent) => format!("{percent}%"),
                None => or_none(resource["target"]["averageValue"].as_str().unwrap_or("")),
            };
            format!("{name}: {}/{wanted}", measured.unwrap_or_else(|| "<unknown>".to_owned()))
        })
        .collect();
    or_none(&shown.join(", "))
}

fn disruption_budget(value: &Value, now: Timestamp) -> Vec<Value> {
    let bound = |field: &str| match &value["spec"][field] {
        Value::Null => "N/A".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    vec![
        name_of(value),
        json!(bound("minAvailable")),
        json!(bound("maxUnavailable")),
        json!(number(value, "status.disruptionsAllowed")),
        age_of(value, now),
    ]
}

fn pod(value: &Value, now: Timestamp) -> Vec<Value> {
    let containers = list(value, "spec.containers").len();
    let state = PodState::of(value);
    let restarts = match state.last_restart {
        Some(last) if state.restarts > 0 => {
            format!("{} ({} ago)", state.restarts, age::human(now.duration_since(last).as_secs()))
        }
        _ => state.restarts.to_string(),
    };
    let gates = list(value, "spec.readinessGates");
    let passed = gates.iter().filter(|gate| {
        let conditions = list(value, "status.conditions");
        conditions.iter().any(|condition| condition["type"] == gate["conditionType"] && condition["status"] == "True")
    });
    let gates = if gates.is_empty() { "<none>".to_owned() } else { format!("{}/{}", passed.count(), gates.len()) };
    vec![
        name_of(value),
        json!(format!("{}/{containers}", state.ready)),
        json!(state.shown),
        json!(restarts),
        age_of(value, now),
        json!(or_none(text(value, "status.podIP"))),
        json!(or_none(text(value, "spec.nodeName"))),
        json!(or_none(text(value, "status.nominatedNodeName"))),
        json!(gates),
    ]
}

/// What a person wants to know about a pod in one word.
struct PodState {
    shown: String,
    ready: usize,
    restarts: i64,
    last_restart: Option<Timestamp>,
}

impl PodState {
    fn of(value: &Value) -> Self {
        let reason = text(value, "status.reason");
        let phase = text(value, "status.phase");
        let mut state = Self {
            shown: if reason.is_empty() { phase.to_owned() } else { reason.to_owned() },
            ready: 0,
            restarts: 0,
            last_restart: None,
        };
        if !state.read_init_containers(value) {
            state.read_containers(value);
        }
        if !text(value, "metadata.deletionTimestamp").is_empty() {
            let lost = text(value, "status.reason") == "NodeLost";
            if lost {
                state.shown = "Unknown".into();
            } else if !matches!(phase, "Succeeded" | "Failed") {
                state.shown = "Terminating".into();
            }
        }
        state
    }

    /// Returns whether the pod is still initialising, so that its containers say nothing yet.
    fn read_init_containers(&mut self, value: &Value) -> bool {
        let total = list(value, "spec.initContainers").len();
        for (index, status) in list(value, "status.initContainerStatuses").iter().enumerate() {
            self.count_restarts(status);
            let terminated = &status["state"]["terminated"];
            if terminated["exitCode"] == 0 {
                continue;
            }
            let waiting = status["state"]["waiting"]["reason"].as_str().unwrap_or("");
            self.shown = if !terminated.is_null() {
                format!("Init:{}", ending(terminated))
            } else if !waiting.is_empty() && waiting != "PodInitializing" {
                format!("Init:{waiting}")
            } else {
                format!("Init:{index}/{total}")
            };
            return true;
        }
        false
    }

    fn read_containers(&mut self, value: &Value) {
        let mut running = false;
        for status in list(value, "status.containerStatuses").iter().rev() {
            self.count_restarts(status);
            let state = &status["state"];
            let waiting = state["waiting"]["reason"].as_str().unwrap_or("");
            if !waiting.is_empty() {
                waiting.clone_into(&mut self.shown);
            } else if !state["terminated"].is_null() {
                self.shown = ending(&state["terminated"]);
            } else if status["ready"] == true && !state["running"].is_null() {
                running = true;
                self.ready += 1;
            }
        }
        if self.shown == "Completed" && running {
            let conditions = list(value, "status.conditions");
            let ready =
                conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
            self.shown = if ready { "Running" } else { "NotReady" }.to_owned();
        }
    }

    fn count_restarts(&mut self, status: &Value) {
        self.restarts += status["restartCount"].as_i64().unwrap_or(0);
        let last = status["lastState"]["terminated"]["finishedAt"].as_str().and_then(parse_rfc3339);
        self.last_restart = self.last_restart.max(last);
    }
}

fn ending(terminated: &Value) -> String {
    let reason = terminated["reason"].as_str().unwrap_or("");
    if !reason.is_empty() {
        return reason.to_owned();
    }
    match terminated["signal"].as_i64() {
        Some(signal) if signal != 0 => format!("Signal:{signal}"),
        _ => format!("ExitCode:{}", terminated["exitCode"].as_i64().unwrap_or(0)),
    }
}
