//! The rows of `list`.

use jiff::Timestamp;
use serde_json::Value;

use super::ages::{age, length, time};
use super::standing::Standing;
use super::text::{Cell, sign};

/// What a list is about, and how much it tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) namespaces: bool,
    pub(crate) wide: bool,
    pub(crate) timestamps: bool,
}

pub(crate) fn rollouts_header(columns: Columns) -> Vec<Cell> {
    let fixed = ["NAME", "STRATEGY", "STATUS", "STEP", "SET-WEIGHT", "READY", "DESIRED", "UP-TO-DATE", "AVAILABLE"];
    let wide = ["ACTUAL-WEIGHT", "AGE", "IMAGES", "WHY"];
    let before = columns.timestamps.then_some("TIMESTAMP").into_iter().chain(columns.namespaces.then_some("NAMESPACE"));
    before.chain(fixed).chain(wide.into_iter().filter(|_| columns.wide)).map(Cell::from).collect()
}

pub(crate) fn rollout(rollout: &Value, columns: Columns, now: Timestamp) -> Vec<Cell> {
    let (standing, status, metadata) = (Standing::of(rollout), &rollout["status"], &rollout["metadata"]);
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let count = |field: &str| status[field].as_i64().unwrap_or(0);
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let mut row = Vec::new();
    if columns.timestamps {
        row.push(Cell::from(now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()));
    }
    if columns.namespaces {
        row.push(text(&metadata["namespace"]).into());
    }
    row.extend([
        text(&metadata["name"]).into(),
        standing.strategy().into(),
        Cell::new(standing.phase.clone(), sign(&standing.phase).1),
        or_dash(standing.step.map(|(done, all)| format!("{done}/{all}"))).into(),
        or_dash(standing.weight.map(|(_, wanted)| wanted.to_string())).into(),
        format!("{}/{}", count("readyReplicas"), count("replicas")).into(),
        rollout["spec"]["replicas"].as_i64().unwrap_or(1).to_string().into(),
        count("updatedReplicas").to_string().into(),
        count("availableReplicas").to_string().into(),
    ]);
    if columns.wide {
        row.extend([
            or_dash(standing.weight.map(|(actual, _)| actual.to_string())).into(),
            age(&metadata["creationTimestamp"], now).into(),
            images(rollout).into(),
            standing.sentence().to_owned().into(),
        ]);
    }
    row
}

fn images(rollout: &Value) -> String {
    let containers = rollout.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    containers.into_iter().flatten().filter_map(|container| container["image"].as_str()).collect::<Vec<_>>().join(",")
}

pub(crate) fn experiments_header(columns: Columns) -> Vec<Cell> {
    let before = columns.namespaces.then_some("NAMESPACE");
    before.into_iter().chain(["NAME", "STATUS", "DURATION", "REMAINING", "AGE"]).map(Cell::from).collect()
}

pub(crate) fn experiment(experiment: &Value, columns: Columns, now: Timestamp) -> Vec<Cell> {
    let (status, metadata) = (&experiment["status"], &experiment["metadata"]);
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let phase = status["phase"].as_str().unwrap_or("Pending");
    let wanted = &experiment["spec"]["duration"];
    let ends = time(&status["availableAt"]).zip(wanted.as_str().and_then(|text| text.parse().ok()));
    let left =
        ends.filter(|_| phase == "Running").map(|(begun, wanted): (Timestamp, sluice_crds::values::GoDuration)| {
            length(wanted.seconds() - now.duration_since(begun).as_secs())
        });
    let mut row: Vec<Cell> = columns.namespaces.then(|| text(&metadata["namespace"]).into()).into_iter().collect();
    row.extend([
        text(&metadata["name"]).into(),
        Cell::new(phase, sign(phase).1),
        text(wanted).into(),
        left.unwrap_or_else(|| "-".to_owned()).into(),
        age(&metadata["creationTimestamp"], now).into(),
    ]);
    row
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::text::{Style, joined, table};
    use super::*;

    #[test]
    fn a_list_has_the_columns_that_scripts_know() {
        let canary = json!({
            "metadata": {"name": "can-guestbook", "namespace": "shop", "generation": 1},
            "spec": {"replicas": 5, "strategy": {"canary": {"steps": [{"setWeight": 10}, {"pause": {}}, {"setWeight": 50}]}}},
            "status": {
                "observedGeneration": "1", "phase": "Progressing", "currentStepIndex": 1, "replicas": 4, "readyReplicas": 1,
                "updatedReplicas": 3, "availableReplicas": 2, "currentPodHash": "n", "stableRS": "o",
            },
        });
        let blue_green = json!({
            "metadata": {"name": "bg"},
            "spec": {"replicas": 1, "strategy": {"blueGreen": {}}},
            "status": {"observedGeneration": "1", "phase": "Healthy", "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1, "availableReplicas": 1},
        });
        let columns = Columns::default();
        let rows = vec![
            rollouts_header(columns),
            rollout(&canary, columns, Timestamp::UNIX_EPOCH),
            rollout(&blue_green, columns, Timestamp::UNIX_EPOCH),
        ];
        let expected = "\
NAME           STRATEGY   STATUS       STEP  SET-WEIGHT  READY  DESIRED  UP-TO-DATE  AVAILABLE
can-guestbook  Canary     Progressing  1/3   10          1/4    5        3           2
bg             BlueGreen  Healthy      -     -           1/1    1        1           1
";
        assert_eq!(joined(&table(rows), Style::default()), expected);
    }
}
