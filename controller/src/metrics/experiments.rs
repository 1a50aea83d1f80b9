//! The Experiments as they are at this moment, read from the cache when somebody asks.

use std::sync::Arc;

use sluice_crds::Experiment;
use sluice_crds::analysis::AnalysisPhase;

use super::text::{Kind, Text};

pub(super) fn write(text: &mut Text, experiments: &[Arc<Experiment>]) {
    let mut info = text.family("experiment_info", Kind::Gauge, "Each Experiment");
    for experiment in experiments {
        let [namespace, name] = name(experiment);
        info.value(&[namespace, name, ("phase", phase(experiment))], 1);
    }
    let mut phases = text.family("experiment_phase", Kind::Gauge, "1 for the phase that it is in");
    for experiment in experiments {
        let [namespace, name] = name(experiment);
        for known in AnalysisPhase::KNOWN {
            phases.value(&[namespace, name, ("phase", known)], u8::from(*known == phase(experiment)));
        }
    }
}

fn name(experiment: &Experiment) -> [(&'static str, &str); 2] {
    let meta = &experiment.metadata;
    let [namespace, name] = [&meta.namespace, &meta.name].map(|text| text.as_deref().unwrap_or_default());
    [("namespace", namespace), ("name", name)]
}

fn phase(experiment: &Experiment) -> &str {
    experiment.status.as_ref().and_then(|status| status.phase.as_ref()).map_or("", AnalysisPhase::as_str)
}
