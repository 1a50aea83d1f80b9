//! What the watches have shown: all that a plan reads, found without searching, and whom a change concerns.

mod experiments;
mod references;
mod routes;
mod table;
mod watched;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use sluice_crds::rollout::analysis::TemplateRef;
use sluice_crds::{AnalysisRun, Experiment};
use sluice_planner::{Metadata, Pod, ReadRollout, ReplicaSet, Service, Snapshot, Template};

use references::References;
pub(crate) use references::services_of;
use references::templates_named_by;
pub(crate) use routes::{Needed, Routes, Unread, Wants};
pub(crate) use table::{Cached, Table};
pub(crate) use watched::Watched;

use crate::work::Work;

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

/// Objects over which passes are to be made.
pub(crate) type Concerned = BTreeSet<(Work, Name)>;

/// An object that was read from a watch.
#[derive(Clone, Debug)]
pub(crate) enum Object {
    Rollout(Cached<ReadRollout>),
    ReplicaSet(Cached<ReplicaSet>),
    Pod(Cached<Pod>),
    Service(Cached<Service>),
    AnalysisRun(Cached<AnalysisRun>),
    Experiment(Cached<Experiment>),
    AnalysisTemplate(Cached<Template>),
    ClusterAnalysisTemplate(Cached<Template>),
    /// Its owner is the run that its label names, wherever it is.
    Job(Cached<Value>),
    /// One that traffic is routed by, or that a template is taken from.
    Needed(Watched, Cached<Needed>),
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
    experiments: Table<Experiment>,
    templates: Table<Template>,
    cluster_templates: Table<Template>,
    jobs: Table<Value>,
    references: References,
    pub(crate) routes: Routes,
}

impl Cache {
    /// Takes in a state of an object. Returns what it concerns; nothing, where nothing changed.
    pub(crate) fn apply(&mut self, object: Object) -> Concerned {
        match object {
            Object::Rollout(rollout) => {
                self.references.set(&rollout);
                let (routing, workloads) = (rollout.object.routing_needs(), rollout.object.workload_needs());
                self.routes.set_needs(&rollout.name, Wants { routing, workloads });
                let (name, version) = (rollout.name.clone(), rollout.version.clone());
                let before = self.rollouts.apply(rollout);
                let unchanged = before.is_some_and(|before| before.version == version);
                if unchanged { Concerned::new() } else { Concerned::from([(Work::Rollouts, name)]) }
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
            Object::Experiment(experiment) => {
                let before = self.experiments.apply(experiment.clone());
                self.concerned(before.as_ref(), Some(&experiment), Self::experiment_and_owner)
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
            Object::Needed(kind, object) => rollouts(self.routes.apply(kind, object)),
        }
    }

    /// An object is gone. Returns whom it concerns, as above.
    pub(crate) fn remove(&mut self, kind: Watched, name: &Name) -> Concerned {
        match kind {
            Watched::Rollout => {
                self.forget_references(name);
                rollouts(self.rollouts.remove(name).map(|rollout| rollout.name))
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
            Watched::Experiment => {
                let before = self.experiments.remove(name);
                self.concerned(before.as_ref(), None, Self::experiment_and_owner)
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
            Watched::Route(_) | Watched::ReferenceGrant | Watched::Workload(_) => {
                rollouts(self.routes.remove(kind, name))
            }
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
            Watched::Experiment => self.experiments.begin_list(),
            Watched::AnalysisTemplate => self.templates.begin_list(),
            Watched::ClusterAnalysisTemplate => self.cluster_templates.begin_list(),
            Watched::Job => self.jobs.begin_list(),
            Watched::Route(_) | Watched::ReferenceGrant | Watched::Workload(_) => self.routes.begin_list(kind),
        }
    }

    /// A list is complete. Returns what vanished without an event, and what each of these concerns.
    pub(crate) fn end_list(&mut self, kind: Watched) -> Vec<(Name, Concerned)> {
        match kind {
            Watched::Rollout => {
                let vanished = self.rollouts.end_list();
                vanished
                    .into_iter()
                    .map(|rollout| {
                        self.forget_references(&rollout.name);
                        (rollout.name.clone(), rollouts([rollout.name]))
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
            Watched::Experiment => {
                let vanished = self.experiments.end_list();
                self.concerned_each(&vanished, Self::experiment_and_owner)
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
            Watched::Route(_) | Watched::ReferenceGrant | Watched::Workload(_) => {
                let vanished = self.routes.end_list(kind);
                vanished.into_iter().map(|(name, concerned)| (name, rollouts(concerned))).collect()
            }
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
            Watched::Experiment => self.experiments.keep(name),
            Watched::AnalysisTemplate => self.templates.keep(name),
            Watched::ClusterAnalysisTemplate => self.cluster_templates.keep(name),
            Watched::Job => self.jobs.keep(name),
            Watched::Route(_) | Watched::ReferenceGrant | Watched::Workload(_) => self.routes.keep(kind, name),
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
            Watched::Experiment => self.experiments.is_listed(),
            Watched::AnalysisTemplate => self.templates.is_listed(),
            Watched::ClusterAnalysisTemplate => self.cluster_templates.is_listed(),
            Watched::Job => self.jobs.is_listed(),
            // Nobody but the Rollouts that need them waits for these.
            Watched::Route(_) | Watched::ReferenceGrant | Watched::Workload(_) => true,
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
            Watched::Experiment => self.experiments.get(name).map(|object| object.version.as_str()),
            Watched::AnalysisTemplate => self.templates.get(name).map(|object| object.version.as_str()),
            Watched::ClusterAnalysisTemplate => self.cluster_templates.get(name).map(|object| object.version.as_str()),
            Watched::Job => self.jobs.get(name).map(|object| object.version.as_str()),
            Watched::Route(_) | Watched::ReferenceGrant | Watched::Workload(_) => self.routes.version(kind, name),
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
        let (templates, cluster_templates) = self.templates_of(&name.namespace, templates_named_by(&rollout.object));
        Some(Snapshot {
            runs: self.runs_of(&rollout.uid, &name.namespace, &prefix),
            experiments: self.experiments_of(&rollout.uid, &name.namespace, &prefix),
            templates,
            cluster_templates,
            routing: self.routes.objects(name),
            workloads: self.routes.workloads(name),
            probed: None,
            plugins: Arc::default(),
            called: None,
            rollout: Arc::clone(&rollout.object),
            pods: pods.map(|pod| Arc::clone(&pod.object)).collect(),
            services: services.map(|service| Arc::clone(&service.object)).collect(),
            replica_sets: replica_sets.into_iter().map(|owned| Arc::clone(&owned.object)).collect(),
        })
    }

    fn forget_references(&mut self, rollout: &Name) {
        self.references.clear(rollout);
        self.routes.set_needs(rollout, Wants::default());
    }

    fn concerned<T>(
        &self,
        before: Option<&Cached<T>>,
        after: Option<&Cached<T>>,
        of: impl Fn(&Self, &Cached<T>) -> Concerned,
    ) -> Concerned {
        let unchanged = before.zip(after).is_some_and(|(before, after)| before.version == after.version);
        if unchanged {
            return Concerned::new();
        }
        before.into_iter().chain(after).flat_map(|object| of(self, object)).collect()
    }

    fn concerned_each<T>(
        &self,
        vanished: &[Cached<T>],
        of: impl Fn(&Self, &Cached<T>) -> Concerned,
    ) -> Vec<(Name, Concerned)> {
        vanished.iter().map(|object| (object.name.clone(), of(self, object))).collect()
    }

    /// Its owner; for one without an owner every Rollout that may adopt it, which is any of its namespace.
    fn owners_of_replica_set(&self, replica_set: &Cached<ReplicaSet>) -> Concerned {
        let mut concerned: Concerned = match &replica_set.owner {
            Some(uid) => self.owner_of_uid(uid).into_iter().collect(),
            None => rollouts(self.rollouts.in_namespace(&replica_set.name.namespace).map(|o| o.name.clone())),
        };
        concerned.extend(self.experiment_that_waits_for(&replica_set.object.meta));
        concerned
    }

    fn owners_of_pod(&self, pod: &Cached<Pod>) -> Concerned {
        let Some(uid) = &pod.owner else { return Concerned::new() };
        let owners = self.replica_sets.with_uid(uid);
        owners.and_then(|owner| self.owner_of_uid(owner.owner.as_ref()?)).into_iter().collect()
    }

    fn users_of_service(&self, service: &Cached<Service>) -> Concerned {
        let looks_after_it = service.object.managed_by().map(|rollout| Name::new(&service.name.namespace, rollout));
        let mut concerned = rollouts(self.references.users_of(&service.name).into_iter().chain(looks_after_it));
        concerned.extend(service.object.meta.controller.as_ref().and_then(|uid| self.owner_of_uid(uid)));
        concerned.extend(self.experiment_that_waits_for(&service.object.meta));
        concerned
    }

    fn runs_of(&self, owner: &str, namespace: &str, prefix: &str) -> Vec<Arc<AnalysisRun>> {
        let named = self.runs.named_like(namespace, prefix);
        let mut runs: Vec<&Cached<AnalysisRun>> = self.runs.owned_by(owner).chain(named).collect();
        runs.sort_by(|a, b| a.name.cmp(&b.name));
        runs.dedup_by(|a, b| a.name == b.name);
        runs.into_iter().map(|run| Arc::clone(&run.object)).collect()
    }

    /// The templates that are named, and those that these name in turn.
    fn templates_of<'t>(
        &'t self,
        namespace: &str,
        mut named: Vec<(bool, &'t str)>,
    ) -> (Vec<Arc<Template>>, Vec<Arc<Template>>) {
        let mut found = (Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        while let Some((in_cluster, name)) = named.pop() {
            if !seen.insert((in_cluster, name)) {
                continue;
            }
            if in_cluster {
                if let Some(template) = self.cluster_templates.get(&Name::new("", name)) {
                    named.extend(template.object.spec.templates().iter().map(name_of_template));
                    found.1.push(Arc::clone(&template.object));
                }
            } else if let Some(template) = self.templates.get(&Name::new(namespace, name)) {
                named.extend(template.object.spec.templates().iter().map(name_of_template));
                found.0.push(Arc::clone(&template.object));
            }
        }
        found
    }

    fn owners_of_run(&self, run: &Cached<AnalysisRun>) -> Concerned {
        run.owner.as_ref().and_then(|uid| self.owner_of_uid(uid)).into_iter().collect()
    }

    fn run_of_job(&self, job: &Cached<Value>) -> Concerned {
        let run = job.owner.as_ref().and_then(|uid| self.runs.with_uid(uid));
        run.map(|run| (Work::Runs, run.name.clone())).into_iter().collect()
    }

    /// Templates name templates, so any near by that asks for an analysis may be concerned.
    fn users_of_template(&self, template: &Cached<Template>) -> Concerned {
        let namespace = &template.name.namespace;
        let asks = |rollout: &&Cached<ReadRollout>| !templates_named_by(&rollout.object).is_empty();
        let is_near = |name: &Name| namespace.is_empty() || name.namespace == *namespace;
        let near = self.rollouts.all().filter(|rollout| is_near(&rollout.name)).filter(asks);
        let mut concerned = rollouts(near.map(|rollout| rollout.name.clone()));
        let waiting = self.experiments.all().filter(|one| is_near(&one.name) && experiments::waits_for_templates(one));
        concerned.extend(waiting.map(|one| (Work::Experiments, one.name.clone())));
        concerned
    }

    fn owner_of_uid(&self, uid: &str) -> Option<(Work, Name)> {
        let rollout = self.rollouts.with_uid(uid).map(|rollout| (Work::Rollouts, rollout.name.clone()));
        rollout.or_else(|| Some((Work::Experiments, self.experiments.with_uid(uid)?.name.clone())))
    }
}

fn rollouts(names: impl IntoIterator<Item = Name>) -> Concerned {
    names.into_iter().map(|name| (Work::Rollouts, name)).collect()
}

fn name_of_template(reference: &TemplateRef) -> (bool, &str) {
    (reference.cluster_scope(), reference.template_name.as_deref().unwrap_or_default())
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
