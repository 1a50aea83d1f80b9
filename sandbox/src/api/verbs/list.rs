//! Listing objects: selectors, pages, and the revision that a list shows.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Target;
use crate::api::options::{ListOptions, RevisionMatch};
use crate::api::selector::{FieldNames, FieldSelector, LabelSelector, built_in_fields};
use crate::api::status::{Answer, Status};
use crate::schema::decode;
use crate::world::{Object, World, key_of};

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page {
    pub items: Vec<Arc<Object>>,
    /// The revision that the list shows.
    pub revision: u64,
    /// Empty on the last page.
    pub continue_token: String,
    /// How many objects follow; only known where no selector decides.
    pub remaining: Option<usize>,
}

/// What a list or watch selects.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    pub labels: LabelSelector,
    pub fields: FieldSelector,
}

impl Selection {
    pub(crate) fn parse(target: &Target, options: &ListOptions) -> Answer<Self> {
        let custom = target.resource.rules.custom;
        let extra = built_in_fields(target.group(), target.kind());
        let allowed = FieldNames {
            extra,
            from_definition: target.version_facts().map_or(&[], |version| &version.selectable_fields),
            plain_kind: !custom && extra.is_empty(),
        };
        let mut selection = Self {
            labels: LabelSelector::parse(&options.label_selector)?,
            fields: FieldSelector::parse(&options.field_selector, &allowed)?,
        };
        // An object's own path selects it alone: `GET …/pods/name?watch=true`.
        if !target.name.is_empty() {
            selection.fields.pin_name(&target.name);
        }
        Ok(selection)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether an object in the target's version is selected.
    pub(crate) fn matches(&self, object: &Object) -> bool {
        self.labels.matches(object.labels()) && self.fields.matches(object.value())
    }
}

/// Lists objects of the target's resource in its namespace, or in all for an empty one.
pub fn list(world: &World, target: &Target, options: &ListOptions) -> Answer<Page> {
    let selection = Selection::parse(target, options)?;
    let position = position(world, options)?;
    if let Some(page) = pinned(world, target, &selection, &position) {
        return Ok(page);
    }
    let Some(collection) = world.collection(&target.resource.stored_as) else {
        return Ok(Page::empty(position.revision));
    };
    let start = position.start.as_deref();
    let mut objects =
        collection.at_revision(position.revision, &target.namespace, start).map_err(|_| too_old(&position))?.peekable();
    let limit = if options.limit == 0 { usize::MAX } else { options.limit };
    let mut items = Vec::new();
    while items.len() < limit {
        let Some(object) = objects.next() else { break };
        let object = target.shown(&object);
        if selection.matches(&object) {
            items.push(object);
        }
    }
    let next = if selection.is_empty() {
        objects.peek().cloned()
    } else {
        objects.find(|object| selection.matches(&target.shown(object)))
    };
    let remaining = (next.is_some() && selection.is_empty()).then(|| objects.count());
    let continue_token = match (next, items.last()) {
        (Some(_), Some(last)) => token(position.revision, &key_of(last.namespace(), last.name())),
        _ => String::new(),
    };
    Ok(Page { items, revision: position.revision, continue_token, remaining })
}

impl Page {
    fn empty(revision: u64) -> Self {
        Self { items: Vec::new(), revision, continue_token: String::new(), remaining: None }
    }
}

/// A selector that names one object of one namespace finds it without looking at the others.
fn pinned(world: &World, target: &Target, selection: &Selection, position: &Position) -> Option<Page> {
    let name = selection.fields.pinned_name()?;
    let one_namespace = !target.resource.namespaced || !target.namespace.is_empty();
    if !one_namespace || position.revision != world.revision() || position.start.is_some() {
        return None;
    }
    let found = target.named(name).lookup(world).map(|object| target.shown(object));
    Some(Page {
        items: found.into_iter().filter(|object| selection.matches(object)).collect(),
        ..Page::empty(position.revision)
    })
}

/// Where a list begins, and which revision it shows.
struct Position {
    revision: u64,
    start: Option<String>,
}

fn position(world: &World, options: &ListOptions) -> Answer<Position> {
    let current = world.revision();
    if !options.continue_token.is_empty() {
        if options.resource_version.is_some_and(|asked| asked != 0) {
            return Err(Status::bad_request("specifying resource version is not allowed when using continue"));
        }
        return continued(current, &options.continue_token);
    }
    let asked = options.resource_version.unwrap_or(0);
    if asked > current {
        return Err(Status::revision_in_the_future(asked, current));
    }
    let exact = match options.resource_version_match {
        Some(matched) => matched == RevisionMatch::Exact,
        // Old clients that page through a revision mean exactly that one.
        None => options.limit > 0 && asked > 0,
    };
    Ok(Position { revision: if exact { asked } else { current }, start: None })
}

fn continued(current: u64, token: &str) -> Answer<Position> {
    let invalid = |why: &str| Status::bad_request(format!("invalid continue token: continue key is not valid: {why}"));
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|error| invalid(&error.to_string()))?;
    // The real server's complaint names bytes, so each of them is read as a letter of its own.
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let parsed = decode::json(text.as_bytes()).map_err(|why| invalid(&why))?.value;
    if parsed["v"] != "meta.k8s.io/v1" {
        return Err(invalid("server does not recognize this encoded version"));
    }
    let start = parsed["start"].as_str().filter(|start| !start.is_empty());
    let start = start.ok_or_else(|| invalid("encoded start key empty (version meta.k8s.io/v1)"))?;
    // A negative revision comes from a refusal of ours and means: go on with whatever is there now.
    let revision = match parsed["rv"].as_i64() {
        Some(revision) if revision > 0 => revision.unsigned_abs(),
        Some(revision) if revision < 0 => current,
        _ => return Err(invalid("incorrect encoded start resourceVersion (version meta.k8s.io/v1)")),
    };
    if revision > current {
        return Err(Status::revision_in_the_future(revision, current));
    }
    Ok(Position { revision, start: Some(start.to_owned()) })
}

fn token(revision: u64, last_key: &str) -> String {
    let start = format!("{last_key}\0");
    encode_token(&json!({"v": "meta.k8s.io/v1", "rv": revision, "start": start}))
}

fn encode_token(token: &Value) -> String {
    URL_SAFE_NO_PAD.encode(token.to_string())
}

fn too_old(position: &Position) -> Box<Status> {
    let Some(start) = &position.start else {
        return Status::expired("The resourceVersion for the provided list is too old.");
    };
    let mut refused = Status::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    );
    refused.resume_with = Some(encode_token(&json!({"v": "meta.k8s.io/v1", "rv": -1, "start": start})));
    refused
}
