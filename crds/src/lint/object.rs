//! The objects in a document, and how one is called.

use std::fmt;
use std::rc::Rc;

use serde_json::Value;

use super::Finding;
use super::yaml::{Node, Place};
use crate::mistake::{FieldPath, Mistake, word};
use crate::validate::NOT_TEXT;
use crate::values::quoted;
use crate::{AnalysisTemplate, ClusterAnalysisTemplate, Rollout};

/// What an object calls itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectName {
    /// Its kind.
    pub kind: String,
    /// Its namespace; empty if it does not say.
    pub namespace: String,
    /// Its name; empty if it does not say.
    pub name: String,
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&word(&self.kind))?;
        if !self.name.is_empty() {
            write!(f, " {}", word(&self.name))?;
        }
        Ok(())
    }
}

/// An object of a text.
pub(super) struct Object {
    pub(super) name: ObjectName,
    pub(super) api_version: String,
    pub(super) content: Content,
    /// Whether it is of one of Sluice's kinds.
    pub(super) is_ours: bool,
    document: Rc<Node>,
    start: Place,
    /// Where in its document it stands: at the top, or among the items of a List.
    base: FieldPath,
}

/// What an object says.
pub(super) enum Content {
    Rollout(Box<Rollout>),
    AnalysisTemplate(Box<AnalysisTemplate>),
    ClusterAnalysisTemplate(Box<ClusterAnalysisTemplate>),
    /// Anything else, as it was written.
    Other(Value),
}

impl Object {
    /// The finding of a mistake in this object.
    pub(super) fn finding(&self, mistake: Mistake) -> Finding {
        let path = self.base.then(&mistake.path);
        let place = if path.is_root() { self.start } else { self.document.place_of(&path) };
        let mistake = self.in_their_words(Mistake { path, ..mistake });
        Finding { place, object: Some(self.name.clone()), mistake, picture: None }
    }

    /// A text that YAML reads as something else is told with the word that its author sees: `1.10`, not 1.1.
    fn in_their_words(&self, mistake: Mistake) -> Mistake {
        let written = self.document.word_at(&mistake.path).filter(|_| mistake.problem == NOT_TEXT);
        let (Some(written), Some(value)) = (written, &mistake.value) else {
            return mistake;
        };
        if mistake.path.holds_a_secret() {
            return mistake;
        }
        let problem = format!("without quotes is {}, not text", value.as_str());
        let mend = format!("write {}", quoted(written));
        Mistake { value: Some(written.into()), problem, mend, ..mistake }
    }

    /// Whether a path of the document leads into this object.
    pub(super) fn holds(&self, path: &FieldPath) -> bool {
        self.base.holds(path)
    }

    /// Whether `other` names an object that this one can refer to: both in one namespace, as far as they say.
    pub(super) fn shares_namespace(&self, other: &Object) -> bool {
        self.name.namespace == other.name.namespace
    }
}

/// The objects of a document: itself, or the items of a List.
pub(super) fn objects_of(root: &Rc<Node>, start: Place) -> Vec<Object> {
    let json = root.to_json();
    let kind = json.get("kind").and_then(Value::as_str).unwrap_or_default();
    let items = match json.get("items") {
        Some(Value::Array(items)) if kind == "List" || kind.ends_with("List") => items.clone(),
        _ => {
            return vec![object(json, FieldPath::root(), root, start)];
        }
    };
    let base = FieldPath::of("items");
    let items = items.into_iter().enumerate();
    items.map(|(index, item)| object(item, base.index(index), root, start)).collect()
}

fn object(json: Value, base: FieldPath, document: &Rc<Node>, start: Place) -> Object {
    let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    Object {
        name: ObjectName { kind: text("/kind"), namespace: text("/metadata/namespace"), name: text("/metadata/name") },
        api_version: text("/apiVersion"),
        content: Content::Other(json),
        is_ours: false,
        document: Rc::clone(document),
        start,
        base,
    }
}
