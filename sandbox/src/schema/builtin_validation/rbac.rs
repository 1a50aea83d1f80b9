//! Roles and their bindings.

use serde_json::{Value, json};

use super::super::field_error::child;
use super::common::{Checks, is_unset, items};

pub(super) fn check_role(checks: &mut Checks, new: &Value, namespaced: bool) {
    for (path, rule) in items("rules", &new["rules"]) {
        if is_unset(&rule["verbs"]) {
            checks.required(&child(&path, "verbs"), "verbs must contain at least one value");
        }
        if !is_unset(&rule["nonResourceURLs"]) {
            let place = child(&path, "nonResourceURLs");
            if namespaced {
                let detail = "namespaced rules cannot apply to non-resource URLs";
                checks.invalid(&place, &rule["nonResourceURLs"], detail);
            } else if ["apiGroups", "resources", "resourceNames"].iter().any(|field| !is_unset(&rule[*field])) {
                let detail = "rules cannot apply to both regular resources and non-resource URLs";
                checks.invalid(&place, &rule["nonResourceURLs"], detail);
            }
            continue;
        }
        if is_unset(&rule["apiGroups"]) {
            checks.required(&child(&path, "apiGroups"), "resource rules must supply at least one api group");
        }
        if is_unset(&rule["resources"]) {
            checks.required(&child(&path, "resources"), "resource rules must supply at least one resource");
        }
    }
}

pub(super) fn check_binding(checks: &mut Checks, new: &Value, old: Option<&Value>, namespaced: bool) {
    let role = &new["roleRef"];
    if role["apiGroup"] != "rbac.authorization.k8s.io" {
        checks.one_of("roleRef.apiGroup", &role["apiGroup"], &["rbac.authorization.k8s.io"]);
    }
    let kinds: &[&str] = if namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    checks.one_of("roleRef.kind", &role["kind"], kinds);
    if is_unset(&role["name"]) {
        checks.required("roleRef.name", "");
    }
    for (path, subject) in items("subjects", &new["subjects"]) {
        if is_unset(&subject["name"]) {
            checks.required(&child(&path, "name"), "");
        }
        match subject["kind"].as_str().unwrap_or_default() {
            "ServiceAccount" => {
                if !namespaced && is_unset(&subject["namespace"]) {
                    checks.required(&child(&path, "namespace"), "");
                }
            }
            "User" | "Group" => {}
            _ => {
                let kinds = ["ServiceAccount", "User", "Group"];
                checks.one_of(&child(&path, "kind"), &subject["kind"], &kinds);
            }
        }
    }
    if let Some(old) = old
        && old["roleRef"] != *role
    {
        let shown = json!({"APIGroup": role["apiGroup"], "Kind": role["kind"], "Name": role["name"]});
        checks.invalid("roleRef", &shown, "cannot change roleRef");
    }
}
