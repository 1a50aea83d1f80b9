//! What is wrong with what a user wrote: all of it, at once.
//!
//! Each kind has one pure function that looks at the object alone and returns every mistake in it. References to
//! other objects are for whoever can see those. No rule here refuses a manifest that Argo Rollouts runs as it was
//! meant, apart from the few that [`rollout`] and [`analysis_template`] name.
//!
//! [`read`] is the door for JSON: it takes out what has the wrong type, so that the typed checks still see all the
//! rest, and returns the mistakes of both.

mod analysis;
mod experiment;
mod fields;
mod form;
mod metadata;
mod names;
mod patterns;
mod pod_template;
mod raw;
mod read;
mod rollout;
mod selector;

pub use form::distance;
pub(crate) use form::{NOT_TEXT, either};
pub(crate) use read::read_for_lint;
pub use read::{Read, Readable, read};

use crate::mistake::Mistake;
use crate::{AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, Experiment, Rollout};

/// All mistakes of a Rollout.
///
/// Refused here although Argo Rollouts takes it: a step that is two things at once or nothing, AWS App Mesh, and
/// plugins written in Go.
pub fn rollout(rollout: &Rollout) -> Vec<Mistake> {
    for_the_controller(rollout)
}

/// All mistakes of an AnalysisTemplate. Refused here although Argo Rollouts takes it: metric plugins written in Go.
pub fn analysis_template(template: &AnalysisTemplate) -> Vec<Mistake> {
    for_the_controller(template)
}

/// All mistakes of a ClusterAnalysisTemplate; the same as of an AnalysisTemplate.
pub fn cluster_analysis_template(template: &ClusterAnalysisTemplate) -> Vec<Mistake> {
    for_the_controller(template)
}

/// All mistakes of an AnalysisRun.
pub fn analysis_run(run: &AnalysisRun) -> Vec<Mistake> {
    for_the_controller(run)
}

/// All mistakes of an Experiment.
pub fn experiment(experiment: &Experiment) -> Vec<Mistake> {
    for_the_controller(experiment)
}

fn for_the_controller<K: Readable>(object: &K) -> Vec<Mistake> {
    let mut found = object.mistakes();
    found.retain(Mistake::stops_a_release);
    found.sort();
    found
}
