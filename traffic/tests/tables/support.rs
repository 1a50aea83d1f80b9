//! How a case is read, run and judged.
//!
//! A file has `objects` (each whole, by a name of its own) and `cases`. A case lists what is there `before` and what
//! is there `after`: each time a name, or a name with `set` (JSON Pointer → value) and `remove`. What `after` doesn't
//! list has not changed; what is to be gone stands under `gone`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sluice_crds::rollout::TrafficRouting;
use sluice_sandbox::patch::json as json_patch;
use sluice_traffic::{
    Action, Edits, Kind, ObjectRef, Objects, Operation, Routing, Seen, Split, edits, give_back, split,
};

pub(crate) const KINDS: [Kind; 7] = [
    Kind::Ingress,
    Kind::VirtualService,
    Kind::DestinationRule,
    Kind::HttpRoute,
    Kind::GrpcRoute,
    Kind::TlsRoute,
    Kind::TcpRoute,
];

/// All objects of a little world by what they are.
pub(crate) type World = BTreeMap<ObjectRef, Value>;

pub(crate) fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).expect("YAML")
}

pub(crate) fn run_file(text: &str) {
    let file = yaml(text);
    let mut failures = Vec::new();
    let cases = file["cases"].as_array().expect("cases");
    for case in cases {
        let name = case["case"].as_str().expect("each case has a name");
        if let Err(why) = run(case, &file["objects"]) {
            failures.push(format!("{name}\n  {why}"));
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

fn run(case: &Value, library: &Value) -> Result<(), String> {
    let routing = routing(case);
    let split = wanted_split(&case["split"], &routing);
    let before = world(&case["before"], library);
    let is_last = case["give_back"] == true;
    let act = |world: &World| {
        let objects = objects(world, &routing, case);
        if is_last { give_back(&routing, &objects) } else { edits(&split, &routing, &objects) }
    };
    let done = act(&before);
    same("problems", &strings(&case["problems"]), &done.problems.iter().map(|one| one.sentence.clone()).collect())?;
    if let Some(events) = case["events"].as_array() {
        let told = done.edits.iter().filter_map(|edit| edit.event.as_ref());
        same("events", events, &told.map(|(reason, _)| Value::from(*reason)).collect())?;
    }
    let after = apply(&before, &done)?;
    let mut expected = before.clone();
    expected.extend(world(&case["after"], library));
    for gone in strings(&case["gone"]) {
        expected.retain(|object, _| object.name != gone);
    }
    same("after", &expected, &after)?;
    // A second look finds nothing left to do, whatever went wrong with other objects.
    let again = act(&after);
    same("a second pass", &Vec::new(), &again.edits)?;
    if done.problems.is_empty() && !is_last {
        let mut routing = routing.clone();
        routing.known_experiments.extend(split.additional().iter().map(|one| one.service.clone()));
        let seen = sluice_traffic::split(&routing, &objects(&after, &routing, case));
        let stable = case["reads_stable"].as_i64().unwrap_or(split.stable());
        for share in &seen.shares {
            same("canary weight read back", &split.canary(), &share.weights.canary)?;
            same("stable weight read back", &stable, &share.weights.stable)?;
        }
        same("unclear", &Vec::new(), &seen.unclear)?;
    }
    if let Some(verified) = case["verified"].as_bool() {
        same("verified", &Some(verified), &self::split(&routing, &objects(&after, &routing, case)).verified())?;
    }
    Ok(())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, found: &T) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("{what}\n    expected {expected:?}\n    found    {found:?}")) }
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(crate) fn routing(case: &Value) -> Routing {
    let traffic: TrafficRouting = serde_json::from_value(case["routing"].clone()).expect("trafficRouting");
    let named = |side: &str| case["services"][side].as_str().map(str::to_owned);
    let stable = named("stable").unwrap_or_else(|| "web-stable".to_owned());
    let canary = named("canary").unwrap_or_else(|| "web-canary".to_owned());
    let mut routing = Routing::new("web", "shop", "uid-of-web", traffic).with_services(&stable, &canary);
    routing.known_experiments = strings(&case["known_experiments"]);
    routing
}

pub(crate) fn wanted_split(wanted: &Value, routing: &Routing) -> Split {
    let mut split = Split::new(routing.total(), wanted["canary"].as_i64().unwrap_or(0));
    for (service, weight) in wanted["additional"].as_object().into_iter().flatten() {
        split = split.with_additional(service, weight.as_i64().expect("a weight"));
    }
    let text = |field: &str| wanted[field].as_str().map(str::to_owned);
    (split.stable_hash, split.canary_hash) = (text("stable_hash"), text("canary_hash"));
    split.version = text("version").unwrap_or_default();
    let list = |field: &str| wanted[field].as_array().cloned().unwrap_or_default();
    split.header_routes =
        list("headers").into_iter().map(|step| serde_json::from_value(step).expect("setHeaderRoute")).collect();
    split.mirror_routes =
        list("mirrors").into_iter().map(|step| serde_json::from_value(step).expect("setMirrorRoute")).collect();
    split
}

fn world(list: &Value, library: &Value) -> World {
    let mut world = World::new();
    for entry in list.as_array().into_iter().flatten() {
        let name = entry.as_str().or_else(|| entry["like"].as_str()).expect("the name of an object");
        let mut object = library[name].clone();
        assert!(object.is_object(), "no object {name}");
        for (pointer, value) in entry["set"].as_object().into_iter().flatten() {
            set(&mut object, pointer, value.clone());
        }
        for pointer in strings(&entry["remove"]) {
            remove(&mut object, &pointer);
        }
        let (key, object) = stored(object);
        world.insert(key, object);
    }
    world
}

/// An object as the API server holds it.
pub(crate) fn stored(mut object: Value) -> (ObjectRef, Value) {
    let kind = KINDS.into_iter().find(|kind| object["kind"] == kind.as_str()).expect("a known kind");
    let name = object["metadata"]["name"].as_str().expect("a name").to_owned();
    let metadata = object["metadata"].as_object_mut().expect("metadata");
    metadata.entry("namespace").or_insert("shop".into());
    metadata.entry("uid").or_insert(format!("uid-{}-{name}", kind.as_str()).into());
    metadata.entry("resourceVersion").or_insert("7".into());
    let key = ObjectRef::new(kind, metadata["namespace"].as_str().expect("text"), &name);
    (key, object)
}

fn set(object: &mut Value, pointer: &str, value: Value) {
    let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
    let mut at = &mut *object;
    for part in parent.split('/').skip(1).map(unescaped) {
        at = match at {
            Value::Array(list) => &mut list[part.parse::<usize>().expect("an index")],
            Value::Object(fields) => fields.entry(part).or_insert_with(|| json!({})),
            _ => panic!("{pointer} leads nowhere"),
        };
    }
    match at {
        Value::Array(list) if last == "-" => list.push(value),
        Value::Array(list) => list[last.parse::<usize>().expect("an index")] = value,
        Value::Object(fields) => {
            fields.insert(unescaped(last), value);
        }
        _ => panic!("{pointer} leads nowhere"),
    }
}

fn remove(object: &mut Value, pointer: &str) {
    let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
    match object.pointer_mut(parent) {
        Some(Value::Array(list)) => {
            list.remove(last.parse().expect("an index"));
        }
        Some(Value::Object(fields)) => {
            fields.remove(&unescaped(last)).expect(pointer);
        }
        _ => panic!("{pointer} leads nowhere"),
    }
}

fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// What a look at the world finds.
pub(crate) fn objects(world: &World, routing: &Routing, case: &Value) -> Objects {
    let mut objects = Objects::default();
    let unread = strings(&case["unread"]);
    let not_installed = strings(&case["not_installed"]);
    let needs = routing.needs();
    for need in needs.objects {
        let seen = match world.get(&need) {
            _ if unread.contains(&need.name) => continue,
            _ if not_installed.iter().any(|kind| kind == need.kind.as_str()) => Seen::KindAbsent,
            Some(there) => Seen::There(Arc::new(there.clone())),
            None => Seen::Absent,
        };
        objects.insert(need, seen);
    }
    for namespace in needs.grants_in {
        let grants = case["grants"].as_array().cloned().unwrap_or_default();
        objects.insert_grants(&namespace, grants.into_iter().map(Arc::new).collect());
    }
    objects
}

/// Does what was planned, as a real API server would.
pub(crate) fn apply(world: &World, done: &Edits) -> Result<World, String> {
    let mut world = world.clone();
    for edit in &done.edits {
        let object = &edit.target.object;
        match &edit.action {
            Action::Create(created) => {
                if world.contains_key(object) {
                    return Err(format!("{object} is there already"));
                }
                world.insert(object.clone(), stored(created.clone()).1);
            }
            Action::JsonPatch(operations) => {
                let body: Vec<Value> = operations.iter().map(Operation::to_json).collect();
                let body = serde_json::to_vec(&body).expect("JSON");
                let (operations, strict) = json_patch::decode(&body).map_err(|error| format!("{object}: {error:?}"))?;
                same("complaints", &Vec::new(), &strict)?;
                let there = world.get(object).ok_or(format!("{object} is not there"))?;
                let patched = json_patch::apply(there, &operations).map_err(|error| format!("{object}: {error:?}"))?;
                world.insert(object.clone(), patched);
            }
            Action::Delete { uid, .. } => {
                let there = world.remove(object).ok_or(format!("{object} is not there"))?;
                same("uid", &Value::from(uid.as_str()), &there["metadata"]["uid"])?;
            }
        }
    }
    Ok(world)
}

/// A case by hand, for tests that look at more than before and after.
pub(crate) fn case(routing: &str) -> Value {
    let mut case = Map::new();
    case.insert("routing".to_owned(), yaml(routing));
    Value::Object(case)
}
