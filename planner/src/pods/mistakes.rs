//! What is wrong with the wishes about pods.

use sluice_crds::Rollout;
use sluice_crds::mistake::Mistake;
use sluice_crds::template::{HASH_LABEL, PodTemplate};
use sluice_crds::unit::ExtraMetadata;
use sluice_crds::validate;

/// Added to what else was found in this Rollout.
pub(crate) fn find(rollout: &Rollout, found: &mut Vec<String>) {
    let spec = &rollout.spec;
    let canary = spec.canary().map(|canary| {
        let metadata = [("canaryMetadata", &canary.canary_metadata), ("stableMetadata", &canary.stable_metadata)];
        ("spec.strategy.canary", metadata, canary.anti_affinity.is_some())
    });
    let blue_green = spec.blue_green().map(|blue_green| {
        let metadata =
            [("previewMetadata", &blue_green.preview_metadata), ("activeMetadata", &blue_green.active_metadata)];
        ("spec.strategy.blueGreen", metadata, blue_green.anti_affinity.is_some())
    });
    let Some((strategy, metadata, has_rules)) = canary.or(blue_green) else { return };
    let metadata = metadata.into_iter().filter_map(|(field, extra)| Some((field, extra.as_ref()?)));
    let metadata: Vec<(&str, &ExtraMetadata)> = metadata.collect();
    let fields = metadata.iter().map(|(field, _)| *field).chain(has_rules.then_some("antiAffinity"));
    let paths: Vec<String> = fields.map(|field| format!("{strategy}.{field}")).collect();
    if paths.is_empty() {
        return;
    }
    let mistakes = validate::rollout(rollout).into_iter().filter(Mistake::stops_a_release);
    let sentences = mistakes.map(|mistake| mistake.to_string());
    found.extend(sentences.filter(|sentence| paths.iter().any(|path| sentence.starts_with(path))));
    for (field, extra) in metadata {
        found.extend(lost_pods(rollout, &format!("{strategy}.{field}.labels"), extra));
    }
}

/// A label by which pods are found is not to be given another value.
fn lost_pods(rollout: &Rollout, path: &str, extra: &ExtraMetadata) -> Vec<String> {
    let own = rollout.spec.template.as_ref().map(PodTemplate::labels).unwrap_or_default();
    let selector = rollout.spec.selector.as_ref().and_then(|selector| selector.read().ok());
    let labels = extra.labels.iter().flatten();
    let mistakes = labels.filter_map(|(key, value)| {
        if key == HASH_LABEL {
            return Some(format!("{path}.{key}: names the revision and is set by the controller; leave it out"));
        }
        let selector = selector.as_ref()?;
        let mut labels = own.clone();
        labels.insert(key.clone(), value.clone());
        let lost = selector.matches(&own) && !selector.matches(&labels);
        lost.then(|| {
            format!("{path}.{key}: \"{value}\" takes the pods out of spec.selector \"{selector}\"; choose another key")
        })
    });
    mistakes.collect()
}
