//! Nodes that a new revision's pods keep off: those where pods of the stable one run. The term is in the new
//! ReplicaSet's template for as long as another revision is stable.

use serde_json::{Map, Value, json};
use sluice_crds::rollout::AntiAffinity;
use sluice_crds::template::{HASH_LABEL, PodTemplate};

use crate::observe::Release;
use crate::patch::Patch;
use crate::snapshot::ReplicaSet;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const PATH: &str = "/spec/template/spec/affinity";

/// A term, and the list that it stands in.
#[derive(Clone, Debug, PartialEq)]
struct Term {
    list: &'static str,
    term: Value,
}

/// The template with which the new revision is born.
pub(crate) fn born(release: &Release<'_>, template: PodTemplate) -> PodTemplate {
    let Some(term) = wanted(release) else { return template };
    let mut template = template.into_json();
    let affinity = rewritten(template.pointer("/spec/affinity"), Some(&term));
    if let (Some(spec), Some(affinity)) = (template["spec"].as_object_mut(), affinity) {
        spec.insert("affinity".to_owned(), affinity);
    }
    template.into()
}

/// Adds to a patch of the ReplicaSet what its template has too much or too little. A user's own terms stay.
pub(crate) fn follow_stable(release: &Release<'_>, set: &ReplicaSet, patch: Patch) -> Patch {
    let is_new = release.new.is_some_and(|new| new.meta.uid == set.meta.uid);
    let wanted = wanted(release).filter(|_| is_new);
    let there = set.template.affinity();
    if injected(there) == wanted.iter().cloned().collect::<Vec<_>>() {
        return patch;
    }
    let patch = patch.read(PATH, there.cloned().unwrap_or_default());
    match rewritten(there, wanted.as_ref()) {
        Some(affinity) => patch.set(PATH, affinity),
        None => patch.remove(PATH),
    }
}

/// The template without terms that were put in.
pub(crate) fn without_terms(template: PodTemplate) -> PodTemplate {
    let mut template = template.into_json();
    let there = template.pointer("/spec/affinity").cloned();
    if !injected(there.as_ref()).is_empty()
        && let Some(spec) = template["spec"].as_object_mut()
    {
        match rewritten(there.as_ref(), None) {
            Some(affinity) => spec.insert("affinity".to_owned(), affinity),
            None => spec.remove("affinity"),
        };
    }
    template.into()
}

fn wanted(release: &Release<'_>) -> Option<Term> {
    let spec = &release.rollout.spec;
    let canary = spec.canary().and_then(|canary| canary.anti_affinity.as_ref());
    let rules = canary.or_else(|| spec.blue_green()?.anti_affinity.as_ref())?;
    let stable = release.other_stable()?;
    Some(term(rules, stable.hash()))
}

fn term(rules: &AntiAffinity, stable: &str) -> Term {
    let term = json!({
        "labelSelector": {"matchExpressions": [{"key": HASH_LABEL, "operator": "In", "values": [stable]}]},
        "topologyKey": "kubernetes.io/hostname",
    });
    match &rules.preferred_during_scheduling_ignored_during_execution {
        Some(preferred) => {
            let term = json!({"weight": preferred.weight.unwrap_or(1), "podAffinityTerm": term});
            Term { list: PREFERRED, term }
        }
        None => Term { list: REQUIRED, term },
    }
}

fn injected(affinity: Option<&Value>) -> Vec<Term> {
    let terms = |list: &'static str| {
        let terms = affinity.and_then(|affinity| affinity["podAntiAffinity"][list].as_array());
        let ours = terms.into_iter().flatten().filter(|term| is_injected(term));
        ours.map(move |term| Term { list, term: term.clone() })
    };
    terms(REQUIRED).chain(terms(PREFERRED)).collect()
}

/// Selects on the hash label and on nothing else: no template that a person wrote can know that hash.
fn is_injected(term: &Value) -> bool {
    let selector = &term.get("podAffinityTerm").unwrap_or(term)["labelSelector"];
    let on_hash = |expressions: &Vec<Value>| expressions.len() == 1 && expressions[0]["key"] == HASH_LABEL;
    selector["matchExpressions"].as_array().is_some_and(on_hash) && selector.get("matchLabels").is_none()
}

/// The affinity without terms that were put in, and with this one; `None` where nothing is left.
fn rewritten(affinity: Option<&Value>, term: Option<&Term>) -> Option<Value> {
    let mut affinity = affinity.and_then(Value::as_object).cloned().unwrap_or_default();
    let mut lists = affinity.remove("podAntiAffinity").and_then(object).unwrap_or_default();
    for name in [REQUIRED, PREFERRED] {
        let mut terms = lists.remove(name).and_then(list).unwrap_or_default();
        terms.retain(|term| !is_injected(term));
        terms.extend(term.filter(|term| term.list == name).map(|term| term.term.clone()));
        if !terms.is_empty() {
            lists.insert(name.to_owned(), terms.into());
        }
    }
    if !lists.is_empty() {
        affinity.insert("podAntiAffinity".to_owned(), lists.into());
    }
    (!affinity.is_empty()).then(|| affinity.into())
}

fn object(value: Value) -> Option<Map<String, Value>> {
    if let Value::Object(map) = value { Some(map) } else { None }
}

fn list(value: Value) -> Option<Vec<Value>> {
    if let Value::Array(items) = value { Some(items) } else { None }
}
