//! A Rollout as it was read: the object, and what follows from it alone, worked out when it arrives and not in
//! every pass.

use std::collections::BTreeSet;
use std::ops::Deref;

use serde_json::Value;
use sluice_crds::Rollout;
use sluice_crds::mistake::Mistake;
use sluice_crds::rollout::experiment::ExperimentStep;
use sluice_crds::rollout::{CanaryStep, CanaryStrategy};
use sluice_crds::template::{PodTemplate, StepHash, TemplateHash};
use sluice_crds::values::Selector;
use sluice_traffic::{Needs, Routing};

use crate::packed_map::PackedMap;
use crate::packed_template::PackedTemplate;
use crate::workload::{self, Workload, WorkloadName};
use crate::{ping_pong, refuse, traffic};

/// A Rollout that can be planned for. The object can't be changed, so what was worked out stays true.
///
/// Its `spec.template` is packed, and so is read by [`Self::template`] and never as a field of the object: as a tree
/// it is most of what a Rollout takes of memory, and in most passes only what is kept beside it is read.
#[derive(Clone, Debug)]
pub struct ReadRollout {
    object: Rollout,
    template: Option<WrittenTemplate>,
    mistakes: Vec<Mistake>,
    selector: Option<Selector>,
    template_hash: Option<TemplateHash>,
    step_hash: Option<StepHash>,
    routing: Option<Box<Routing>>,
}

/// `spec.template`, and what most passes read of it.
#[derive(Clone, Debug)]
struct WrittenTemplate {
    packed: PackedTemplate,
    labels: PackedMap,
    images: Vec<String>,
}

impl From<PodTemplate> for WrittenTemplate {
    fn from(template: PodTemplate) -> Self {
        Self {
            packed: PackedTemplate::from(template.as_json()),
            labels: PackedMap::from(&template.labels()),
            images: template.images().map(str::to_owned).collect(),
        }
    }
}

impl From<Rollout> for ReadRollout {
    fn from(mut object: Rollout) -> Self {
        let collisions = object.status.as_ref().and_then(|status| status.collision_count);
        Self {
            mistakes: refuse::in_itself(&object),
            selector: object.spec.selector.as_ref().and_then(|selector| selector.read().ok()),
            template_hash: object.spec.template.as_ref().map(|template| TemplateHash::of(template, collisions)),
            step_hash: object.spec.canary().map(CanaryStrategy::steps).map(steps_hash),
            routing: routing(&object).map(Box::new),
            template: object.spec.template.take().map(WrittenTemplate::from),
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

    /// All of `spec.template`.
    pub fn template(&self) -> Option<PodTemplate> {
        self.template.as_ref().map(|template| template.packed.unpacked())
    }

    /// The whole object.
    pub(crate) fn to_json(&self) -> Value {
        let mut json = serde_json::to_value(&self.object).unwrap_or_default();
        if let Some(template) = self.template() {
            json["spec"]["template"] = template.into_json();
        }
        json
    }

    /// The labels in `spec.template`; none where there is no template.
    pub(crate) fn template_labels(&self) -> Option<&PackedMap> {
        self.template.as_ref().map(|template| &template.labels)
    }

    /// The images in `spec.template`, in its order; none where there is no template.
    pub(crate) fn images(&self) -> Option<&[String]> {
        self.template.as_ref().map(|template| template.images.as_slice())
    }

    /// The hash that a new revision of `spec.template` gets.
    pub(crate) const fn template_hash(&self) -> Option<&TemplateHash> {
        self.template_hash.as_ref()
    }

    /// The hash by which a change of the steps is noticed; none where the strategy has no steps.
    pub(crate) const fn step_hash(&self) -> Option<&StepHash> {
        self.step_hash.as_ref()
    }

    /// The workloads that have to be read and watched for it; none where its template is its own.
    pub fn workload_needs(&self) -> BTreeSet<WorkloadName> {
        workload::needs(&self.object)
    }

    /// The same with the template of this workload, and its selector where it has none of its own.
    pub(crate) fn with_template_of(&self, name: &WorkloadName, workload: &Workload) -> Self {
        let mut object = self.object.clone();
        let has_own_selector = object.spec.selector.is_some();
        let reference = object.spec.workload_ref.take();
        object.spec.template = Some(workload.template.unpacked());
        object.spec.selector = object.spec.selector.or_else(|| workload.selector.clone());
        let mut read = Self::from(object);
        read.object.spec.workload_ref = reference;
        let mistakes = read.mistakes.into_iter();
        read.mistakes = mistakes.map(|mistake| workload::told_of_workload(name, has_own_selector, mistake)).collect();
        read
    }

    /// What it says about its routing, if its strategy routes traffic.
    pub(crate) fn routing(&self) -> Option<&Routing> {
        self.routing.as_deref()
    }

    /// The objects that have to be read and watched for its routing; none where it routes nothing.
    pub fn routing_needs(&self) -> Needs {
        let mut needs = self.routing().map(Routing::needs).unwrap_or_default();
        // One that the spec names no more: whether it is still there.
        needs.objects.extend(traffic::remembered(self));
        needs
    }
}

fn routing(rollout: &Rollout) -> Option<Routing> {
    let canary = rollout.spec.canary()?;
    let traffic = canary.traffic_routing.clone()?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (stable, new) = ping_pong::service_names(rollout);
    let metadata = &rollout.metadata;
    let mut routing = Routing::new(&text(&metadata.name), &text(&metadata.namespace), &text(&metadata.uid), traffic);
    routing.known_experiments = known_experiments(rollout);
    Some(routing.with_services(stable.unwrap_or_default(), new.unwrap_or_default()))
}

/// Services of Experiments: those that had a share when the status was written, and those that steps name.
fn known_experiments(rollout: &Rollout) -> Vec<String> {
    let status = rollout.status.as_ref().and_then(|status| status.canary.as_ref());
    let weights = status.and_then(|canary| canary.weights.as_ref());
    let had = weights.iter().flat_map(|weights| weights.additional.iter().flatten());
    let had = had.filter_map(|one| one.service_name.clone());
    let steps = rollout.spec.canary().map(CanaryStrategy::steps).unwrap_or_default().iter();
    let versions = steps.filter_map(|step| step.experiment.as_ref()).flat_map(ExperimentStep::templates);
    let named = versions.filter_map(|version| version.service.as_ref()?.name.clone());
    had.chain(named).filter(|name| !name.is_empty()).collect()
}

/// Over the JSON that Go writes, where no list is `null`.
pub(crate) fn steps_hash(steps: &[CanaryStep]) -> StepHash {
    let json = if steps.is_empty() { b"null".to_vec() } else { serde_json::to_vec(steps).unwrap_or_default() };
    StepHash::of_json(&json)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn analyses_and_new_revisions_see_the_whole_template_although_it_is_packed() {
        let template = json!({
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:1"}, {"name": "log", "image": "log:2"}]},
        });
        let object = json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": {"name": "web"},
            "spec": {"replicas": 3, "template": template},
        });
        let read = ReadRollout::from(serde_json::from_value::<Rollout>(object.clone()).expect("a Rollout"));
        assert_eq!(read.to_json(), object);
        assert_eq!(read.template().map(PodTemplate::into_json), Some(template));
        assert_eq!(read.images(), Some(["web:1".to_owned(), "log:2".to_owned()].as_slice()));
        assert_eq!(read.template_labels().and_then(|labels| labels.get("app")), Some("web"));
    }
}
