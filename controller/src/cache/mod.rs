//! What the watches have shown: all that a plan reads, found without searching, and whom a change concerns.

mod references;
mod routes;
mod table;
mod watched;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use sluice_crds::AnalysisRun;
use sluice_crds::rollout::analysis::TemplateRef;
use sluice_planner::{Metadata, Pod, ReadRollout, ReplicaSet, Service, Snapshot, Template};
use sluice_traffic::Needs;

use references::References;
pub(crate) use references::services_of;
use references::templates_named_by;
pub(crate) use routes::{Routes, Unread};
pub(crate) use table::{Cached, Table};
pub(crate) use watched::Watched;

/// A name within a namespace. Sorted by namespace, so that those of one are together. Each index has it, so that a
/// clone must cost little.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
}

impl Name {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// An object that was read from a watch.
#[derive(Clone, Debug)]
pub(crate) enum Object {
    Rollout(Cached<ReadRollout>),
    ReplicaSet(Cached<ReplicaSet>),
    Pod(Cached<Pod>),
    Service(Cached<Service>),
    AnalysisRun(Cached<AnalysisRun>),
    AnalysisTemplate(Cached<Template>),
    ClusterAnalysisTemplate(Cached<Template>),
    /// Its owner is the run that its label names, wherever it is.
    Job(Cached<Value>),
    /// One that traffic is routed by.
    Routing(Watched, Cached<Value>),
}

/// An AnalysisRun and the Jobs that were made for it.
pub(crate) struct RunView {
    pub(crate) run: Arc<AnalysisRun>,
    pub(crate) jobs: BTreeMap<Name, Arc<Value>>,
}

/// Everything that was seen of the cluster.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    rollouts: Table<ReadRollout>,
    replica_sets: Table<ReplicaSet>,
    pods: Table<Pod>,
    services: Table<Service>,
    runs: Table<AnalysisRun>,
    templates: Table<Template>,
    cluster_templates: Table<Template>,
    jobs: Table<Value>,
    references: References,
    pub(crate) routes: Routes,
}

impl Cache {
    /// Takes in a state of an object. Returns the Rollouts that it concerns, or for a Job the AnalysisRuns; none,
    /// where nothing changed.
    pub(crate) fn apply(&mut self, object: Object) -> BTreeSet<Name> {
        match object {
            Object::Rollout(rollout) => {
                self.references.set(&rollout);
                self.routes.set_needs(&rollout.name, rollout.object.routing_needs());
                let (name, version) = (rollout.name.clone(), rollout.version.clone());
                let before = self.rollouts.apply(rollout);
                let unchanged = before.is_some_and(|before| before.version == version);
                if unchanged { BTreeSet::new() } else { BTreeSet::from([name]) }
            }
            Object::ReplicaSet(replica_set) => {
                let before = self.replica_sets.apply(replica_set.clone());
                self.concerned(before.as_ref(), Some(&replica_set), Self::owners_of_replica_set)
            }
            Object::Pod(pod) => {
                let before = self.pods.apply(pod.clone());
                self.concerned(before.as_ref(), Some(&pod), Self::owners_of_pod)
            }
            Object::Service(service) => {
                let before = self.services.apply(service.clone());
                self.concerned(before.as_ref(), Some(&service), Self::users_of_service)
            }
            Object::AnalysisRun(run) => {
                let before = self.runs.apply(run.clone());
                self.concerned(before.as_ref(), Some(&run), Self::owners_of_run)
            }
            Object::AnalysisTemplate(template) => {
                let before = self.templates.apply(template.clone());
                self.concerned(before.as_ref(), Some(&template), Self::users_of_template)
            }
            Object::ClusterAnalysisTemplate(template) => {
                let before = self.cluster_templates.apply(template.clone());
                self.concerned(before.as_ref(), Some(&template), Self::users_of_template)
            }
            Object::Job(job) => {
                let before = self.jobs.apply(job.clone());
                self.concerned(before.as_ref(), Some(&job), Self::run_of_job)
            }
            Object::Routing(kind, object) => self.routes.apply(kind, object),
        }
    }

    /// An object is gone. Returns whom it concerns, as above.
    pub(crate) fn remove(&mut self, kind: Watched, name: &Name) -> BTreeSet<Name> {
        match kind {
            Watched::Rollout => {
                self.forget_references(name);
                self.rollouts.remove(name).map(|rollout| rollout.name).into_iter().collect()
            }
            Watched::ReplicaSet => {
                let before = self.replica_sets.remove(name);
                self.concerned(before.as_ref(), None, Self::owners_of_replica_set)
            }
            Watched::Pod => {
                let before = self.pods.remove(name);
                self.concerned(before.as_ref(), None, Self::owners_of_pod)
            }
            Watched::Service => {
                let before = self.services.remove(name);
                self.concerned(before.as_ref(), None, Self::users_of_service)
            }
            Watched::AnalysisRun => {
                let before = self.runs.remove(name);
                self.concerned(before.as_ref(), None, Self::owners_of_run)
            }
            Watched::AnalysisTemplate => {
                let before = self.templates.remove(name);
                self.concerned(before.as_ref(), None, Self::users_of_template)
            }
            Watched::ClusterAnalysisTemplate => {
                let before = self.cluster_templates.remove(name);
                self.concerned(before.as_ref(), None, Self::users_of_template)
            }
            Watched::Job => {
                let before = self.jobs.remove(name);
                self.concerned(before.as_ref(), None, Self::run_of_job)
            }
            Watched::Route(_) | Watched::ReferenceGrant => self.routes.remove(kind, name),
        }
    }

    /// The watch of a kind starts over with a list.
    pub(crate) fn begin_list(&mut self, kind: Watched) {
        match kind {
            Watched::Rollout => self.rollouts.begin_list(),
            Watched::ReplicaSet => self.replica_sets.begin_list(),
            Watched::Pod => self.pods.begin_list(),
            Watched::Service => self.services.begin_list(),
            Watched::AnalysisRun => self.runs.begin_list(),
            Watched::AnalysisTemplate => self.templates.begin_list(),
            Watched::ClusterAnalysisTemplate => self.cluster_templates.begin_list(),
            Watched::Job => self.jobs.begin_list(),
            Watched::Route(_) | Watched::ReferenceGrant => self.routes.begin_list(kind),
        }
    }

    /// A list is complete. Returns what vanished without an event, and the Rollouts that each of these concerns.
    pub(crate) fn end_list(&mut self, kind: Watched) -> Vec<(Name, BTreeSet<Name>)> {
        match kind {
            Watched::Rollout => {
                let vanished = self.rollouts.end_list();
                vanished
                    .into_iter()
                    .map(|rollout| {
                        self.forget_references(&rollout.name);
                        (rollout.name.clone(), BTreeSet::from([rollout.name]))
                    })
                    .collect()
            }
            Watched::ReplicaSet => {
                let vanished = self.replica_sets.end_list();
                self.concerned_each(&vanished, Self::owners_of_replica_set)
            }
            Watched::Pod => {
                let vanished = self.pods.end_list();
                self.concerned_each(&vanished, Self::owners_of_pod)
            }
            Watched::Service => {
                let vanished = self.services.end_list();
                self.concerned_each(&vanished, Self::users_of_service)
            }
            Watched::AnalysisRun => {
                let vanished = self.runs.end_list();
                self.concerned_each(&vanished, Self::owners_of_run)
            }
            Watched::AnalysisTemplate => {
                let vanished = self.templates.end_list();
                self.concerned_each(&vanished, Self::users_of_template)
            }
            Watched::ClusterAnalysisTemplate => {
                let vanished = self.cluster_templates.end_list();
                self.concerned_each(&vanished, Self::users_of_template)
            }
            Watched::Job => {
                let vanished = self.jobs.end_list();
                self.concerned_each(&vanished, Self::run_of_job)
            }
            Watched::Route(_) | Watched::ReferenceGrant => self.routes.end_list(kind),
        }
    }

    /// An object that can't be read is there all the same.
    pub(crate) fn keep(&mut self, kind: Watched, name: &Name) {
        match kind {
            Watched::Rollout => self.rollouts.keep(name),
            Watched::ReplicaSet => self.replica_sets.keep(name),
            Watched::Pod => self.pods.keep(name),
            Watched::Service => self.services.keep(name),
            Watched::AnalysisRun => self.runs.keep(name),
            Watched::AnalysisTemplate => self.templates.keep(name),
            Watched::ClusterAnalysisTemplate => self.cluster_templates.keep(name),
            Watched::Job => self.jobs.keep(name),
            Watched::Route(_) | Watched::ReferenceGrant => self.routes.keep(kind, name),
        }
    }

    /// The kinds of which no complete list was seen yet.
    pub(crate) fn missing(&self) -> Vec<Watched> {
        let listed = |kind: &Watched| match kind {
            Watched::Rollout => self.rollouts.is_listed(),
            Watched::ReplicaSet => self.replica_sets.is_listed(),
            Watched::Pod => self.pods.is_listed(),
            Watched::Service => self.services.is_listed(),
            Watched::AnalysisRun => self.runs.is_listed(),
            Watched::AnalysisTemplate => self.templates.is_listed(),
            Watched::ClusterAnalysisTemplate => self.cluster_templates.is_listed(),
            Watched::Job => self.jobs.is_listed(),
            // Nobody but the Rollouts that need them waits for these.
            Watched::Route(_) | Watched::ReferenceGrant => true,
        };
        Watched::ALL.into_iter().filter(|kind| !listed(kind)).collect()
    }

    /// The version at which an object was last seen.
    pub(crate) fn version(&self, kind: Watched, name: &Name) -> Option<&str> {
        match kind {
            Watched::Rollout => self.rollouts.get(name).map(|object| object.version.as_str()),
            Watched::ReplicaSet => self.replica_sets.get(name).map(|object| object.version.as_str()),
            Watched::Pod => self.pods.get(name).map(|object| object.version.as_str()),
            Watched::Service => self.services.get(name).map(|object| object.version.as_str()),
            Watched::AnalysisRun => self.runs.get(name).map(|object| object.version.as_str()),
            Watched::AnalysisTemplate => self.templates.get(name).map(|object| object.version.as_str()),
            Watched::ClusterAnalysisTemplate => self.cluster_templates.get(name).map(|object| object.version.as_str()),
            Watched::Job => self.jobs.get(name).map(|object| object.version.as_str()),
            Watched::Route(_) | Watched::ReferenceGrant => self.routes.version(kind, name),
        }
    }

    /// All Rollouts, by name.
    pub(crate) fn rollouts(&self) -> impl Iterator<Item = &Cached<ReadRollout>> {
        self.rollouts.all()
    }

    /// All AnalysisRuns, by name.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &Cached<AnalysisRun>> {
        self.runs.all()
    }

    /// Templates that can't be judged.
    pub(crate) fn wrong_templates(&self) -> Vec<(Watched, Arc<Template>)> {
        let of = |kind, table: &Table<Template>| -> Vec<(Watched, Arc<Template>)> {
            let wrong = table.all().filter(|template| !template.object.mistakes.is_empty());
            wrong.map(|template| (kind, Arc::clone(&template.object))).collect()
        };
        let mut wrong = of(Watched::AnalysisTemplate, &self.templates);
        wrong.extend(of(Watched::ClusterAnalysisTemplate, &self.cluster_templates));
        wrong
    }

    /// A run and its Jobs.
    pub(crate) fn run(&self, name: &Name) -> Option<RunView> {
        let run = self.runs.get(name)?;
        let jobs = self.jobs.owned_by(&run.uid).map(|job| (job.name.clone(), Arc::clone(&job.object)));
        Some(RunView { run: Arc::clone(&run.object), jobs: jobs.collect() })
    }

    /// What a plan for this Rollout is made from; `None` where there is no such Rollout.
    pub(crate) fn snapshot(&self, name: &Name) -> Option<Snapshot> {
        let rollout = self.rollouts.get(name)?;
        let prefix = format!("{}-", name.name);
        let mut replica_sets: Vec<&Cached<ReplicaSet>> = self
            .replica_sets
            .owned_by(&rollout.uid)
            .chain(self.replica_sets.unowned_in(&name.namespace))
            .chain(self.replica_sets.named_like(&name.namespace, &prefix))
            .collect();
        replica_sets.sort_by(|a, b| a.name.cmp(&b.name));
        replica_sets.dedup_by(|a, b| a.name == b.name);
        let pods = self.replica_sets.owned_by(&rollout.uid).flat_map(|owner| self.pods.owned_by(&owner.uid));
        let services = services_of(&rollout.object)
            .into_iter()
            .filter_map(|service| self.services.get(&Name::new(&name.namespace, service)));
        let named = services_of(&rollout.object);
        let ours = looked_after_by(&name.namespace, &name.name);
        let dropped = self.services.owned_by(&ours);
        let services = services.chain(dropped.filter(|service| !named.contains(&*service.name.name)));
        let (templates, cluster_templates) = self.templates_of(rollout);
        Some(Snapshot {
            runs: self.runs_of(rollout, &prefix),
            templates,
            cluster_templates,
            routing: self.routes.objects(name),
            probed: None,
            rollout: Arc::clone(&rollout.object),
            pods: pods.map(|pod| Arc::clone(&pod.object)).collect(),
            services: services.map(|service| Arc::clone(&service.object)).collect(),
            replica_sets: replica_sets.into_iter().map(|owned| Arc::clone(&owned.object)).collect(),
        })
    }

    fn forget_references(&mut self, rollout: &Name) {
        self.references.clear(rollout);
        self.routes.set_needs(rollout, Needs::default());
    }

    fn concerned<T>(
        &self,
        before: Option<&Cached<T>>,
        after: Option<&Cached<T>>,
        of: impl Fn(&Self, &Cached<T>) -> BTreeSet<Name>,
    ) -> BTreeSet<Name> {
        let unchanged = before.zip(after).is_some_and(|(before, after)| before.version == after.version);
        if unchanged {
            return BTreeSet::new();
        }
        before.into_iter().chain(after).flat_map(|object| of(self, object)).collect()
    }

    fn concerned_each<T>(
        &self,
        vanished: &[Cached<T>],
        of: impl Fn(&Self, &Cached<T>) -> BTreeSet<Name>,
    ) -> Vec<(Name, BTreeSet<Name>)> {
        vanished.iter().map(|object| (object.name.clone(), of(self, object))).collect()
    }

    /// Its owner; for one without an owner every Rollout that may adopt it, which is any of its namespace.
    fn owners_of_replica_set(&self, replica_set: &Cached<ReplicaSet>) -> BTreeSet<Name> {
        match &replica_set.owner {
            Some(uid) => self.rollout_of_uid(uid).into_iter().collect(),
            None => self.rollouts.in_namespace(&replica_set.name.namespace).map(|o| o.name.clone()).collect(),
        }
    }

    fn owners_of_pod(&self, pod: &Cached<Pod>) -> BTreeSet<Name> {
        let Some(uid) = &pod.owner else { return BTreeSet::new() };
        let owners = self.replica_sets.with_uid(uid);
        owners.and_then(|owner| self.rollout_of_uid(owner.owner.as_ref()?)).into_iter().collect()
    }

    fn users_of_service(&self, service: &Cached<Service>) -> BTreeSet<Name> {
        let looks_after_it = service.object.managed_by().map(|rollout| Name::new(&service.name.namespace, rollout));
        self.references.users_of(&service.name).into_iter().chain(looks_after_it).collect()
    }

    fn runs_of(&self, rollout: &Cached<ReadRollout>, prefix: &str) -> Vec<Arc<AnalysisRun>> {
        let named = self.runs.named_like(&rollout.name.namespace, prefix);
        let mut runs: Vec<&Cached<AnalysisRun>> = self.runs.owned_by(&rollout.uid).chain(named).collect();
        runs.sort_by(|a, b| a.name.cmp(&b.name));
        runs.dedup_by(|a, b| a.name == b.name);
        runs.into_iter().map(|run| Arc::clone(&run.object)).collect()
    }

    /// The templates that its analyses name, and those that these name in turn.
    fn templates_of(&self, rollout: &Cached<ReadRollout>) -> (Vec<Arc<Template>>, Vec<Arc<Template>>) {
        let mut found = (Vec::new(), Vec::new());
        let mut named: Vec<&TemplateRef> = templates_named_by(&rollout.object);
        let mut seen = BTreeSet::new();
        while let Some(reference) = named.pop() {
            let name = reference.template_name.as_deref().unwrap_or_default();
            if !seen.insert((reference.cluster_scope(), name)) {
                continue;
            }
            if reference.cluster_scope() {
                if let Some(template) = self.cluster_templates.get(&Name::new("", name)) {
                    named.extend(template.object.spec.templates());
                    found.1.push(Arc::clone(&template.object));
                }
            } else if let Some(template) = self.templates.get(&Name::new(&rollout.name.namespace, name)) {
                named.extend(template.object.spec.templates());
                found.0.push(Arc::clone(&template.object));
            }
        }
        found
    }

    fn owners_of_run(&self, run: &Cached<AnalysisRun>) -> BTreeSet<Name> {
        run.owner.as_ref().and_then(|uid| self.rollout_of_uid(uid)).into_iter().collect()
    }

    fn run_of_job(&self, job: &Cached<Value>) -> BTreeSet<Name> {
        let run = job.owner.as_ref().and_then(|uid| self.runs.with_uid(uid));
        run.map(|run| run.name.clone()).into_iter().collect()
    }

    /// Templates name templates, so any Rollout near by that asks for an analysis may be concerned.
    fn users_of_template(&self, template: &Cached<Template>) -> BTreeSet<Name> {
        let namespace = &template.name.namespace;
        let asks = |rollout: &&Cached<ReadRollout>| !templates_named_by(&rollout.object).is_empty();
        let near = |rollout: &&Cached<ReadRollout>| namespace.is_empty() || rollout.name.namespace == *namespace;
        self.rollouts.all().filter(near).filter(asks).map(|rollout| rollout.name.clone()).collect()
    }

    fn rollout_of_uid(&self, uid: &str) -> Option<Name> {
        self.rollouts.with_uid(uid).map(|rollout| rollout.name.clone())
    }
}

/// How a cached object of any kind is filed.
/// What stands for the owner of a Service that this Rollout looks after.
pub(crate) fn looked_after_by(namespace: &str, rollout: &str) -> String {
    format!("{namespace}/{rollout}")
}

pub(crate) fn filed<T>(meta: &Metadata, object: T) -> Cached<T> {
    Cached {
        name: Name::new(&meta.namespace, &meta.name),
        uid: meta.uid.as_str().into(),
        owner: meta.controller.as_deref().map(Arc::from),
        version: meta.resource_version.clone(),
        object: Arc::new(object),
    }
}

#[cfg(test)]
mod tests;
