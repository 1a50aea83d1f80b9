//! Ingresses that share traffic: they must send it to the stable Service to begin with.

use serde_json::Value;

use super::{File, Finding, Here};
use crate::mistake::{FieldPath, Mistake, word};

pub(super) fn check(here: &Here<'_>, file: &File<'_>, found: &mut Vec<Finding>) {
    let Some(canary) = here.rollout.spec.canary() else {
        return;
    };
    let Some(routing) = &canary.traffic_routing else {
        return;
    };
    let stable = canary.stable_service.as_deref();
    if let Some(nginx) = &routing.nginx {
        check_each(here, file, names(nginx.stable_ingress.as_ref(), nginx.stable_ingresses.as_ref()), stable, found);
    }
    if let Some(alb) = &routing.alb {
        let root = alb.root_service.as_deref().filter(|root| !root.is_empty());
        check_each(here, file, names(alb.ingress.as_ref(), alb.ingresses.as_ref()), root.or(stable), found);
    }
}

fn names<'o>(one: Option<&'o String>, many: Option<&'o Vec<String>>) -> impl Iterator<Item = &'o str> {
    one.into_iter().chain(many.into_iter().flatten()).map(String::as_str)
}

fn check_each<'o>(
    here: &Here<'_>,
    file: &File<'_>,
    names: impl Iterator<Item = &'o str>,
    service: Option<&str>,
    found: &mut Vec<Finding>,
) {
    let Some(service) = service.filter(|service| !service.is_empty()) else {
        return;
    };
    for name in names {
        let Some(ingress) = file.find("Ingress", name, here) else {
            continue;
        };
        let Some(json) = ingress.json().filter(|_| ingress.api_version == "networking.k8s.io/v1") else {
            continue;
        };
        if !backends(json).any(|backend| backend == service) {
            let service = word(service);
            let problem = format!("sends nothing to the Service {service}, whose traffic {} shares", here.object.name);
            let mend = format!("write {service} as the backend of a path");
            found.push(ingress.finding(Mistake::about(FieldPath::of("spec.rules"), problem, mend)));
        }
    }
}

/// The Services that an Ingress sends traffic to.
fn backends(ingress: &Value) -> impl Iterator<Item = &str> {
    let default = ingress.pointer("/spec/defaultBackend/service/name");
    let rules = ingress.pointer("/spec/rules").and_then(Value::as_array).into_iter().flatten();
    let paths = rules.filter_map(|rule| rule.pointer("/http/paths")?.as_array()).flatten();
    let named = paths.filter_map(|path| path.pointer("/backend/service/name"));
    default.into_iter().chain(named).filter_map(Value::as_str)
}
