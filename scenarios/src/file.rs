//! A scenario as it is written.

use std::path::Path;

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};
use sluice_crds::values::GoDuration;

use crate::action::Action;
use crate::calls::applied;
use crate::expect::Expect;
use crate::fields::Fields;

/// How long an expectation may take to come true, unless the step says otherwise.
const WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// A story with its proof.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What it shows, as a user would say it.
    pub name: String,
    /// The promises and complaints that it is proof for.
    pub shows: Vec<String>,
    /// Manifests that are applied first, in this order.
    pub given: Vec<Value>,
    /// Requests that run through the cluster's routers all the time, in the sandbox. None of them may be lost.
    pub traffic: Vec<Requests>,
    /// What happens then.
    pub steps: Vec<Step>,
    /// Why a real control plane can't show it.
    pub only_in_the_sandbox: Option<String>,
    /// Why the sandbox can't show it.
    pub only_on_a_real_cluster: Option<String>,
}

/// Requests that come in all the time, a hundred a second.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Requests {
    /// By which door.
    pub through: Door,
    /// The host that they ask for.
    pub host: String,
}

/// A door of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    /// ingress-nginx.
    Ingress,
    /// The Gateway API.
    Gateway,
    /// A neighbour in an Istio mesh.
    Mesh,
}

/// One thing after the other: some time passes, something is done, something is seen, and stays so.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Before anything is done.
    pub after: SignedDuration,
    /// What is done, at once and in this order.
    pub does: Vec<Action>,
    /// What must then be seen.
    pub expect: Expect,
    /// By when.
    pub within: SignedDuration,
    /// For how long it must then stay so.
    pub stays: SignedDuration,
}

impl Scenario {
    /// Reads a file and the manifests that it names.
    ///
    /// # Errors
    /// All mistakes in it, each with its path.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|problem| format!("{}: {problem}", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let manifest = |name: &str| {
            let path = folder.join("manifests").join(name);
            std::fs::read_to_string(&path).map_err(|problem| format!("{}: {problem}", path.display()))
        };
        Self::parse(&text, manifest).map_err(|mistakes| format!("{}:\n  {}", path.display(), mistakes.join("\n  ")))
    }

    /// Reads a scenario; `manifest` gives the text of a file of manifests.
    ///
    /// # Errors
    /// All mistakes in it, each with its path.
    pub fn parse(text: &str, manifest: impl Fn(&str) -> Result<String, String>) -> Result<Self, Vec<String>> {
        let value: Value = serde_saphyr::from_str(text).map_err(|problem| vec![problem.to_string()])?;
        let mut mistakes = Vec::new();
        let Some(mut fields) = Fields::of("", value, &mut mistakes) else { return Err(mistakes) };
        let name = fields.required("name");
        let shows: Option<Vec<String>> = fields.required("shows");
        let given: Option<Vec<Value>> = fields.required("given");
        let traffic: Option<Vec<Requests>> = fields.optional("traffic");
        let steps: Option<Vec<Value>> = fields.required("steps");
        let only_in_the_sandbox = fields.optional("only-in-the-sandbox");
        let only_on_a_real_cluster = fields.optional("only-on-a-real-cluster");
        let more = fields.mistakes();
        if shows.as_ref().is_some_and(Vec::is_empty) {
            more.push("shows: is empty; name the promises that it proves".to_owned());
        }
        let given = given.unwrap_or_default().into_iter().enumerate();
        let given =
            given.flat_map(|(index, given)| read_given(&format!("given[{index}]"), given, &manifest, more)).collect();
        let steps = steps.unwrap_or_default().into_iter().enumerate();
        let steps = steps.filter_map(|(index, step)| read_step(&format!("steps[{index}]"), step, more)).collect();
        fields.end();
        let (Some(name), Some(shows), true) = (name, shows, mistakes.is_empty()) else { return Err(mistakes) };
        let traffic = traffic.unwrap_or_default();
        Ok(Self { name, shows, given, traffic, steps, only_in_the_sandbox, only_on_a_real_cluster })
    }

    /// The name of the Rollout that it is about: the first one given, or else applied.
    pub fn rollout(&self) -> &str {
        let applied = self.steps.iter().flat_map(|step| &step.does).filter_map(|action| match action {
            Action::Apply(manifest) => Some(manifest),
            _ => None,
        });
        let rollout = self.given.iter().chain(applied).find(|manifest| manifest["kind"] == "Rollout");
        rollout.and_then(|rollout| rollout["metadata"]["name"].as_str()).unwrap_or_default()
    }
}

/// A manifest, or `{from: a file of manifests, with: a merge patch of its Rollout}`.
fn read_given(
    path: &str,
    given: Value,
    manifest: &impl Fn(&str) -> Result<String, String>,
    mistakes: &mut Vec<String>,
) -> Vec<Value> {
    if given["kind"].is_string() {
        mistakes.extend(applied(&given, "default").err().map(|mistake| format!("{path}: {mistake}")));
        return vec![given];
    }
    let prefix = format!("{path}.");
    let Some(mut fields) = Fields::of(&prefix, given, mistakes) else { return Vec::new() };
    let from: Option<String> = fields.required("from");
    let with: Option<Value> = fields.optional("with");
    let read = from.map(|from| {
        let text = manifest(&from)?;
        serde_saphyr::from_multiple::<Value>(&text).map_err(|problem| format!("{from}: {problem}"))
    });
    let mut manifests = match read {
        Some(Ok(manifests)) => manifests,
        Some(Err(problem)) => {
            fields.mistakes().push(format!("{path}.from: {problem}"));
            Vec::new()
        }
        None => Vec::new(),
    };
    fields.end();
    if let Some(with) = with {
        for manifest in manifests.iter_mut().filter(|manifest| manifest["kind"] == "Rollout") {
            merge(manifest, &with);
        }
    }
    manifests
}

fn read_step(path: &str, step: Value, mistakes: &mut Vec<String>) -> Option<Step> {
    let prefix = format!("{path}.");
    let mut fields = Fields::of(&prefix, step, mistakes)?;
    let mut span = |name: &'static str, otherwise: SignedDuration| {
        let Some(text) = fields.optional::<String>(name) else { return otherwise };
        match text.parse::<GoDuration>() {
            Ok(duration) => duration.into(),
            Err(problem) => {
                fields.mistakes().push(format!("{path}.{name}: {problem}"));
                otherwise
            }
        }
    };
    let (after, within) = (span("after", SignedDuration::ZERO), span("within", WITHIN));
    let stays = span("stays", SignedDuration::ZERO);
    let does = match fields.optional::<Value>("do") {
        None => Vec::new(),
        Some(Value::Array(list)) => list,
        Some(one) => vec![one],
    };
    let does = does.into_iter().enumerate().filter_map(|(index, action)| {
        let read = serde_json::from_value::<Action>(action);
        read.map_err(|problem| fields.mistakes().push(format!("{path}.do[{index}]: {problem}"))).ok()
    });
    let does = does.collect::<Vec<_>>();
    let expect: Expect = fields.optional("expect").unwrap_or_default();
    let more = expect.mistakes(&format!("{path}.expect"));
    fields.mistakes().extend(more);
    fields.end();
    Some(Step { after, does, expect, within, stays })
}

/// A JSON merge patch.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            target.as_object_mut().map(|target| target.remove(key));
        } else {
            merge(&mut target[key], value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Scenario, Vec<String>> {
        Scenario::parse(text, |name| match name {
            "web.yaml" => Ok("{kind: Rollout, metadata: {name: web}, spec: {replicas: 3, paused: true}}".to_owned()),
            other => Err(format!("there is no {other}")),
        })
    }

    #[test]
    fn a_scenario_says_what_is_there_what_is_done_and_what_is_seen() {
        let text = "
name: a pause waits
shows: [promise 4]
given: [{from: web.yaml, with: {spec: {replicas: 5, paused: null}}}]
steps:
  - {do: {set-image: 'web:2'}, expect: {phase: Paused, pods: {1: 4, 2: 0 of 1}}, within: 1m}
  - {after: 5s, do: [abort, {scale: 3}], stays: 10s}
";
        let scenario = parse(text).expect("a scenario");
        assert_eq!(scenario.rollout(), "web");
        assert_eq!(scenario.given[0]["spec"], json!({"replicas": 5}));
        assert_eq!(scenario.steps[0].within, SignedDuration::from_mins(1));
        assert_eq!(scenario.steps[1].does, [Action::Abort, Action::Scale(3)]);
        assert_eq!((scenario.steps[1].after.as_secs(), scenario.steps[1].stays.as_secs()), (5, 10));
    }

    #[test]
    fn all_mistakes_are_told_at_once_each_with_its_path() {
        let text = "
shows: []
given: [{from: other.yaml}, {kind: StatefulSet, metadata: {name: web}}]
steps:
  - {do: {set-picture: 'web:2'}, expect: {fase: Paused}, within: soon}
  - {expect: {phase: Sleeping, pods: {1: many}, services: {stable: none}}, untill: 5s}
colour: blue
";
        let mistakes = parse(text).expect_err("mistakes");
        for (mistake, path) in mistakes.iter().zip([
            "name: is missing",
            "shows: is empty",
            "given[0].from: there is no other.yaml",
            "given[1]: \"StatefulSet\" is no kind",
            "steps[0].within: ",
            "steps[0].do[0]: unknown variant `set-picture`",
            "steps[0].expect: unknown field `fase`",
            "steps[1].expect.phase: \"Sleeping\" is no phase",
            "steps[1].expect.pods.1: \"many\" is no count",
            "steps[1].expect.services.stable: \"none\"",
            "steps[1].untill: no such field",
            "colour: no such field",
        ]) {
            assert!(mistake.starts_with(path), "{mistake} is not about {path}");
        }
        assert_eq!(mistakes.len(), 12, "{mistakes:#?}");
    }
}
