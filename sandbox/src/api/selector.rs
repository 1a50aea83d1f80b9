//! Label and field selectors: read as clients write them, matched against stored objects.

mod fields;
mod labels;

pub use fields::{FieldNames, FieldSelector, built_in_fields};
pub use labels::LabelSelector;
