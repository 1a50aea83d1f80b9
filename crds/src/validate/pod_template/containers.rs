//! Containers: their names, images, ports, and what hangs on them.

use std::collections::BTreeSet;

use super::{Owner, environment, one_of, probes, resources, settled, volumes};
use crate::mistake::{FieldPath, Mistake};
use crate::validate::names::{DNS_LABEL, PORT_NAME};
use crate::validate::raw::Raw;

/// What a container is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Main,
    /// It ends before the main ones begin.
    Init,
    /// An init container that keeps running.
    Sidecar,
}

pub(super) fn check(spec: &Raw<'_>, owner: Owner, found: &mut Vec<Mistake>) {
    if spec.items("containers").next().is_none() {
        let path = spec.path.field("containers");
        found.push(Mistake::missing(path, "has no container", "write at least one"));
    }
    if spec.items("ephemeralContainers").next().is_some() {
        let path = spec.path.field("ephemeralContainers");
        found.push(Mistake::about(path, "can't be part of a template", "remove it; kubectl debug adds one to a pod"));
    }
    let volumes = volumes::names(spec);
    let mut names = BTreeSet::new();
    let mut host_ports = BTreeSet::new();
    for list in ["initContainers", "containers"] {
        for container in spec.items(list) {
            let role = match (list, container.text("restartPolicy")) {
                ("containers", _) => Role::Main,
                (_, Some("Always")) => Role::Sidecar,
                _ => Role::Init,
            };
            check_name(&container, &mut names, found);
            check_image(&container, owner, found);
            check_ports(&container, spec.says_yes("hostNetwork"), &mut host_ports, found);
            environment::check(&container, found);
            volumes::check_mounts(&container, &volumes, found);
            resources::check(&container, found);
            probes::check(&container, role, found);
            one_of(&container, "terminationMessagePolicy", &["File", "FallbackToLogsOnError"], found);
        }
    }
}

fn check_name<'v>(container: &Raw<'v>, names: &mut BTreeSet<&'v str>, found: &mut Vec<Mistake>) {
    let path = container.path.field("name");
    match container.text("name") {
        None => found.push(Mistake::missing(path, "is required", "name the container, for example web")),
        Some(name) if !super::is_settled(name) => {}
        Some(name) => {
            found.extend(DNS_LABEL.broken_by(&path, name));
            if !names.insert(name) {
                found.push(Mistake::wrong(path, name, "is the name of another container", "name it otherwise"));
            }
        }
    }
}

fn check_image(container: &Raw<'_>, owner: Owner, found: &mut Vec<Mistake>) {
    let path = container.path.field("image");
    match container.text("image") {
        None => found.push(Mistake::missing(path, "is required", "write one such as registry.example.com/web:1.2")),
        Some(image) if image.trim() != image && owner == Owner::ReplicaSet => {
            found.push(Mistake::wrong(path, image, "has blanks around it", "remove them"));
        }
        Some(_) => {}
    }
    one_of(container, "imagePullPolicy", &["Always", "IfNotPresent", "Never"], found);
}

/// A port of the host: pods that ask for the same one twice can't be scheduled.
type HostPort<'v> = (i64, &'v str, &'v str);

fn check_ports<'v>(
    container: &Raw<'v>,
    on_host_network: bool,
    host_ports: &mut BTreeSet<HostPort<'v>>,
    found: &mut Vec<Mistake>,
) {
    let mut names = BTreeSet::new();
    for port in container.items("ports") {
        let number = port.whole("containerPort");
        let path = port.path.field("containerPort");
        match number {
            None => found.push(Mistake::missing(path, "is required", "write the port that the container listens on")),
            Some(number) => found.extend(out_of_range(&path, number, 1)),
        }
        one_of(&port, "protocol", &["TCP", "UDP", "SCTP"], found);
        if let Some(name) = settled(&port, "name") {
            let path = port.path.field("name");
            found.extend(PORT_NAME.broken_by(&path, name));
            if !names.insert(name) {
                found.push(Mistake::wrong(path, name, "is the name of another port", "name it otherwise"));
            }
        }
        check_host_port(&port, number, on_host_network, host_ports, found);
    }
}

fn check_host_port<'v>(
    port: &Raw<'v>,
    number: Option<i64>,
    on_host_network: bool,
    host_ports: &mut BTreeSet<HostPort<'v>>,
    found: &mut Vec<Mistake>,
) {
    let path = port.path.field("hostPort");
    let Some(host_port) = port.whole("hostPort").filter(|port| *port != 0) else {
        return;
    };
    if let Some(mistake) = out_of_range(&path, host_port, 1) {
        found.push(mistake);
        return;
    }
    if on_host_network && number.is_some_and(|number| number != host_port) {
        let mend = "write the same number as containerPort, or remove it";
        found.push(Mistake::wrong(path, host_port, "differs from containerPort on the host's network", mend));
        return;
    }
    let protocol = port.text("protocol").unwrap_or("TCP");
    let address = port.text("hostIP").unwrap_or_default();
    if !host_ports.insert((host_port, protocol, address)) {
        found.push(Mistake::wrong(path, host_port, "is taken by another port of this pod", "write a free one"));
    }
}

/// The mistake of a port number outside of its range, if it is.
pub(super) fn out_of_range(path: &FieldPath, number: i64, least: i64) -> Option<Mistake> {
    const LAST: i64 = 65_535;
    let mend = format!("write {least} to {LAST}");
    (!(least..=LAST).contains(&number)).then(|| Mistake::wrong(path.clone(), number, "is not a port", mend))
}
