//! The loop that feeds the controllers: what changed since the last look wakes whom it concerns, each
//! object is decided about by itself, and what is refused is tried again a little later.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::object::{at, controller_uid, text};
use super::pods::selector_matches;
use super::write::{Decision, Kind, Write};
use super::{deployment, disruption, endpoints, garbage, job, namespaces, replica_set, scheduler};
use crate::api::options::DeleteOptions;
use crate::api::status::{Answer, Status};
use crate::api::verbs::{Call, Target, create, delete, patch, pod_doors, replace};
use crate::world::{Object, ObjectRef, ResourceKey, World};

/// The first wait after a refusal; it doubles up to [`LONGEST_RETRY`].
const FIRST_RETRY: SignedDuration = SignedDuration::from_millis(5);
const LONGEST_RETRY: SignedDuration = SignedDuration::from_secs(1000);
/// How many looks one call takes at the most; what is left is done in the next one.
const MOST_LOOKS_AT_ONCE: usize = 10_000;

/// One piece of work: which controller looks at what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Budget(String, String),
    Deployment(String, String),
    Garbage(ObjectRef),
    Job(String, String),
    Namespace(String),
    Place(String, String),
    ReplicaSet(String, String),
    Service(String, String),
}

/// All controllers of one cluster, with what they have still to look at.
#[derive(Clone, Debug, Default)]
pub struct Controllers {
    /// The revision up to which changes have been taken in; none before the first look.
    seen: Option<u64>,
    queue: BTreeSet<Work>,
    wakes: BTreeMap<Work, Timestamp>,
    failures: BTreeMap<Work, u32>,
}

impl Controllers {
    /// Works until nothing is left to do at `now`.
    pub fn run(&mut self, world: &mut World, now: Timestamp) {
        let due: Vec<Work> = self.wakes.iter().filter(|(_, at)| **at <= now).map(|(work, _)| work.clone()).collect();
        for work in due {
            self.wakes.remove(&work);
            self.queue.insert(work);
        }
        for _ in 0..MOST_LOOKS_AT_ONCE {
            self.take_in(world);
            let Some(work) = self.queue.pop_first() else { return };
            let outcome = look_at(world, &work, now);
            self.settle(work, &outcome, now);
        }
    }

    /// When there is something to do although nothing changes.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.values().min().copied()
    }

    fn settle(&mut self, work: Work, outcome: &Answer<Option<Timestamp>>, now: Timestamp) {
        let wake = match *outcome {
            Ok(wake) => {
                self.failures.remove(&work);
                wake
            }
            Err(_) => {
                let failures = self.failures.entry(work.clone()).or_default();
                let factor = 1_i32.checked_shl(*failures).filter(|factor| *factor > 0).unwrap_or(i32::MAX);
                *failures = failures.saturating_add(1);
                let delay = FIRST_RETRY.checked_mul(factor).unwrap_or(LONGEST_RETRY).min(LONGEST_RETRY);
                now.checked_add(delay).ok()
            }
        };
        match wake {
            Some(at) => self.wakes.insert(work, at),
            None => self.wakes.remove(&work),
        };
    }

    /// Queues whom the changes since the last look concern.
    fn take_in(&mut self, world: &World) {
        let revision = world.revision();
        if self.seen == Some(revision) {
            return;
        }
        let resources: Vec<ResourceKey> = world.stored_resources().cloned().collect();
        for resource in resources {
            let Some(collection) = world.collection(&resource) else { continue };
            let known = self.seen.filter(|seen| *seen >= collection.oldest_revision());
            if let Some(seen) = known {
                for change in collection.changes_after(seen) {
                    self.notice(world, &resource, &change.object);
                    if let Some(previous) = &change.previous {
                        self.notice(world, &resource, previous);
                    }
                }
            } else {
                // The log doesn't reach back to the last look: everything counts as changed.
                for object in collection.in_namespace("") {
                    self.notice(world, &resource, object);
                }
            }
        }
        self.seen = Some(revision);
    }

    fn notice(&mut self, world: &World, resource: &ResourceKey, object: &Object) {
        let here = (object.namespace().to_owned(), object.name().to_owned());
        match (&*resource.group, &*resource.plural) {
            ("", "pods") => self.notice_pod(world, object),
            ("", "services" | "endpoints") => self.queue_one(Work::Service(here.0, here.1)),
            ("discovery.k8s.io", "endpointslices") => {
                let service = text(object.value(), &["metadata", "labels", "kubernetes.io/service-name"]);
                if !service.is_empty() {
                    self.queue_one(Work::Service(here.0, service.to_owned()));
                }
            }
            ("", "nodes") => self.queue_pending_pods(world),
            ("", "namespaces") => self.queue_one(Work::Namespace(here.1)),
            ("", plural) if namespaces::is_furniture(plural, &here.1) => self.queue_one(Work::Namespace(here.0)),
            ("apps", "deployments") => self.queue_one(Work::Deployment(here.0, here.1)),
            ("apps", "replicasets") => {
                self.queue_owner_or_candidates(world, object, "deployments", Work::Deployment);
                self.queue_one(Work::ReplicaSet(here.0, here.1));
            }
            ("batch", "jobs") => self.queue_one(Work::Job(here.0, here.1)),
            ("policy", "poddisruptionbudgets") => self.queue_one(Work::Budget(here.0, here.1)),
            _ => {}
        }
        if object.is_deleting() && resource.plural.as_ref() != "namespaces" {
            // The last object of a namespace lets it finish.
            self.queue_namespace_if_ending(world, object.namespace());
        }
        self.notice_for_garbage(world, resource, object);
    }

    fn notice_pod(&mut self, world: &World, pod: &Object) {
        let namespace = pod.namespace();
        let value = pod.value();
        if text(value, &["spec", "nodeName"]).is_empty() {
            self.queue_one(Work::Place(namespace.to_owned(), pod.name().to_owned()));
        }
        self.queue_owner_or_candidates(world, pod, "replicasets", Work::ReplicaSet);
        self.queue_owner_or_candidates(world, pod, "jobs", Work::Job);
        let labels = at(value, &["metadata", "labels"]);
        for service in world.list("", "services", namespace) {
            let selector = at(service.value(), &["spec", "selector"]);
            let pairs = selector.as_object().filter(|pairs| !pairs.is_empty());
            if pairs.is_some_and(|pairs| pairs.iter().all(|(key, value)| labels.get(key) == Some(value))) {
                self.queue_one(Work::Service(namespace.to_owned(), service.name().to_owned()));
            }
        }
        for budget in world.list("policy", "poddisruptionbudgets", namespace) {
            if selector_matches(at(budget.value(), &["spec", "selector"]), labels) {
                self.queue_one(Work::Budget(namespace.to_owned(), budget.name().to_owned()));
            }
        }
        // A Deployment that recreates waits for the last pod of its old ReplicaSets.
        if pod.is_deleting()
            && let Some(owner) = controller_uid(value)
            && let Some(set) = world.list("apps", "replicasets", namespace).iter().find(|set| set.uid() == owner)
        {
            self.queue_owner_or_candidates(world, set, "deployments", Work::Deployment);
        }
    }

    /// The controller that owns the object, or all that would adopt it.
    fn queue_owner_or_candidates(
        &mut self,
        world: &World,
        object: &Object,
        plural: &str,
        work: fn(String, String) -> Work,
    ) {
        let group = if plural == "jobs" { "batch" } else { "apps" };
        let namespace = object.namespace();
        let owner = controller_uid(object.value());
        let labels = at(object.value(), &["metadata", "labels"]);
        for candidate in world.list(group, plural, namespace) {
            let concerned = match owner {
                Some(owner) => candidate.uid() == owner,
                None => selector_matches(at(candidate.value(), &["spec", "selector"]), labels),
            };
            if concerned {
                self.queue_one(work(namespace.to_owned(), candidate.name().to_owned()));
            }
        }
    }

    fn queue_pending_pods(&mut self, world: &World) {
        for pod in world.list("", "pods", "") {
            if text(pod.value(), &["spec", "nodeName"]).is_empty() {
                self.queue_one(Work::Place(pod.namespace().to_owned(), pod.name().to_owned()));
            }
        }
    }

    fn queue_namespace_if_ending(&mut self, world: &World, namespace: &str) {
        if world.get("", "namespaces", "", namespace).is_some_and(|namespace| namespace.is_deleting()) {
            self.queue_one(Work::Namespace(namespace.to_owned()));
        }
    }

    fn notice_for_garbage(&mut self, world: &World, resource: &ResourceKey, object: &Object) {
        let gone = world
            .get(&resource.group, &resource.plural, object.namespace(), object.name())
            .is_none_or(|current| current.uid() != object.uid());
        if gone || object.is_deleting() {
            let dependents: Vec<ObjectRef> = world.dependents_of(object.uid()).cloned().collect();
            self.queue.extend(dependents.into_iter().map(Work::Garbage));
            self.queue_namespace_if_ending(world, object.namespace());
            for owner in garbage::waiting_owners(world, object) {
                self.queue_one(Work::Garbage(owner));
            }
        }
        if !gone && (object.owner_uids().next().is_some() || garbage::waits_for_dependents(object)) {
            self.queue_one(Work::Garbage(ObjectRef {
                resource: resource.clone(),
                namespace: object.namespace().to_owned(),
                name: object.name().to_owned(),
            }));
        }
    }

    fn queue_one(&mut self, work: Work) {
        self.queue.insert(work);
    }
}

fn look_at(world: &mut World, work: &Work, now: Timestamp) -> Answer<Option<Timestamp>> {
    match work {
        Work::Budget(namespace, name) => {
            let Some(budget) = find(world, "policy", "poddisruptionbudgets", namespace, name) else { return Ok(None) };
            let pods = world.list("", "pods", namespace);
            let sizes = scales(world, namespace);
            let expected = |pod: &Value| controller_uid(pod).and_then(|uid| Some((uid.to_owned(), *sizes.get(uid)?)));
            let decision = disruption::decide(budget.value(), &values(&pods), &expected, now);
            execute(world, decision, now)
        }
        Work::Deployment(namespace, name) => {
            let Some(deployment) = find(world, "apps", "deployments", namespace, name) else { return Ok(None) };
            let sets = world.list("apps", "replicasets", namespace);
            let pods = world.list("", "pods", namespace);
            let decision = deployment::decide(deployment.value(), &values(&sets), &values(&pods), now);
            let outcome = execute(world, decision, now);
            if outcome.as_ref().is_err_and(|refused| refused.reason == "AlreadyExists") {
                count_collision(world, &deployment, now)?;
            }
            outcome
        }
        Work::Garbage(object) => garbage::collect(world, object, now).map(|()| None),
        Work::Job(namespace, name) => {
            let Some(job) = find(world, "batch", "jobs", namespace, name) else { return Ok(None) };
            let pods = owned_pods(world, &job);
            let decision = job::decide(job.value(), &values(&pods), now);
            execute(world, decision, now)
        }
        Work::Namespace(name) => namespaces::look_after(world, name, now).map(|()| None),
        Work::Place(namespace, name) => place(world, namespace, name, now).map(|()| None),
        Work::ReplicaSet(namespace, name) => {
            let Some(set) = find(world, "apps", "replicasets", namespace, name) else { return Ok(None) };
            let pods = world.list("", "pods", namespace);
            let decision = replica_set::decide(set.value(), &values(&pods), now);
            execute(world, decision, now)
        }
        Work::Service(namespace, name) => {
            let Some(service) = find(world, "", "services", namespace, name) else { return Ok(None) };
            let pods = world.list("", "pods", namespace);
            let slices: Vec<Arc<Object>> = world
                .list("discovery.k8s.io", "endpointslices", namespace)
                .into_iter()
                .filter(|slice| text(slice.value(), &["metadata", "labels", "kubernetes.io/service-name"]) == name)
                .collect();
            let older = find(world, "", "endpoints", namespace, name);
            let decision = endpoints::decide(
                service.value(),
                &values(&pods),
                &values(&slices),
                older.as_ref().map(|one| one.value()),
            );
            execute(world, decision, now)
        }
    }
}

fn find(world: &World, group: &str, plural: &str, namespace: &str, name: &str) -> Option<Arc<Object>> {
    world.get(group, plural, namespace, name).cloned()
}

fn values(objects: &[Arc<Object>]) -> Vec<&Value> {
    objects.iter().map(|object| object.value()).collect()
}

fn owned_pods(world: &World, owner: &Object) -> Vec<Arc<Object>> {
    world
        .dependents_of(owner.uid())
        .filter(|dependent| &*dependent.resource.plural == "pods" && dependent.resource.group.is_empty())
        .filter_map(|pod| find(world, "", "pods", &pod.namespace, &pod.name))
        .collect()
}

/// Sizes of what may own pods, by uid: what a disruption budget counts against.
fn scales(world: &World, namespace: &str) -> BTreeMap<String, i64> {
    let mut sizes = BTreeMap::new();
    for set in world.list("apps", "replicasets", namespace) {
        sizes.insert(set.uid().to_owned(), super::object::count(set.value(), &["spec", "replicas"]));
    }
    sizes
}

fn place(world: &mut World, namespace: &str, name: &str, now: Timestamp) -> Answer<()> {
    let Some(pod) = find(world, "", "pods", namespace, name) else { return Ok(()) };
    let elsewhere = text(pod.value(), &["spec", "schedulerName"]) != scheduler::NAME;
    if elsewhere || !text(pod.value(), &["spec", "nodeName"]).is_empty() || pod.is_deleting() {
        return Ok(());
    }
    let nodes = world.list("", "nodes", "");
    let pods = world.list("", "pods", "");
    let call = Call::internal("kube-scheduler", now);
    let target = Target::find(world, "", "pods", namespace, name)?;
    match scheduler::place(pod.value(), &values(&nodes), &values(&pods)) {
        scheduler::Placement::On(node) => {
            pod_doors::bind(world, &call, &target, &serde_json::json!({"target": {"kind": "Node", "name": node}}))
        }
        scheduler::Placement::Nowhere(reason) => {
            let status = scheduler::unschedulable(pod.value(), &reason, now);
            match status {
                Some(changed) => {
                    let target = target.subresource("status");
                    replace::update(world, &mut Call::internal("kube-scheduler", now), &target, changed).map(|_| ())
                }
                None => Ok(()),
            }
        }
    }
}

/// Another template has this hash: the next name is drawn with one collision more.
fn count_collision(world: &mut World, deployment: &Object, now: Timestamp) -> Answer<()> {
    let mut changed = deployment.value().clone();
    let collisions = super::object::count(&changed, &["status", "collisionCount"]);
    super::object::set(&mut changed, &["status", "collisionCount"], serde_json::json!(collisions + 1));
    super::object::set(&mut changed, &["metadata", "resourceVersion"], Value::Null);
    let target = Target::find(world, "apps", "deployments", deployment.namespace(), deployment.name())?;
    let mut call = Call::internal("kube-controller-manager", now);
    replace::update(world, &mut call, &target.subresource("status"), changed).map(|_| ())
}

/// Carries a decision out, in order, up to the first refusal.
fn execute(world: &mut World, decision: Decision, now: Timestamp) -> Answer<Option<Timestamp>> {
    let mut ours = OwnWrites::default();
    for write in decision.writes {
        carry_out(world, write, &mut ours, now)?;
    }
    Ok(decision.wake_at)
}

/// A decision may write the same object twice; the second write builds on the first.
#[derive(Default)]
struct OwnWrites(BTreeMap<(Kind, String), (Vec<String>, String)>);

impl OwnWrites {
    fn note(&mut self, kind: Kind, before: &str, object: &Object) {
        let entry = self.0.entry((kind, object.name().to_owned())).or_default();
        entry.0.push(before.to_owned());
        entry.1 = object.revision().to_string();
    }

    /// Moves the precondition on to our own last write, if it was read just before that.
    fn rebase(&self, kind: Kind, value: &mut Value) {
        let read = text(value, &["metadata", "resourceVersion"]).to_owned();
        if let Some((before, latest)) = self.0.get(&(kind, super::object::name(value).to_owned()))
            && before.contains(&read)
        {
            super::object::set(value, &["metadata", "resourceVersion"], Value::String(latest.clone()));
        }
    }
}

fn carry_out(world: &mut World, write: Write, ours: &mut OwnWrites, now: Timestamp) -> Answer<()> {
    let mut call = Call::internal("kube-controller-manager", now);
    match write {
        Write::Create(kind, value) => {
            let target = target_of(world, kind, super::object::namespace(&value), "")?;
            create::create(world, &mut call, &target, value).map(|_| ())
        }
        Write::Replace(kind, value) => put(world, &mut call, kind, "", value, ours),
        Write::ReplaceStatus(kind, value) => put(world, &mut call, kind, "status", value, ours),
        Write::Patch { kind, namespace, name, patch: change } => {
            let target = target_of(world, kind, &namespace, &name)?;
            let before = target.stored(world)?.revision().to_string();
            let written = patch::patch(world, &mut call, &target, &patch::Patch::Merge(change))?;
            ours.note(kind, &before, &written.object);
            Ok(())
        }
        Write::Delete { kind, namespace, name, uid } => {
            let target = target_of(world, kind, &namespace, &name)?;
            let options = DeleteOptions { uid: Some(uid), ..DeleteOptions::default() };
            match delete::delete(world, &call, &target, &options) {
                Err(refused) if refused.code == 404 => Ok(()),
                other => other.map(|_| ()),
            }
        }
    }
}

fn put(
    world: &mut World,
    call: &mut Call,
    kind: Kind,
    subresource: &'static str,
    mut value: Value,
    ours: &mut OwnWrites,
) -> Answer<()> {
    ours.rebase(kind, &mut value);
    let before = text(&value, &["metadata", "resourceVersion"]).to_owned();
    let target = target_of(world, kind, super::object::namespace(&value), super::object::name(&value))?;
    let written = replace::update(world, call, &target.subresource(subresource), value)?;
    ours.note(kind, &before, &written.object);
    Ok(())
}

fn target_of(world: &World, kind: Kind, namespace: &str, name: &str) -> Result<Target, Box<Status>> {
    let group = kind.api_version().split_once('/').map_or("", |(group, _)| group);
    Target::find(world, group, kind.plural(), namespace, name)
}
