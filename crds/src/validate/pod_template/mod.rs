//! What Kubernetes asks of the pod template of a ReplicaSet or a Job.
//!
//! A template that an API server refuses stops a release at the moment its ReplicaSet is made; told here, it never
//! begins. Only what every supported API server refuses is a mistake: a newer one may take more. Whether a pod may
//! be privileged is for the cluster's policy to say.

mod containers;
mod environment;
mod placement;
mod probes;
mod resources;
mod volumes;

use serde_json::Value;

pub(super) use placement::weight_mistake;

use super::form::{self, quieted};
use super::names::{self, DNS_LABEL, OBJECT_NAME};
use super::raw::Raw;
use crate::mistake::{FieldPath, Mistake};

/// Whose template it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Its pods run until they are replaced.
    ReplicaSet,
    /// Its pods end. Its texts may hold `{{args.name}}`, to be filled in when the analysis runs.
    Job,
}

/// All mistakes of the template at `path`.
pub(super) fn check(path: &FieldPath, template: &Value, owner: Owner) -> Vec<Mistake> {
    let mut template = template.clone();
    let checked = form::check_kubernetes(form::pod_template(), &mut template);
    let mut found = Vec::new();
    let root = Raw::new(FieldPath::root(), &template);
    if let Some(metadata) = root.field("metadata") {
        check_metadata(&metadata, &mut found);
    }
    match root.field("spec") {
        Some(spec) => check_spec(&spec, owner, &mut found),
        None => found.push(Mistake::missing(
            FieldPath::of("spec"),
            "is required",
            "write the pod's spec with its containers",
        )),
    }
    quieted(checked, found).into_iter().map(|mistake| Mistake { path: path.then(&mistake.path), ..mistake }).collect()
}

fn check_metadata(metadata: &Raw<'_>, found: &mut Vec<Mistake>) {
    let labels = metadata.entries("labels").filter_map(|(key, label)| Some((key, label.value.as_str()?)));
    names::labels(&metadata.path.field("labels"), labels, found);
    let annotations = metadata.entries("annotations").filter_map(|(key, text)| Some((key, text.value.as_str()?)));
    names::annotations(&metadata.path.field("annotations"), annotations, found);
}

fn check_spec(spec: &Raw<'_>, owner: Owner, found: &mut Vec<Mistake>) {
    containers::check(spec, owner, found);
    volumes::check(spec, owner, found);
    placement::check(spec, found);
    check_life(spec, owner, found);
    check_network(spec, found);
    for field in ["serviceAccountName", "priorityClassName", "runtimeClassName"] {
        check_name(spec, field, &OBJECT_NAME, owner, found);
    }
    for field in ["hostname", "subdomain"] {
        check_name(spec, field, &DNS_LABEL, owner, found);
    }
}

/// When its pods are restarted and how long they have to end.
fn check_life(spec: &Raw<'_>, owner: Owner, found: &mut Vec<Mistake>) {
    if let Some(policy) = spec.text("restartPolicy") {
        let path = spec.path.field("restartPolicy");
        match (owner, policy) {
            (Owner::ReplicaSet, "Always") | (Owner::Job, "Never" | "OnFailure") => {}
            (Owner::ReplicaSet, _) => {
                found.push(Mistake::wrong(path, policy, "can't be used for pods that are replaced", "write Always"));
            }
            (Owner::Job, _) => {
                found.push(Mistake::wrong(path, policy, "can't be used for a Job", "write Never or OnFailure"));
            }
        }
    }
    if owner == Owner::ReplicaSet && spec.field("activeDeadlineSeconds").is_some() {
        let path = spec.path.field("activeDeadlineSeconds");
        found.push(Mistake::about(path, "can't be set for pods that are replaced", "remove it"));
    }
    if let Some(seconds) = spec.whole("terminationGracePeriodSeconds").filter(|seconds| *seconds < 0) {
        let path = spec.path.field("terminationGracePeriodSeconds");
        found.push(Mistake::wrong(path, seconds, "is less than 0", "write how many seconds a pod gets to end"));
    }
}

fn check_network(spec: &Raw<'_>, found: &mut Vec<Mistake>) {
    one_of(spec, "dnsPolicy", &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"], found);
    let names_servers = spec.field("dnsConfig").is_some_and(|config| config.items("nameservers").next().is_some());
    if spec.text("dnsPolicy") == Some("None") && !names_servers {
        found.push(Mistake::missing(
            spec.path.field("dnsConfig").field("nameservers"),
            "is required with dnsPolicy None",
            "name at least one server",
        ));
    }
    if spec.says_yes("hostPID") && spec.says_yes("shareProcessNamespace") {
        let path = spec.path.field("shareProcessNamespace");
        found.push(Mistake::about(path, "can't be combined with hostPID", "remove one of the two"));
    }
}

/// A field that holds one of a few words. An empty one is the same as none.
fn one_of(raw: &Raw<'_>, field: &'static str, words: &[&str], found: &mut Vec<Mistake>) {
    if let Some(word) = raw.text(field).filter(|word| is_settled(word) && !words.contains(word)) {
        let mend = format!("write {}", form::either(words));
        found.push(Mistake::wrong(raw.path.field(field), word, "is not known here", mend));
    }
}

/// A field that holds a name. An empty one is the same as none.
fn check_name(raw: &Raw<'_>, field: &'static str, rule: &names::Rule, owner: Owner, found: &mut Vec<Mistake>) {
    if let Some(name) = raw.text(field).filter(|name| owner == Owner::ReplicaSet || is_settled(name)) {
        found.extend(rule.broken_by(&raw.path.field(field), name));
    }
}

/// Whether a text stays as it is: one with `{{args.name}}` inside is filled in when the analysis runs.
fn is_settled(text: &str) -> bool {
    !text.contains("{{")
}

/// A text, if it is there and stays as it is.
fn settled<'v>(raw: &Raw<'v>, field: &str) -> Option<&'v str> {
    raw.text(field).filter(|text| is_settled(text))
}
