//! Probes and lifecycle hooks: what is asked of a container, and how.

use super::containers::{Role, out_of_range};
use super::{is_settled, one_of};
use crate::mistake::Mistake;
use crate::validate::form::either;
use crate::validate::names::PORT_NAME;
use crate::validate::raw::Raw;

const PROBE_HANDLERS: &[&str] = &["exec", "httpGet", "tcpSocket", "grpc"];
const HOOK_HANDLERS: &[&str] = &["exec", "httpGet", "tcpSocket", "sleep"];
const SECONDS: &[&str] =
    &["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"];

pub(super) fn check(container: &Raw<'_>, role: Role, found: &mut Vec<Mistake>) {
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = container.field(name) else {
            continue;
        };
        if role == Role::Init {
            let mend = "remove it, or write restartPolicy: Always to make the container a sidecar";
            found.push(Mistake::about(probe.path, "can't be set on an init container, which ends", mend));
            continue;
        }
        check_probe(&probe, name, found);
    }
    let Some(lifecycle) = container.field("lifecycle") else {
        return;
    };
    if role == Role::Init {
        let mend = "remove it, or write restartPolicy: Always to make the container a sidecar";
        found.push(Mistake::about(lifecycle.path, "can't be set on an init container, which ends", mend));
        return;
    }
    for name in ["postStart", "preStop"] {
        if let Some(hook) = lifecycle.field(name) {
            check_handler(&hook, HOOK_HANDLERS, found);
        }
    }
}

fn check_probe(probe: &Raw<'_>, name: &str, found: &mut Vec<Mistake>) {
    check_handler(probe, PROBE_HANDLERS, found);
    for field in SECONDS {
        if let Some(number) = probe.whole(field).filter(|number| *number < 0) {
            found.push(Mistake::wrong(probe.path.field(*field), number, "is less than 0", "write 1 or more"));
        }
    }
    let successes = probe.whole("successThreshold").filter(|successes| *successes > 1);
    if let Some(successes) = successes.filter(|_| name != "readinessProbe") {
        let problem = format!("can't be used in a {name}");
        found.push(Mistake::wrong(probe.path.field("successThreshold"), successes, problem, "write 1"));
    }
    let grace = probe.path.field("terminationGracePeriodSeconds");
    match probe.whole("terminationGracePeriodSeconds") {
        Some(_) if name == "readinessProbe" => {
            found.push(Mistake::about(grace, "can't be set in a readinessProbe, which ends nothing", "remove it"));
        }
        Some(seconds) if seconds < 1 => found.push(Mistake::wrong(grace, seconds, "is too short", "write 1 or more")),
        _ => {}
    }
}

fn check_handler(asked: &Raw<'_>, handlers: &'static [&'static str], found: &mut Vec<Mistake>) {
    let set = asked.set_among(handlers);
    match set.as_slice() {
        [] => {
            let mend = format!("write {}", either(handlers));
            found.push(Mistake::missing(asked.path.clone(), "does not say what to ask", mend));
        }
        [_] => {}
        _ => {
            let problem = format!("has {}", either(&set).replace(" or ", " and "));
            found.push(Mistake::about(asked.path.clone(), problem, "keep one of them"));
        }
    }
    for name in set {
        if let Some(handler) = asked.field(name) {
            check_call(name, &handler, found);
        }
    }
}

fn check_call(name: &str, handler: &Raw<'_>, found: &mut Vec<Mistake>) {
    match name {
        "exec" if handler.items("command").next().is_none() => {
            let path = handler.path.field("command");
            found.push(Mistake::missing(path, "is required", "write the command and its arguments as a list"));
        }
        "httpGet" | "tcpSocket" => {
            one_of(handler, "scheme", &["HTTP", "HTTPS"], found);
            check_port(handler, found);
        }
        "grpc" => {
            let path = handler.path.field("port");
            match handler.whole("port") {
                Some(port) => found.extend(out_of_range(&path, port, 1)),
                None => found.push(Mistake::missing(path, "is required", "write the port to call")),
            }
        }
        _ => {}
    }
}

/// A port by number or by name.
fn check_port(handler: &Raw<'_>, found: &mut Vec<Mistake>) {
    let path = handler.path.field("port");
    match (handler.whole("port"), handler.text("port")) {
        (Some(number), _) => found.extend(out_of_range(&path, number, 1)),
        (None, Some(name)) if !is_settled(name) => {}
        (None, Some(name)) => found.extend(PORT_NAME.broken_by(&path, name)),
        (None, None) => found.push(Mistake::missing(path, "is required", "write the port's number or name")),
    }
}
