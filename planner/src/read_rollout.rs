//! A Rollout as it was read: the object, and what follows from it alone, worked out when it arrives and not in
//! every pass.

use std::ops::Deref;

use sluice_crds::Rollout;
use sluice_crds::mistake::Mistake;
use sluice_crds::rollout::{CanaryStep, CanaryStrategy};
use sluice_crds::template::{StepHash, TemplateHash};
use sluice_crds::values::Selector;
use sluice_traffic::{Needs, Routing};

use crate::{ping_pong, refuse};

/// A Rollout that can be planned for. The object can't be changed, so what was worked out stays true.
#[derive(Clone, Debug)]
pub struct ReadRollout {
    object: Rollout,
    mistakes: Vec<Mistake>,
    selector: Option<Selector>,
    template_hash: Option<TemplateHash>,
    step_hash: Option<StepHash>,
    routing: Option<Box<Routing>>,
}

impl From<Rollout> for ReadRollout {
    fn from(object: Rollout) -> Self {
        let collisions = object.status.as_ref().and_then(|status| status.collision_count);
        Self {
            mistakes: refuse::in_itself(&object),
            selector: object.spec.selector.as_ref().and_then(|selector| selector.read().ok()),
            template_hash: object.spec.template.as_ref().map(|template| TemplateHash::of(template, collisions)),
            step_hash: object.spec.canary().map(CanaryStrategy::steps).map(steps_hash),
            routing: routing(&object).map(Box::new),
            object,
        }
    }
}

impl Deref for ReadRollout {
    type Target = Rollout;

    fn deref(&self) -> &Rollout {
        &self.object
    }
}

impl ReadRollout {
    /// What is wrong with the object whatever else there is, by field.
    pub(crate) fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// `spec.selector`, where it can be read.
    pub(crate) const fn selector(&self) -> Option<&Selector> {
        self.selector.as_ref()
    }

    /// The hash that a new revision of `spec.template` gets.
    pub(crate) const fn template_hash(&self) -> Option<&TemplateHash> {
        self.template_hash.as_ref()
    }

    /// The hash by which a change of the steps is noticed; none where the strategy has no steps.
    pub(crate) const fn step_hash(&self) -> Option<&StepHash> {
        self.step_hash.as_ref()
    }

    /// What it says about its routing, if its strategy routes traffic.
    pub(crate) fn routing(&self) -> Option<&Routing> {
        self.routing.as_deref()
    }

    /// The objects that have to be read and watched for its routing; none where it routes nothing.
    pub fn routing_needs(&self) -> Needs {
        self.routing().map(Routing::needs).unwrap_or_default()
    }
}

fn routing(rollout: &Rollout) -> Option<Routing> {
    let canary = rollout.spec.canary()?;
    let traffic = canary.traffic_routing.clone()?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (stable, new) = ping_pong::service_names(rollout);
    let metadata = &rollout.metadata;
    let routing = Routing::new(&text(&metadata.name), &text(&metadata.namespace), &text(&metadata.uid), traffic);
    Some(routing.with_services(stable.unwrap_or_default(), new.unwrap_or_default()))
}

/// Over the JSON that Go writes, where no list is `null`.
pub(crate) fn steps_hash(steps: &[CanaryStep]) -> StepHash {
    let json = if steps.is_empty() { b"null".to_vec() } else { serde_json::to_vec(steps).unwrap_or_default() };
    StepHash::of_json(&json)
}
