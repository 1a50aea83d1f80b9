//! The objects that traffic is routed by, and those that templates are taken from: those that some Rollout needs, and
//! no others.
//!
//! A cluster may have thousands of Ingresses of which two are ours, so what no Rollout needs is dropped as it arrives.
//! An object that a Rollout begins to need is therefore not here although the watch has shown it: it has to be read.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use std::sync::Arc;

use serde_json::Value;
use sluice_planner::{Workload, WorkloadName, WorkloadSeen, Workloads};
use sluice_traffic::{Needs, Objects, Seen};

use super::{Cached, Name, Watched};

/// An object that is kept while it is needed.
#[derive(Clone, Debug)]
pub(crate) enum Needed {
    /// One that traffic is routed by, whole.
    Route(Arc<Value>),
    /// One that a template is taken from.
    Workload(Arc<Workload>),
}

/// What a Rollout needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wants {
    pub(crate) routing: Needs,
    pub(crate) workloads: BTreeSet<WorkloadName>,
}

/// All kinds of them.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    /// The one namespace that is looked at; empty for all.
    scope: String,
    needs: BTreeMap<Name, Wants>,
    kinds: BTreeMap<Watched, OfKind>,
    /// Something is to be watched or read that wasn't, or the other way round.
    stirred: bool,
}

/// What is known of one kind. What is needed of it is a name: that of an object, or for ReferenceGrants that of a
/// whole namespace.
#[derive(Debug, Default)]
struct OfKind {
    /// The Rollouts that need each.
    users: BTreeMap<Name, BTreeSet<Name>>,
    objects: BTreeMap<Name, Cached<Needed>>,
    /// What is needed and was looked for: what is not among the objects isn't there.
    known: BTreeSet<Name>,
    /// Of what is being read, the objects that are gone already.
    gone: BTreeSet<Name>,
    sight: Sight,
    /// The version of its API in which it is watched.
    version: &'static str,
}

#[derive(Debug, Default)]
enum Sight {
    /// Nobody has looked yet.
    #[default]
    None,
    /// The cluster doesn't know the kind.
    KindAbsent,
    /// This account may not look.
    Forbidden,
    /// A list is under way.
    Listing {
        /// What was needed when it began: the list tells for sure whether that is there.
        expected: BTreeSet<Name>,
        shown: BTreeSet<Name>,
    },
    /// The watch shows every change.
    Watching,
}

/// Something that has to be read because no list or watch event will show it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unread {
    pub(crate) kind: Watched,
    pub(crate) version: &'static str,
    /// The object, or without a name all of a namespace.
    pub(crate) name: Name,
}

impl Routes {
    /// Only this namespace can be looked at. What is needed of others stays unknown.
    pub(crate) fn look_only_at(&mut self, namespace: &str) {
        namespace.clone_into(&mut self.scope);
    }

    /// Notes what a Rollout needs now.
    pub(crate) fn set_needs(&mut self, rollout: &Name, needs: Wants) {
        let before = self.needs.get(rollout);
        if before.map_or(needs == Wants::default(), |before| *before == needs) {
            return;
        }
        let before = before.map(|needs| wanted(rollout, needs)).unwrap_or_default();
        let after = wanted(rollout, &needs);
        for (kind, name) in before.difference(&after) {
            self.drop_need(*kind, name, rollout);
        }
        for (kind, name) in after.difference(&before) {
            if !self.scope.is_empty() && *name.namespace != *self.scope {
                tracing::warn!(
                    %rollout,
                    "{} {name} can't be looked at: this controller sees the namespace {} only",
                    kind.as_str(),
                    self.scope
                );
                continue;
            }
            let of_kind = self.kinds.entry(*kind).or_default();
            of_kind.users.entry(name.clone()).or_default().insert(rollout.clone());
        }
        if after.is_empty() {
            self.needs.remove(rollout);
        } else {
            self.needs.insert(rollout.clone(), needs);
        }
        self.stirred = true;
    }

    /// Whether there may be something new to watch or to read since this was last asked.
    pub(crate) fn take_stirred(&mut self) -> bool {
        mem::take(&mut self.stirred)
    }

    /// The kinds that are to be watched.
    pub(crate) fn needed_kinds(&self) -> BTreeSet<Watched> {
        self.kinds.iter().filter(|(_, of_kind)| !of_kind.users.is_empty()).map(|(kind, _)| *kind).collect()
    }

    /// All that is needed of a kind.
    pub(crate) fn needed(&self, kind: Watched) -> Vec<Name> {
        self.kinds.get(&kind).into_iter().flat_map(|of_kind| of_kind.users.keys().cloned()).collect()
    }

    /// What is needed and will not be seen unless it is read. While a list is under way it may still come.
    pub(crate) fn unread(&self) -> Vec<Unread> {
        let watched = self.kinds.iter().filter(|(_, of_kind)| matches!(of_kind.sight, Sight::Watching));
        let unread = watched.flat_map(|(kind, of_kind)| {
            let names = of_kind.users.keys().filter(|name| !of_kind.known.contains(*name));
            names.map(|name| Unread { kind: *kind, version: of_kind.version, name: name.clone() })
        });
        unread.collect()
    }

    /// The cluster serves this kind in this version, and its watch begins.
    pub(crate) fn begin_watch(&mut self, kind: Watched, version: &'static str) {
        if let Some(of_kind) = self.kinds.get_mut(&kind) {
            of_kind.version = version;
        }
    }

    /// The kind is no longer watched, and nothing is known of it any more.
    pub(crate) fn end_watch(&mut self, kind: Watched) {
        if let Some(of_kind) = self.kinds.remove(&kind)
            && !of_kind.users.is_empty()
        {
            // Somebody needs it again: it is to be watched from the beginning.
            self.kinds.insert(kind, OfKind { users: of_kind.users, ..OfKind::default() });
            self.stirred = true;
        }
    }

    /// The cluster doesn't know the kind. Returns the Rollouts that need it, where that is news.
    pub(crate) fn kind_absent(&mut self, kind: Watched) -> BTreeSet<Name> {
        let Some(of_kind) = self.kinds.get_mut(&kind) else { return BTreeSet::new() };
        if matches!(of_kind.sight, Sight::KindAbsent) {
            return BTreeSet::new();
        }
        let users = mem::take(&mut of_kind.users);
        let concerned = users.values().flatten().cloned().collect();
        *of_kind = OfKind { users, sight: Sight::KindAbsent, ..OfKind::default() };
        concerned
    }

    /// This account may not look at objects of this kind. Returns the Rollouts that take templates from them, which can
    /// say so, where that is news.
    pub(crate) fn forbidden(&mut self, kind: Watched) -> BTreeSet<Name> {
        let Some(of_kind) = self.kinds.get_mut(&kind).filter(|_| matches!(kind, Watched::Workload(_))) else {
            return BTreeSet::new();
        };
        if !of_kind.known.is_empty() {
            // What was seen before is better than nothing.
            return BTreeSet::new();
        }
        of_kind.sight = Sight::Forbidden;
        of_kind.users.values().flatten().cloned().collect()
    }

    /// Takes in a state of an object, if somebody needs it. Returns the Rollouts that it concerns.
    pub(crate) fn apply(&mut self, kind: Watched, object: Cached<Needed>) -> BTreeSet<Name> {
        let Some(of_kind) = self.kinds.get_mut(&kind) else { return BTreeSet::new() };
        let needed = needed_as(kind, &object.name);
        let Some(users) = of_kind.users.get(&needed) else { return BTreeSet::new() };
        let before = of_kind.objects.get(&object.name).map(|before| before.version.as_str());
        match &mut of_kind.sight {
            Sight::Listing { shown, .. } => drop(shown.insert(object.name.clone())),
            // What was read may be ahead of the watch.
            _ if before.is_some_and(|before| is_older(&object.version, before)) => return BTreeSet::new(),
            _ => {}
        }
        if before == Some(object.version.as_str()) {
            return BTreeSet::new();
        }
        if kind != Watched::ReferenceGrant {
            of_kind.known.insert(needed);
        }
        of_kind.gone.remove(&object.name);
        of_kind.objects.insert(object.name.clone(), object);
        users.clone()
    }

    /// What was read. What a list or the watch has shown meanwhile is newer. Returns the Rollouts that it concerns.
    pub(crate) fn take_read(&mut self, kind: Watched, needed: &Name, found: Vec<Cached<Needed>>) -> BTreeSet<Name> {
        let Some(of_kind) = self.kinds.get_mut(&kind) else { return BTreeSet::new() };
        let users = of_kind.users.get(needed).cloned();
        let (Some(users), Sight::Watching) = (users, &of_kind.sight) else { return BTreeSet::new() };
        if !of_kind.known.insert(needed.clone()) {
            return BTreeSet::new();
        }
        for object in found {
            let held = of_kind.objects.get(&object.name);
            let is_newer = held.is_none_or(|held| is_older(&held.version, &object.version));
            if is_newer && !of_kind.gone.contains(&object.name) {
                of_kind.objects.insert(object.name.clone(), object);
            }
        }
        of_kind.gone.retain(|name| needed_as(kind, name) != *needed);
        users
    }

    /// An object is gone. Returns the Rollouts that it concerns.
    pub(crate) fn remove(&mut self, kind: Watched, name: &Name) -> BTreeSet<Name> {
        let Some(of_kind) = self.kinds.get_mut(&kind) else { return BTreeSet::new() };
        let needed = needed_as(kind, name);
        let Some(users) = of_kind.users.get(&needed) else { return BTreeSet::new() };
        of_kind.objects.remove(name);
        if kind != Watched::ReferenceGrant {
            of_kind.known.insert(needed);
        } else if !of_kind.known.contains(&needed) {
            of_kind.gone.insert(name.clone());
        }
        users.clone()
    }

    /// An object that can't be read is there all the same.
    pub(crate) fn keep(&mut self, kind: Watched, name: &Name) {
        let sight = self.kinds.get_mut(&kind).map(|of_kind| &mut of_kind.sight);
        if let Some(Sight::Listing { expected, shown }) = sight {
            shown.insert(name.clone());
            // Nobody knows what it says, so it isn't known to be absent.
            expected.remove(&needed_as(kind, name));
        }
    }

    /// The watch of a kind starts over with a list.
    pub(crate) fn begin_list(&mut self, kind: Watched) {
        if let Some(of_kind) = self.kinds.get_mut(&kind) {
            let expected = of_kind.users.keys().cloned().collect();
            of_kind.sight = Sight::Listing { expected, shown: BTreeSet::new() };
        }
    }

    /// A list is complete. Returns what vanished without an event and what is now known not to be there, and the
    /// Rollouts that each of these concerns.
    pub(crate) fn end_list(&mut self, kind: Watched) -> Vec<(Name, BTreeSet<Name>)> {
        let Some(of_kind) = self.kinds.get_mut(&kind) else { return Vec::new() };
        let Sight::Listing { expected, shown } = mem::take(&mut of_kind.sight) else { return Vec::new() };
        of_kind.sight = Sight::Watching;
        self.stirred = true;
        let vanished = of_kind.objects.keys().filter(|name| !shown.contains(*name));
        let vanished: Vec<Name> = vanished.filter(|name| expected.contains(&needed_as(kind, name))).cloned().collect();
        for name in &vanished {
            of_kind.objects.remove(name);
        }
        let mut news: Vec<(Name, BTreeSet<Name>)> = Vec::new();
        for name in vanished {
            let users = of_kind.users.get(&needed_as(kind, &name)).cloned();
            news.push((name, users.unwrap_or_default()));
        }
        for needed in expected {
            if let Some(users) = of_kind.users.get(&needed)
                && of_kind.known.insert(needed.clone())
            {
                news.push((needed, users.clone()));
            }
        }
        news
    }

    /// The version at which an object was last seen.
    pub(crate) fn version(&self, kind: Watched, name: &Name) -> Option<&str> {
        self.kinds.get(&kind)?.objects.get(name).map(|object| object.version.as_str())
    }

    /// What is known of the workloads that a Rollout needs.
    pub(crate) fn workloads(&self, rollout: &Name) -> Workloads {
        let wanted = self.needs.get(rollout).into_iter().flat_map(|wants| &wants.workloads);
        let seen = |workload: &WorkloadName| {
            let of_kind = self.kinds.get(&Watched::Workload(workload.kind))?;
            let name = Name::new(&rollout.namespace, &workload.name);
            match &of_kind.sight {
                Sight::Forbidden => Some(WorkloadSeen::Forbidden),
                _ if !of_kind.known.contains(&name) => None,
                _ => match of_kind.objects.get(&name).map(|there| &*there.object) {
                    Some(Needed::Workload(there)) => Some(WorkloadSeen::There(Arc::clone(there))),
                    Some(Needed::Route(_)) | None => Some(WorkloadSeen::Absent),
                },
            }
        };
        wanted.filter_map(|workload| Some((workload.clone(), seen(workload)?))).collect()
    }

    /// What is known of all that a Rollout's routing needs.
    pub(crate) fn objects(&self, rollout: &Name) -> Objects {
        let mut found = Objects::default();
        let Some(Wants { routing: needs, .. }) = self.needs.get(rollout) else { return found };
        for object in &needs.objects {
            let Some(of_kind) = self.kinds.get(&Watched::Route(object.kind)) else { continue };
            let name = Name::new(&object.namespace, &object.name);
            let seen = match &of_kind.sight {
                Sight::KindAbsent => Seen::KindAbsent,
                _ if !of_kind.known.contains(&name) => continue,
                _ => of_kind.objects.get(&name).and_then(route).map_or(Seen::Absent, Seen::There),
            };
            found.insert(object.clone(), seen);
        }
        for namespace in &needs.grants_in {
            let Some(of_kind) = self.kinds.get(&Watched::ReferenceGrant) else { continue };
            let all = Name::new(namespace, "");
            // Without the kind there are none.
            if matches!(of_kind.sight, Sight::KindAbsent) || of_kind.known.contains(&all) {
                let grants = of_kind.objects.range(all..).take_while(|(name, _)| *name.namespace == **namespace);
                found.insert_grants(namespace, grants.filter_map(|(_, grant)| route(grant)).collect());
            }
        }
        found
    }

    fn drop_need(&mut self, kind: Watched, needed: &Name, rollout: &Name) {
        let Some(of_kind) = self.kinds.get_mut(&kind) else { return };
        let Some(users) = of_kind.users.get_mut(needed) else { return };
        users.remove(rollout);
        if users.is_empty() {
            of_kind.users.remove(needed);
            of_kind.known.remove(needed);
            of_kind.gone.retain(|name| needed_as(kind, name) != *needed);
            of_kind.objects.retain(|name, _| needed_as(kind, name) != *needed);
        }
    }
}

/// All that is needed, by kind.
fn wanted(rollout: &Name, wants: &Wants) -> BTreeSet<(Watched, Name)> {
    let Wants { routing: needs, workloads } = wants;
    let objects = needs.objects.iter();
    let objects = objects.map(|object| (Watched::Route(object.kind), Name::new(&object.namespace, &object.name)));
    let grants = needs.grants_in.iter().map(|namespace| (Watched::ReferenceGrant, Name::new(namespace, "")));
    let workloads = workloads.iter().map(|workload| {
        let name = Name { namespace: Arc::clone(&rollout.namespace), name: workload.name.as_str().into() };
        (Watched::Workload(workload.kind), name)
    });
    objects.chain(grants).chain(workloads).collect()
}

fn route(object: &Cached<Needed>) -> Option<Arc<Value>> {
    match &*object.object {
        Needed::Route(route) => Some(Arc::clone(route)),
        Needed::Workload(_) => None,
    }
}

/// As what an object is needed.
fn needed_as(kind: Watched, name: &Name) -> Name {
    if kind == Watched::ReferenceGrant { Name::new(&name.namespace, "") } else { name.clone() }
}

/// Versions of one kind grow. Those that aren't numbers can't be compared, and the later comer counts.
fn is_older(version: &str, than: &str) -> bool {
    matches!((version.parse::<u64>(), than.parse::<u64>()), (Ok(version), Ok(than)) if version < than)
}

#[cfg(test)]
mod tests;
