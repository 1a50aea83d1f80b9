//! What comes out: small writes, each with its precondition and its reason, and what stands in the way.

use serde_json::{Value, json};

use crate::objects::{ObjectRef, Objects, Seen};

/// The field manager of every write to a routing object. Whoever applies the same object from elsewhere can leave
/// its fields alone by this name.
pub const FIELD_MANAGER: &str = "sluice-traffic";

/// What is to be written, and what stands in the way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edits {
    /// To be done in this order. They don't depend on each other: one that fails delays only its own object.
    pub edits: Vec<Edit>,
    /// Objects that were left as they are, each with one sentence that names object, field and mend.
    pub problems: Vec<Problem>,
}

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The object.
    pub target: Target,
    /// What happens to it, and under which condition.
    pub action: Action,
    /// Why, in one sentence.
    pub reason: String,
    /// What is told once the write has succeeded: the reason of the event and its message. A write that only
    /// tidies up tells nothing.
    pub event: Option<(&'static str, String)>,
    /// Whether it changes nothing but who owns fields: nothing has to wait for it.
    pub only_tidies_up: bool,
}

/// Where a write goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The object.
    pub object: ObjectRef,
    /// The version of its API in which it was read.
    pub version: String,
}

/// What happens to an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Creates it, if it isn't there.
    Create(Value),
    /// A JSON Patch. It begins with a `test` of the uid and of every field that the decision was made from.
    JsonPatch(Vec<Operation>),
    /// Deletes it, if it is still the object that was seen, in the state in which it was seen.
    Delete {
        /// `preconditions.uid`
        uid: String,
        /// `preconditions.resourceVersion`
        resource_version: String,
    },
}

/// One operation of a JSON Patch. A route of many rules has hundreds, so they become JSON only when they are sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// The value is this one (`null`: or nothing is there).
    Test(String, Value),
    /// Sets a member, whether or not it is there; into a list it inserts.
    Add(String, Value),
    /// Sets a member that is there.
    Replace(String, Value),
    /// Removes a member that is there.
    Remove(String),
}

impl Operation {
    /// The operation as it is sent.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Test(path, value) => json!({"op": "test", "path": path, "value": value}),
            Self::Add(path, value) => json!({"op": "add", "path": path, "value": value}),
            Self::Replace(path, value) => json!({"op": "replace", "path": path, "value": value}),
            Self::Remove(path) => json!({"op": "remove", "path": path}),
        }
    }
}

/// Why an object was left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The object.
    pub object: ObjectRef,
    /// One sentence that names object, field and mend.
    pub sentence: String,
    /// The reason of the event that tells it.
    pub reason: &'static str,
}

impl Target {
    /// The object in the version in which it was read.
    pub(crate) fn of(object: &ObjectRef, read: &Value) -> Self {
        let written = read["apiVersion"].as_str().and_then(|both| both.split_once('/')).map(|(_, version)| version);
        let version = written.or_else(|| object.kind.versions().first().copied()).unwrap_or_default();
        Self { object: object.clone(), version: version.to_owned() }
    }

    /// API group and version in a request's path.
    pub fn api_prefix(&self) -> String {
        format!("/apis/{}/{}", self.object.kind.group(), self.version)
    }
}

impl Problem {
    pub(crate) fn new(object: &ObjectRef, sentence: impl AsRef<str>) -> Self {
        Self {
            object: object.clone(),
            sentence: format!("{object}: {}", sentence.as_ref()),
            reason: "TrafficRoutingError",
        }
    }
}

/// The object, or why it can't be had. `where_named` is the field of the Rollout that names it.
pub(crate) fn require<'o>(objects: &'o Objects, object: &ObjectRef, where_named: &str) -> Result<&'o Value, Problem> {
    let not_found = match object.kind {
        crate::objects::Kind::VirtualService => "VirtualServiceNotFound",
        crate::objects::Kind::DestinationRule => "DestinationRuleNotFound",
        _ => "TrafficRoutingError",
    };
    let missing = |sentence: String| Problem { reason: not_found, ..Problem::new(object, sentence) };
    match objects.get(object) {
        Some(Seen::There(there)) => Ok(there),
        Some(Seen::Absent) => {
            Err(missing(format!("does not exist; create it, or name another one in trafficRouting.{where_named}")))
        }
        Some(Seen::KindAbsent) => Err(missing(format!(
            "the cluster does not know the kind {}; install the CRDs of {}, they are picked up as soon as they are there",
            object.kind.as_str(),
            object.kind.group()
        ))),
        None => Err(Problem::new(object, "has not been read yet; nothing is written before it has")),
    }
}
