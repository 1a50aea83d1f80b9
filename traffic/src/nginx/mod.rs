//! Ingresses of ingress-nginx: beside each stable Ingress a canary Ingress, which is ours as a whole. The stable one
//! is only read.

mod annotations;
mod paths;

use serde_json::{Value, json};
use sluice_crds::rollout::router::NginxRouting;

use crate::edit::{Action, Edit, Edits, Problem, Target, require};
use crate::objects::{Kind, Needs, ObjectRef, Objects, Seen};
use crate::observed::{Observed, RawWeights, Share, written_at};
use crate::patch::Patch;
use crate::routing::Routing;
use crate::split::Split;

/// The longest name that an object can have.
const LONGEST_NAME: usize = 253;

pub(crate) fn needs(routing: &Routing, needs: &mut Needs) {
    for (stable, canary) in pairs(routing) {
        needs.objects.extend([stable, canary]);
    }
}

pub(crate) fn edits(split: &Split, routing: &Routing, objects: &Objects, found: &mut Edits) {
    let Some(nginx) = routing.nginx() else { return };
    let remove = split.is_idle() && nginx.remove_when_idle();
    for (stable, canary) in pairs(routing) {
        let edit = if remove {
            Ok(delete(routing, &canary, objects))
        } else {
            Canary { split, routing, nginx, stable: &stable, canary: &canary }.edit(objects)
        };
        match edit {
            Ok(edit) => found.edits.extend(edit),
            Err(problem) => found.problems.push(problem),
        }
    }
}

/// The canary Ingresses go; the stable ones serve on as they have all the time.
pub(crate) fn give_back(routing: &Routing, objects: &Objects, found: &mut Edits) {
    for (_, canary) in pairs(routing) {
        found.edits.extend(delete(routing, &canary, objects));
    }
}

pub(crate) fn observe(routing: &Routing, objects: &Objects, observed: &mut Observed) {
    let Some(nginx) = routing.nginx() else { return };
    for (stable, canary) in pairs(routing) {
        let raw = match (objects.there(&stable), objects.get(&canary)) {
            (Some(_), Some(Seen::There(there))) => annotations::weights(there, nginx.annotation_prefix()),
            (Some(_), Some(Seen::Absent | Seen::KindAbsent)) => RawWeights { stable: 1, ..RawWeights::default() },
            _ => {
                observed.unclear.push(stable);
                continue;
            }
        };
        let weights = raw.of_total(routing.total());
        let written_at = objects.there(&canary).and_then(written_at);
        observed.shares.push(Share {
            object: canary,
            place: "metadata.annotations".to_owned(),
            weights,
            verified: None,
            written_at,
        });
    }
}

/// Each stable Ingress and the canary Ingress beside it.
fn pairs(routing: &Routing) -> impl Iterator<Item = (ObjectRef, ObjectRef)> {
    let names = routing.nginx().into_iter().flat_map(NginxRouting::stable_ingresses);
    names.map(|name| {
        let of = |name: &str| ObjectRef::new(Kind::Ingress, &routing.namespace, name);
        (of(name), of(&canary_name(&routing.rollout, name)))
    })
}

fn canary_name(rollout: &str, stable_ingress: &str) -> String {
    const SUFFIX: &str = "-canary";
    let mut name = format!("{rollout}-{stable_ingress}");
    while name.len() > LONGEST_NAME - SUFFIX.len() {
        name.pop();
    }
    name + SUFFIX
}

/// Only what is ours is deleted; what isn't has never been of use to this Rollout.
fn delete(routing: &Routing, canary: &ObjectRef, objects: &Objects) -> Option<Edit> {
    let there = objects.there(canary)?;
    let text = |field: &str| there["metadata"][field].as_str().unwrap_or_default().to_owned();
    let is_on_its_way_out = there["metadata"]["deletionTimestamp"].is_string();
    (owner(there, routing) == Owner::Us && !is_on_its_way_out).then(|| Edit {
        target: Target::of(canary, there),
        action: Action::Delete { uid: text("uid"), resource_version: text("resourceVersion") },
        reason: "no release needs the canary Ingress".to_owned(),
        event: None,
        only_tidies_up: false,
    })
}

/// One canary Ingress and what it is made from.
struct Canary<'a> {
    split: &'a Split,
    routing: &'a Routing,
    nginx: &'a NginxRouting,
    stable: &'a ObjectRef,
    canary: &'a ObjectRef,
}

impl Canary<'_> {
    fn edit(&self, objects: &Objects) -> Result<Option<Edit>, Problem> {
        let stable = require(objects, self.stable, "nginx")?;
        paths::check(self.stable, stable, self.routing)?;
        if !self.split.additional().is_empty() {
            let sentence = "ingress-nginx divides between two Services only; give the Experiment no weight";
            return Err(Problem::new(self.stable, sentence));
        }
        let annotations = annotations::wanted(self.split, self.routing, self.nginx, self.stable, stable)?;
        match objects.get(self.canary) {
            Some(Seen::There(there)) => self.patch(stable, there, &annotations),
            Some(Seen::Absent) => Ok(Some(self.create(stable, &annotations))),
            Some(Seen::KindAbsent) | None => {
                Err(Problem::new(self.canary, "has not been read yet; nothing is written before it has"))
            }
        }
    }

    fn create(&self, stable: &Value, annotations: &annotations::Annotations) -> Edit {
        let set = annotations.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_deref()?)));
        let object = json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {
                "name": self.canary.name,
                "namespace": self.canary.namespace,
                "annotations": set.collect::<std::collections::BTreeMap<_, _>>(),
                "ownerReferences": [owner_reference(self.routing)],
            },
            "spec": paths::wanted(stable, self.routing),
        });
        Edit {
            target: Target { object: self.canary.clone(), version: "v1".to_owned() },
            action: Action::Create(object),
            reason: format!("{} divides its traffic through a canary Ingress", self.stable),
            event: Some(("CreatingCanaryIngress", format!("Creating canary ingress `{}`", self.canary.name))),
            only_tidies_up: false,
        }
    }

    fn patch(
        &self,
        stable: &Value,
        there: &Value,
        annotations: &annotations::Annotations,
    ) -> Result<Option<Edit>, Problem> {
        let mut patch = Patch::of(there);
        match owner(there, self.routing) {
            Owner::Us => {}
            Owner::Nobody => {
                patch.read("/metadata/ownerReferences", there["metadata"]["ownerReferences"].clone());
                patch.set("/metadata/ownerReferences", json!([owner_reference(self.routing)]));
            }
            Owner::Other(who) => {
                let sentence = format!(
                    "metadata.ownerReferences names {who}, not this Rollout; delete the Ingress, or rename the Rollout"
                );
                return Err(Problem::new(self.canary, sentence));
            }
        }
        for (key, value) in annotations {
            patch.annotate(there, key, value.as_deref());
        }
        if !paths::are_as_wanted(stable, &there["spec"], self.routing) {
            patch.read("/spec", there["spec"].clone());
            patch.replace("/spec", paths::wanted(stable, self.routing));
        }
        Ok((!patch.is_empty()).then(|| Edit {
            target: Target::of(self.canary, there),
            action: Action::JsonPatch(patch.operations()),
            reason: format!("canary weight {} of {}", self.split.canary(), self.split.total()),
            event: Some(("PatchingCanaryIngress", format!("Updating Ingress `{}`", self.canary.name))),
            only_tidies_up: false,
        }))
    }
}

#[derive(PartialEq)]
enum Owner {
    Us,
    /// No owner at all: left behind when the Rollout was deleted without its objects, or restored from a backup.
    Nobody,
    Other(String),
}

fn owner(there: &Value, routing: &Routing) -> Owner {
    let owners = there["metadata"]["ownerReferences"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |owner: &Value, field: &str| owner[field].as_str().unwrap_or_default().to_owned();
    match owners {
        _ if owners.iter().any(|owner| owner["uid"] == routing.uid.as_str()) => Owner::Us,
        [] => Owner::Nobody,
        [other, ..] => Owner::Other(format!("{} {}", text(other, "kind"), text(other, "name"))),
    }
}

fn owner_reference(routing: &Routing) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "name": routing.rollout,
        "uid": routing.uid,
        "controller": true,
        "blockOwnerDeletion": true,
    })
}
