//! What users write: types, defaults, validation and schemas of the `argoproj.io/v1alpha1` kinds.
#![warn(missing_docs)]

pub mod template;
pub mod values;
