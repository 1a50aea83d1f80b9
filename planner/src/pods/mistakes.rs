//! What is wrong with metadata for pods that can only be seen beside the selector.

use sluice_crds::Rollout;
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::template::{HASH_LABEL, PodTemplate};
use sluice_crds::unit::ExtraMetadata;

/// Labels that would take pods away from their Rollout.
pub(crate) fn find(rollout: &Rollout) -> Vec<Mistake> {
    let spec = &rollout.spec;
    let canary = spec.canary().into_iter().flat_map(|canary| {
        [("canaryMetadata", &canary.canary_metadata), ("stableMetadata", &canary.stable_metadata)]
            .map(|(field, extra)| (FieldPath::of("spec.strategy.canary").field(field), extra))
    });
    let blue_green = spec.blue_green().into_iter().flat_map(|blue_green| {
        [("previewMetadata", &blue_green.preview_metadata), ("activeMetadata", &blue_green.active_metadata)]
            .map(|(field, extra)| (FieldPath::of("spec.strategy.blueGreen").field(field), extra))
    });
    let written = canary.chain(blue_green).filter_map(|(path, extra)| Some((path.field("labels"), extra.as_ref()?)));
    written.flat_map(|(path, extra)| lost_pods(rollout, &path, extra)).collect()
}

/// A label by which pods are found is not to be given another value.
fn lost_pods(rollout: &Rollout, path: &FieldPath, extra: &ExtraMetadata) -> Vec<Mistake> {
    let own = rollout.spec.template.as_ref().map(PodTemplate::labels).unwrap_or_default();
    let selector = rollout.spec.selector.as_ref().and_then(|selector| selector.read().ok());
    let labels = extra.labels.iter().flatten();
    let mistakes = labels.filter_map(|(key, value)| {
        if key == HASH_LABEL {
            let problem = "names the revision and is set by the controller";
            return Some(Mistake::about(path.key(key), problem, "leave it out"));
        }
        let selector = selector.as_ref()?;
        let mut labels = own.clone();
        labels.insert(key.clone(), value.clone());
        let lost = selector.matches(&own) && !selector.matches(&labels);
        let problem = format!("takes the pods out of spec.selector \"{selector}\"");
        lost.then(|| Mistake::wrong(path.key(key), value, problem, "choose another key"))
    });
    mistakes.collect()
}
