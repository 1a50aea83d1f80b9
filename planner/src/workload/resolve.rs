//! A Rollout whose template is in another object, read as if it were its own.

use std::borrow::Cow;
use std::sync::Arc;

use sluice_crds::Rollout;
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::rollout::{ScaleDown, WorkloadRef};

use super::held::{self, Held};
use super::{Workload, WorkloadName, WorkloadSeen, named};
use crate::names::{SCALED_DOWN, WORKLOAD_GENERATION};
use crate::packed_map::PackedMap;
use crate::patch::Patch;
use crate::plan::Write;
use crate::revisions::TextMap;
use crate::snapshot::Snapshot;

/// The snapshot with the template in its Rollout, wherever that was; without one where the object is not there.
///
/// # Errors
/// Nobody has looked for this object yet.
pub(crate) fn resolved(snapshot: &Snapshot) -> Result<Cow<'_, Snapshot>, WorkloadName> {
    let rollout = &snapshot.rollout;
    let Some(name) = named(rollout).filter(|_| rollout.mistakes().is_empty()) else {
        return Ok(Cow::Borrowed(snapshot));
    };
    match snapshot.workloads.get(&name) {
        None => Err(name),
        Some(WorkloadSeen::Absent | WorkloadSeen::Forbidden) => Ok(Cow::Borrowed(snapshot)),
        Some(WorkloadSeen::There(workload)) => {
            let rollout = Arc::new(rollout.with_template_of(&name, workload));
            Ok(Cow::Owned(Snapshot { rollout, ..snapshot.clone() }))
        }
    }
}

/// What is wrong between the Rollout and the object that it takes its template from. Whatever happens to that wakes
/// the Rollout, so that what is mended goes on at once.
pub(crate) fn mistakes(snapshot: &Snapshot) -> Option<Mistake> {
    let rollout = &snapshot.rollout;
    let name = named(rollout)?;
    let path = FieldPath::of("spec.workloadRef");
    match snapshot.workloads.get(&name)? {
        WorkloadSeen::Absent => Some(Mistake::about(
            path,
            format!("{name} is not there"),
            "create it, or name the one that has the template",
        )),
        WorkloadSeen::Forbidden => {
            let problem = format!("{name} can't be read, this controller has no right to");
            let mend = format!("let it get, list and watch {}", name.kind.plural());
            Some(Mistake::about(path, problem, mend))
        }
        WorkloadSeen::There(workload) => {
            let other = Held::on(workload).filter(|_| scales(rollout)).map(|held| held.rollout);
            let other = other.filter(|other| Some(other) != rollout.metadata.name.as_ref())?;
            let problem = format!("{name} is scaled down by Rollout \"{other}\"");
            let mend =
                format!("set scaleDown: never in one of the two; if {other} is gone, remove {SCALED_DOWN} from it");
            Some(Mistake::about(path, problem, mend))
        }
    }
}

fn scales(rollout: &Rollout) -> bool {
    let mode = rollout.spec.workload_ref.as_ref().map(WorkloadRef::scale_down);
    matches!(mode, Some(ScaleDown::OnSuccess | ScaleDown::Progressively))
}

/// A mistake in what the workload says, told at the field that names it.
pub(crate) fn told_of_workload(name: &WorkloadName, has_own_selector: bool, mistake: Mistake) -> Mistake {
    let in_template = FieldPath::of("spec.template").holds(&mistake.path);
    let in_selector = FieldPath::of("spec.selector").holds(&mistake.path) && mistake.value.is_some();
    if !in_template && (has_own_selector || !in_selector) {
        return mistake;
    }
    let value = mistake.value.as_ref().map(|value| format!("{value} ")).unwrap_or_default();
    let problem = format!("{name} has at {}: {value}{}", mistake.path, mistake.problem);
    Mistake { path: FieldPath::of("spec.workloadRef"), value: None, problem, ..mistake }
}

/// Notes on the Rollout which state of the workload it describes, as tools read it.
pub(crate) fn note_generation(snapshot: &Snapshot) -> Option<Write> {
    let rollout = &snapshot.rollout;
    let name = named(rollout)?;
    let WorkloadSeen::There(workload) = snapshot.workloads.get(&name)? else { return None };
    let generation = workload.meta.generation.to_string();
    let metadata = &rollout.metadata;
    let there = metadata.annotations.as_ref();
    if there.and_then(|there| there.get(WORKLOAD_GENERATION)) == Some(&generation) {
        return None;
    }
    let reason = format!("{name} is at generation {generation}");
    let patch = Patch::of(metadata.uid.as_deref().unwrap_or_default())
        .annotate(there.map(PackedMap::from).as_ref(), &TextMap::from([(WORKLOAD_GENERATION.to_owned(), generation)]));
    Some(held::rollout_write(rollout, patch, reason))
}

/// The Deployment that the template is taken from.
pub(super) fn deployment(snapshot: &Snapshot) -> Option<&Workload> {
    let name = named(&snapshot.rollout).filter(|name| name.kind == super::WorkloadKind::Deployment)?;
    match snapshot.workloads.get(&name)? {
        WorkloadSeen::There(deployment) if !deployment.meta.deleting => Some(deployment),
        _ => None,
    }
}
