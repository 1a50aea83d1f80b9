//! What a Rollout owns, as a tree: revisions, newest first, their ReplicaSets with pods, Experiments and AnalysisRuns.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::ages::{age, length, time};
use super::evidence::{self, Counts};
use super::standing::Standing;
use super::text::{Cell, Hue, table};
use crate::family::{Family, hash, owned_by};

/// A line of the tree and what hangs below it.
pub(crate) struct Node {
    icon: &'static str,
    name: String,
    kind: &'static str,
    status: String,
    age: String,
    info: Cell,
    below: Vec<Node>,
}

/// The tree of a Rollout, with its header.
pub(crate) fn of_rollout(family: &Family, now: Timestamp) -> Vec<Vec<Cell>> {
    let standing = Standing::of(&family.rollout);
    let root = Node {
        below: revisions(family, now),
        ..node("⟳", "Rollout", &family.rollout, standing.phase, Cell::from(""), now)
    };
    drawn(&root)
}

/// The same for an Experiment, whose ReplicaSets and runs hang below it.
pub(crate) fn of_experiment(family: &Family, now: Timestamp) -> Vec<Vec<Cell>> {
    drawn(&experiment(&family.rollout, family, now))
}

fn drawn(root: &Node) -> Vec<Vec<Cell>> {
    let mut rows = vec![["NAME", "KIND", "STATUS", "AGE", "INFO"].map(Cell::from).to_vec()];
    draw(root, "", "", &mut rows);
    table(rows)
}

fn draw(node: &Node, first: &str, rest: &str, rows: &mut Vec<Vec<Cell>>) {
    let status = if node.status.is_empty() { Cell::from("") } else { Cell::state(&node.status) };
    let blank = if node.icon == "#" { "" } else { " " };
    let name = format!("{first}{}{blank}{}", node.icon, node.name);
    rows.push(vec![name.into(), node.kind.into(), status, node.age.as_str().into(), node.info.clone()]);
    let last = node.below.len().saturating_sub(1);
    for (index, below) in node.below.iter().enumerate() {
        let (branch, trunk) = if index == last { ("└──", "   ") } else { ("├──", "│  ") };
        draw(below, &format!("{rest}{branch}"), &format!("{rest}{trunk}"), rows);
    }
}

fn node(icon: &'static str, kind: &'static str, object: &Value, status: String, info: Cell, now: Timestamp) -> Node {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let age = age(&object["metadata"]["creationTimestamp"], now);
    Node { icon, name, kind, status, age, info, below: Vec::new() }
}

fn revisions(family: &Family, now: Timestamp) -> Vec<Node> {
    let mut revisions: BTreeMap<i64, Vec<Node>> = BTreeMap::new();
    for set in &family.sets {
        let pods = family.pods.iter().filter(|pod| owned_by(set, pod)).map(|pod| pod_node(pod, now));
        let roles = role_and_delay(&family.rollout, set, now);
        let node = Node { below: pods.collect(), ..node("⧉", "ReplicaSet", set, set_status(set), roles, now) };
        revisions.entry(revision(set)).or_default().push(node);
    }
    for one in &family.experiments {
        revisions.entry(revision(one)).or_default().push(experiment(one, family, now));
    }
    for run in family.runs.iter().filter(|run| owned_by(&family.rollout, run)) {
        revisions.entry(revision(run)).or_default().push(run_node(run, family, now));
    }
    let newest_first = revisions.into_iter().rev();
    newest_first
        .map(|(number, below)| Node {
            icon: "#",
            name: format!(" revision:{number}"),
            kind: "",
            status: String::new(),
            age: String::new(),
            info: Cell::from(""),
            below,
        })
        .collect()
}

fn experiment(one: &Value, family: &Family, now: Timestamp) -> Node {
    let sets = family.sets.iter().filter(|set| owned_by(one, set)).map(|set| {
        let pods = family.pods.iter().filter(|pod| owned_by(set, pod)).map(|pod| pod_node(pod, now));
        Node { below: pods.collect(), ..node("⧉", "ReplicaSet", set, set_status(set), Cell::from(""), now) }
    });
    let runs = family.runs.iter().filter(|run| owned_by(one, run)).map(|run| run_node(run, family, now));
    let phase = one["status"]["phase"].as_str().unwrap_or("Pending").to_owned();
    Node { below: sets.chain(runs).collect(), ..node("Σ", "Experiment", one, phase, Cell::from(""), now) }
}

fn run_node(run: &Value, family: &Family, now: Timestamp) -> Node {
    let phase = run["status"]["phase"].as_str().unwrap_or("Pending").to_owned();
    let counts = evidence::of_run(run).iter().fold(Counts::default(), |sum, metric| sum.plus(metric.counts));
    let jobs = family.jobs.iter().filter(|job| owned_by(run, job));
    let jobs = jobs.map(|job| node("⊞", "Job", job, job_status(job).to_owned(), Cell::from(""), now));
    Node { below: jobs.collect(), ..node("α", "AnalysisRun", run, phase, counts.told().into(), now) }
}

fn revision(object: &Value) -> i64 {
    let text = object.pointer("/metadata/annotations/rollout.argoproj.io~1revision").and_then(Value::as_str);
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// What a revision is at the moment: `stable`, `canary`, `active`, `preview`, or nothing.
pub(crate) fn roles(rollout: &Value, object: &Value) -> Vec<&'static str> {
    let status = &rollout["status"];
    let Some(hash) = hash(object) else { return Vec::new() };
    let is = |value: &Value| value == hash;
    let mut roles = Vec::new();
    if rollout["spec"]["strategy"]["blueGreen"].is_object() {
        let blue_green = &status["blueGreen"];
        roles.extend(is(&status["stableRS"]).then_some("stable"));
        roles.extend(is(&blue_green["activeSelector"]).then_some("active"));
        let preview = is(&blue_green["previewSelector"]) && !is(&blue_green["activeSelector"]);
        roles.extend(preview.then_some("preview"));
    } else if is(&status["stableRS"]) {
        roles.push("stable");
    } else if is(&status["currentPodHash"]) {
        roles.push("canary");
    }
    roles
}

fn role_and_delay(rollout: &Value, set: &Value, now: Timestamp) -> Cell {
    let roles = roles(rollout, set);
    let hue = match roles.first() {
        Some(&"canary") => Hue::Waiting,
        Some(&"preview") => Hue::Moving,
        Some(_) => Hue::Good,
        None => Hue::Plain,
    };
    let deadline = time(&set["metadata"]["annotations"]["scale-down-deadline"]);
    let delay = deadline.map(|deadline| match deadline.duration_since(now).as_secs() {
        left if left > 0 => format!("delay:{}", length(left)),
        _ => "delay:passed".to_owned(),
    });
    let parts: Vec<String> = roles.into_iter().map(str::to_owned).chain(delay).collect();
    Cell::new(parts.join(","), hue)
}

fn set_status(set: &Value) -> String {
    let count = |value: &Value| value.as_i64().unwrap_or(0);
    let wanted = count(&set["spec"]["replicas"]);
    let conditions = set["status"]["conditions"].as_array().into_iter().flatten();
    let refused = conditions.into_iter().any(|one| one["type"] == "ReplicaFailure" && one["status"] == "True");
    let status = if refused {
        "Degraded"
    } else if wanted == 0 && count(&set["status"]["replicas"]) == 0 {
        "ScaledDown"
    } else if count(&set["status"]["availableReplicas"]) >= wanted {
        "Healthy"
    } else {
        "Progressing"
    };
    status.to_owned()
}

fn pod_node(pod: &Value, now: Timestamp) -> Node {
    let containers = pod["status"]["containerStatuses"].as_array().map_or(&[][..], Vec::as_slice);
    let ready = containers.iter().filter(|container| container["ready"] == true).count();
    let all = pod["spec"]["containers"].as_array().map_or(0, Vec::len);
    let restarts: i64 = containers.iter().filter_map(|container| container["restartCount"].as_i64()).sum();
    let restarts = if restarts > 0 { format!(",restarts:{restarts}") } else { String::new() };
    node("□", "Pod", pod, pod_status(pod), format!("ready:{ready}/{all}{restarts}").into(), now)
}

/// The reason why a pod is not what it should be; else its phase.
pub(crate) fn pod_status(pod: &Value) -> String {
    if pod["metadata"]["deletionTimestamp"].is_string() {
        return "Terminating".to_owned();
    }
    let status = &pod["status"];
    let list = |field: &str| status[field].as_array().map_or(&[][..], Vec::as_slice);
    let reason = list("initContainerStatuses").iter().chain(list("containerStatuses")).find_map(|container| {
        let state = &container["state"];
        let ended = state["terminated"]["reason"].as_str().filter(|reason| *reason != "Completed");
        state["waiting"]["reason"].as_str().or(ended)
    });
    let reason = reason.or_else(|| status["reason"].as_str());
    reason.or_else(|| status["phase"].as_str()).unwrap_or("Pending").to_owned()
}

fn job_status(job: &Value) -> &'static str {
    let conditions = job["status"]["conditions"].as_array().into_iter().flatten();
    let mut ended = conditions.filter(|one| one["status"] == "True").filter_map(|one| one["type"].as_str());
    match ended.find(|kind| matches!(*kind, "Complete" | "Failed")) {
        Some("Complete") => "Successful",
        Some(_) => "Failed",
        None => "Running",
    }
}
