//! What a query string or a delete body asks for beside the object itself.

use std::collections::BTreeMap;

use serde_json::Value;

use super::status::{Answer, Status};
use crate::schema::FieldError;

/// The group in which option kinds are named in refusals.
const META_GROUP: &str = "meta.k8s.io";

/// A parsed query string.
#[derive(Debug, Clone, Default)]
pub struct Query {
    values: BTreeMap<String, Vec<String>>,
}

impl Query {
    pub fn parse(text: &str) -> Self {
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            values.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        Self { values }
    }

    /// The first value of a parameter; empty where it is missing.
    pub fn text(&self, name: &str) -> &str {
        self.values.get(name).and_then(|values| values.first()).map_or("", String::as_str)
    }

    fn all(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Present and neither `0` nor `false` means yes; absent means that nothing was said.
    pub fn flag(&self, name: &str) -> Option<bool> {
        let value = self.values.get(name)?.first()?;
        Some(value != "0" && value != "false")
    }

    fn number(&self, name: &str) -> Answer<Option<i64>> {
        match self.text(name) {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| Status::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))),
        }
    }
}

/// How a list relates to the revision that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevisionMatch {
    Exact,
    NotOlderThan,
}

/// The options of lists and watches.
#[derive(Debug, Clone, Default)]
pub struct ListOptions {
    pub watch: bool,
    pub label_selector: String,
    pub field_selector: String,
    /// `None` where the client said nothing, which is not the same as `0`.
    pub resource_version: Option<u64>,
    pub resource_version_match: Option<RevisionMatch>,
    pub limit: usize,
    pub continue_token: String,
    pub timeout_seconds: Option<u64>,
    pub allow_bookmarks: bool,
    pub send_initial_events: Option<bool>,
}

impl ListOptions {
    pub fn parse(query: &Query) -> Answer<Self> {
        let matched = match query.text("resourceVersionMatch") {
            "Exact" => Some(RevisionMatch::Exact),
            "NotOlderThan" => Some(RevisionMatch::NotOlderThan),
            _ => None,
        };
        let options = Self {
            watch: query.flag("watch").unwrap_or(false),
            label_selector: query.text("labelSelector").to_owned(),
            field_selector: query.text("fieldSelector").to_owned(),
            resource_version: listed_revision(query)?,
            resource_version_match: matched,
            limit: usize::try_from(query.number("limit")?.unwrap_or(0)).unwrap_or(0),
            continue_token: query.text("continue").to_owned(),
            timeout_seconds: query
                .number("timeoutSeconds")?
                .and_then(|seconds| u64::try_from(seconds).ok())
                .filter(|seconds| *seconds > 0),
            allow_bookmarks: query.flag("allowWatchBookmarks").unwrap_or(false),
            send_initial_events: query.flag("sendInitialEvents"),
        };
        let errors = options.complaints(query.text("resourceVersionMatch"));
        if errors.is_empty() { Ok(options) } else { Err(Status::invalid(META_GROUP, "ListOptions", "", &errors)) }
    }

    fn complaints(&self, matched: &str) -> Vec<FieldError> {
        let field = "resourceVersionMatch";
        let mut errors = Vec::new();
        if self.watch {
            match self.send_initial_events {
                None if !matched.is_empty() => errors.push(FieldError::forbidden(
                    field,
                    "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
                )),
                Some(_) if matched.is_empty() => errors.push(FieldError::forbidden(
                    field,
                    "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
                )),
                Some(_) if self.resource_version_match != Some(RevisionMatch::NotOlderThan) => {
                    errors.push(FieldError::not_supported(field, matched, &["NotOlderThan"]));
                }
                _ => {}
            }
            return errors;
        }
        if self.send_initial_events.is_some() {
            let why = "sendInitialEvents is forbidden for list";
            errors.push(FieldError::forbidden("sendInitialEvents", why));
        }
        if matched.is_empty() {
            return errors;
        }
        if self.resource_version.is_none() {
            let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            errors.push(FieldError::forbidden(field, why));
        }
        if !self.continue_token.is_empty() {
            let why = "resourceVersionMatch is forbidden when continue is provided";
            errors.push(FieldError::forbidden(field, why));
        }
        if self.resource_version_match.is_none() {
            let known = ["Exact", "NotOlderThan", ""];
            errors.push(FieldError::not_supported(field, matched, &known));
        }
        if self.resource_version_match == Some(RevisionMatch::Exact) && self.resource_version == Some(0) {
            let why = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
            errors.push(FieldError::forbidden(field, why));
        }
        errors
    }
}

/// Reads a resource version; an empty one says nothing.
pub fn parse_revision(text: &str) -> Answer<Option<u64>> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| {
            let detail = format!("strconv.ParseUint: parsing {text:?}: invalid syntax");
            let error = FieldError::invalid("resourceVersion", text, detail);
            Status::bad_request(error.to_string())
        }),
    }
}

/// Lists and watches refuse an unreadable revision each in their own way.
fn listed_revision(query: &Query) -> Answer<Option<u64>> {
    parse_revision(query.text("resourceVersion")).map_err(|refused| {
        if query.flag("watch").unwrap_or(false) {
            Status::internal(refused.message)
        } else {
            Status::bad_request(format!("invalid resource version: {}", refused.message))
        }
    })
}

/// What to do about fields that a kind doesn't know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FieldValidation {
    Ignore,
    #[default]
    Warn,
    Strict,
}

/// The options of creates, updates and patches.
#[derive(Debug, Clone, Default)]
pub struct WriteOptions {
    pub dry_run: bool,
    pub field_manager: String,
    pub field_validation: FieldValidation,
    pub force: Option<bool>,
}

/// Which options kind a verb has; refusals name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteVerb {
    Create,
    Update,
    Patch,
    Apply,
}

impl WriteVerb {
    fn options_kind(self) -> &'static str {
        match self {
            Self::Create => "CreateOptions",
            Self::Update => "UpdateOptions",
            Self::Patch | Self::Apply => "PatchOptions",
        }
    }
}

impl WriteOptions {
    pub fn parse(query: &Query, verb: WriteVerb) -> Answer<Self> {
        let mut errors = Vec::new();
        let dry_run = dry_run_of(query.all("dryRun"), &mut errors);
        let field_manager = query.text("fieldManager").to_owned();
        let force = query.flag("force");
        match verb {
            WriteVerb::Patch if force.is_some() => {
                errors.push(FieldError::forbidden("force", "may not be specified for non-apply patch"));
            }
            WriteVerb::Apply if field_manager.is_empty() => {
                errors.push(FieldError::required("fieldManager", "is required for apply patch"));
            }
            _ => {}
        }
        if field_manager.len() > 128 {
            errors.push(FieldError::too_long("fieldManager", 128));
        }
        let asked = query.text("fieldValidation");
        let field_validation = match asked {
            "" | "Warn" => FieldValidation::Warn,
            "Ignore" => FieldValidation::Ignore,
            "Strict" => FieldValidation::Strict,
            _ => {
                let known = ["", "Ignore", "Strict", "Warn"];
                errors.push(FieldError::not_supported("fieldValidation", asked, &known));
                FieldValidation::Warn
            }
        };
        if !errors.is_empty() {
            return Err(Status::invalid(META_GROUP, verb.options_kind(), "", &errors));
        }
        Ok(Self { dry_run, field_manager, field_validation, force })
    }
}

fn dry_run_of(values: &[String], errors: &mut Vec<FieldError>) -> bool {
    if values.iter().any(|value| value != "All") {
        errors.push(FieldError::not_supported("dryRun", values, &["All"]));
    }
    !values.is_empty()
}

/// A negative grace means the shortest that is one.
fn at_least_one_if_negative(seconds: i64) -> i64 {
    if seconds < 0 { 1 } else { seconds }
}

/// What happens to the objects that a deleted object owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    Orphan,
    Background,
    Foreground,
}

/// The options of a deletion, from its body or, without one, from the query.
#[derive(Debug, Clone, Default)]
pub struct DeleteOptions {
    pub dry_run: bool,
    pub grace_period_seconds: Option<i64>,
    pub uid: Option<String>,
    pub resource_version: Option<String>,
    pub propagation: Option<Propagation>,
    /// The predecessor of `propagation`; kept apart because it changes the status code.
    pub orphan_dependents: Option<bool>,
}

impl DeleteOptions {
    /// Reads the options kind that clients send as a body.
    pub fn from_body(body: &Value) -> Answer<Self> {
        let preconditions = &body["preconditions"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let dry_run: Vec<String> =
            body["dryRun"].as_array().map(|all| all.iter().filter_map(text).collect()).unwrap_or_default();
        Self {
            grace_period_seconds: body["gracePeriodSeconds"].as_i64().map(at_least_one_if_negative),
            uid: text(&preconditions["uid"]),
            resource_version: text(&preconditions["resourceVersion"]),
            orphan_dependents: body["orphanDependents"].as_bool(),
            ..Self::default()
        }
        .completed(&dry_run, body["propagationPolicy"].as_str().unwrap_or(""))
    }

    pub fn from_query(query: &Query) -> Answer<Self> {
        Self {
            grace_period_seconds: query.number("gracePeriodSeconds")?.map(at_least_one_if_negative),
            orphan_dependents: query.flag("orphanDependents"),
            ..Self::default()
        }
        .completed(query.all("dryRun"), query.text("propagationPolicy"))
    }

    fn completed(mut self, dry_run: &[String], policy: &str) -> Answer<Self> {
        let mut errors = Vec::new();
        if self.orphan_dependents.is_some() && !policy.is_empty() {
            errors.push(FieldError::invalid(
                "propagationPolicy",
                policy,
                "orphanDependents and deletionPropagation cannot be both set",
            ));
        }
        self.propagation = match policy {
            "" => None,
            "Orphan" => Some(Propagation::Orphan),
            "Background" => Some(Propagation::Background),
            "Foreground" => Some(Propagation::Foreground),
            _ => {
                let known = ["Foreground", "Background", "Orphan", "nil"];
                errors.push(FieldError::not_supported("propagationPolicy", policy, &known));
                None
            }
        };
        self.dry_run = dry_run_of(dry_run, &mut errors);
        if errors.is_empty() { Ok(self) } else { Err(Status::invalid(META_GROUP, "DeleteOptions", "", &errors)) }
    }

    /// What the client asked for, in whichever of the two ways; `None` where it left that to the kind.
    pub fn wanted_propagation(&self) -> Option<Propagation> {
        match self.orphan_dependents {
            Some(true) => Some(Propagation::Orphan),
            Some(false) => Some(Propagation::Background),
            None => self.propagation,
        }
    }
}
