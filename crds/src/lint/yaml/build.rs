//! From parser events to a tree.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;
use serde_saphyr::granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, Tag, options};

use super::split::pieces;
use super::{Content, DEEPEST, Document, Entry, LARGEST, Node, Place};
use crate::lint::scalar;
use crate::mistake::{FieldPath, Mistake, Nature};

/// All documents of a text, empty ones left out.
pub(in crate::lint) fn read(text: &str) -> Vec<Document> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut documents = Vec::new();
    for piece in pieces(text) {
        let mut builder = Builder::new(piece.lines_before);
        builder.read(piece.text);
        documents.append(&mut builder.documents);
    }
    documents
}

/// One document under construction.
struct Builder {
    lines_before: usize,
    documents: Vec<Document>,
    start: Place,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Rc<Node>>,
    root: Option<Rc<Node>>,
    mistakes: Vec<(Place, Mistake)>,
}

/// A list or a map whose end has not been reached.
struct Open {
    at: Place,
    anchor: usize,
    inside: Inside,
}

enum Inside {
    List(Vec<Rc<Node>>),
    Map {
        entries: BTreeMap<String, Entry>,
        /// The key whose value comes next; `None` within if it can't be used.
        key: Option<(Option<String>, Place)>,
        /// The maps that `<<` brings in.
        merged: Vec<Rc<Node>>,
    },
}

/// Nothing more can be read of this document.
struct Unreadable(Place, Mistake);

impl Builder {
    fn new(lines_before: usize) -> Builder {
        Builder {
            lines_before,
            documents: Vec::new(),
            start: Place { line: lines_before + 1, column: 1 },
            open: Vec::new(),
            anchors: BTreeMap::new(),
            root: None,
            mistakes: Vec::new(),
        }
    }

    fn read(&mut self, text: &str) {
        let parser = Parser::new_from_str_with_options(text, options! { emit_comments: false });
        for next in parser {
            let done = match next {
                Ok((event, span)) => self.take(event, &span),
                Err(error) => Err(self.syntax(text, &error)),
            };
            if let Err(Unreadable(at, mistake)) = done {
                self.mistakes.push((at, mistake));
                self.root = None;
                self.finish();
                return;
            }
        }
        self.finish();
    }

    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Unreadable> {
        let at = Place { line: self.lines_before + span.start.line(), column: span.start.col() + 1 };
        match event {
            Event::DocumentStart(..) => {
                self.finish();
                self.start = at;
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => self.scalar(at, &text, style, anchor, tag.as_deref()),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) if self.takes_key() => self.key_from(&node, at),
                Some(node) => self.put(node, at),
                None => Err(self.unreadable(at, "stands for something that contains it", "write the value out")),
            },
            Event::SequenceStart(_, anchor, _) => self.open(at, anchor, Inside::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => {
                let inside = Inside::Map { entries: BTreeMap::new(), key: None, merged: Vec::new() };
                self.open(at, anchor, inside)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            _ => Ok(()),
        }
    }

    fn finish(&mut self) {
        let root = self.root.take();
        let mistakes = std::mem::take(&mut self.mistakes);
        let is_empty =
            root.as_ref().is_none_or(|root| matches!(root.content, Content::Scalar { value: Value::Null, .. }));
        if !is_empty || !mistakes.is_empty() {
            self.documents.push(Document { start: self.start, root, mistakes });
        }
        self.open.clear();
        self.anchors.clear();
    }

    fn scalar(
        &mut self,
        at: Place,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), Unreadable> {
        let plain = style == ScalarStyle::Plain;
        if plain && tag.is_none() && text == "<<" && self.takes_key() {
            self.expect_value(None, at);
            return Ok(());
        }
        if plain && tag.is_none() && scalar::is_not_finite(text) {
            let path = self.path();
            let mistake = Mistake::wrong(path, text, "can't be written in JSON", "write a finite number");
            self.mistakes.push((at, mistake));
        }
        let value = match tag {
            None if plain => scalar::plain(text),
            Some(tag) if matches!(tag.core_suffix(), Some("int" | "float" | "bool" | "null")) => scalar::plain(text),
            _ => Value::from(text),
        };
        let word = if value.is_string() || value.is_null() {
            None
        } else {
            let read = value.to_string();
            (read != text).then(|| text.to_owned())
        };
        let size = text.len() + size_of::<Value>();
        let node = Rc::new(Node { at, size, depth: 0, content: Content::Scalar { value, word } });
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        if self.takes_key() { self.key_from(&node, at) } else { self.put(node, at) }
    }

    fn open(&mut self, at: Place, anchor: usize, inside: Inside) -> Result<(), Unreadable> {
        if self.open.len() >= DEEPEST {
            return Err(self.too_deep(at));
        }
        if self.takes_key() {
            return Err(self.unreadable(at, "has a list or a map as a key", "write a text as the key"));
        }
        self.open.push(Open { at, anchor, inside });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Unreadable> {
        let Some(Open { at, anchor, inside }) = self.open.pop() else {
            return Ok(());
        };
        let content = match inside {
            Inside::List(items) => Content::List(items),
            Inside::Map { mut entries, merged, .. } => {
                self.merge(at, &mut entries, &merged);
                Content::Map(entries)
            }
        };
        let node = Rc::new(Node::of(at, content));
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.put(node, at)
    }

    /// What is written out wins over what is brought in, and the first map brought in over the next.
    fn merge(&mut self, at: Place, entries: &mut BTreeMap<String, Entry>, merged: &[Rc<Node>]) {
        for source in merged {
            let maps: &[Rc<Node>] = match &source.content {
                Content::List(items) => items,
                _ => std::slice::from_ref(source),
            };
            for map in maps {
                match &map.content {
                    Content::Map(brought) => {
                        for (key, entry) in brought {
                            entries.entry(key.clone()).or_insert_with(|| entry.clone());
                        }
                    }
                    _ => {
                        let path = self.path().field("<<");
                        let mistake = Mistake::about(path, "merges something that is not a map", "name a map's anchor");
                        self.mistakes.push((at, mistake));
                    }
                }
            }
        }
    }

    /// Whether the next node is a key of a map.
    fn takes_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { inside: Inside::Map { key: None, .. }, .. }))
    }

    fn expect_value(&mut self, name: Option<String>, at: Place) {
        if let Some(Open { inside: Inside::Map { key, .. }, .. }) = self.open.last_mut() {
            *key = Some((name, at));
        }
    }

    fn key_from(&mut self, node: &Node, at: Place) -> Result<(), Unreadable> {
        let name = match &node.content {
            Content::Scalar { value: Value::String(text), .. } => text.clone(),
            // As kubectl does: the key `n` is false, and JSON's keys are texts.
            Content::Scalar { value: value @ (Value::Bool(_) | Value::Number(_)), .. } => value.to_string(),
            _ => return Err(self.unreadable(at, "has a key that is not text", "write a text as the key")),
        };
        self.expect_value(Some(name), at);
        Ok(())
    }

    fn put(&mut self, node: Rc<Node>, at: Place) -> Result<(), Unreadable> {
        if node.size > LARGEST {
            return Err(self.unreadable(
                at,
                "grows beyond 64 MiB when its aliases are written out",
                "use fewer aliases",
            ));
        }
        if self.open.len() + node.depth > DEEPEST {
            return Err(self.too_deep(at));
        }
        if let Some(twice) = self.written_twice() {
            self.mistakes.push(twice);
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.inside {
            Inside::List(items) => items.push(node),
            Inside::Map { entries, key, merged } => match key.take() {
                Some((Some(name), key_at)) => {
                    entries.insert(name, Entry { key_at, node });
                }
                Some((None, _)) => merged.push(node),
                None => {}
            },
        }
        Ok(())
    }

    /// The mistake, if the key that waits for its value has one already.
    fn written_twice(&self) -> Option<(Place, Mistake)> {
        let Open { inside: Inside::Map { entries, key: Some((Some(name), key_at)), .. }, .. } = self.open.last()?
        else {
            return None;
        };
        let first = entries.get(name)?.key_at.line;
        let problem = format!("is written twice, first on line {first}");
        let mistake = Mistake::about(self.path(), problem, "keep one; kubectl takes the last");
        Some((*key_at, Mistake { nature: Nature::Duplicate, ..mistake }))
    }

    /// The path of the node that comes next.
    fn path(&self) -> FieldPath {
        let mut path = FieldPath::root();
        for open in &self.open {
            path = match &open.inside {
                Inside::List(items) => path.index(items.len()),
                Inside::Map { key: Some((Some(name), _)), .. } => path.key(name),
                Inside::Map { key: Some((None, _)), .. } => path.field("<<"),
                Inside::Map { key: None, .. } => path,
            };
        }
        path
    }

    fn too_deep(&self, at: Place) -> Unreadable {
        self.unreadable(at, "is nested too deeply", "flatten it; 100 levels are read")
    }

    fn unreadable(&self, at: Place, problem: &str, mend: &str) -> Unreadable {
        Unreadable(at, Mistake::about(self.path(), problem, mend))
    }

    fn syntax(&self, text: &str, error: &ScanError) -> Unreadable {
        let marker = error.marker();
        let at = Place { line: self.lines_before + marker.line(), column: marker.col() + 1 };
        let line = text.lines().nth(marker.line().saturating_sub(1)).unwrap_or_default();
        let problem = format!("is not YAML: {}", error.kind().to_string().replace(char::is_control, "?"));
        // Where the parser stumbles is often not the field that the mistake is in, so the place has to do.
        Unreadable(at, Mistake::about(FieldPath::root(), problem, syntax_mend(line, error.kind())))
    }
}

impl Node {
    fn of(at: Place, content: Content) -> Node {
        let own = size_of::<Value>();
        let (size, depth) = match &content {
            Content::Scalar { .. } => (own, 0),
            Content::List(items) => items
                .iter()
                .fold((own, 0), |(size, depth), item| (size.saturating_add(item.size), depth.max(item.depth + 1))),
            Content::Map(entries) => entries.iter().fold((own, 0), |(size, depth), (key, entry)| {
                let added = entry.node.size.saturating_add(key.len());
                (size.saturating_add(added), depth.max(entry.node.depth + 1))
            }),
        };
        Node { at, content, depth, size }
    }
}

/// The likeliest mend for what the parser stumbled over.
fn syntax_mend(line: &str, kind: &ErrorKind) -> &'static str {
    let indent = line.len() - line.trim_start().len();
    if line.contains("{{") {
        return "render the template first and lint what comes out";
    }
    if line[..indent].contains('\t') {
        return "indent with spaces, never with tabs";
    }
    match kind {
        ErrorKind::UnknownAnchor => "define the anchor (&name) above, in the same document",
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            "put a text that contains \": \" in quotes"
        }
        ErrorKind::InvalidIndentation | ErrorKind::ExpectedBlockMappingKey | ErrorKind::ExpectedBlockSequenceEntry => {
            "line it up with its neighbours"
        }
        ErrorKind::UnclosedQuotedScalar | ErrorKind::InvalidQuotedScalarIndent => "close the quote",
        _ => "mend the line; nothing behind it in this document was read",
    }
}
