//! Questions that are posted as objects: may I, may they, and what may I at all.

use serde_json::{Map, Value, json};

use super::access::User;
use super::rbac::{self, Attributes};
use super::verbs::{Call, Target};
use crate::schema::FieldError;
use crate::world::{World, metadata_text, object_mut};

use super::status::{Answer, Status};

/// Answers a review with itself, its status filled in.
pub(crate) fn answer(world: &World, call: &Call, target: &Target, mut review: Value) -> Answer<Value> {
    let spec = review["spec"].clone();
    let status = match target.kind() {
        "SelfSubjectAccessReview" => access(world, &call.user, target, &spec)?,
        "SubjectAccessReview" | "LocalSubjectAccessReview" => {
            let who = reviewed(target, &spec)?;
            if target.resource.namespaced {
                check_namespace(target, &spec)?;
            }
            access(world, &who, target, &spec)?
        }
        "SelfSubjectRulesReview" if spec["namespace"].as_str().unwrap_or("").is_empty() => {
            return Err(Status::bad_request("no namespace on request"));
        }
        "SelfSubjectRulesReview" => {
            object_mut(&mut review).insert("spec".into(), json!({}));
            rules(world, &call.user, &spec)
        }
        _ => json!({"userInfo": user_info(&call.user)}),
    };
    object_mut(&mut review).insert("status".into(), status);
    if metadata_text(&review, "name").is_empty() {
        let fields = object_mut(&mut review);
        fields.insert("metadata".into(), json!({}));
    }
    Ok(review)
}

fn reviewed(target: &Target, spec: &Value) -> Answer<User> {
    let name = spec["user"].as_str().unwrap_or("");
    let groups = texts(&spec["groups"]);
    if name.is_empty() && groups.is_empty() {
        let error = FieldError::invalid("spec.user", "", "at least one of user or group must be specified");
        return Err(target.invalid("", &[error]));
    }
    Ok(User { name: name.to_owned(), groups, ..User::default() })
}

fn check_namespace(target: &Target, spec: &Value) -> Answer<()> {
    let asked = spec["resourceAttributes"]["namespace"].as_str().unwrap_or("");
    if asked == target.namespace {
        return Ok(());
    }
    let why = "must match metadata.namespace";
    let error = FieldError::invalid("spec.resourceAttributes.namespace", asked, why);
    Err(target.invalid("", &[error]))
}

fn access(world: &World, user: &User, target: &Target, spec: &Value) -> Answer<Value> {
    let (resource, path) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    if resource.is_object() == path.is_object() {
        let why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
        let error = FieldError::invalid("spec.resourceAttributes", Value::Null, why);
        // The real server names no kind here.
        return Err(Status::invalid(target.group(), "", "", &[error]));
    }
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or("").to_owned();
    let mut attributes = Attributes::default();
    if resource.is_object() {
        let door = text(resource, "subresource");
        let plural = text(resource, "resource");
        attributes.verb = text(resource, "verb");
        attributes.group = text(resource, "group");
        attributes.resource = if door.is_empty() { plural } else { format!("{plural}/{door}") };
        attributes.namespace = text(resource, "namespace");
        attributes.name = text(resource, "name");
    } else {
        attributes.verb = text(path, "verb");
        attributes.path = text(path, "path");
    }
    let mut status = Map::new();
    let reason = rbac::allowed(world, user, &attributes);
    status.insert("allowed".into(), json!(reason.is_some()));
    if let Some(reason) = reason.filter(|reason| !reason.is_empty()) {
        status.insert("reason".into(), json!(reason));
    }
    Ok(Value::Object(status))
}

fn rules(world: &World, user: &User, spec: &Value) -> Value {
    let namespace = spec["namespace"].as_str().unwrap_or("");
    let mut all = rbac::rules(world, user, namespace);
    if user.is_master() {
        all.push(json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}));
        all.push(json!({"verbs": ["*"], "nonResourceURLs": ["*"]}));
    }
    let (paths, resources): (Vec<Value>, Vec<Value>) =
        all.into_iter().partition(|rule| rule.get("nonResourceURLs").is_some());
    json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": false})
}

fn user_info(user: &User) -> Value {
    let mut info = json!({"username": user.name, "groups": user.groups});
    if !user.extra.is_empty() {
        info["extra"] = json!(user.extra);
    }
    info
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
