//! A cluster to talk to in a few words.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::{Body, Request, Response};
use sluice_sandbox::api::watch::WatchCursor;
use sluice_sandbox::api::{handle, watch_poll};
use sluice_sandbox::{VirtualClock, World};

pub(crate) const MERGE: &str = "application/merge-patch+json";
pub(crate) const JSON_PATCH: &str = "application/json-patch+json";
pub(crate) const STRATEGIC: &str = "application/strategic-merge-patch+json";
pub(crate) const APPLY: &str = "application/apply-patch+yaml";

/// A world with a namespace `shop`, asked by its admin.
pub(crate) struct Cluster {
    pub(crate) world: World,
    pub(crate) clock: VirtualClock,
}

/// A status code and a JSON body.
pub(crate) type Answer = (u16, Value);

impl Cluster {
    pub(crate) fn new() -> Self {
        let mut cluster = Self { world: World::new(42), clock: VirtualClock::default() };
        cluster.create("/api/v1/namespaces", &json!({"metadata": {"name": "shop"}}));
        cluster
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn wait(&mut self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    pub(crate) fn send(&mut self, request: Request) -> Response {
        let request = match request.user {
            None if request.header("authorization").is_none() => request.as_user(User::admin()),
            _ => request,
        };
        handle(&mut self.world, &request, self.clock.now())
    }

    pub(crate) fn answer(&mut self, request: Request) -> Answer {
        let response = self.send(request);
        (response.status, response.json_body())
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.answer(Request::get(path))
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.answer(Request::post(path, body))
    }

    pub(crate) fn put(&mut self, path: &str, body: &Value) -> Answer {
        self.answer(Request::put(path, body))
    }

    pub(crate) fn patch(&mut self, path: &str, kind: &str, body: &Value) -> Answer {
        self.answer(Request::patch(path, kind, body))
    }

    pub(crate) fn delete(&mut self, path: &str) -> Answer {
        self.answer(Request::delete(path))
    }

    /// Creates what has to be there for a test to begin.
    pub(crate) fn create(&mut self, path: &str, body: &Value) -> Value {
        let (code, created) = self.post(path, body);
        assert_eq!(code, 201, "{created}");
        created
    }

    pub(crate) fn config_map(&mut self, name: &str, data: &Value) -> Value {
        let body = json!({"metadata": {"name": name}, "data": data});
        self.create("/api/v1/namespaces/shop/configmaps", &body)
    }

    pub(crate) fn labelled(&mut self, name: &str, labels: &Value) -> Value {
        let body = json!({"metadata": {"name": name, "labels": labels}});
        self.create("/api/v1/namespaces/shop/configmaps", &body)
    }

    /// Begins a watch; a refusal fails the test.
    pub(crate) fn watch(&mut self, path: &str) -> WatchCursor {
        self.watch_with(Request::get(path))
    }

    pub(crate) fn watch_with(&mut self, request: Request) -> WatchCursor {
        let response = self.send(request);
        match response.body {
            Body::Watch(cursor) => *cursor,
            Body::Whole(bytes) => panic!("no watch: {}", String::from_utf8_lossy(&bytes)),
        }
    }

    /// The events since the last look.
    pub(crate) fn events(&self, cursor: &mut WatchCursor) -> Vec<Value> {
        watch_poll(&self.world, cursor, self.clock.now())
            .iter()
            .map(|line| serde_json::from_slice(line).expect("each event is one line of JSON"))
            .collect()
    }

    /// The events since the last look as `ADDED name`.
    pub(crate) fn event_names(&self, cursor: &mut WatchCursor) -> Vec<String> {
        let named = |event: &Value| {
            let name = event["object"]["metadata"]["name"].as_str().unwrap_or("");
            format!("{} {name}", event["type"].as_str().unwrap_or("?")).trim().to_owned()
        };
        self.events(cursor).iter().map(named).collect()
    }
}

/// A Deployment as somebody's first one looks.
pub(crate) fn deployment(name: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "web", "image": "web:1"}]},
            },
        },
    })
}

/// A pod on a node, so that its deletion takes its grace.
pub(crate) fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"nodeName": "node-1", "containers": [{"name": "web", "image": "web:1"}]},
    })
}

/// The names of a list's items.
pub(crate) fn names(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().cloned().unwrap_or_default();
    items.iter().map(|item| item["metadata"]["name"].as_str().unwrap_or("").to_owned()).collect()
}
