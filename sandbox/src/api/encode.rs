//! Objects, lists and events as bytes.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use super::negotiate::{Encoding, Form};
use super::registry::api_version;
use super::request::Response;
use super::table::{self, RowObject, TableLook};
use super::verbs::Target;
use super::verbs::list::Page;
use super::watch::{WatchCursor, WatchEvent};
use crate::world::Object;

/// How an answer is to look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub form: Form,
    pub encoding: Encoding,
    pub rows: RowObject,
    pub now: Timestamp,
}

impl Look {
    fn table(self, v1: bool) -> TableLook {
        TableLook { rows: self.rows, columns: true, v1, now: self.now }
    }
}

/// One object.
pub(crate) fn object(target: &Target, object: &Arc<Object>, code: u16, look: Look) -> Response {
    match look.form {
        Form::Plain if look.encoding == Encoding::Json => Response::json(code, object.json()),
        Form::Plain => value(code, object.value(), look.encoding),
        Form::PartialMetadata => value(code, &partial(object), look.encoding),
        Form::Table { v1 } => {
            let page = Page {
                items: vec![Arc::clone(object)],
                revision: object.revision(),
                continue_token: String::new(),
                remaining: None,
            };
            let rows = table::table(target, &page, look.table(v1));
            value(code, &rows, look.encoding)
        }
    }
}

/// Anything that has no other form than its own.
pub(crate) fn value(code: u16, value: &Value, encoding: Encoding) -> Response {
    match encoding {
        Encoding::Json => Response::json(code, value.to_string()),
        Encoding::Yaml => {
            let mut response = Response::json(code, yaml(value));
            response.headers = vec![("content-type", "application/yaml".into())];
            response
        }
    }
}

fn yaml(value: &Value) -> String {
    // JSON is YAML: an answer that can't be written more nicely is still one that can be read.
    serde_saphyr::to_string(value).unwrap_or_else(|_| value.to_string())
}

/// One page of a list.
pub(crate) fn list(target: &Target, page: &Page, look: Look) -> Response {
    match look.form {
        Form::Table { v1 } => {
            let rows = table::table(target, page, look.table(v1));
            value(200, &rows, look.encoding)
        }
        Form::PartialMetadata => {
            let items: Vec<Value> = page.items.iter().map(|object| partial(object)).collect();
            let body = json!({
                "kind": "PartialObjectMetadataList",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": list_metadata(page, false),
                "items": items,
            });
            value(200, &body, look.encoding)
        }
        Form::Plain => {
            let body = PlainList { target, page };
            match (look.encoding, serde_json::to_vec(&body)) {
                (Encoding::Json, Ok(bytes)) => Response::json(200, bytes),
                (_, Ok(bytes)) => {
                    let read: Value = serde_json::from_slice(&bytes).unwrap_or_default();
                    value(200, &read, look.encoding)
                }
                (_, Err(_)) => value(200, &Value::Null, Encoding::Json),
            }
        }
    }
}

/// Lists of custom resources have an empty `continue` where nothing is to be continued.
pub(crate) fn list_metadata(page: &Page, always_continue: bool) -> Value {
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".into(), json!(page.revision.to_string()));
    if !page.continue_token.is_empty() || always_continue {
        metadata.insert("continue".into(), json!(page.continue_token));
    }
    if let Some(remaining) = page.remaining {
        metadata.insert("remainingItemCount".into(), json!(remaining));
    }
    Value::Object(metadata)
}

/// The metadata of an object, without anything else of it.
pub(crate) fn partial(object: &Object) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object.value().get("metadata"),
    })
}

struct PlainList<'a> {
    target: &'a Target,
    page: &'a Page,
}

impl Serialize for PlainList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let resource = &self.target.resource;
        let items: Vec<Item<'_>> =
            self.page.items.iter().map(|object| Item { value: object.value(), typed: resource.rules.custom }).collect();
        let mut list = serializer.serialize_map(None)?;
        list.serialize_entry("kind", &resource.list_kind)?;
        list.serialize_entry("apiVersion", &api_version(&resource.group, &self.target.version))?;
        list.serialize_entry("metadata", &list_metadata(self.page, self.target.resource.rules.custom))?;
        list.serialize_entry("items", &items)?;
        list.end()
    }
}

/// Lists of built-in kinds don't repeat kind and version in each item; those of custom resources do.
struct Item<'a> {
    value: &'a Value,
    typed: bool,
}

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.value.as_object().into_iter().flatten();
        let shown = fields.filter(|(field, _)| self.typed || !matches!(field.as_str(), "kind" | "apiVersion"));
        serializer.collect_map(shown)
    }
}

/// One line of a watch.
pub(crate) fn event(cursor: &mut WatchCursor, event: &WatchEvent, now: Timestamp) -> Bytes {
    let (kind, body) = match event {
        WatchEvent::Added(object) => ("ADDED", event_object(cursor, object, now)),
        WatchEvent::Modified(object) => ("MODIFIED", event_object(cursor, object, now)),
        WatchEvent::Deleted(object) => ("DELETED", event_object(cursor, object, now)),
        WatchEvent::Bookmark { revision, initial_events_end } => {
            let object = Arc::new(bookmark(cursor.target(), *revision, *initial_events_end));
            ("BOOKMARK", event_object(cursor, &object, now))
        }
        WatchEvent::Error(status) => ("ERROR", Bytes::from(status.to_value().to_string())),
    };
    let mut line = Vec::with_capacity(body.len() + 40);
    line.extend_from_slice(b"{\"type\":\"");
    line.extend_from_slice(kind.as_bytes());
    line.extend_from_slice(b"\",\"object\":");
    line.extend_from_slice(&body);
    line.extend_from_slice(b"}\n");
    Bytes::from(line)
}

fn event_object(cursor: &mut WatchCursor, object: &Arc<Object>, now: Timestamp) -> Bytes {
    match cursor.form {
        Form::Plain => object.json(),
        Form::PartialMetadata => Bytes::from(partial(object).to_string()),
        Form::Table { v1 } => {
            let page = Page {
                items: vec![Arc::clone(object)],
                revision: object.revision(),
                continue_token: String::new(),
                remaining: None,
            };
            let look = TableLook { rows: cursor.rows, columns: !cursor.columns_sent, v1, now };
            let rows = table::table(cursor.target(), &page, look);
            cursor.columns_sent = true;
            Bytes::from(rows.to_string())
        }
    }
}

/// An object that carries nothing but the revision up to which the client knows everything.
fn bookmark(target: &Target, revision: u64, initial_events_end: bool) -> Object {
    let mut metadata = json!({"resourceVersion": revision.to_string()});
    if initial_events_end {
        metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
    }
    let value = json!({
        "kind": target.kind(),
        "apiVersion": target.api_version(),
        "metadata": metadata,
    });
    Object::shown(value, revision)
}
