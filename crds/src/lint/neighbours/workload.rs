//! The object that a Rollout takes its pod template from, where it is in the same text.

use serde_json::Value;

use super::{File, Finding, Here};
use crate::Rollout;
use crate::mistake::{FieldPath, Mistake, Segment};
use crate::template::PodTemplate;
use crate::validate;

/// The Rollout as if the template were its own, and what is wrong with it then: in the workload what is wrong with the
/// template, in the Rollout how the two fit together. Nothing, where the workload is elsewhere.
pub(super) fn resolved(here: &Here<'_>, file: &File<'_>, found: &mut Vec<Finding>) -> Option<Rollout> {
    let reference = here.rollout.spec.workload_ref.as_ref()?;
    let kind = reference.kind.as_deref()?;
    let api_version = if kind == "PodTemplate" { "v1" } else { "apps/v1" };
    let workload = file.find(kind, reference.name.as_deref()?, here)?;
    let json = workload.json().filter(|_| workload.api_version == api_version)?;
    let at = if kind == "PodTemplate" { &json["template"] } else { &json["spec"]["template"] };
    let mut rollout = here.rollout.clone();
    rollout.spec.workload_ref = None;
    rollout.spec.template = Some(PodTemplate::from(at.clone()));
    if rollout.spec.selector.is_none() {
        rollout.spec.selector = selector(json);
    }
    for mistake in validate::rollout(&rollout) {
        let in_template = FieldPath::of("spec.template").holds(&mistake.path);
        let in_selector = FieldPath::of("spec.selector").holds(&mistake.path);
        if in_template {
            found.push(workload.finding(Mistake { path: in_workload(kind, &mistake.path), ..mistake }));
        } else if in_selector {
            found.push(here.object.finding(mistake));
        }
    }
    Some(rollout)
}

fn selector(workload: &Value) -> Option<crate::values::LabelSelector> {
    serde_json::from_value(workload["spec"]["selector"].clone()).ok()?
}

/// A PodTemplate has no spec around its template.
fn in_workload(kind: &str, path: &FieldPath) -> FieldPath {
    let segments = path.segments().iter().skip(usize::from(kind == "PodTemplate"));
    segments.fold(FieldPath::root(), |path, segment| match segment {
        Segment::Index(index) => path.index(*index),
        Segment::Field(name) => path.field(name.clone()),
    })
}
