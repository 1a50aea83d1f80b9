//! Volumes, and where containers mount them.

use std::collections::BTreeSet;

use super::{Owner, is_settled, settled};
use crate::mistake::{Mistake, word};
use crate::validate::form::either;
use crate::validate::names::DNS_LABEL;
use crate::validate::raw::Raw;

/// The kinds of volumes. One that is newer than this list is passed over.
const SOURCES: &[&str] = &[
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "hostPath",
    "image",
    "iscsi",
    "nfs",
    "persistentVolumeClaim",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "secret",
    "storageos",
    "vsphereVolume",
];

/// What a source must say besides its kind.
const REQUIRED: &[(&str, &str, &str)] = &[
    ("configMap", "name", "name the ConfigMap"),
    ("secret", "secretName", "name the Secret"),
    ("persistentVolumeClaim", "claimName", "name the claim"),
    ("hostPath", "path", "write the path on the node"),
    ("csi", "driver", "name the driver"),
    ("nfs", "server", "name the server"),
    ("nfs", "path", "write the exported path"),
];

/// The names that mounts may refer to.
pub(super) fn names<'v>(spec: &Raw<'v>) -> BTreeSet<&'v str> {
    spec.items("volumes").filter_map(|volume| volume.text("name")).collect()
}

pub(super) fn check(spec: &Raw<'_>, owner: Owner, found: &mut Vec<Mistake>) {
    let mut names = BTreeSet::new();
    for volume in spec.items("volumes") {
        let path = volume.path.field("name");
        match volume.text("name") {
            None => found.push(Mistake::missing(path, "is required", "name the volume")),
            Some(name) if !is_settled(name) => {}
            Some(name) => {
                found.extend(DNS_LABEL.broken_by(&path, name));
                if !names.insert(name) {
                    found.push(Mistake::wrong(path, name, "is the name of another volume", "name it otherwise"));
                }
            }
        }
        check_source(&volume, owner, found);
    }
}

/// A volume without a source is an empty directory; one with two is refused.
fn check_source(volume: &Raw<'_>, owner: Owner, found: &mut Vec<Mistake>) {
    let sources = volume.set_among(SOURCES);
    if sources.len() > 1 {
        let problem = format!("has the sources {}", either(&sources).replace(" or ", " and "));
        found.push(Mistake::about(volume.path.clone(), problem, "keep one of them"));
    }
    for (source, field, mend) in REQUIRED {
        let Some(source) = volume.field(source) else {
            continue;
        };
        if source.text(field).is_none() {
            found.push(Mistake::missing(source.path.field(*field), "is required", *mend));
        }
    }
    let host_path = volume.field("hostPath").filter(|_| owner == Owner::ReplicaSet);
    if let Some(climbing) = host_path.filter(|host| host.text("path").is_some_and(climbs)) {
        let path = climbing.path.field("path");
        found.push(Mistake::about(path, "climbs out with ..", "write the path without .."));
    }
}

pub(super) fn check_mounts(container: &Raw<'_>, volumes: &BTreeSet<&str>, found: &mut Vec<Mistake>) {
    let mut places = BTreeSet::new();
    for mount in container.items("volumeMounts") {
        let path = mount.path.field("name");
        match mount.text("name") {
            None => found.push(Mistake::missing(path, "is required", "name the volume to mount")),
            Some(name) if is_settled(name) && !volumes.contains(name) => {
                let mend = if volumes.is_empty() {
                    "add it to the pod's volumes".to_owned()
                } else {
                    let known: Vec<String> = volumes.iter().take(8).map(|name| word(name)).collect();
                    format!("add it to the pod's volumes, or write {}", either(&known))
                };
                found.push(Mistake::wrong(path, name, "is not a volume of this pod", mend));
            }
            Some(_) => {}
        }
        check_place(&mount, &mut places, found);
    }
}

fn check_place<'v>(mount: &Raw<'v>, places: &mut BTreeSet<&'v str>, found: &mut Vec<Mistake>) {
    let path = mount.path.field("mountPath");
    match mount.text("mountPath") {
        None => found.push(Mistake::missing(path, "is required", "write where the container sees the volume")),
        Some(place) if !is_settled(place) => {}
        Some(place) => {
            if !places.insert(place) {
                let problem = "is where another volume is mounted";
                found.push(Mistake::wrong(path, place, problem, "mount one of the two elsewhere"));
            }
        }
    }
    if let Some(inside) = settled(mount, "subPath") {
        let path = mount.path.field("subPath");
        if inside.starts_with('/') {
            found.push(Mistake::wrong(path, inside, "is not relative to the volume", "remove the leading slash"));
        } else if climbs(inside) {
            found.push(Mistake::wrong(path, inside, "climbs out of the volume", "write a path without .."));
        }
        if mount.text("subPathExpr").is_some() {
            let path = mount.path.field("subPathExpr");
            found.push(Mistake::about(path, "can't be combined with subPath", "keep one of the two"));
        }
    }
}

fn climbs(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}
