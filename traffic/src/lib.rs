//! Routing: a wanted split and the routing objects as they are become edits; and back, objects become the split that
//! they express.
//!
//! Nothing here reads or writes a cluster. [`edits`] returns nothing where nothing differs, and what it returns are
//! small writes with preconditions; an object that can't be edited delays only itself and is told by one sentence.
#![warn(missing_docs)]

mod edit;
mod gateway_api;
mod istio;
mod nginx;
mod objects;
mod observed;
mod ownership;
mod patch;
mod probe;
mod routing;
mod split;
mod text;
mod weigh;

pub use edit::{Action, Edit, Edits, FIELD_MANAGER, Operation, Problem, Target};
pub use objects::{Kind, Needs, ObjectRef, Objects, Seen};
pub use observed::{Observed, Share, Subsets, Weights};
pub use probe::is_in_force;
pub use routing::Routing;
pub use split::{Destination, Split};

/// What has to be written so that all routers of a Rollout divide traffic as the split says.
pub fn edits(split: &Split, routing: &Routing, objects: &Objects) -> Edits {
    let mut found = Edits::default();
    nginx::edits(split, routing, objects, &mut found);
    istio::edits(split, routing, objects, &mut found);
    gateway_api::edits(split, routing, objects, &mut found);
    found
}

/// The split that the routing objects express now.
pub fn split(routing: &Routing, objects: &Objects) -> Observed {
    let mut observed = Observed::default();
    nginx::observe(routing, objects, &mut observed);
    istio::observe(routing, objects, &mut observed);
    gateway_api::observe(routing, objects, &mut observed);
    observed
}

/// What has to be written when a Rollout is deleted or stops using its routers: all traffic to stable, the routes
/// that steps made and the canary Ingresses gone, and nothing left that names the Rollout. An object that isn't there
/// is no problem here: nothing of ours is in it.
pub fn give_back(routing: &Routing, objects: &Objects) -> Edits {
    let mut found = Edits::default();
    nginx::give_back(routing, objects, &mut found);
    istio::give_back(routing, objects, &mut found);
    gateway_api::give_back(routing, objects, &mut found);
    found.problems.retain(|problem| !objects.is_gone(&problem.object));
    found
}

/// Whether an object that outlives the Rollout would route wrongly if it were deleted now (a share for the new
/// revision, or a route that a step made), so that a finalizer has to hold it until [`give_back`] is done. What the
/// Rollout owns goes with it and needs none; what a DestinationRule selects routes nowhere by itself.
pub fn needs_finalizer(routing: &Routing, objects: &Objects) -> bool {
    let found = give_back(routing, objects);
    let mut routes =
        found.edits.iter().filter(|edit| !matches!(edit.target.object.kind, Kind::Ingress | Kind::DestinationRule));
    routes.any(|edit| !edit.only_tidies_up)
}
