//! What people must see.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::observed::Observed;
use crate::subset::{differences, is_like};

/// Everything that must be so at the same time. What is not named may be as it likes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Expect {
    /// `status.phase`.
    pub phase: Option<String>,
    /// `status.message`; `*` stands for any text.
    pub message: Option<String>,
    /// Pods by revision: all revisions that want any, and all pods available unless it says `0 of 3`.
    pub pods: Option<BTreeMap<i64, PodCount>>,
    /// What each of these Services selects: a revision, `any` of them, or fields of the Service.
    pub services: BTreeMap<String, Selected>,
    /// Fields of routing objects, by `Kind/name`; `gone` where there must be none.
    pub routing: BTreeMap<String, Value>,
    /// Fields of an Experiment, AnalysisRun, ReplicaSet or Service, by `Kind/name`; `gone` where there must be none.
    pub objects: BTreeMap<String, Value>,
    /// Fields of the objects that a template can be taken from, likewise.
    pub workloads: BTreeMap<String, Value>,
    /// `status.currentStepIndex`.
    pub step: Option<i64>,
    /// Fields of the status.
    pub status: Option<Value>,
    /// Conditions by type: status and reason, such as `False RolloutAborted`.
    pub conditions: BTreeMap<String, String>,
    /// Reasons of events since the last expectation of events, in this order; others may lie between.
    pub events: Vec<String>,
    /// Fields of the ReplicaSets of these revisions; `gone` where there must be none.
    pub replica_sets: BTreeMap<i64, Value>,
    /// Fields that every pod of these revisions has.
    pub each_pod: BTreeMap<i64, Value>,
    /// How many revisions there are, those without pods included.
    pub revisions: Option<usize>,
    /// The Rollout itself is gone.
    pub gone: bool,
    /// Not one pod was replaced, added or removed since the step began.
    pub same_pods: bool,
}

/// What was there when the step began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// How many events were accounted for.
    pub events: usize,
    /// All pods by uid.
    pub pods: BTreeSet<String>,
}

/// How many pods of a revision.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum PodCount {
    /// So many are wanted, and all are available.
    All(i64),
    /// `2 of 3`: so many are available of those wanted.
    Some(String),
}

/// What a Service selects.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Selected {
    /// One revision.
    Revision(i64),
    /// `any`: pods of whatever revision.
    Any(String),
    /// These fields.
    Fields(Value),
}

impl Expect {
    /// What is not so; nothing, where all is as expected. Also how far the events were matched.
    pub fn missing(&self, seen: &Observed, before: &Before) -> (Vec<String>, usize) {
        let mut missing = self.of_status(seen);
        missing.extend(self.of_pods(seen));
        missing.extend(self.of_services(seen));
        let routing = self.routing.iter().map(|(named, fields)| (named, fields, seen.named(named)));
        let objects = self.objects.iter().map(|(named, fields)| (named, fields, seen.object(named)));
        let workloads = self.workloads.iter().map(|(named, fields)| (named, fields, seen.named(named)));
        for (named, fields, object) in routing.chain(objects).chain(workloads) {
            match (object, fields.as_str() == Some("gone")) {
                (None, true) => {}
                (Some(_), true) => missing.push(format!("{named} is still there")),
                (None, false) => missing.push(format!("there is no {named}")),
                (Some(object), false) => missing.extend(differences(named, fields, object)),
            }
        }
        for (revision, fields) in &self.replica_sets {
            match (seen.revision(*revision), fields.as_str() == Some("gone")) {
                (None, true) => {}
                (Some(_), true) => missing.push(format!("revision {revision} is still there")),
                (None, false) => missing.push(format!("there is no revision {revision}")),
                (Some(set), false) => missing.extend(differences(&format!("revision {revision}"), fields, set)),
            }
        }
        for (revision, fields) in &self.each_pod {
            let pods = seen.pods_of(*revision);
            if pods.is_empty() {
                missing.push(format!("revision {revision} has no pods"));
            }
            for pod in pods {
                let name = pod["metadata"]["name"].as_str().unwrap_or_default();
                missing.extend(differences(&format!("pod {name}"), fields, pod));
            }
        }
        if self.gone && !seen.rollout.is_null() {
            missing.push("the Rollout is still there".to_owned());
        }
        if self.same_pods && seen.pod_uids() != before.pods {
            missing.push("the pods are not those that were there before".to_owned());
        }
        let (unseen, matched) = self.of_events(seen, before.events);
        missing.extend(unseen);
        (missing, matched)
    }

    fn of_status(&self, seen: &Observed) -> Vec<String> {
        let status = &seen.rollout["status"];
        let asks = self.phase.is_some() || self.message.is_some() || self.step.is_some() || self.status.is_some();
        if asks && !seen.is_up_to_date() {
            return vec![format!("the status still speaks of generation {}", status["observedGeneration"])];
        }
        let mut missing = Vec::new();
        let said = |name: &str| status[name].as_str().unwrap_or_default();
        for (name, expected) in [("phase", &self.phase), ("message", &self.message)] {
            if let Some(expected) = expected.as_deref().filter(|expected| !is_like(expected, said(name))) {
                missing.push(format!("{name}: {:?} instead of {expected:?}", said(name)));
            }
        }
        if let Some(step) = self.step.filter(|step| status["currentStepIndex"] != *step) {
            missing.push(format!("step: {} instead of {step}", status["currentStepIndex"]));
        }
        if let Some(expected) = &self.status {
            missing.extend(differences("status", expected, status));
        }
        let conditions = status["conditions"].as_array();
        for (kind, expected) in &self.conditions {
            let found = conditions.into_iter().flatten().find(|condition| condition["type"] == kind.as_str());
            let text = |name: &str| found.and_then(|found| found[name].as_str()).unwrap_or_default();
            let actual = format!("{} {}", text("status"), text("reason"));
            if actual != *expected {
                missing.push(format!("condition {kind}: {actual:?} instead of {expected:?}"));
            }
        }
        missing
    }

    fn of_pods(&self, seen: &Observed) -> Vec<String> {
        let revisions = seen.revisions();
        let mut missing = Vec::new();
        if let Some(expected) = self.revisions.filter(|expected| *expected != revisions.len()) {
            missing.push(format!("revisions: {} instead of {expected}", revisions.len()));
        }
        let Some(expected) = &self.pods else { return missing };
        let count = |value: &Value| value.as_i64().unwrap_or(0);
        let actual: BTreeMap<i64, String> = revisions
            .iter()
            .filter(|(_, set)| count(&set["spec"]["replicas"]) > 0 || count(&set["status"]["replicas"]) > 0)
            .map(|(revision, set)| (*revision, pods_text(set)))
            .collect();
        let expected: BTreeMap<i64, String> = expected
            .iter()
            .map(|(revision, count)| match count {
                PodCount::All(number) => (*revision, format!("{number} of {number}")),
                PodCount::Some(text) => (*revision, text.clone()),
            })
            .collect();
        if actual != expected {
            missing.push(format!("pods: {} instead of {}", json!(actual), json!(expected)));
        }
        missing
    }

    fn of_services(&self, seen: &Observed) -> Vec<String> {
        let mut missing = Vec::new();
        for (name, expected) in &self.services {
            let Some(service) = seen.service(name) else {
                missing.push(format!("there is no Service {name}"));
                continue;
            };
            let selected = seen.selected_by(service);
            match expected {
                Selected::Revision(revision) if selected == Some(*revision) => {}
                Selected::Any(_) if selected.is_none() => {}
                Selected::Fields(fields) => missing.extend(differences(&format!("Service {name}"), fields, service)),
                Selected::Revision(_) | Selected::Any(_) => {
                    missing.push(format!("Service {name} selects {selected:?} instead of {expected:?}"));
                }
            }
        }
        missing
    }

    fn of_events(&self, seen: &Observed, from: usize) -> (Option<String>, usize) {
        let mut at = from.min(seen.events.len());
        for reason in &self.events {
            let Some(found) = seen.events[at..].iter().position(|told| told == reason) else {
                let told = &seen.events[from.min(seen.events.len())..];
                return (Some(format!("event {reason} is missing in its place: {told:?}")), from);
            };
            at += found + 1;
        }
        (None, at)
    }

    /// Mistakes in it that reading does not find.
    pub(crate) fn mistakes(&self, path: &str) -> Vec<String> {
        let mut mistakes = Vec::new();
        if let Some(phase) = &self.phase {
            let known = ["Healthy", "Progressing", "Paused", "Degraded"];
            if !known.contains(&phase.as_str()) {
                mistakes.push(format!("{path}.phase: {phase:?} is no phase; write one of {}", known.join(", ")));
            }
        }
        for (revision, count) in self.pods.iter().flatten() {
            let PodCount::Some(text) = count else { continue };
            let numbers: Vec<_> = text.split(" of ").map(str::parse::<u32>).collect();
            if !matches!(numbers[..], [Ok(_), Ok(_)]) {
                mistakes.push(format!("{path}.pods.{revision}: {text:?} is no count; write 3, or 2 of 3"));
            }
        }
        for (name, selected) in &self.services {
            if let Selected::Any(word) = selected
                && word != "any"
            {
                mistakes.push(format!("{path}.services.{name}: {word:?}; write a revision's number, any, or fields"));
            }
        }
        mistakes
    }
}

/// Pods that are on their way out are counted as long as they are there.
fn pods_text(set: &Value) -> String {
    let count = |value: &Value| value.as_i64().unwrap_or(0);
    let (wanted, there) = (count(&set["spec"]["replicas"]), count(&set["status"]["replicas"]));
    let available = count(&set["status"]["availableReplicas"]);
    if there > wanted { format!("{available} of {wanted}, {there} there") } else { format!("{available} of {wanted}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Observed {
        let set = |revision: &str, hash: &str, wanted: i64, available: i64| {
            json!({
                "metadata": {
                    "annotations": {"rollout.argoproj.io/revision": revision},
                    "labels": {"rollouts-pod-template-hash": hash},
                    "ownerReferences": [{"uid": "u"}],
                },
                "spec": {"replicas": wanted}, "status": {"replicas": wanted, "availableReplicas": available},
            })
        };
        Observed {
            rollout: json!({
                "metadata": {"uid": "u", "generation": 3},
                "status": {"phase": "Paused", "message": "CanaryPauseStep", "observedGeneration": "3",
                    "currentStepIndex": 1, "conditions": [{"type": "Paused", "status": "True", "reason": "RolloutPaused"}]},
            }),
            replica_sets: vec![set("1", "a", 3, 3), set("2", "b", 1, 0), set("3", "c", 0, 0)],
            services: vec![
                json!({"metadata": {"name": "stable"}, "spec": {"selector": {"rollouts-pod-template-hash": "a"}}}),
            ],
            events: ["ScalingReplicaSet", "RolloutPaused"].map(str::to_owned).to_vec(),
            ..Observed::default()
        }
    }

    fn missing(yaml: &str, seen: &Observed) -> Vec<String> {
        let expect: Expect = serde_saphyr::from_str(yaml).expect("an expectation");
        expect.missing(seen, &Before::default()).0
    }

    #[test]
    fn what_is_as_expected_leaves_nothing_to_say() {
        let all = "{phase: Paused, message: Canary*, step: 1, pods: {1: 3, 2: 0 of 1}, services: {stable: 1}, \
                   conditions: {Paused: True RolloutPaused}, events: [RolloutPaused], revisions: 3, \
                   replica-sets: {3: {spec: {replicas: 0}}, 4: gone}}";
        assert!(missing(all, &seen()).is_empty(), "{:?}", missing(all, &seen()));
    }

    #[test]
    fn each_thing_that_is_otherwise_is_named() {
        // (what is expected, what is said)
        for (expected, said) in [
            ("phase: Healthy", r#"phase: "Paused" instead of "Healthy""#),
            ("step: 2", "step: 1 instead of 2"),
            ("pods: {1: 3}", r#"pods: {"1":"3 of 3","2":"0 of 1"} instead of {"1":"3 of 3"}"#),
            ("services: {stable: 2}", "Service stable selects Some(1) instead of Revision(2)"),
            ("services: {canary: 1}", "there is no Service canary"),
            (
                "conditions: {Paused: False RolloutPaused}",
                r#"condition Paused: "True RolloutPaused" instead of "False RolloutPaused""#,
            ),
            (
                "events: [RolloutPaused, ScalingReplicaSet]",
                r#"event ScalingReplicaSet is missing in its place: ["ScalingReplicaSet", "RolloutPaused"]"#,
            ),
            ("replica-sets: {2: gone}", "revision 2 is still there"),
            ("status: {abort: true}", "status.abort: null instead of true"),
        ] {
            assert_eq!(missing(expected, &seen()), [said], "{expected}");
        }
    }

    #[test]
    fn a_status_that_speaks_of_an_older_spec_proves_nothing() {
        let mut seen = seen();
        seen.rollout["metadata"]["generation"] = json!(4);
        assert_eq!(missing("phase: Paused", &seen), [r#"the status still speaks of generation "3""#]);
    }
}
