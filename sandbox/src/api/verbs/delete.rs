//! Deleting objects: preconditions, grace, finalizers, and what becomes of dependents.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::list::{self, Page};
use super::{Call, Target};
use crate::api::options::{DeleteOptions, ListOptions, Propagation};
use crate::api::status::{Answer, Status};
use crate::api::{crd, follow_up};
use crate::clock::{parse_rfc3339, rfc3339_seconds};
use crate::world::{
    Object, World, child_mut, metadata, metadata_list, metadata_text, object_mut, remove_metadata, set_metadata,
};

/// Holds an object back until the garbage collector has cut its dependents loose.
pub const ORPHAN_FINALIZER: &str = "orphan";

/// Holds an object back until the garbage collector has removed its dependents.
pub const FOREGROUND_FINALIZER: &str = "foregroundDeletion";

/// What a pod without a grace period of its own gets.
const DEFAULT_GRACE_SECONDS: i64 = 30;

/// What a deletion came to.
#[derive(Debug, Clone)]
pub struct Deleted {
    /// The last state.
    pub object: Arc<Object>,
    /// Gone at once; otherwise grace or finalizers held it when the answer was given.
    pub removed: bool,
}

/// Deletes one object, or begins to.
pub fn delete(world: &mut World, call: &Call, target: &Target, options: &DeleteOptions) -> Answer<Deleted> {
    let existing = target.stored(world)?;
    check_preconditions(target, &existing, options)?;
    let mut value = existing.value().clone();
    let graceful = begin(target, &mut value, options, call.now);
    if graceful == Grace::Pending {
        let object = target.shown(&existing);
        return Ok(Deleted { object, removed: false });
    }
    set_finalizers(&mut value, options);
    if target.is(crd::GROUP, "CustomResourceDefinition") {
        add_finalizer(&mut value, crd::CLEANUP_FINALIZER);
    }
    let held = !metadata_list(&value, "finalizers").is_empty() || holds_itself(target, &value);
    if held && graceful == Grace::None {
        if metadata(&value, "deletionTimestamp").is_none() {
            show_terminating(target, &mut value, call.now);
        }
        mark_deleting(target, &mut value, call.now);
    }
    let waits = held || matches!(graceful, Grace::Waits);
    let writes = (waits || graceful == Grace::Ends) && value != *existing.value();
    if call.options.dry_run || options.dry_run {
        let object = target.shown(&Arc::new(Object::shown(value, existing.revision())));
        return Ok(Deleted { object, removed: !waits });
    }
    let mut last = existing;
    if writes {
        let before = last;
        last = world.put(&target.resource.stored_as, value);
        follow_up::after_write(world, target, Some(&before), &last, call.now);
    }
    if waits {
        // A definition without objects may be gone by now; the answer still shows it on its way.
        let object = target.shown(&last);
        return Ok(Deleted { object, removed: false });
    }
    let object = remove(world, target, call.now).unwrap_or(last);
    Ok(Deleted { object: target.shown(&object), removed: true })
}

/// Deletes whatever a list would show; answers with that list.
pub fn delete_collection(
    world: &mut World,
    call: &Call,
    target: &Target,
    options: &DeleteOptions,
    selection: &ListOptions,
) -> Answer<Page> {
    let page = list::list(world, target, selection)?;
    for object in &page.items {
        let one = Target { namespace: object.namespace().to_owned(), name: object.name().to_owned(), ..target.clone() };
        match delete(world, call, &one, options) {
            Err(refused) if refused.code != 404 => return Err(refused),
            _ => {}
        }
    }
    Ok(page)
}

/// Takes an object out of the store for good.
pub(crate) fn remove(world: &mut World, target: &Target, now: Timestamp) -> Option<Arc<Object>> {
    let removed = world.remove(&target.resource.stored_as, &target.namespace, &target.name)?;
    follow_up::after_removal(world, target, &removed, now);
    Some(removed)
}

/// Whether an update has taken away the last thing that held a deletion back.
pub(crate) fn is_finished(target: &Target, before: &Value, after: &Value) -> bool {
    let deleting = metadata(before, "deletionTimestamp").is_some();
    let grace = metadata(before, "deletionGracePeriodSeconds").and_then(Value::as_i64).unwrap_or(0);
    deleting && grace == 0 && metadata_list(after, "finalizers").is_empty() && !holds_itself(target, after)
}

fn check_preconditions(target: &Target, existing: &Object, options: &DeleteOptions) -> Answer<()> {
    // The real server names the kind here, not the resource.
    let conflict = |why: String| Status::conflict(target.group(), target.kind(), &target.name, why);
    if let Some(uid) = options.uid.as_deref().filter(|uid| *uid != existing.uid()) {
        return Err(conflict(format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
            existing.uid()
        )));
    }
    let current = existing.revision().to_string();
    if let Some(wanted) = options.resource_version.as_deref().filter(|wanted| *wanted != current) {
        return Err(conflict(format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({current}). The object might have been modified"
        )));
    }
    Ok(())
}

/// How a grace period affects a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grace {
    /// The kind knows none.
    None,
    /// The object stays until somebody ends it.
    Waits,
    /// The time is up at once.
    Ends,
    /// It is waiting already, and this request changes nothing about that.
    Pending,
}

fn begin(target: &Target, value: &mut Value, options: &DeleteOptions, now: Timestamp) -> Grace {
    if !target.resource.rules.graceful {
        return Grace::None;
    }
    let graced = |seconds: i64| if seconds == 0 { Grace::Ends } else { Grace::Waits };
    if metadata(value, "deletionTimestamp").is_some() {
        let Some(current) = metadata(value, "deletionGracePeriodSeconds").and_then(Value::as_i64) else {
            return Grace::None;
        };
        // Only a shorter period is taken over.
        let Some(wanted) = options.grace_period_seconds.filter(|wanted| *wanted < current) else {
            return Grace::Pending;
        };
        let wanted = wanted.max(0);
        if let Some(ends) = parse_rfc3339(metadata_text(value, "deletionTimestamp")) {
            let earlier = later(ends, wanted - current);
            set_metadata(value, "deletionTimestamp", json!(rfc3339_seconds(earlier)));
        }
        set_metadata(value, "deletionGracePeriodSeconds", json!(wanted));
        return graced(wanted);
    }
    let seconds = pod_grace(value, options);
    set_metadata(value, "deletionTimestamp", json!(rfc3339_seconds(later(now, seconds))));
    set_metadata(value, "deletionGracePeriodSeconds", json!(seconds));
    raise_generation(value);
    graced(seconds)
}

fn later(instant: Timestamp, seconds: i64) -> Timestamp {
    instant.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(instant)
}

/// A pod that no node has taken, or that has ended, has nothing to wait for.
fn pod_grace(pod: &Value, options: &DeleteOptions) -> i64 {
    let unscheduled = pod["spec"]["nodeName"].as_str().unwrap_or("").is_empty();
    let ended = matches!(pod["status"]["phase"].as_str(), Some("Failed" | "Succeeded"));
    if unscheduled || ended {
        return 0;
    }
    let own = pod["spec"]["terminationGracePeriodSeconds"].as_i64();
    let seconds = options.grace_period_seconds.or(own).unwrap_or(DEFAULT_GRACE_SECONDS);
    // A negative period means "as soon as the kubelet can".
    if seconds < 0 { 1 } else { seconds }
}

fn mark_deleting(target: &Target, value: &mut Value, now: Timestamp) {
    if target.is("", "Namespace") || target.is(crd::GROUP, "CustomResourceDefinition") {
        // These two end in ways of their own, without a grace period and uncounted.
        if metadata(value, "deletionTimestamp").is_none() {
            set_metadata(value, "deletionTimestamp", json!(rfc3339_seconds(now)));
        }
        return;
    }
    if metadata(value, "deletionTimestamp").is_none() {
        raise_generation(value);
        set_metadata(value, "deletionTimestamp", json!(rfc3339_seconds(now)));
    }
    set_metadata(value, "deletionGracePeriodSeconds", json!(0));
}

/// The beginning of a deletion changes what controllers should do, so it counts as a change of the wish.
fn raise_generation(value: &mut Value) {
    if let Some(generation) = metadata(value, "generation").and_then(Value::as_i64) {
        set_metadata(value, "generation", json!(generation + 1));
    }
}

/// Turns the wanted propagation into finalizers, for the garbage collector to find.
fn set_finalizers(value: &mut Value, options: &DeleteOptions) {
    let present = metadata_list(value, "finalizers");
    let has = |name: &str| present.iter().any(|finalizer| finalizer == name);
    let (orphan, foreground) = match options.wanted_propagation() {
        Some(Propagation::Orphan) => (true, false),
        Some(Propagation::Background) => (false, false),
        Some(Propagation::Foreground) => (false, true),
        None => (has(ORPHAN_FINALIZER), has(FOREGROUND_FINALIZER)),
    };
    let mut wanted: Vec<Value> = present
        .iter()
        .filter(|finalizer| *finalizer != ORPHAN_FINALIZER && *finalizer != FOREGROUND_FINALIZER)
        .cloned()
        .collect();
    if orphan {
        wanted.push(json!(ORPHAN_FINALIZER));
    }
    if foreground {
        wanted.push(json!(FOREGROUND_FINALIZER));
    }
    if wanted.is_empty() {
        remove_metadata(value, "finalizers");
    } else if wanted != present {
        set_metadata(value, "finalizers", Value::Array(wanted));
    }
}

/// A namespace stays while its own finalizers are set; the deletion shows in its phase.
fn holds_itself(target: &Target, value: &Value) -> bool {
    target.is("", "Namespace")
        && value["spec"]["finalizers"].as_array().is_some_and(|finalizers| !finalizers.is_empty())
}

/// What else the kind shows when its deletion begins.
fn show_terminating(target: &Target, value: &mut Value, now: Timestamp) {
    if target.is("", "Namespace") {
        let status = child_mut(object_mut(value), "status");
        status.insert("phase".into(), json!("Terminating"));
    }
    if target.is(crd::GROUP, "CustomResourceDefinition") {
        crd::show_terminating(value, now);
    }
}

fn add_finalizer(value: &mut Value, finalizer: &str) {
    let mut all = metadata_list(value, "finalizers").to_vec();
    if !all.iter().any(|one| one == finalizer) {
        all.push(json!(finalizer));
        set_metadata(value, "finalizers", Value::Array(all));
    }
}
