//! The DestinationRule: which pods its two subsets select. All other subsets and fields stay as they are.

use serde_json::{Value, json};
use sluice_crds::rollout::router::IstioDestinationRule;
use sluice_crds::template::HASH_LABEL;

use super::destinations::SubsetNames;
use super::host::service_of;
use crate::edit::{Action, Edit, Problem, Target, require};
use crate::objects::{Kind, ObjectRef, Objects};
use crate::observed::Subsets;
use crate::ownership;
use crate::patch::{Patch, escaped};
use crate::routing::Routing;
use crate::split::Split;

/// Names the Rollout that decides what the subsets select.
const MANAGED_BY: &str = "argo-rollouts.argoproj.io/managed-by-rollouts";

pub(super) fn name(routing: &Routing) -> Option<ObjectRef> {
    let named = named(routing)?;
    Some(ObjectRef::new(Kind::DestinationRule, &routing.namespace, &named.name))
}

/// How destinations of the subsets are told apart, if the rule is there.
pub(super) fn subset_names<'a>(routing: &'a Routing, objects: &'a Objects) -> Option<SubsetNames<'a>> {
    let named = named(routing)?;
    let rule = objects.there(&name(routing)?)?;
    Some(SubsetNames {
        host: service_of(rule["spec"]["host"].as_str()?, &routing.namespace)?,
        stable: named.stable_subset_name.as_deref()?,
        canary: named.canary_subset_name.as_deref()?,
        kept: named.additional_subset_names.as_deref().unwrap_or_default(),
    })
}

pub(super) fn edit(split: &Split, routing: &Routing, objects: &Objects) -> Result<Option<Edit>, Problem> {
    let (Some(named), Some(name)) = (named(routing), name(routing)) else { return Ok(None) };
    let rule = require(objects, &name, "istio.destinationRule")?;
    check_owner(&name, rule, routing)?;
    let host = rule["spec"]["host"].as_str().unwrap_or_default();
    if service_of(host, &routing.namespace).is_none() {
        let sentence = format!("spec.host {host:?} is no Service; write the name of the Service in front of the pods");
        return Err(Problem::new(&name, sentence));
    }
    let wanted = [
        (named.canary_subset_name.as_deref().unwrap_or_default(), split.canary_hash.as_deref()),
        (named.stable_subset_name.as_deref().unwrap_or_default(), split.stable_hash.as_deref()),
    ];
    let mut patch = Patch::of(rule);
    for (subset, hash) in wanted {
        let (index, there) = find(rule, subset).ok_or_else(|| {
            let sentence = format!("spec.subsets has no subset named {subset}; add - name: {subset}");
            Problem::new(&name, sentence)
        })?;
        if let Some(hash) = hash {
            select(&mut patch, index, there, hash);
        }
    }
    if wanted.iter().any(|(_, hash)| hash.is_some()) {
        patch.annotate(rule, MANAGED_BY, Some(&routing.rollout));
    }
    if patch.is_empty() {
        return Ok(if split.is_idle() { ownership::release(&name, rule) } else { None });
    }
    let message = format!("DestinationRule `{}` subsets updated", name.name);
    Ok(Some(Edit {
        target: Target::of(&name, rule),
        action: Action::JsonPatch(patch.operations()),
        reason: "the subsets select the pods of their revisions".to_owned(),
        event: Some(("UpdatedDestinationRule", message)),
        only_tidies_up: false,
    }))
}

/// Takes the hash out of the subsets, so that they select what the user wrote; left in, they would select nothing
/// once the pods of the Rollout are gone.
pub(super) fn give_back(routing: &Routing, objects: &Objects) -> Option<Edit> {
    let (named, name) = (named(routing)?, name(routing)?);
    let rule = objects.there(&name)?;
    check_owner(&name, rule, routing).ok()?;
    let mut patch = Patch::of(rule);
    for subset in [&named.canary_subset_name, &named.stable_subset_name].into_iter().flatten() {
        if let Some((index, there)) = find(rule, subset)
            && !there["labels"][HASH_LABEL].is_null()
        {
            let label = format!("/spec/subsets/{index}/labels/{}", escaped(HASH_LABEL));
            patch.read(format_args!("/spec/subsets/{index}/name"), there["name"].clone());
            patch.read(&label, there["labels"][HASH_LABEL].clone());
            patch.remove(label);
        }
    }
    patch.annotate(rule, MANAGED_BY, None);
    if patch.is_empty() {
        return ownership::release(&name, rule);
    }
    Some(Edit {
        target: Target::of(&name, rule),
        action: Action::JsonPatch(patch.operations()),
        reason: "the Rollout gives the DestinationRule back".to_owned(),
        event: None,
        only_tidies_up: false,
    })
}

pub(super) fn observe(routing: &Routing, objects: &Objects) -> Option<Subsets> {
    let named = named(routing)?;
    let rule = objects.there(&name(routing)?)?;
    let hash = |subset: Option<&str>| {
        let (_, there) = find(rule, subset?)?;
        Some(there["labels"][HASH_LABEL].as_str()?.to_owned())
    };
    Some(Subsets {
        stable: hash(named.stable_subset_name.as_deref()),
        canary: hash(named.canary_subset_name.as_deref()),
    })
}

fn named(routing: &Routing) -> Option<&IstioDestinationRule> {
    routing.traffic.istio.as_ref()?.destination_rule.as_ref()
}

fn check_owner(name: &ObjectRef, rule: &Value, routing: &Routing) -> Result<(), Problem> {
    let annotation = rule["metadata"]["annotations"][MANAGED_BY].as_str();
    match annotation.filter(|owner| *owner != routing.rollout) {
        None => Ok(()),
        Some(other) => {
            let sentence = format!(
                "the annotation {MANAGED_BY} says that Rollout {other} decides its subsets; give each Rollout a \
                 DestinationRule of its own, or remove the annotation if that Rollout is gone"
            );
            Err(Problem::new(name, sentence))
        }
    }
}

fn find<'v>(rule: &'v Value, subset: &str) -> Option<(usize, &'v Value)> {
    rule["spec"]["subsets"].as_array()?.iter().enumerate().find(|(_, one)| one["name"] == subset)
}

fn select(patch: &mut Patch, index: usize, subset: &Value, hash: &str) {
    let there = &subset["labels"][HASH_LABEL];
    if there == hash {
        return;
    }
    let path = format!("/spec/subsets/{index}");
    patch.read(format_args!("{path}/name"), subset["name"].clone());
    let label = format!("{path}/labels/{}", escaped(HASH_LABEL));
    if subset["labels"].is_object() {
        patch.read(&label, there.clone());
        patch.set(&label, hash);
    } else {
        patch.read(format_args!("{path}/labels"), subset["labels"].clone());
        patch.set(format_args!("{path}/labels"), json!({HASH_LABEL: hash}));
    }
}
