//! Refusals, in the words and shape in which the API server gives them.

use serde_json::{Map, Value, json};

use crate::patch::PatchError;
use crate::schema::{FieldError, aggregate};

/// What a verb answers: its result, or the reason why not.
pub type Answer<T> = Result<T, Box<Status>>;

/// A `Status` object with `status: Failure`.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    pub code: u16,
    pub reason: &'static str,
    pub message: String,
    pub details: Option<Details>,
    /// A token with which a list can go on although the one that was sent is too old.
    pub resume_with: Option<String>,
}

/// What the refusal is about.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Details {
    pub name: String,
    pub group: String,
    pub kind: String,
    pub uid: String,
    pub causes: Vec<Cause>,
    pub retry_after_seconds: u32,
}

/// One cause of a refusal, with the field that it names.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    pub reason: String,
    pub message: String,
    pub field: String,
}

/// `plural` or `plural.group`: how refusals name a resource.
/// `plural` or `plural.group`: how refusals name a resource.
pub fn qualified(group: &str, plural: &str) -> String {
    if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
}

impl Status {
    fn boxed(code: u16, reason: &'static str, message: impl Into<String>) -> Box<Self> {
        Box::new(Self { code, reason, message: message.into(), details: None, resume_with: None })
    }

    fn about(mut self: Box<Self>, group: &str, kind: &str, name: &str) -> Box<Self> {
        self.details =
            Some(Details { name: name.into(), group: group.into(), kind: kind.into(), ..Details::default() });
        self
    }

    fn with_empty_details(mut self: Box<Self>) -> Box<Self> {
        self.details = Some(Details::default());
        self
    }

    fn caused_by(mut self: Box<Self>, cause: Cause) -> Box<Self> {
        self.details.get_or_insert_default().causes.push(cause);
        self
    }

    /// Adds a hint when to come again.
    #[must_use]
    pub fn retry_after(mut self: Box<Self>, seconds: u32) -> Box<Self> {
        self.details.get_or_insert_default().retry_after_seconds = seconds;
        self
    }

    pub fn bad_request(message: impl Into<String>) -> Box<Self> {
        Self::boxed(400, "BadRequest", message)
    }

    pub fn unauthorized() -> Box<Self> {
        Self::boxed(401, "Unauthorized", "Unauthorized")
    }

    /// A request that authorisation or admission refuses.
    pub fn forbidden(group: &str, plural: &str, name: &str, why: impl AsRef<str>) -> Box<Self> {
        let why = why.as_ref();
        let message = if plural.is_empty() {
            format!("forbidden: {why}")
        } else if name.is_empty() {
            format!("{} is forbidden: {why}", qualified(group, plural))
        } else {
            format!("{} {name:?} is forbidden: {why}", qualified(group, plural))
        };
        Self::boxed(403, "Forbidden", message).about(group, plural, name)
    }

    /// Nothing new may begin in a namespace that is going away.
    pub fn namespace_terminating(group: &str, plural: &str, name: &str, namespace: &str) -> Box<Self> {
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        Self::forbidden(group, plural, name, why).caused_by(Cause {
            reason: "NamespaceTerminating".into(),
            message: format!("namespace {namespace} is being terminated"),
            field: "metadata.namespace".into(),
        })
    }

    pub fn not_found(group: &str, plural: &str, name: &str) -> Box<Self> {
        let message = format!("{} {name:?} not found", qualified(group, plural));
        Self::boxed(404, "NotFound", message).about(group, plural, name)
    }

    /// No such resource or subresource in a group that exists.
    pub fn no_such_resource() -> Box<Self> {
        Self::boxed(404, "NotFound", "the server could not find the requested resource").with_empty_details()
    }

    pub fn method_not_allowed() -> Box<Self> {
        let message = "the server does not allow this method on the requested resource";
        Self::boxed(405, "MethodNotAllowed", message).with_empty_details()
    }

    /// A custom resource asked for with a verb that it doesn't have.
    pub fn verb_not_supported(group: &str, plural: &str, verb: &str) -> Box<Self> {
        let kind = qualified(group, plural);
        let message = format!("{verb} is not supported on resources of kind {kind:?}");
        Self::boxed(405, "MethodNotAllowed", message).about(group, plural, "")
    }

    /// A kind whose definition is being deleted.
    pub fn definition_terminating(group: &str, plural: &str) -> Box<Self> {
        let message = "create not allowed while custom resource definition is terminating";
        Self::boxed(405, "MethodNotAllowed", message).about(group, plural, "")
    }

    pub fn not_acceptable(supported: &[&str]) -> Box<Self> {
        let message = format!("only the following media types are accepted: {}", supported.join(", "));
        Self::boxed(406, "NotAcceptable", message)
    }

    pub fn already_exists(group: &str, plural: &str, name: &str) -> Box<Self> {
        let message = format!("{} {name:?} already exists", qualified(group, plural));
        Self::boxed(409, "AlreadyExists", message).about(group, plural, name)
    }

    pub fn conflict(group: &str, plural: &str, name: &str, why: impl AsRef<str>) -> Box<Self> {
        let message =
            format!("Operation cannot be fulfilled on {} {name:?}: {}", qualified(group, plural), why.as_ref());
        Self::boxed(409, "Conflict", message).about(group, plural, name)
    }

    /// The writer read an older state than the one that is stored.
    pub fn stale_write(group: &str, plural: &str, name: &str) -> Box<Self> {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(group, plural, name, why)
    }

    /// Server-side apply met fields that somebody else owns: one cause per field.
    pub fn apply_conflict(message: String, causes: &[Value]) -> Box<Self> {
        let mut status = Self::boxed(409, "Conflict", message).with_empty_details();
        let text = |cause: &Value, field: &str| cause[field].as_str().unwrap_or("").to_owned();
        status.details.get_or_insert_default().causes = causes
            .iter()
            .map(|cause| Cause {
                reason: text(cause, "reason"),
                message: text(cause, "message"),
                field: text(cause, "field"),
            })
            .collect();
        status
    }

    pub fn expired(message: impl Into<String>) -> Box<Self> {
        Self::boxed(410, "Expired", message)
    }

    pub fn too_large(limit_bytes: usize) -> Box<Self> {
        let message = format!("Request entity too large: limit is {limit_bytes}");
        Self::boxed(413, "RequestEntityTooLarge", message)
    }

    pub fn unsupported_media_type(supported: &[&str]) -> Box<Self> {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            supported.join(", ")
        );
        Self::boxed(415, "UnsupportedMediaType", message)
    }

    /// A patch of a built-in kind in a form that isn't spoken.
    pub fn unsupported_patch() -> Box<Self> {
        Self::boxed(415, "UnsupportedMediaType", "415: Unsupported Media Type").with_empty_details()
    }

    /// An object whose fields break the rules of its kind.
    pub fn invalid(group: &str, kind: &str, name: &str, errors: &[FieldError]) -> Box<Self> {
        let listed = aggregate(errors);
        let message = format!("{} {name:?} is invalid: {listed}", qualified(group, kind));
        let mut status = Self::boxed(422, "Invalid", message).about(group, kind, name);
        status.details.get_or_insert_default().causes = errors
            .iter()
            .map(|error| Cause {
                reason: error.reason.as_str().into(),
                message: error.body(),
                field: if error.field.is_empty() { "<nil>".into() } else { error.field.clone() },
            })
            .collect();
        status
    }

    /// A patch whose outcome can't be read; the real server names no object here.
    pub fn invalid_patch(patched: &Value, why: impl AsRef<str>) -> Box<Self> {
        let error = FieldError::invalid("patch", patched.to_string(), why.as_ref());
        Self::invalid("", "", "", &[error])
    }

    /// A patch that can be read and can't be carried out; the real server doesn't say why.
    pub fn patch_does_not_apply() -> Box<Self> {
        let message = "the server rejected our request due to an error in our request";
        Self::boxed(422, "Invalid", message).with_empty_details()
    }

    pub fn too_many_requests(message: impl Into<String>, retry_after_seconds: u32) -> Box<Self> {
        Self::boxed(429, "TooManyRequests", message).retry_after(retry_after_seconds)
    }

    /// A disruption budget that has nothing left to give.
    pub fn disruption_refused(cause: impl Into<String>, retry_after_seconds: u32) -> Box<Self> {
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        let refused = Self::boxed(429, "TooManyRequests", message).caused_by(Cause {
            reason: "DisruptionBudget".into(),
            message: cause.into(),
            field: String::new(),
        });
        if retry_after_seconds > 0 { refused.retry_after(retry_after_seconds) } else { refused }
    }

    /// An error that the real server reports without a reason.
    pub fn internal(message: impl Into<String>) -> Box<Self> {
        Self::boxed(500, "", message)
    }

    /// A reader asks for a revision that the server hasn't seen yet.
    pub fn revision_in_the_future(asked: u64, current: u64) -> Box<Self> {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        Self::boxed(504, "Timeout", message)
            .caused_by(Cause {
                reason: "ResourceVersionTooLarge".into(),
                message: "Too large resource version".into(),
                field: String::new(),
            })
            .retry_after(1)
    }

    /// The wire form.
    pub fn to_value(&self) -> Value {
        let mut body = Map::new();
        body.insert("kind".into(), json!("Status"));
        body.insert("apiVersion".into(), json!("v1"));
        let metadata = match &self.resume_with {
            Some(token) => json!({"continue": token}),
            None => json!({}),
        };
        body.insert("metadata".into(), metadata);
        body.insert("status".into(), json!("Failure"));
        if !self.message.is_empty() {
            body.insert("message".into(), json!(self.message));
        }
        if !self.reason.is_empty() {
            body.insert("reason".into(), json!(self.reason));
        }
        if let Some(details) = &self.details {
            body.insert("details".into(), details.to_value());
        }
        body.insert("code".into(), json!(self.code));
        Value::Object(body)
    }
}

impl Details {
    fn to_value(&self) -> Value {
        let mut details = Map::new();
        let texts = [("name", &self.name), ("group", &self.group), ("kind", &self.kind), ("uid", &self.uid)];
        for (key, text) in texts {
            if !text.is_empty() {
                details.insert(key.into(), json!(text));
            }
        }
        if !self.causes.is_empty() {
            let causes = self.causes.iter().map(Cause::to_value).collect();
            details.insert("causes".into(), Value::Array(causes));
        }
        if self.retry_after_seconds > 0 {
            details.insert("retryAfterSeconds".into(), json!(self.retry_after_seconds));
        }
        Value::Object(details)
    }
}

impl Cause {
    fn to_value(&self) -> Value {
        let mut cause = Map::new();
        let texts = [("reason", &self.reason), ("message", &self.message), ("field", &self.field)];
        for (key, text) in texts {
            if !text.is_empty() {
                cause.insert(key.into(), json!(text));
            }
        }
        Value::Object(cause)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {}: {}", self.code, self.reason, self.message)
    }
}

impl std::error::Error for Status {}

impl From<PatchError> for Box<Status> {
    fn from(error: PatchError) -> Self {
        match error {
            PatchError::BadRequest(why) => Status::bad_request(why),
            PatchError::Unprocessable(_) => Status::patch_does_not_apply(),
            PatchError::TooLarge(why) => Status::boxed(413, "RequestEntityTooLarge", why),
            PatchError::Internal(why) => Status::internal(why),
        }
    }
}
