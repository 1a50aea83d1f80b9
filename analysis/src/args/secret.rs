//! Arguments whose values are in Secrets: which are needed, and what all arguments come to once they are there.

use std::collections::BTreeSet;

use sluice_crds::analysis::{AnalysisRunSpec, Metric};
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::unit::SecretKeyRef;

use super::{Values, used_by};
use crate::secrets::Secrets;

/// The keys of Secrets that the run's metrics use, each once. A Secret that no metric uses is never read.
pub fn needed_secrets(spec: &AnalysisRunSpec) -> Vec<SecretKeyRef> {
    let used: BTreeSet<String> = spec.metrics().iter().flat_map(used_by).collect();
    let arguments = spec.args().iter().filter(|argument| used.contains(&argument.name) && argument.value.is_none());
    let of_arguments = arguments.filter_map(|argument| argument.value_from.as_ref()?.secret_key_ref.clone());
    let mut seen = BTreeSet::new();
    let all = of_arguments.chain(spec.metrics().iter().flat_map(of_headers));
    all.filter(|secret| seen.insert((secret.name.clone(), secret.key.clone()))).collect()
}

fn of_headers(metric: &Metric) -> Vec<SecretKeyRef> {
    let provider = metric.provider.as_ref();
    let prometheus = provider.and_then(|provider| provider.prometheus.as_ref()?.headers.as_deref());
    let web = provider.and_then(|provider| provider.web.as_ref()?.headers.as_deref());
    let headers = prometheus.into_iter().chain(web).flatten();
    headers.filter_map(|header| header.value_from.as_ref()?.secret_key_ref.clone()).collect()
}

/// The values of all arguments that the metrics use.
pub(crate) fn resolve(spec: &AnalysisRunSpec, secrets: &Secrets) -> Result<Values, Vec<Mistake>> {
    let used: BTreeSet<String> = spec.metrics().iter().flat_map(used_by).collect();
    let mut values = Values::new();
    let mut mistakes = Vec::new();
    for (index, argument) in spec.args().iter().enumerate() {
        if !used.contains(&argument.name) {
            continue;
        }
        let path = FieldPath::of("spec.args").index(index);
        let source = argument.value_from.as_ref();
        let secret = source.and_then(|source| source.secret_key_ref.as_ref());
        match (&argument.value, secret) {
            (Some(value), _) => drop(values.insert(argument.name.clone(), value.clone())),
            (None, Some(secret)) => match secrets.get(&secret.name, &secret.key) {
                Some(value) => drop(values.insert(argument.name.clone(), value.to_owned())),
                None => mistakes.push(missing(&path.field("valueFrom").field("secretKeyRef"), secret)),
            },
            (None, None) if source.is_some_and(|source| source.field_ref.is_some()) => {
                let path = path.field("valueFrom").field("fieldRef");
                let mend = "write the value itself; only a Rollout that starts a run can be asked for its fields";
                mistakes.push(Mistake::about(path, "has no Rollout to read from", mend));
            }
            (None, None) => mistakes.push(Mistake::missing(path, "has no value", "write value or valueFrom")),
        }
    }
    if mistakes.is_empty() { Ok(values) } else { Err(mistakes) }
}

/// What is said of a key that isn't there.
fn missing(path: &FieldPath, secret: &SecretKeyRef) -> Mistake {
    let problem = format!("names the key {:?} of the Secret {:?}, which is not there", secret.key, secret.name);
    Mistake::about(path.clone(), problem, "create it in the run's namespace, or name another one")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec(spec: Value) -> AnalysisRunSpec {
        serde_json::from_value(spec).expect("a spec")
    }

    fn with_secrets() -> AnalysisRunSpec {
        spec(json!({
            "args": [
                {"name": "token", "valueFrom": {"secretKeyRef": {"name": "prometheus", "key": "token"}}},
                {"name": "unused", "valueFrom": {"secretKeyRef": {"name": "other", "key": "x"}}},
                {"name": "plain", "value": "1"},
            ],
            "metrics": [{
                "name": "m",
                "provider": {"web": {"url": "http://{{args.plain}}/{{args.token}}", "headers": [
                    {"key": "X-Key", "valueFrom": {"secretKeyRef": {"name": "web", "key": "key"}}},
                    {"key": "X-Same", "valueFrom": {"secretKeyRef": {"name": "web", "key": "key"}}},
                ]}},
            }],
        }))
    }

    #[test]
    fn only_secrets_that_a_metric_uses_are_read() {
        let needed: Vec<(String, String)> =
            needed_secrets(&with_secrets()).into_iter().map(|secret| (secret.name, secret.key)).collect();
        assert_eq!(needed, [("prometheus".to_owned(), "token".to_owned()), ("web".to_owned(), "key".to_owned())]);
    }

    #[test]
    fn a_missing_secret_and_a_field_without_a_rollout_are_told_by_name() {
        let mistakes = resolve(&with_secrets(), &Secrets::default()).expect_err("the Secret is missing");
        assert_eq!(
            mistakes[0].to_string(),
            "spec.args[0].valueFrom.secretKeyRef: names the key \"token\" of the Secret \"prometheus\", which is not there; create it in the run's namespace, or name another one"
        );
        let alone = spec(json!({
            "args": [{"name": "f", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}, {"name": "g"}],
            "metrics": [{"name": "{{args.f}}{{args.g}}"}],
        }));
        let mistakes = resolve(&alone, &Secrets::default()).expect_err("no Rollout");
        let sentences: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(
            sentences,
            [
                "spec.args[0].valueFrom.fieldRef: has no Rollout to read from; write the value itself; only a Rollout that starts a run can be asked for its fields",
                "spec.args[1]: has no value; write value or valueFrom",
            ]
        );
    }
}
