//! What a controller has seen: a cache that each watch fills at its own pace.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use sluice_crds::{AnalysisRun, Rollout};
use sluice_planner::{Pod, ReadRollout, ReplicaSet, Service, Snapshot, Template, Workloads};
use sluice_sandbox::World;
use sluice_sandbox::world::{ChangeKind, Object, ResourceKey};
use sluice_scenarios::Seen;
use sluice_traffic::{Needs, Objects};

use crate::oaths::Sight;

/// The kinds that are watched, as group and plural.
pub const KINDS: [(&str, &str); 10] = [
    ("argoproj.io", "rollouts"),
    ("apps", "replicasets"),
    ("", "pods"),
    ("", "services"),
    ("argoproj.io", "analysisruns"),
    ("argoproj.io", "analysistemplates"),
    ("networking.k8s.io", "ingresses"),
    ("networking.istio.io", "virtualservices"),
    ("networking.istio.io", "destinationrules"),
    ("gateway.networking.k8s.io", "httproutes"),
];
const ROUTES: std::ops::Range<usize> = 6..10;

/// An object as it was stored, and as it was read.
#[derive(Clone)]
struct Both<T> {
    object: Arc<Object>,
    read: Arc<T>,
}

type Table<T> = BTreeMap<String, Both<T>>;

/// All that one controller has seen.
#[derive(Clone, Default)]
pub(crate) struct Cache {
    seen: [u64; KINDS.len()],
    rollouts: Table<ReadRollout>,
    replica_sets: Table<ReplicaSet>,
    pods: Table<Pod>,
    services: Table<Service>,
    runs: Table<AnalysisRun>,
    templates: Table<Template>,
    routes: BTreeMap<(usize, String), Arc<Object>>,
}

/// An object of which a watch has shown something new; no version where it is gone.
pub(crate) struct News {
    pub(crate) name: String,
    pub(crate) version: Option<u64>,
}

impl Cache {
    /// Takes in what happened to the objects of a kind up to a revision.
    pub(crate) fn catch_up(&mut self, world: &World, kind: usize, revision: u64) -> Vec<News> {
        let (group, plural) = KINDS[kind];
        let since = self.seen[kind];
        self.seen[kind] = since.max(revision);
        let Some(collection) = world.collection(&ResourceKey::new(group, plural)) else { return Vec::new() };
        let changes = collection.changes_after(since).take_while(|change| change.revision <= revision);
        // Of several changes only the last one counts, as after a watch that broke.
        let last: BTreeMap<&str, _> = changes.map(|change| (change.object.name(), change)).collect();
        let mut news = Vec::new();
        for (name, change) in last {
            let is_gone = change.kind == ChangeKind::Deleted;
            self.put(kind, name, (!is_gone).then(|| Arc::clone(&change.object)));
            news.push(News { name: name.to_owned(), version: (!is_gone).then_some(change.revision) });
        }
        news
    }

    /// Whether something of a kind has yet to be seen up to a revision.
    pub(crate) fn is_behind(&self, kind: usize, revision: u64) -> bool {
        self.seen[kind] < revision
    }

    /// The first change of a kind that is not seen yet.
    pub(crate) fn next_unseen(&self, world: &World, kind: usize) -> Option<u64> {
        let (group, plural) = KINDS[kind];
        let collection = world.collection(&ResourceKey::new(group, plural))?;
        collection.changes_after(self.seen[kind]).next().map(|change| change.revision)
    }

    /// Reads one object past the watches.
    pub(crate) fn look_at(&mut self, world: &World, kind: usize, name: &str) {
        let (group, plural) = KINDS[kind];
        if let Some(object) = world.get(group, plural, "default", name) {
            self.put(kind, name, Some(Arc::clone(object)));
        }
    }

    fn put(&mut self, kind: usize, name: &str, object: Option<Arc<Object>>) {
        match kind {
            0 => put(&mut self.rollouts, name, object, |value| decoded::<Rollout>(value).map(ReadRollout::from)),
            1 => put(&mut self.replica_sets, name, object, ReplicaSet::from_json),
            2 => put(&mut self.pods, name, object, Pod::from_json),
            3 => put(&mut self.services, name, object, Service::from_json),
            4 => put(&mut self.runs, name, object, decoded::<AnalysisRun>),
            5 => put(&mut self.templates, name, object, Template::from_json),
            _ => {
                let key = (kind, name.to_owned());
                match object {
                    Some(object) => self.routes.insert(key, object),
                    None => self.routes.remove(&key),
                };
            }
        }
    }

    /// The version at which an object was last seen.
    pub(crate) fn version(&self, kind: usize, name: &str) -> Option<u64> {
        fn of<T>(table: &Table<T>, name: &str) -> Option<u64> {
            table.get(name).map(|both| both.object.revision())
        }
        match kind {
            0 => of(&self.rollouts, name),
            1 => of(&self.replica_sets, name),
            2 => of(&self.pods, name),
            3 => of(&self.services, name),
            4 => of(&self.runs, name),
            5 => of(&self.templates, name),
            _ => self.routes.get(&(kind, name.to_owned())).map(|object| object.revision()),
        }
    }

    /// The Rollout.
    pub(crate) fn rollout(&self) -> Option<&Arc<Object>> {
        self.rollouts.values().next().map(|both| &both.object)
    }

    /// What a plan is made from.
    pub(crate) fn snapshot(&self) -> Option<Snapshot> {
        let rollout = Arc::clone(&self.rollouts.values().next()?.read);
        let routing = self.routing(&rollout.routing_needs());
        Some(Snapshot {
            rollout,
            replica_sets: all(&self.replica_sets),
            pods: all(&self.pods),
            services: all(&self.services),
            runs: all(&self.runs),
            experiments: Vec::new(),
            templates: all(&self.templates),
            cluster_templates: Vec::new(),
            routing,
            workloads: Workloads::default(),
            plugins: Arc::default(),
            called: None,
            probed: None,
        })
    }

    /// What it knows of pods and runs.
    pub(crate) fn sight(&self) -> Sight {
        let sets = self.replica_sets.values();
        let pods = Seen {
            replica_sets: sets.map(|both| (both.object.uid().to_owned(), Arc::clone(&both.object))).collect(),
            pods: self.pods.values().map(|both| Arc::clone(&both.object)).collect(),
        };
        Sight { pods, runs: self.runs.iter().map(|(name, both)| (name.clone(), Arc::clone(&both.object))).collect() }
    }

    fn routing(&self, needs: &Needs) -> Objects {
        let mut found = Objects::default();
        for object in &needs.objects {
            let (group, plural) = (object.kind.group(), object.kind.plural());
            let kind = ROUTES.clone().find(|kind| KINDS[*kind] == (group, plural));
            let there = kind.and_then(|kind| self.routes.get(&(kind, object.name.clone())));
            let seen = match (there, kind) {
                (Some(there), _) => sluice_traffic::Seen::There(Arc::new(there.value().clone())),
                (None, Some(_)) => sluice_traffic::Seen::Absent,
                (None, None) => sluice_traffic::Seen::KindAbsent,
            };
            found.insert(object.clone(), seen);
        }
        for namespace in &needs.grants_in {
            found.insert_grants(namespace, Vec::new());
        }
        found
    }
}

fn put<T>(table: &mut Table<T>, name: &str, object: Option<Arc<Object>>, read: impl Fn(&Value) -> Result<T, String>) {
    let Some(object) = object else {
        table.remove(name);
        return;
    };
    // What can't be read is skipped, as the controller does.
    if let Ok(read) = read(object.value()) {
        table.insert(name.to_owned(), Both { object, read: Arc::new(read) });
    }
}

fn decoded<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    T::deserialize(value).map_err(|problem| problem.to_string())
}

fn all<T>(table: &Table<T>) -> Vec<Arc<T>> {
    table.values().map(|both| Arc::clone(&both.read)).collect()
}
