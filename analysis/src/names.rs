//! Names, labels and annotations of runs and Jobs: the interface that other tools read.

use std::collections::BTreeMap;

use sluice_crds::unit::ExtraMetadata;

const HASH: &str = "rollouts-pod-template-hash";
const REVISION: &str = "rollout.argoproj.io/revision";
const KIND: &str = "rollout-type";
const STEP: &str = "step-index";
const INSTANCE: &str = "argo-rollouts.argoproj.io/controller-instance-id";

/// What a Rollout asks a run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// A step that waits for the run's verdict.
    Step(usize),
    /// Beside the steps.
    Background,
    /// Before a blue-green release gets its traffic.
    PrePromotion,
    /// After a blue-green release got its traffic.
    PostPromotion,
}

/// The name of a run. Where a run of that name is there already, the caller adds `.1`, `.2`, and so on.
pub fn run_name(rollout: &str, hash: &str, revision: i64, kind: RunKind) -> String {
    let name = format!("{rollout}-{hash}-{revision}");
    match kind {
        RunKind::Step(index) => format!("{name}-{index}"),
        RunKind::Background => name,
        RunKind::PrePromotion => format!("{name}-pre"),
        RunKind::PostPromotion => format!("{name}-post"),
    }
}

/// Labels and annotations of a run; those that the user wrote never replace ours.
pub fn run_metadata(
    hash: &str,
    revision: i64,
    kind: RunKind,
    instance: Option<&str>,
    written: Option<&ExtraMetadata>,
) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let mut labels = written.and_then(|written| written.labels.clone()).unwrap_or_default();
    let mut annotations = written.and_then(|written| written.annotations.clone()).unwrap_or_default();
    labels.insert(HASH.to_owned(), hash.to_owned());
    let word = match kind {
        RunKind::Step(index) => {
            labels.insert(STEP.to_owned(), index.to_string());
            "Step"
        }
        RunKind::Background => "Background",
        RunKind::PrePromotion => "PrePromotion",
        RunKind::PostPromotion => "PostPromotion",
    };
    labels.insert(KIND.to_owned(), word.to_owned());
    if let Some(instance) = instance {
        labels.insert(INSTANCE.to_owned(), instance.to_owned());
    }
    annotations.insert(REVISION.to_owned(), revision.to_string());
    (labels, annotations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_named_after_their_rollout_revision_and_place() {
        let rows = [
            (RunKind::Step(3), "web-abc-7-3"),
            (RunKind::Background, "web-abc-7"),
            (RunKind::PrePromotion, "web-abc-7-pre"),
            (RunKind::PostPromotion, "web-abc-7-post"),
        ];
        for (kind, expected) in rows {
            assert_eq!(run_name("web", "abc", 7, kind), expected);
        }
    }

    #[test]
    fn runs_carry_the_labels_that_tools_select_by() {
        let written = ExtraMetadata {
            labels: Some([("team", "shop"), ("rollout-type", "mine")].map(|(k, v)| (k.into(), v.into())).into()),
            annotations: None,
        };
        let (labels, annotations) = run_metadata("abc", 7, RunKind::Step(0), Some("eu"), Some(&written));
        let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            labels,
            [
                "argo-rollouts.argoproj.io/controller-instance-id=eu",
                "rollout-type=Step",
                "rollouts-pod-template-hash=abc",
                "step-index=0",
                "team=shop",
            ]
        );
        assert_eq!(annotations.get("rollout.argoproj.io/revision").map(String::as_str), Some("7"));
    }
}
