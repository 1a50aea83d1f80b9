//! Lists as people read them: rows and columns.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::encode;
use super::status::{Answer, Status};
use super::verbs::Target;
use super::verbs::list::Page;

/// What each row carries beside its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowObject {
    Nothing,
    Metadata,
    Whole,
}

impl RowObject {
    /// Reads the `includeObject` parameter.
    pub(crate) fn parse(text: &str) -> Answer<Self> {
        match text {
            "" | "Metadata" => Ok(Self::Metadata),
            "None" => Ok(Self::Nothing),
            "Object" => Ok(Self::Whole),
            other => Err(Status::bad_request(format!("unrecognized includeObject value: {other}"))),
        }
    }
}

pub(crate) fn table(
    _target: &Target,
    page: &Page,
    _now: Timestamp,
    _rows: RowObject,
    _columns: bool,
    _v1: bool,
) -> Value {
    json!({"metadata": encode::list_metadata(page)})
}
