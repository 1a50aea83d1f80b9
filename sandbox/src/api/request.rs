//! What comes in and what goes out, free of any HTTP library.

use bytes::Bytes;
use serde_json::Value;

use super::access::User;
use super::status::Status;
use super::watch::WatchCursor;

/// One request, as any of the doors hands it in.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// In upper case.
    pub method: String,
    /// Still percent-encoded, without the query.
    pub path: String,
    /// Still percent-encoded, without the question mark.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    /// Who asks, where a door knows it already; otherwise the `authorization` header decides.
    pub user: Option<User>,
}

impl Request {
    /// A request without a body; the path may carry a query.
    pub fn new(method: &str, path_and_query: &str) -> Self {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        Self { method: method.to_owned(), path: path.to_owned(), query: query.to_owned(), ..Self::default() }
    }

    pub fn get(path_and_query: &str) -> Self {
        Self::new("GET", path_and_query)
    }

    pub fn post(path_and_query: &str, body: &Value) -> Self {
        Self::new("POST", path_and_query).with_json(body)
    }

    pub fn put(path_and_query: &str, body: &Value) -> Self {
        Self::new("PUT", path_and_query).with_json(body)
    }

    /// A patch of a given content type.
    pub fn patch(path_and_query: &str, content_type: &str, body: &Value) -> Self {
        Self::new("PATCH", path_and_query).with_json(body).with_header("content-type", content_type)
    }

    pub fn delete(path_and_query: &str) -> Self {
        Self::new("DELETE", path_and_query)
    }

    #[must_use]
    pub fn with_json(mut self, body: &Value) -> Self {
        self.body = Bytes::from(body.to_string());
        self.with_header("content-type", "application/json")
    }

    /// Sets a header, in place of the one that was there.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Asks as somebody whom no token has to prove.
    #[must_use]
    pub fn as_user(mut self, user: User) -> Self {
        self.user = Some(user);
        self
    }

    /// The first header of that name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The answer.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

/// Either all of the answer, or the place from which its events are to be fetched.
#[derive(Debug, Clone)]
pub enum Body {
    Whole(Bytes),
    Watch(Box<WatchCursor>),
}

impl Response {
    pub(crate) fn text(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type", "text/plain; charset=utf-8".into())],
            body: Body::Whole(body.into()),
        }
    }

    pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: vec![("content-type", "application/json".into())], body: Body::Whole(body.into()) }
    }

    /// A path that no part of the server knows.
    pub(crate) fn page_not_found() -> Self {
        Self::text(404, "404 page not found\n")
    }

    /// A document that isn't there, by those parts of the server that say nothing about it.
    pub(crate) fn nothing_found() -> Self {
        Self { status: 404, headers: Vec::new(), body: Body::Whole(Bytes::new()) }
    }

    pub(crate) fn refused(status: &Status) -> Self {
        let mut response = Self::json(status.code, status.to_value().to_string());
        let seconds = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
        if seconds > 0 {
            response.headers.push(("retry-after", seconds.to_string()));
        }
        response
    }

    /// Adds `Warning` headers as clients print them.
    #[must_use]
    pub(crate) fn with_warnings(mut self, warnings: &[String]) -> Self {
        for warning in warnings {
            let escaped = warning.replace('\\', "\\\\").replace('"', "\\\"");
            self.headers.push(("warning", format!("299 - \"{escaped}\"")));
        }
        self
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` for a watch or for plain text.
    pub fn json_body(&self) -> Value {
        match &self.body {
            Body::Whole(bytes) => serde_json::from_slice(bytes).unwrap_or_default(),
            Body::Watch(_) => Value::Null,
        }
    }
}
