//! From JSON to a typed object and its mistakes.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::form::{self, Form, quieted};
use super::{analysis, experiment, rollout};
use crate::mistake::{FieldPath, Mistake, word};
use crate::{AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, Experiment, Rollout};

/// An object as far as it could be read, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Read<K> {
    /// The object. What could not be read is missing from it, so act on it only when there are no mistakes.
    pub object: K,
    /// Everything that is wrong, sorted by path.
    pub mistakes: Vec<Mistake>,
}

/// A kind that can be read from JSON.
pub trait Readable: DeserializeOwned + Default {
    /// All mistakes that the typed object shows, those included that only lint tells.
    #[doc(hidden)]
    fn mistakes(&self) -> Vec<Mistake>;

    /// What the JSON has to look like.
    #[doc(hidden)]
    fn form() -> &'static Form;
}

/// Reads an object and finds all its mistakes, apart from those that only lint tells.
pub fn read<K: Readable>(json: Value) -> Read<K> {
    let mut read = read_for_lint(json);
    read.mistakes.retain(Mistake::stops_a_release);
    read
}

/// Reads an object and finds all its mistakes, unknown fields included.
pub(crate) fn read_for_lint<K: Readable>(mut json: Value) -> Read<K> {
    let checked = form::check(K::form(), &mut json);
    match serde_json::from_value::<K>(json) {
        Ok(object) => {
            let mut mistakes = quieted(checked, object.mistakes());
            mistakes.sort();
            mistakes.dedup();
            Read { object, mistakes }
        }
        // The form is made from the types, so what fits it can be read. Should the two ever differ, the user
        // still gets to know.
        Err(error) => {
            let mut mistakes = checked.mistakes;
            mistakes.push(Mistake::about(
                FieldPath::root(),
                format!("can't be read, {}", word(&error.to_string())),
                "write it otherwise",
            ));
            Read { object: K::default(), mistakes }
        }
    }
}

macro_rules! readable {
    ($($kind:ident: $form:ident, $check:path;)+) => {$(
        impl Readable for $kind {
            fn mistakes(&self) -> Vec<Mistake> {
                $check(self)
            }

            fn form() -> &'static Form {
                form::$form()
            }
        }
    )+};
}

readable! {
    Rollout: rollout, rollout::check;
    AnalysisTemplate: analysis_template, analysis::check_template;
    ClusterAnalysisTemplate: cluster_analysis_template, analysis::check_cluster_template;
    AnalysisRun: analysis_run, analysis::check_run;
    Experiment: experiment, experiment::check;
}
