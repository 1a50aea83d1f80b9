//! Schemas of values whose types come from elsewhere.

use schemars::{Schema, SchemaGenerator, json_schema};

/// A point in time.
pub(crate) fn time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}

/// Anything; kept as it is.
pub(crate) fn raw(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-preserve-unknown-fields": true })
}
