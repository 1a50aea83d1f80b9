//! The verbs that change the pod template: `set image` and `undo`. It stands in the Rollout, or in the workload that
//! the Rollout refers to.

use serde_json::Value;
use sluice_crds::template::{PodTemplate, semantically_equal};
use sluice_planner::{ReplicaSet, written_template};

use super::change::{Change, Decision, Part};
use crate::cluster::Kind;

/// Where the template of a Rollout is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) kind: Kind,
    pub(crate) name: String,
}

impl Home {
    pub(crate) fn of(rollout: &Value) -> Result<Self, String> {
        let reference = &rollout["spec"]["workloadRef"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if reference.is_null() {
            return Ok(Self { kind: Kind::ROLLOUT, name: text(&rollout["metadata"]["name"]) });
        }
        let named = text(&reference["kind"]);
        let kind = Kind::of_workload(&named);
        kind.map(|kind| Self { kind, name: text(&reference["name"]) }).ok_or_else(|| {
            format!("its template is in a {named}, and only a Deployment, ReplicaSet or PodTemplate can be changed")
        })
    }

    pub(crate) fn path(&self) -> &'static str {
        if self.kind.kind == "PodTemplate" { "/template" } else { "/spec/template" }
    }
}

const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// New images for containers by name; `*` means all of them.
pub(crate) fn set_image(home: &Home, object: &Value, wanted: &[(String, String)]) -> Decision {
    let mut change = Change::of(Part::Spec).test("/metadata/uid", object["metadata"]["uid"].clone());
    let (mut there, mut met, mut changed) = (Vec::new(), Vec::new(), false);
    for list in LISTS {
        let at = format!("{}/spec/{list}", home.path());
        let containers = object.pointer(&at).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (index, container) in containers.iter().enumerate() {
            let name = container["name"].as_str().unwrap_or_default();
            there.push(name);
            // A name counts more than `*`, wherever it stands.
            let named = wanted.iter().find(|(container, _)| container == name);
            let Some((by, image)) = named.or_else(|| wanted.iter().find(|(container, _)| container == "*")) else {
                continue;
            };
            met.push(by.as_str());
            if container["image"] != image.as_str() {
                let at = format!("{at}/{index}");
                change = change.test(&format!("{at}/name"), name).set(&format!("{at}/image"), image.as_str());
                changed = true;
            }
        }
    }
    if let Some((missing, _)) = wanted.iter().find(|(name, _)| name != "*" && !met.contains(&name.as_str())) {
        return Decision::Refuse(format!("it has no container {missing}; it has {}", there.join(", ")));
    }
    if there.is_empty() {
        return Decision::Refuse("its template has no containers".to_owned());
    }
    if changed {
        Decision::write(vec![change], "image updated")
    } else {
        Decision::Nothing("image unchanged".to_owned())
    }
}

/// Back to the template of a kept revision; of the one before, where none is named.
pub(crate) fn undo(home: &Home, object: &Value, rollout: &Value, sets: &[ReplicaSet], to: u64) -> Decision {
    let number = |set: &ReplicaSet| -> u64 {
        set.meta.annotations.get("rollout.argoproj.io/revision").and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    let mut numbers: Vec<u64> = sets.iter().map(number).filter(|number| *number > 0).collect();
    numbers.sort_unstable();
    let now = super::seen::Seen(rollout).revision().and_then(|text| text.parse().ok()).or(numbers.last().copied());
    let target = if to == 0 { numbers.iter().rev().find(|number| Some(**number) < now).copied() } else { Some(to) };
    let kept = numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let Some(target) = target else {
        return Decision::Refuse(format!("there is no revision before this one; kept are: {kept}"));
    };
    let Some(set) = sets.iter().find(|set| number(set) == target) else {
        return Decision::Refuse(format!("revision {target} is not kept; kept are: {kept}"));
    };
    let template = written_template(set);
    let current = object.pointer(home.path()).cloned().map(PodTemplate::from).unwrap_or_default();
    if semantically_equal(&template, &current) {
        return Decision::Nothing(format!("not undone: the template is that of revision {target} already"));
    }
    let change = Change::of(Part::Spec)
        .test("/metadata/uid", object["metadata"]["uid"].clone())
        .set(home.path(), template.into_json());
    Decision::write(vec![change], format!("undone to revision {target}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rollout() -> Value {
        json!({
            "metadata": {"name": "shop", "uid": "u1", "annotations": {"rollout.argoproj.io/revision": "3"}},
            "spec": {"template": {"spec": {
                "initContainers": [{"name": "migrate", "image": "shop:1"}],
                "containers": [{"name": "web", "image": "shop:1"}, {"name": "proxy", "image": "envoy:1"}],
            }}},
        })
    }

    fn images(decision: &Decision) -> Vec<Value> {
        let Decision::Write { changes, .. } = decision else { panic!("{decision:?}") };
        let mut object = rollout();
        changes[0].apply(&mut object);
        let spec = &object["spec"]["template"]["spec"];
        [&spec["initContainers"][0], &spec["containers"][0], &spec["containers"][1]]
            .map(|c| c["image"].clone())
            .to_vec()
    }

    #[test]
    fn images_are_set_by_name_or_all_at_once_and_init_containers_too() {
        let object = rollout();
        let home = Home::of(&object).expect("its own template");
        let set = |wanted: &[(&str, &str)]| {
            let wanted: Vec<_> = wanted.iter().map(|(name, image)| ((*name).to_owned(), (*image).to_owned())).collect();
            set_image(&home, &object, &wanted)
        };
        assert_eq!(images(&set(&[("web", "shop:2")])), ["shop:1", "shop:2", "envoy:1"]);
        assert_eq!(images(&set(&[("*", "shop:2"), ("proxy", "envoy:2")])), ["shop:2", "shop:2", "envoy:2"]);
        assert_eq!(images(&set(&[("migrate", "r/shop@sha256:a=b")])), ["r/shop@sha256:a=b", "shop:1", "envoy:1"]);
        assert_eq!(set(&[("web", "shop:1")]), Decision::Nothing("image unchanged".to_owned()));
        let missing = "it has no container cache; it has migrate, web, proxy".to_owned();
        assert_eq!(set(&[("cache", "redis:7")]), Decision::Refuse(missing));
    }

    fn kept(number: u64, image: &str) -> ReplicaSet {
        let template = json!({
            "metadata": {"labels": {"app": "shop", "rollouts-pod-template-hash": "x"}},
            "spec": {"containers": [{"name": "web", "image": image}]},
        });
        let object = json!({
            "metadata": {
                "name": format!("shop-{number}"), "namespace": "d", "uid": "r", "resourceVersion": "1",
                "annotations": {"rollout.argoproj.io/revision": number.to_string()},
            },
            "spec": {"template": template},
        });
        ReplicaSet::from_json(&object).expect("a ReplicaSet")
    }

    #[test]
    fn undo_takes_the_template_of_a_kept_revision_without_the_hash() {
        let (rollout, sets) = (rollout(), [kept(3, "shop:1"), kept(1, "shop:0"), kept(2, "shop:9")]);
        let home = Home::of(&rollout).expect("its own template");
        let undone = |to| undo(&home, &rollout, &rollout, &sets, to);
        // (--to-revision → the image afterwards)
        for (to, image) in [(0, "shop:9"), (1, "shop:0")] {
            let Decision::Write { changes, .. } = undone(to) else { panic!("undone to {to}") };
            let mut object = rollout.clone();
            changes[0].apply(&mut object);
            let template = &object["spec"]["template"];
            assert_eq!(template["spec"]["containers"][0]["image"], image);
            assert_eq!(template["metadata"]["labels"], json!({"app": "shop"}));
        }
        assert_eq!(undone(7), Decision::Refuse("revision 7 is not kept; kept are: 1, 2, 3".to_owned()));
    }
}
