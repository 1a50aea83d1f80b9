//! An object's own name, labels and annotations.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::fields::{Found, borrowed};
use super::names::{self, DNS_LABEL, OBJECT_NAME};
use crate::mistake::{FieldPath, Mistake};

pub(super) fn check(metadata: &ObjectMeta, found: &mut Found) {
    let path = FieldPath::of("metadata");
    let name = metadata.name.as_deref().unwrap_or_default();
    if !name.is_empty() {
        found.extend(OBJECT_NAME.broken_by(&path.field("name"), name));
    } else if metadata.generate_name.as_deref().unwrap_or_default().is_empty() {
        found.push(Mistake::missing(path.field("name"), "is required", "name the object"));
    }
    if let Some(namespace) = metadata.namespace.as_deref().filter(|namespace| !namespace.is_empty()) {
        found.extend(DNS_LABEL.broken_by(&path.field("namespace"), namespace));
    }
    if let Some(labels) = &metadata.labels {
        names::labels(&path.field("labels"), borrowed(labels), found);
    }
    if let Some(annotations) = &metadata.annotations {
        names::annotations(&path.field("annotations"), borrowed(annotations), found);
    }
}
