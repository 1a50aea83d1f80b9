//! The annotations by which ingress-nginx divides traffic.

use std::collections::BTreeMap;

use serde_json::Value;
use sluice_crds::rollout::router::NginxRouting;
use sluice_crds::rollout::step::StringMatch;

use crate::edit::Problem;
use crate::objects::ObjectRef;
use crate::observed::RawWeights;
use crate::routing::Routing;
use crate::split::Split;
use crate::text::quoted_pattern;

/// Key → value; `None` is to be absent.
pub(super) type Annotations = BTreeMap<String, Option<String>>;

const CLASS: &str = "kubernetes.io/ingress.class";
/// Keys, behind the prefix, that header steps decide. All others that aren't written stay as they are.
const BY_REQUEST: [&str; 4] =
    ["canary-by-header", "canary-by-header-value", "canary-by-header-pattern", "canary-by-cookie"];

pub(super) fn wanted(
    split: &Split,
    routing: &Routing,
    nginx: &NginxRouting,
    name: &ObjectRef,
    stable: &Value,
) -> Result<Annotations, Problem> {
    let prefix = nginx.annotation_prefix();
    let key = |name: &str| format!("{prefix}/{name}");
    let mut wanted = Annotations::new();
    if let Some(class) = stable["metadata"]["annotations"][CLASS].as_str() {
        wanted.insert(CLASS.to_owned(), Some(class.to_owned()));
    }
    for (name, value) in nginx.canary_ingress_annotations.iter().flatten() {
        wanted.insert(name.clone(), Some(value.clone()));
    }
    for (name, value) in nginx.additional_ingress_annotations.iter().flatten() {
        let is_prefixed = name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
        wanted.insert(if is_prefixed { name.clone() } else { key(name) }, Some(value.clone()));
    }
    by_request(split, prefix, name, &mut wanted)?;
    if routing.traffic.sticky_sessions.is_some() {
        check_affinity(split, prefix, name, stable)?;
        wanted.insert(key("affinity-canary-behavior"), Some("sticky".to_owned()));
    }
    wanted.insert(key("canary"), Some("true".to_owned()));
    wanted.insert(key("canary-weight"), Some(split.canary().to_string()));
    if routing.traffic.max_traffic_weight.is_some() {
        wanted.insert(key("canary-weight-total"), Some(split.total().to_string()));
    }
    Ok(wanted)
}

/// What a canary Ingress says about weights.
pub(super) fn weights(canary: &Value, prefix: &str) -> RawWeights {
    let annotations = &canary["metadata"]["annotations"];
    let number =
        |name: &str| annotations[format!("{prefix}/{name}")].as_str().and_then(|text| text.parse::<i64>().ok());
    let total = number("canary-weight-total").filter(|total| *total > 0).unwrap_or(100);
    let is_canary = annotations[format!("{prefix}/canary")] == "true";
    let weight = number("canary-weight").filter(|_| is_canary).unwrap_or(0).clamp(0, total);
    RawWeights { canary: weight, stable: total - weight, ..RawWeights::default() }
}

/// The header and cookie by which steps send requests to the new revision; ingress-nginx looks at one of each.
fn by_request(split: &Split, prefix: &str, name: &ObjectRef, wanted: &mut Annotations) -> Result<(), Problem> {
    let mut chosen: BTreeMap<&str, String> = BTreeMap::new();
    for route in split.header_routes() {
        let refuse = |what: &str| Problem::new(name, format!("the step setHeaderRoute {} {what}", route.name));
        let [header] = route.r#match.as_deref().unwrap_or_default() else {
            return Err(refuse("looks at several headers, and ingress-nginx looks at one; keep one header in match"));
        };
        let value = header.header_value.as_ref();
        let found = one_header(&header.header_name, value)
            .ok_or_else(|| refuse("does not say what the value must be; write headerValue.exact, prefix or regex"))?;
        for (key, value) in found {
            if chosen.insert(key, value).is_some() {
                return Err(refuse(
                    "is the second one of its kind, and ingress-nginx looks at one header and one cookie; keep one of them",
                ));
            }
        }
    }
    for key in BY_REQUEST {
        let full = format!("{prefix}/{key}");
        match chosen.remove(key) {
            Some(_) if wanted.contains_key(&full) => {
                let sentence = format!(
                    "a setHeaderRoute step and the Rollout's annotations for the canary Ingress both decide {full}; keep one of the two"
                );
                return Err(Problem::new(name, sentence));
            }
            Some(value) => {
                wanted.insert(full, Some(value));
            }
            None => {
                wanted.entry(full).or_insert(None);
            }
        }
    }
    Ok(())
}

/// The annotations for one header. `Cookie: name=always` is the form in which ingress-nginx knows cookies.
fn one_header(header: &str, value: Option<&StringMatch>) -> Option<Vec<(&'static str, String)>> {
    const HEADER: &str = "canary-by-header";
    const PATTERN: &str = "canary-by-header-pattern";
    let value = value?;
    let named = (HEADER, header.to_owned());
    let exact = value.exact.as_deref();
    let cookie = exact.and_then(|text| text.strip_suffix("=always")).filter(|_| header.eq_ignore_ascii_case("cookie"));
    if let Some(cookie) = cookie {
        return Some(vec![("canary-by-cookie", cookie.to_owned())]);
    }
    if let Some(exact) = exact {
        return Some(vec![named, ("canary-by-header-value", exact.to_owned())]);
    }
    let pattern = value.regex.clone().or_else(|| Some(format!("^{}", quoted_pattern(value.prefix.as_deref()?))))?;
    Some(vec![named, (PATTERN, pattern)])
}

/// ingress-nginx remembers the version in the session cookie of the stable Ingress, which is not ours to write.
fn check_affinity(split: &Split, prefix: &str, name: &ObjectRef, stable: &Value) -> Result<(), Problem> {
    let key = format!("{prefix}/affinity");
    if !split.is_mixed() || stable["metadata"]["annotations"][&key] == "cookie" {
        return Ok(());
    }
    let sentence =
        format!("stickySessions needs the annotation {key}: cookie, which sets the cookie; add it to this Ingress");
    Err(Problem::new(name, sentence))
}
