//! The split that is wanted: how much traffic goes to which revision, and which requests go their own way.

use sluice_crds::rollout::step::{SetHeaderRoute, SetMirrorRoute};

/// A split. Its weights add up to its total, whatever it is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    total: i64,
    canary: i64,
    additional: Vec<Destination>,
    /// Pod template hash that the stable subset of a DestinationRule is to select; `None` leaves it as it is. A
    /// subset is like a Service selector: it is repointed only while it carries no traffic.
    pub stable_hash: Option<String>,
    /// Pod template hash that the canary subset of a DestinationRule is to select; `None` leaves it as it is.
    pub canary_hash: Option<String>,
    /// Pod template hash of the new revision; the cookie of sticky sessions holds it.
    pub version: String,
    /// Header routes in force, as their steps write them. They come in the order of `managedRoutes`.
    pub header_routes: Vec<SetHeaderRoute>,
    /// Mirror routes in force, as their steps write them.
    pub mirror_routes: Vec<SetMirrorRoute>,
}

/// The Service of an Experiment's pods, and its share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Name of the Service, in the Rollout's namespace.
    pub service: String,
    /// Its weight.
    pub weight: i64,
}

impl Split {
    /// So much of `total` to the new revision, all else to stable. What is out of bounds is brought into them.
    pub fn new(total: i64, canary: i64) -> Self {
        let total = total.max(1);
        Self {
            total,
            canary: canary.clamp(0, total),
            additional: Vec::new(),
            stable_hash: None,
            canary_hash: None,
            version: String::new(),
            header_routes: Vec::new(),
            mirror_routes: Vec::new(),
        }
    }

    /// All traffic to stable, nothing on its own way.
    pub fn all_to_stable(total: i64) -> Self {
        Self::new(total, 0)
    }

    /// Gives an Experiment's Service a weight, at most what stable has left.
    #[must_use]
    pub fn with_additional(mut self, service: &str, weight: i64) -> Self {
        let weight = weight.clamp(0, self.stable());
        self.additional.push(Destination { service: service.to_owned(), weight });
        self
    }

    /// The weight that means all traffic.
    pub fn total(&self) -> i64 {
        self.total
    }

    /// The weight of the new revision.
    pub fn canary(&self) -> i64 {
        self.canary
    }

    /// The weight of the stable revision.
    pub fn stable(&self) -> i64 {
        self.total - self.canary - self.additional.iter().map(|one| one.weight).sum::<i64>()
    }

    /// The weights of Experiments' Services.
    pub fn additional(&self) -> &[Destination] {
        &self.additional
    }

    /// Whether all traffic goes to stable and nothing goes its own way: no release needs any routing.
    pub fn is_idle(&self) -> bool {
        self.stable() == self.total && self.header_routes().next().is_none() && self.mirror_routes().next().is_none()
    }

    /// Header routes that match something; a step without a match takes its route away.
    pub(crate) fn header_routes(&self) -> impl Iterator<Item = &SetHeaderRoute> {
        self.header_routes.iter().filter(|route| route.r#match.as_ref().is_some_and(|all| !all.is_empty()))
    }

    /// Mirror routes that match something.
    pub(crate) fn mirror_routes(&self) -> impl Iterator<Item = &SetMirrorRoute> {
        self.mirror_routes.iter().filter(|route| route.r#match.as_ref().is_some_and(|any| !any.is_empty()))
    }

    /// Whether some users are on the new version and some on the old one.
    pub(crate) fn is_mixed(&self) -> bool {
        self.canary > 0 && self.canary < self.total
    }
}
