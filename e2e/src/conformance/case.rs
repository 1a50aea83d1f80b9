//! A case: requests in order, in a namespace of its own.

use serde::Deserialize;
use serde_json::Value;

/// One story of requests whose answers must be the same everywhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub case: String,
    /// The requests.
    pub steps: Vec<Step>,
}

/// One request, or a comparison of two kept values. Paths and bodies may name `{ns}`, fields of
/// kept answers (`{first.metadata.uid}`) and texts that are repeated (`{times 1000 ab}`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// `GET` this path.
    pub get: Option<String>,
    /// `GET` this path as a watch, and read so many [`Self::events`].
    pub watch: Option<String>,
    /// `POST` to this path.
    pub post: Option<String>,
    /// `PUT` to this path.
    pub put: Option<String>,
    /// `PATCH` this path, as [`Self::patch_type`] or [`Self::content`] says.
    pub patch: Option<String>,
    /// Server-side apply to this path.
    pub apply: Option<String>,
    /// `DELETE` this path.
    pub delete: Option<String>,
    /// Two texts that must be equal on each side.
    pub same: Option<[String; 2]>,
    /// `merge`, `json` or `strategic`.
    #[serde(rename = "type")]
    pub patch_type: Option<String>,
    /// The `Content-Type`, where it is not what the verb implies.
    pub content: Option<String>,
    /// The `Accept` header.
    pub accept: Option<String>,
    /// Ask as this user, by impersonation.
    pub user: Option<String>,
    /// With these groups beside, for [`Self::user`].
    pub groups: Vec<String>,
    /// The body as JSON.
    pub body: Option<Value>,
    /// The body as it is.
    pub raw: Option<String>,
    /// Remember the answer's JSON under this name.
    pub keep: Option<String>,
    /// How many watch events to read.
    pub events: usize,
    /// Ask again until this text is in the answer (for what controllers do in their own time).
    pub until: Option<String>,
    /// Compare only those named items that the sandbox has: it doesn't serve all of Kubernetes.
    pub subset: bool,
    /// Compare also what Kubernetes' own controllers write; only after they have surely done so.
    pub controllers: bool,
}

impl Step {
    /// Method, path and content type; nothing for a comparison.
    #[must_use]
    pub fn request(&self) -> Option<(&'static str, &str, Option<&str>)> {
        let json = Some("application/json");
        let (method, path, content) = if let Some(path) = self.get.as_deref().or(self.watch.as_deref()) {
            ("GET", path, None)
        } else if let Some(path) = &self.post {
            ("POST", path.as_str(), json)
        } else if let Some(path) = &self.put {
            ("PUT", path.as_str(), json)
        } else if let Some(path) = &self.apply {
            ("PATCH", path.as_str(), Some("application/apply-patch+yaml"))
        } else if let Some(path) = &self.delete {
            ("DELETE", path.as_str(), json)
        } else {
            let content = match self.patch_type.as_deref() {
                Some("json") => "application/json-patch+json",
                Some("strategic") => "application/strategic-merge-patch+json",
                _ => "application/merge-patch+json",
            };
            ("PATCH", self.patch.as_deref()?, Some(content))
        };
        Some((method, path, self.content.as_deref().or(content)))
    }

    /// How a report names it.
    #[must_use]
    pub fn title(&self) -> String {
        match self.request() {
            Some((method, path, _)) if self.apply.is_some() => format!("APPLY {path} ({method})"),
            Some((_, path, _)) if self.watch.is_some() => format!("WATCH {path}"),
            Some((method, path, _)) => format!("{method} {path}"),
            None => "comparison of kept values".to_owned(),
        }
    }
}
