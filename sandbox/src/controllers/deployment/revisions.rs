//! Which ReplicaSet is of the current template, what it is called and which revision it is.

use serde_json::{Value, json};
use sluice_crds::template::{PodTemplate, TemplateHash};

use super::{DESIRED_REPLICAS, HASH_LABEL, MAX_REPLICAS, Missing, Pass, REVISION, REVISION_HISTORY, rolling, status};
use crate::controllers::object::{annotation, at, controller_reference, count, name, namespace, set, text};
use crate::controllers::write::{Kind, Write};

/// Annotations of the Deployment that are about itself and not about its revision.
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    "deprecated.deployment.rollback.to",
];

/// `sets` are oldest first: of two with the same template the older is meant.
pub(super) fn position_of_template(deployment: &Value, sets: &[Value]) -> Option<usize> {
    let wanted = without_hash(at(deployment, &["spec", "template"]));
    sets.iter().position(|set| without_hash(at(set, &["spec", "template"])) == wanted)
}

fn without_hash(template: &Value) -> Value {
    let mut plain = template.clone();
    if let Some(labels) = plain.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(HASH_LABEL);
    }
    plain
}

fn revision(object: &Value) -> i64 {
    annotation(object, REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
}

impl Pass<'_> {
    /// Makes sure that the current template has its ReplicaSet, and that both carry the revision.
    pub(super) fn find_new_replica_set(&mut self, missing: Missing) {
        let newest_old = self.old_sets().into_iter().map(|index| revision(&self.sets[index])).max().unwrap_or(0);
        let next = (newest_old + 1).to_string();
        match self.new_set() {
            Some(new) => self.refresh(new, &next),
            None if missing == Missing::Create => self.create_set(&next),
            None => {}
        }
    }

    fn refresh(&mut self, new: usize, next: &str) {
        let mut changed = self.sets[new].clone();
        annotate(&mut changed, &self.deployment, next);
        let min_ready = at(&self.deployment, &["spec", "minReadySeconds"]).clone();
        if &min_ready != at(&changed, &["spec", "minReadySeconds"]) {
            set(&mut changed, &["spec", "minReadySeconds"], min_ready);
        }
        if changed != self.sets[new] {
            self.decision.writes.push(Write::Replace(Kind::ReplicaSet, changed.clone()));
            self.sets[new] = changed;
        }
        let known_as = text(&self.sets[new], &["metadata", "annotations", REVISION]).to_owned();
        self.mark_deployment(&known_as);
        if count(&self.deployment, &["spec", "progressDeadlineSeconds"]) > 0
            && !status::has_condition(&self.deployment, "Progressing")
        {
            let message = format!("Found new replica set \"{}\"", name(&self.sets[new]));
            status::set_progressing(&mut self.deployment, "True", "FoundNewReplicaSet", &message, self.now);
        }
    }

    fn create_set(&mut self, next: &str) {
        let template = at(&self.deployment, &["spec", "template"]);
        let collisions = at(&self.deployment, &["status", "collisionCount"]).as_i64();
        let hash = template_hash(template, collisions);
        let mut labelled = template.clone();
        set(&mut labelled, &["metadata", "labels", HASH_LABEL], json!(hash));
        let mut selector = at(&self.deployment, &["spec", "selector"]).clone();
        set(&mut selector, &["matchLabels", HASH_LABEL], json!(hash));
        let mut replica_set = json!({
            "apiVersion": Kind::ReplicaSet.api_version(),
            "kind": Kind::ReplicaSet.name(),
            "metadata": {
                "name": format!("{}-{hash}", name(&self.deployment)),
                "namespace": namespace(&self.deployment),
                "labels": at(&labelled, &["metadata", "labels"]),
                "ownerReferences": [controller_reference(&self.deployment)],
            },
            "spec": {
                "replicas": 0,
                "selector": selector,
                "template": labelled,
            },
        });
        let min_ready = at(&self.deployment, &["spec", "minReadySeconds"]);
        if !min_ready.is_null() {
            set(&mut replica_set, &["spec", "minReadySeconds"], min_ready.clone());
        }
        let replicas = rolling::new_size(&self.deployment, &self.sets, 0);
        set(&mut replica_set, &["spec", "replicas"], json!(replicas));
        annotate(&mut replica_set, &self.deployment, next);
        let wanted = self.wanted();
        let most = wanted + rolling::max_surge(&self.deployment);
        set(&mut replica_set, &["metadata", "annotations", DESIRED_REPLICAS], json!(wanted.to_string()));
        set(&mut replica_set, &["metadata", "annotations", MAX_REPLICAS], json!(most.to_string()));
        self.decision.writes.push(Write::Create(Kind::ReplicaSet, replica_set.clone()));
        if count(&self.deployment, &["spec", "progressDeadlineSeconds"]) > 0 {
            let message = format!("Created new replica set \"{}\"", name(&replica_set));
            status::set_progressing(&mut self.deployment, "True", "NewReplicaSetCreated", &message, self.now);
        }
        self.sets.push(replica_set);
        self.mark_deployment(next);
    }

    /// Travels with the status, through whose door annotations go without a new generation.
    fn mark_deployment(&mut self, revision: &str) {
        set(&mut self.deployment, &["metadata", "annotations", REVISION], json!(revision));
    }
}

/// Copies the Deployment's annotations, and moves the revision on; the former ones are kept as history.
fn annotate(replica_set: &mut Value, deployment: &Value, next: &str) {
    if let Some(annotations) = at(deployment, &["metadata", "annotations"]).as_object() {
        for (key, value) in annotations {
            if !NOT_COPIED.contains(&key.as_str()) {
                set(replica_set, &["metadata", "annotations", key], value.clone());
            }
        }
    }
    let before = revision(replica_set);
    if before < next.parse().unwrap_or(0) {
        set(replica_set, &["metadata", "annotations", REVISION], json!(next));
        if before > 0 {
            let history = match annotation(replica_set, REVISION_HISTORY) {
                Some(earlier) => format!("{earlier},{before}"),
                None => before.to_string(),
            };
            set(replica_set, &["metadata", "annotations", REVISION_HISTORY], json!(history));
        }
    }
}

/// The name of a revision; when it is taken by another template, the next hash counts the collision.
fn template_hash(template: &Value, collisions: Option<i64>) -> String {
    let collisions = collisions.and_then(|count| i32::try_from(count).ok());
    TemplateHash::of(&PodTemplate::from(template.clone()), collisions).to_string()
}
