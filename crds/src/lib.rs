//! What users write: types, defaults, validation and schemas of the `argoproj.io/v1alpha1` kinds.
//!
//! Every field is optional in the types, so that "not set" and "set to the default" stay different
//! and what a user wrote survives a round trip. A default is applied by the accessor of the same name
//! (`spec.progress_deadline_seconds()`), never in a schema.
#![warn(missing_docs)]

mod shape;

pub mod analysis;
pub mod experiment;
pub mod fuzz;
pub mod lint;
pub mod mistake;
pub mod rollout;
pub mod schema;
pub mod template;
pub mod unit;
pub mod validate;
pub mod values;

pub use analysis::{AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate};
pub use experiment::Experiment;
pub use rollout::Rollout;
pub use shape::CustomKind;
