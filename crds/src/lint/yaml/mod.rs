//! YAML text as a tree that knows where everything is written.
//!
//! The tree is built from parser events and not by deserialising, because lint has to say on which line a mistake
//! is, which key is written twice, and what else is wrong in the documents behind one that can't be read.

mod build;
mod split;

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};

pub(super) use build::read;

use crate::mistake::{FieldPath, Mistake, Segment};

/// Nesting beyond this is an attack or an accident.
const DEEPEST: usize = 100;

/// What a document may grow to when its aliases are written out, in bytes. The largest object that an API server
/// stores has about three million; nested aliases reach any number from a few lines.
const LARGEST: usize = 64 * 1024 * 1024;

/// A place in the text, both counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// One document of a text.
#[derive(Debug)]
pub(super) struct Document {
    /// Where it begins.
    pub(super) start: Place,
    /// What it says; `None` where it could not be read to its end.
    pub(super) root: Option<Rc<Node>>,
    /// What is wrong with the text itself.
    pub(super) mistakes: Vec<(Place, Mistake)>,
}

/// A value and where it is written. Aliases share what they stand for.
#[derive(Debug)]
pub(super) struct Node {
    at: Place,
    content: Content,
    /// How deep it nests, 0 for a scalar.
    depth: usize,
    /// How large it is with its aliases written out.
    size: usize,
}

#[derive(Debug)]
enum Content {
    Scalar {
        value: Value,
        /// The word as it is written, where its value is written otherwise: `yes` is true, `1.10` is 1.1.
        word: Option<String>,
    },
    List(Vec<Rc<Node>>),
    Map(BTreeMap<String, Entry>),
}

#[derive(Clone, Debug)]
struct Entry {
    key_at: Place,
    node: Rc<Node>,
}

impl Node {
    /// The JSON that an API server would be sent.
    pub(super) fn to_json(&self) -> Value {
        match &self.content {
            Content::Scalar { value, .. } => value.clone(),
            Content::List(items) => items.iter().map(|item| item.to_json()).collect(),
            Content::Map(entries) => {
                let fields = entries.iter().map(|(key, entry)| (key.clone(), entry.node.to_json()));
                Value::Object(fields.collect::<Map<String, Value>>())
            }
        }
    }

    /// Where the field is written, or the nearest field above it that is.
    pub(super) fn place_of(&self, path: &FieldPath) -> Place {
        self.nearest(path).0
    }

    /// The word that is written in the field, where its value is written otherwise.
    pub(super) fn word_at(&self, path: &FieldPath) -> Option<&str> {
        match self.nearest(path) {
            (_, Node { content: Content::Scalar { word, .. }, .. }) => word.as_deref(),
            _ => None,
        }
    }

    /// The field, or the nearest one above it that is written, and where.
    fn nearest(&self, path: &FieldPath) -> (Place, &Node) {
        let mut node = self;
        let mut at = self.at;
        for segment in path.segments() {
            match (segment, &node.content) {
                (Segment::Field(name), Content::Map(entries)) => {
                    let Some(entry) = entries.get(name.as_ref()) else {
                        break;
                    };
                    at = entry.key_at;
                    node = &entry.node;
                }
                (Segment::Index(index), Content::List(items)) => {
                    let Some(item) = items.get(*index) else {
                        break;
                    };
                    at = item.at;
                    node = item;
                }
                _ => break,
            }
        }
        (at, node)
    }
}
