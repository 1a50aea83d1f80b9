//! Where pods may run: node selectors, tolerations, affinity, spreading.

use super::one_of;
use crate::mistake::{FieldPath, Mistake};
use crate::validate::names;
use crate::validate::raw::Raw;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

pub(super) fn check(spec: &Raw<'_>, found: &mut Vec<Mistake>) {
    let labels = spec.entries("nodeSelector").filter_map(|(key, label)| Some((key, label.value.as_str()?)));
    let settled = labels.filter(|(_, label)| super::is_settled(label));
    names::labels(&spec.path.field("nodeSelector"), settled, found);
    for toleration in spec.items("tolerations") {
        check_toleration(&toleration, found);
    }
    for constraint in spec.items("topologySpreadConstraints") {
        check_spread(&constraint, found);
    }
    let Some(affinity) = spec.field("affinity") else {
        return;
    };
    if let Some(nodes) = affinity.field("nodeAffinity") {
        check_nodes(&nodes, found);
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        if let Some(pods) = affinity.field(kind) {
            check_pods(&pods, found);
        }
    }
}

fn check_toleration(toleration: &Raw<'_>, found: &mut Vec<Mistake>) {
    one_of(toleration, "effect", &["NoSchedule", "PreferNoSchedule", "NoExecute"], found);
    one_of(toleration, "operator", &["Equal", "Exists", "Lt", "Gt"], found);
    let operator = toleration.text("operator").unwrap_or("Equal");
    if toleration.text("key").is_none() && operator != "Exists" {
        let mend = "name the taint's key, or write operator: Exists to tolerate all";
        found.push(Mistake::missing(toleration.path.field("key"), "is required", mend));
    }
    if operator == "Exists" && toleration.text("value").is_some() {
        let path = toleration.path.field("value");
        found.push(Mistake::about(path, "has no meaning with operator Exists", "remove it, or write operator: Equal"));
    }
    let effect = toleration.text("effect").unwrap_or_default();
    if toleration.field("tolerationSeconds").is_some() && effect != "NoExecute" {
        let path = toleration.path.field("tolerationSeconds");
        found.push(Mistake::about(path, "has a meaning with effect NoExecute only", "write that effect, or remove it"));
    }
}

fn check_spread(constraint: &Raw<'_>, found: &mut Vec<Mistake>) {
    let path = constraint.path.field("maxSkew");
    match constraint.whole("maxSkew") {
        None => found.push(Mistake::missing(path, "is required", "write 1 or more")),
        Some(skew) if skew < 1 => found.push(Mistake::wrong(path, skew, "is less than 1", "write 1 or more")),
        Some(_) => {}
    }
    require_topology_key(constraint, found);
    if constraint.text("whenUnsatisfiable").is_none() {
        let path = constraint.path.field("whenUnsatisfiable");
        found.push(Mistake::missing(path, "is required", "write DoNotSchedule or ScheduleAnyway"));
    }
    one_of(constraint, "whenUnsatisfiable", &["DoNotSchedule", "ScheduleAnyway"], found);
}

fn check_nodes(nodes: &Raw<'_>, found: &mut Vec<Mistake>) {
    if let Some(required) = nodes.field(REQUIRED) {
        if required.items("nodeSelectorTerms").next().is_none() {
            let path = required.path.field("nodeSelectorTerms");
            found.push(Mistake::missing(path, "has no term, so no node ever matches", "write at least one"));
        }
        for term in required.items("nodeSelectorTerms") {
            check_expressions(&term, found);
        }
    }
    for preferred in nodes.items(PREFERRED) {
        check_weight(&preferred, found);
        if let Some(term) = preferred.field("preference") {
            check_expressions(&term, found);
        }
    }
}

fn check_expressions(term: &Raw<'_>, found: &mut Vec<Mistake>) {
    for expression in term.items("matchExpressions") {
        one_of(&expression, "operator", &["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"], found);
        let values = expression.items("values").count();
        let path = expression.path.field("values");
        match (expression.text("operator"), values) {
            (Some("In" | "NotIn"), 0) => {
                found.push(Mistake::missing(path, "is required with In and NotIn", "write at least one value"));
            }
            (Some("Exists" | "DoesNotExist"), 1..) => {
                found.push(Mistake::about(path, "have no meaning with Exists and DoesNotExist", "remove them"));
            }
            (Some("Gt" | "Lt"), 0 | 2..) => {
                found.push(Mistake::about(path, "are not exactly one number, as Gt and Lt need", "write one"));
            }
            _ => {}
        }
    }
}

fn check_pods(pods: &Raw<'_>, found: &mut Vec<Mistake>) {
    for term in pods.items(REQUIRED) {
        require_topology_key(&term, found);
    }
    for preferred in pods.items(PREFERRED) {
        check_weight(&preferred, found);
        if let Some(term) = preferred.field("podAffinityTerm") {
            require_topology_key(&term, found);
        }
    }
}

fn require_topology_key(term: &Raw<'_>, found: &mut Vec<Mistake>) {
    if term.text("topologyKey").is_none() {
        let path = term.path.field("topologyKey");
        found.push(Mistake::missing(path, "is required", "name a node label such as kubernetes.io/hostname"));
    }
}

fn check_weight(term: &Raw<'_>, found: &mut Vec<Mistake>) {
    let path = term.path.field("weight");
    match term.whole("weight") {
        None => found.push(Mistake::missing(path, "is required", "write 1 to 100")),
        Some(weight) => found.extend(weight_mistake(&path, weight)),
    }
}

/// The mistake of a scheduling weight outside of 1 to 100, if it is.
pub(in crate::validate) fn weight_mistake(path: &FieldPath, weight: i64) -> Option<Mistake> {
    const RANGE: std::ops::RangeInclusive<i64> = 1..=100;
    (!RANGE.contains(&weight)).then(|| Mistake::wrong(path.clone(), weight, "is out of range", "write 1 to 100"))
}
