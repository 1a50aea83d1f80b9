//! Role bindings.

use serde_json::Value;

use super::{Object, each, existing, unset};

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) fn default_binding(object: &mut Object) {
    if let Some(role) = existing(object, "roleRef") {
        unset(role, "apiGroup", GROUP);
    }
    for subject in each(object, "subjects") {
        let kind = subject.get("kind").and_then(Value::as_str).unwrap_or_default();
        if matches!(kind, "User" | "Group") {
            unset(subject, "apiGroup", GROUP);
        }
    }
}
