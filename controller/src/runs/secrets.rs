//! The Secrets that a run needs: each read by its name when the run begins, and kept nowhere else.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::Value;
use sluice_analysis::args::needed_secrets;
use sluice_analysis::secrets::Secrets;
use sluice_crds::AnalysisRun;
use sluice_crds::mistake::{FieldPath, Mistake};

use crate::requests::{RequestError, Requests};

/// Why the Secrets of a run are not there.
pub(crate) enum NoSecrets {
    /// They won't be, whenever they are asked for.
    Refused(Vec<Mistake>),
    /// Not now.
    Later(RequestError),
}

/// Reads what the run's metrics use. What isn't there is left out: whoever needs it says so.
pub(crate) async fn read(requests: &Requests, run: &AnalysisRun) -> Result<Secrets, NoSecrets> {
    let namespace = run.metadata.namespace.as_deref().unwrap_or_default();
    let mut secrets = Secrets::default();
    let mut seen: BTreeMap<String, Value> = BTreeMap::new();
    let mut refused = Vec::new();
    for needed in needed_secrets(&run.spec) {
        if !seen.contains_key(&needed.name) {
            if !is_name(&needed.name) {
                refused.push(Mistake::about(
                    FieldPath::of("spec"),
                    format!("names the Secret {:?}, which can't be the name of one", needed.name),
                    "write the name of a Secret in the run's namespace",
                ));
                continue;
            }
            let path = format!("/api/v1/namespaces/{namespace}/secrets/{}", needed.name);
            let secret = match requests.get("Secret", &path).await {
                Ok(secret) => secret,
                Err(RequestError::Stale { code: 404, .. }) => Value::Null,
                Err(RequestError::Refused { code: 403, .. }) => {
                    refused.push(forbidden(namespace, &needed.name));
                    Value::Null
                }
                Err(problem) => return Err(NoSecrets::Later(problem)),
            };
            seen.insert(needed.name.clone(), secret);
        }
        let data = seen.get(&needed.name).and_then(|secret| secret["data"][&needed.key].as_str());
        if let Some(value) = data.and_then(decoded) {
            secrets.insert(&needed.name, &needed.key, &value);
        }
    }
    if refused.is_empty() { Ok(secrets) } else { Err(NoSecrets::Refused(refused)) }
}

fn forbidden(namespace: &str, name: &str) -> Mistake {
    Mistake::about(
        FieldPath::of("spec"),
        format!("needs the Secret {name:?}, which the controller may not read in the namespace {namespace:?}"),
        "allow it to get secrets there (the chart's value analysis.secrets), or write what isn't secret into the template",
    )
}

/// A name that can't lead a request elsewhere.
fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    !name.is_empty() && name.len() <= 253 && name.chars().all(allowed) && !name.starts_with('.')
}

fn decoded(value: &str) -> Option<String> {
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(value).ok()?).ok()
}
