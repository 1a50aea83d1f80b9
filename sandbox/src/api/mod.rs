//! The API server: one pure function from a request and the state of the cluster to an answer.

pub mod access;
mod admission;
mod authorize;
mod body;
mod bootstrap;
mod builtin;
mod convert;
mod crd;
mod crd_rules;
mod discovery;
mod encode;
mod follow_up;
mod jsonpath;
mod kinds;
mod negotiate;
mod openapi;
pub mod options;
mod protobuf;
pub mod rbac;
pub mod registry;
pub mod request;
mod reviews;
pub mod route;
pub mod selector;
pub mod status;
mod table;
pub mod verbs;
mod warnings;
pub mod watch;

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

pub use self::body::BODY_LIMIT_BYTES;
pub use self::bootstrap::bootstrap;
use self::encode::Look;
use self::options::{DeleteOptions, ListOptions, Query, WriteOptions, WriteVerb};
use self::registry::Resource;
use self::request::{Body, Request, Response};
use self::route::{ResourcePath, Route};
use self::status::{Answer, Status};
use self::verbs::delete::{Deleted, delete, delete_collection};
use self::verbs::patch::Patch;
use self::verbs::replace::Written;
use self::verbs::{Call, Target, create, list, patch, pod_doors, replace, scale};
use self::watch::WatchCursor;
use crate::world::World;

/// Answers one request. Never panics, whatever the request holds.
pub fn handle(world: &mut World, request: &Request, now: Timestamp) -> Response {
    answer(world, request, now).unwrap_or_else(|refused| Response::refused(&refused))
}

/// The events of a watch since the last look, each as one line of its stream.
pub fn watch_poll(world: &World, cursor: &mut WatchCursor, now: Timestamp) -> Vec<Bytes> {
    let events = cursor.poll(world, now);
    events.iter().map(|event| encode::event(cursor, event, now)).collect()
}

fn answer(world: &mut World, request: &Request, now: Timestamp) -> Answer<Response> {
    if request.body.len() > body::BODY_LIMIT_BYTES {
        return Err(Status::too_large(body::BODY_LIMIT_BYTES));
    }
    let route = route::route(&request.path);
    let user = authorize::admitted(world, request, &route)?;
    match route {
        Route::Resource(path) => {
            let call = Call::by(user, now);
            resource(world, request, &path, call)
        }
        other => discovery::answer(world, request, &other),
    }
}

/// A request about a resource, with everything that its path and headers say about it.
struct Resourceful<'a> {
    request: &'a Request,
    query: Query,
    target: Target,
    look: Look,
    call: Call,
    /// The old way to ask for a watch.
    watch_by_path: bool,
}

fn resource(world: &mut World, request: &Request, path: &ResourcePath, call: Call) -> Answer<Response> {
    let Some(resource) = served(world, path).map(Arc::clone) else {
        return missing(world, path);
    };
    let subresource = match path.subresource.as_str() {
        "" => "",
        asked => resource
            .served(&path.version)
            .and_then(|version| version.subresource(asked))
            .map(registry::Subresource::name)
            .ok_or_else(|| {
                if resource.rules.custom {
                    Status::not_found(&path.group, &path.plural, &path.name)
                } else {
                    Status::no_such_resource()
                }
            })?,
    };
    let (form, encoding) = negotiate::objects(request.header("accept"))?;
    let query = Query::parse(&request.query);
    let look = Look { form, encoding, rows: table::RowObject::parse(query.text("includeObject"))?, now: call.now };
    let target = Target {
        resource,
        version: path.version.clone(),
        namespace: path.namespace.clone(),
        name: path.name.clone(),
        subresource,
    };
    let warning = target.version_facts().and_then(|version| version.deprecation_warning.clone());
    let mut resourceful = Resourceful { request, query, target, look, call, watch_by_path: path.watch };
    let response = resourceful.answer(world)?;
    let mut warnings = std::mem::take(&mut resourceful.call.warnings);
    warnings.extend(warning);
    Ok(response.with_warnings(&warnings))
}

/// The resource that a path means, where its namespace part fits.
fn served<'w>(world: &'w World, path: &ResourcePath) -> Option<&'w Arc<Resource>> {
    let resource = world.registry.find(&path.group, &path.plural)?;
    resource.served(&path.version)?;
    if !resource.namespaced && !path.namespace.is_empty() {
        return None;
    }
    // A namespaced object can't be named without its namespace.
    if resource.namespaced && path.namespace.is_empty() && !path.name.is_empty() {
        return None;
    }
    Some(resource)
}

/// A group that is served knows that it doesn't have this resource; beside it nobody knows the path.
fn missing(world: &World, path: &ResourcePath) -> Answer<Response> {
    let built_in = world
        .registry
        .in_group(&path.group)
        .any(|resource| !resource.rules.custom && resource.served(&path.version).is_some());
    if built_in { Err(Status::no_such_resource()) } else { Ok(Response::page_not_found()) }
}

impl Resourceful<'_> {
    fn answer(&mut self, world: &mut World) -> Answer<Response> {
        let named = !self.target.name.is_empty();
        match (self.request.method.as_str(), self.target.subresource, named) {
            ("POST", "", false) if self.target.resource.rules.review => self.review(world),
            _ if self.target.resource.rules.review => Err(Status::method_not_allowed()),
            ("GET" | "HEAD", "", false) => self.list_or_watch(world),
            ("GET", "", true) if self.watch_by_path => self.list_or_watch(world),
            ("GET" | "HEAD", "" | "status", true) => self.get(world),
            ("POST", "", false) => self.create(world),
            ("PUT", "" | "status" | "finalize", true) => self.update(world),
            ("PATCH", "" | "status", true) => self.patch(world),
            ("DELETE", "", true) => self.delete(world),
            ("DELETE", "", false) if self.target.resource.rules.deletes_collections => self.delete_collection(world),
            ("GET", "scale", true) => {
                let scale = scale::get(world, &self.target)?;
                Ok(self.value(200, &scale))
            }
            ("PUT", "scale", true) => self.update_scale(world),
            ("PATCH", "scale", true) => self.patch_scale(world),
            ("POST", "eviction", true) => self.evict(world),
            ("POST", "binding", true) => self.bind(world),
            _ => Err(self.not_allowed()),
        }
    }

    fn not_allowed(&self) -> Box<Status> {
        if self.target.resource.rules.custom {
            let verb = match self.request.method.as_str() {
                "POST" => "create",
                "PUT" => "update",
                "PATCH" => "patch",
                "DELETE" => "delete",
                _ => "get",
            };
            Status::verb_not_supported(self.target.group(), self.target.plural(), verb)
        } else {
            Status::method_not_allowed()
        }
    }

    fn value(&self, code: u16, value: &Value) -> Response {
        encode::value(code, value, self.look.encoding)
    }

    fn get(&self, world: &World) -> Answer<Response> {
        let object = verbs::get(world, &self.target)?;
        let asked = options::parse_revision(self.query.text("resourceVersion"))?.unwrap_or(0);
        if asked > world.revision() {
            return Err(Status::revision_in_the_future(asked, world.revision()));
        }
        Ok(encode::object(&self.target, &object, 200, self.look))
    }

    fn list_or_watch(&self, world: &World) -> Answer<Response> {
        let mut options = ListOptions::parse(&self.query)?;
        options.watch |= self.watch_by_path;
        if options.watch {
            return self.watch(world, &options);
        }
        let page = list::list(world, &self.target, &options)?;
        Ok(encode::list(&self.target, &page, self.look))
    }

    fn watch(&self, world: &World, options: &ListOptions) -> Answer<Response> {
        let cursor = WatchCursor::begin(world, self.target.clone(), options, self.look.now)?
            .in_form(self.look.form, self.look.rows);
        let mut response = Response::json(200, Bytes::new());
        response.body = Body::Watch(Box::new(cursor));
        Ok(response)
    }

    fn read_options(&mut self, verb: WriteVerb) -> Answer<()> {
        let mut options = WriteOptions::parse(&self.query, verb)?;
        if options.field_manager.is_empty() {
            options.field_manager = manager_of(self.request);
        }
        self.call.options = options;
        Ok(())
    }

    fn create(&mut self, world: &mut World) -> Answer<Response> {
        if self.target.resource.namespaced && self.target.namespace.is_empty() {
            // Only a review may be posted without a namespace.
            let custom = self.target.resource.rules.custom;
            return if custom { Ok(Response::page_not_found()) } else { Err(Status::method_not_allowed()) };
        }
        self.read_options(WriteVerb::Create)?;
        let value = body::object(self.request, &mut self.call, &self.target)?;
        let object = create::create(world, &mut self.call, &self.target, value)?;
        Ok(encode::object(&self.target, &object, 201, self.look))
    }

    fn review(&mut self, world: &World) -> Answer<Response> {
        self.read_options(WriteVerb::Create)?;
        let review = body::object(self.request, &mut self.call, &self.target)?;
        let review = admission::admit(&mut self.call, &self.target, review, admission::Source::Body)?;
        let answered = reviews::answer(world, &self.call, &self.target, review)?;
        Ok(self.value(201, &answered))
    }

    fn update(&mut self, world: &mut World) -> Answer<Response> {
        self.read_options(WriteVerb::Update)?;
        let value = body::object(self.request, &mut self.call, &self.target)?;
        let written = replace::update(world, &mut self.call, &self.target, value)?;
        Ok(self.written(&written))
    }

    fn written(&self, written: &Written) -> Response {
        let code = if written.created { 201 } else { 200 };
        encode::object(&self.target, &written.object, code, self.look)
    }

    fn read_patch(&mut self) -> Answer<Patch> {
        let media_type = body::media_type(self.request).to_owned();
        let verb = match media_type.as_str() {
            "application/apply-patch+yaml" => WriteVerb::Apply,
            _ => WriteVerb::Patch,
        };
        self.read_options(verb)?;
        body::patch(self.request, &mut self.call, &self.target, &media_type)
    }

    fn patch(&mut self, world: &mut World) -> Answer<Response> {
        let patch = self.read_patch()?;
        let written = patch::patch(world, &mut self.call, &self.target, &patch)?;
        Ok(self.written(&written))
    }

    fn delete_options(&self) -> Answer<DeleteOptions> {
        match body::optional(self.request, "DeleteOptions")? {
            Some(body) => DeleteOptions::from_body(&body),
            None => DeleteOptions::from_query(&self.query),
        }
    }

    fn delete(&mut self, world: &mut World) -> Answer<Response> {
        let options = self.delete_options()?;
        let deleted = delete(world, &self.call, &self.target, &options)?;
        let Deleted { object, removed } = deleted;
        if removed && !self.target.resource.rules.returns_deleted {
            let success = json!({
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Success",
                "details": success_details(&self.target, object.uid()),
            });
            return Ok(self.value(200, &success));
        }
        // Who cascades in the old way is told that the work goes on.
        let code = if !removed && options.orphan_dependents == Some(false) { 202 } else { 200 };
        Ok(encode::object(&self.target, &object, code, self.look))
    }

    fn delete_collection(&mut self, world: &mut World) -> Answer<Response> {
        let options = self.delete_options()?;
        let selection = ListOptions::parse(&self.query)?;
        let page = delete_collection(world, &self.call, &self.target, &options, &selection)?;
        Ok(encode::list(&self.target, &page, self.look))
    }

    fn update_scale(&mut self, world: &mut World) -> Answer<Response> {
        self.read_options(WriteVerb::Update)?;
        let sent = body::object_of_kind(self.request, &mut self.call, "Scale", "autoscaling/v1", false)?;
        let scale = scale::update(world, &mut self.call, &self.target, &sent)?;
        Ok(self.value(200, &scale))
    }

    fn patch_scale(&mut self, world: &mut World) -> Answer<Response> {
        let patch = self.read_patch()?;
        let before = scale::get(world, &self.target)?;
        let wanted = match &patch {
            // A Scale has no lists, so a strategic patch is a merge, and an applied one sets what it names.
            Patch::Strategic(changes) | Patch::Apply(changes) => {
                patch::changed(&self.target, &before, &Patch::Merge(changes.clone()))?
            }
            other => patch::changed(&self.target, &before, other)?,
        };
        let scale = scale::update(world, &mut self.call, &self.target, &wanted)?;
        Ok(self.value(200, &scale))
    }

    fn evict(&mut self, world: &mut World) -> Answer<Response> {
        self.read_options(WriteVerb::Create)?;
        let eviction = body::object_of_kind(self.request, &mut self.call, "Eviction", "policy/v1", false)?;
        pod_doors::evict(world, &self.call, &self.target, &eviction)?;
        Ok(self.value(201, &created_status()))
    }

    fn bind(&mut self, world: &mut World) -> Answer<Response> {
        self.read_options(WriteVerb::Create)?;
        let binding = body::object_of_kind(self.request, &mut self.call, "Binding", "v1", false)?;
        pod_doors::bind(world, &self.call, &self.target, &binding)?;
        Ok(self.value(201, &created_status()))
    }
}

fn created_status() -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})
}

fn success_details(target: &Target, uid: &str) -> Value {
    let mut details = json!({"name": target.name, "kind": target.plural(), "uid": uid});
    if !target.group().is_empty() {
        details["group"] = json!(target.group());
    }
    details
}

/// A writer without a manager's name is known by its program.
fn manager_of(request: &Request) -> String {
    const LONGEST: usize = 128;
    let agent = request.header("user-agent").unwrap_or("");
    let program = agent.split('/').next().unwrap_or("");
    program.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect()
}
