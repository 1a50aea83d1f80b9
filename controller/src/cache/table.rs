//! The objects of one kind as the watch has shown them, found by name or by owner.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Name;

/// One object, trimmed to what plans read.
#[derive(Debug)]
pub(crate) struct Cached<T> {
    pub(crate) name: Name,
    pub(crate) uid: Arc<str>,
    /// The uid of the controller that owns it.
    pub(crate) owner: Option<Arc<str>>,
    pub(crate) version: String,
    pub(crate) object: Arc<T>,
}

impl<T> Clone for Cached<T> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            uid: Arc::clone(&self.uid),
            owner: self.owner.clone(),
            version: self.version.clone(),
            object: Arc::clone(&self.object),
        }
    }
}

/// All objects of a kind.
#[derive(Debug)]
pub(crate) struct Table<T> {
    objects: BTreeMap<Name, Cached<T>>,
    /// By the uid of the owner.
    owned: BTreeSet<(Arc<str>, Name)>,
    unowned: BTreeSet<Name>,
    by_uid: BTreeMap<Arc<str>, Name>,
    /// What the list in progress has shown so far.
    listing: Option<BTreeSet<Name>>,
    listed: bool,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            owned: BTreeSet::new(),
            unowned: BTreeSet::new(),
            by_uid: BTreeMap::new(),
            listing: None,
            listed: false,
        }
    }
}

impl<T> Table<T> {
    /// Takes in a state of an object and returns the one before.
    pub(crate) fn apply(&mut self, object: Cached<T>) -> Option<Cached<T>> {
        if let Some(listing) = &mut self.listing {
            listing.insert(object.name.clone());
        }
        let previous = self.objects.insert(object.name.clone(), object.clone());
        if let Some(previous) = &previous {
            self.unindex(previous);
        }
        self.by_uid.insert(object.uid, object.name.clone());
        match object.owner {
            Some(owner) => self.owned.insert((owner, object.name)),
            None => self.unowned.insert(object.name),
        };
        previous
    }

    /// Drops an object and returns its last state.
    pub(crate) fn remove(&mut self, name: &Name) -> Option<Cached<T>> {
        let removed = self.objects.remove(name)?;
        self.unindex(&removed);
        Some(removed)
    }

    /// An object is there but can't be read: a list in progress has shown it, and what was known of it stays.
    pub(crate) fn keep(&mut self, name: &Name) {
        if let Some(listing) = &mut self.listing {
            listing.insert(name.clone());
        }
    }

    /// The watch starts over with a list of what there is.
    pub(crate) fn begin_list(&mut self) {
        self.listing = Some(BTreeSet::new());
    }

    /// The list is complete. Returns what it no longer had: the deletions that no watch event told of.
    pub(crate) fn end_list(&mut self) -> Vec<Cached<T>> {
        self.listed = true;
        let Some(listing) = self.listing.take() else { return Vec::new() };
        let vanished: Vec<Name> = self.objects.keys().filter(|name| !listing.contains(*name)).cloned().collect();
        vanished.iter().filter_map(|name| self.remove(name)).collect()
    }

    /// Whether a first list was complete.
    pub(crate) fn is_listed(&self) -> bool {
        self.listed
    }

    pub(crate) fn get(&self, name: &Name) -> Option<&Cached<T>> {
        self.objects.get(name)
    }

    pub(crate) fn with_uid(&self, uid: &str) -> Option<&Cached<T>> {
        self.objects.get(self.by_uid.get(uid)?)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Cached<T>> {
        self.objects.values()
    }

    /// Objects of a namespace, by name.
    pub(crate) fn in_namespace<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Cached<T>> {
        let first = Name::new(namespace, "");
        self.objects.range(first..).map(|(_, object)| object).take_while(move |o| *o.name.namespace == *namespace)
    }

    /// Objects of a namespace that no controller owns, by name.
    pub(crate) fn unowned_in<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Cached<T>> {
        let first = Name::new(namespace, "");
        let names = self.unowned.range(first..).take_while(move |name| *name.namespace == *namespace);
        names.filter_map(|name| self.objects.get(name))
    }

    /// Objects of a namespace whose name begins like this, by name.
    pub(crate) fn named_like<'a>(&'a self, namespace: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a Cached<T>> {
        let first = Name::new(namespace, prefix);
        let objects = self.objects.range(first..).map(|(_, object)| object);
        objects.take_while(move |object| *object.name.namespace == *namespace && object.name.name.starts_with(prefix))
    }

    /// Objects that a controller of this uid owns, by name.
    pub(crate) fn owned_by<'a>(&'a self, uid: &'a str) -> impl Iterator<Item = &'a Cached<T>> {
        let first = (Arc::from(uid), Name::new("", ""));
        let owned = self.owned.range(first..).take_while(move |(owner, _)| **owner == *uid);
        owned.filter_map(|(_, name)| self.objects.get(name))
    }

    fn unindex(&mut self, object: &Cached<T>) {
        self.by_uid.remove(&object.uid);
        match &object.owner {
            Some(owner) => self.owned.remove(&(Arc::clone(owner), object.name.clone())),
            None => self.unowned.remove(&object.name),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str, owner: Option<&str>) -> Cached<()> {
        Cached {
            name: Name::new("shop", name),
            uid: format!("uid-{name}").into(),
            owner: owner.map(Arc::from),
            version: "1".to_owned(),
            object: Arc::new(()),
        }
    }

    fn names<'a>(objects: impl Iterator<Item = &'a Cached<()>>) -> Vec<&'a str> {
        objects.map(|object| &*object.name.name).collect()
    }

    #[test]
    fn an_owner_finds_what_it_owns_and_only_that() {
        let mut table = Table::default();
        for (name, owner) in [("a", Some("x")), ("b", Some("y")), ("c", None), ("d", Some("x"))] {
            table.apply(object(name, owner));
        }
        assert_eq!(names(table.owned_by("x")), ["a", "d"]);
        table.apply(object("a", Some("y")));
        table.remove(&Name::new("shop", "b"));
        assert_eq!(names(table.owned_by("x")), ["d"]);
        assert_eq!(names(table.owned_by("y")), ["a"]);
        table.apply(object("d", None));
        assert_eq!(names(table.unowned_in("shop")), ["c", "d"]);
        assert!(table.owned.iter().all(|(owner, _)| &**owner == "y"), "{:?}", table.owned);
    }

    #[test]
    fn a_new_list_tells_what_vanished_in_between() {
        let mut table = Table::default();
        table.begin_list();
        table.apply(object("a", Some("x")));
        table.apply(object("b", Some("x")));
        table.apply(object("broken", None));
        assert!(table.end_list().is_empty());
        table.begin_list();
        table.apply(object("b", Some("x")));
        table.keep(&Name::new("shop", "broken"));
        assert_eq!(names(table.end_list().iter()), ["a"]);
        assert_eq!(names(table.owned_by("x")), ["b"]);
    }

    #[test]
    fn a_list_that_was_cut_off_takes_nothing_away() {
        let mut table = Table::default();
        table.begin_list();
        table.apply(object("a", None));
        assert!(!table.is_listed());
        table.end_list();
        table.begin_list();
        table.begin_list();
        table.apply(object("a", None));
        assert!(table.end_list().is_empty());
        assert!(table.is_listed());
    }

    #[test]
    fn a_namespace_ends_where_the_next_begins() {
        let mut table = Table::default();
        for (namespace, name) in [("shop", "a"), ("shop", "b"), ("shop-2", "c"), ("sho", "z")] {
            table.apply(Cached { name: Name::new(namespace, name), ..object(name, None) });
        }
        assert_eq!(names(table.in_namespace("shop")), ["a", "b"]);
        assert_eq!(names(table.unowned_in("shop")), ["a", "b"]);
    }

    #[test]
    fn objects_are_found_by_how_their_name_begins() {
        let mut table = Table::default();
        for name in ["web", "web-1", "web-2", "web2-1", "wea"] {
            table.apply(object(name, None));
        }
        assert_eq!(names(table.named_like("shop", "web-")), ["web-1", "web-2"]);
    }
}
