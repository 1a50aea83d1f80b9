//! What Kubernetes fills into a pod template that says nothing: the API server's own defaults.

use serde_json::{Map, Value};

/// A default that is the same wherever the field is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Default {
    Text(&'static str),
    Int(i64),
    Bool(bool),
    EmptyObject,
}

/// Type, field, default.
const DEFAULTS: &[(&str, &str, Default)] = &[
    ("PodSpec", "dnsPolicy", Default::Text("ClusterFirst")),
    ("PodSpec", "restartPolicy", Default::Text("Always")),
    ("PodSpec", "schedulerName", Default::Text("default-scheduler")),
    ("PodSpec", "securityContext", Default::EmptyObject),
    ("PodSpec", "terminationGracePeriodSeconds", Default::Int(30)),
    ("Container", "terminationMessagePath", Default::Text("/dev/termination-log")),
    ("Container", "terminationMessagePolicy", Default::Text("File")),
    ("EphemeralContainer", "terminationMessagePath", Default::Text("/dev/termination-log")),
    ("EphemeralContainer", "terminationMessagePolicy", Default::Text("File")),
    ("ContainerPort", "protocol", Default::Text("TCP")),
    ("ObjectFieldSelector", "apiVersion", Default::Text("v1")),
    ("FileKeySelector", "optional", Default::Bool(false)),
    ("Probe", "timeoutSeconds", Default::Int(1)),
    ("Probe", "periodSeconds", Default::Int(10)),
    ("Probe", "successThreshold", Default::Int(1)),
    ("Probe", "failureThreshold", Default::Int(3)),
    ("HTTPGetAction", "path", Default::Text("/")),
    ("HTTPGetAction", "scheme", Default::Text("HTTP")),
    ("GRPCAction", "service", Default::Text("")),
    ("HostPathVolumeSource", "type", Default::Text("")),
    ("SecretVolumeSource", "defaultMode", Default::Int(0o644)),
    ("ConfigMapVolumeSource", "defaultMode", Default::Int(0o644)),
    ("DownwardAPIVolumeSource", "defaultMode", Default::Int(0o644)),
    ("ProjectedVolumeSource", "defaultMode", Default::Int(0o644)),
    ("ServiceAccountTokenProjection", "expirationSeconds", Default::Int(3600)),
    ("PersistentVolumeClaimSpec", "volumeMode", Default::Text("Filesystem")),
    ("ISCSIVolumeSource", "iscsiInterface", Default::Text("default")),
    ("RBDVolumeSource", "pool", Default::Text("rbd")),
    ("RBDVolumeSource", "user", Default::Text("admin")),
    ("RBDVolumeSource", "keyring", Default::Text("/etc/ceph/keyring")),
    ("AzureDiskVolumeSource", "cachingMode", Default::Text("ReadWrite")),
    ("AzureDiskVolumeSource", "fsType", Default::Text("ext4")),
    ("AzureDiskVolumeSource", "readOnly", Default::Bool(false)),
    ("AzureDiskVolumeSource", "kind", Default::Text("Shared")),
    ("ScaleIOVolumeSource", "storageMode", Default::Text("ThinProvisioned")),
    ("ScaleIOVolumeSource", "fsType", Default::Text("xfs")),
];

/// Whether Kubernetes would have put this value there by itself.
pub(super) fn is_default(type_name: &str, field: &str, value: &Value) -> bool {
    DEFAULTS.iter().any(|(of_type, of_field, default)| {
        *of_type == type_name
            && *of_field == field
            && match default {
                Default::Text(text) => value.as_str() == Some(text),
                Default::Int(number) => value.as_i64() == Some(*number),
                Default::Bool(set) => value.as_bool() == Some(*set),
                Default::EmptyObject => value.as_object().is_some_and(Map::is_empty),
            }
    })
}

/// The pull policy of an image where none is written: what moves is always pulled.
pub(super) fn image_pull_policy(image: &str) -> &'static str {
    if is_latest(image) { "Always" } else { "IfNotPresent" }
}

/// The longest repository name that a registry knows.
const NAME_LIMIT: usize = 255;

/// Whether the image has the tag `latest`, be it that no tag and no digest is written. A text that names no image
/// has no tag.
fn is_latest(image: &str) -> bool {
    let (tagged, has_digest) = image.split_once('@').map_or((image, false), |(tagged, _)| (tagged, true));
    let (name, tag) = match tagged.rsplit_once(':') {
        // A colon before a slash belongs to the registry's port.
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (tagged, None),
    };
    let repository = match name.split_once('/') {
        Some((registry, repository)) if is_registry(registry) => repository,
        _ => name,
    };
    let is_image = repository.len() <= NAME_LIMIT && repository.split('/').all(is_name_part);
    is_image && tag.map_or(!has_digest, |tag| tag == "latest")
}

fn is_name_part(part: &str) -> bool {
    let is_edge = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = part.as_bytes();
    let is_inner = |b: &u8| is_edge(Some(b)) || matches!(b, b'.' | b'_' | b'-');
    is_edge(bytes.first()) && is_edge(bytes.last()) && bytes.iter().all(is_inner)
}

/// Whether what stands before the first slash is a host rather than a part of the image's name.
fn is_registry(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':']) || first.contains(|c: char| c.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::image_pull_policy;

    #[test]
    fn an_image_that_can_move_is_pulled_always() {
        let movable = [
            "nginx",
            "nginx:latest",
            "library/nginx",
            "localhost/web",
            "registry:5000/web",
            "LOCAL/web",
            "a.b/c:latest@sha256:0",
        ];
        for image in movable {
            assert_eq!(image_pull_policy(image), "Always", "{image}");
        }
        let fixed = ["nginx:1.25", "registry:5000/web:v1", "nginx@sha256:0", "nginx:1@sha256:0", "nginx:latest2"];
        for image in fixed {
            assert_eq!(image_pull_policy(image), "IfNotPresent", "{image}");
        }
        let no_image = ["", "Team/Web", "my image", "NGINX"];
        assert_eq!(image_pull_policy(&"x".repeat(300)), "IfNotPresent");
        for text in no_image {
            assert_eq!(image_pull_policy(text), "IfNotPresent", "{text}");
        }
    }
}
