//! What a step says about requests, in the words of the Gateway API and beside what a rule matches already. Defaults
//! are written out, as the API server would: else what is written would never be what is read.

use serde_json::{Value, json};
use sluice_crds::rollout::step::{RouteMatch, SetHeaderRoute, StringMatch};

use crate::objects::Kind;
use crate::text::quoted_pattern;

/// The matches of a rule together with the headers of a step: all must hold.
pub(super) fn with_headers(rule: &Value, kind: Kind, step: &SetHeaderRoute) -> Vec<Value> {
    let headers: Vec<Value> = step
        .r#match
        .iter()
        .flatten()
        .filter_map(|header| Some(header_match(&header.header_name, header.header_value.as_ref()?)))
        .collect();
    of_rule(rule, kind).into_iter().filter_map(|one| add_headers(one, &headers)).collect()
}

/// The matches of a rule together with any one of the requests of a step.
///
/// # Errors
/// The Gateway API can't say it.
pub(super) fn with_requests(rule: &Value, kind: Kind, requests: &[RouteMatch]) -> Result<Vec<Value>, String> {
    let mut all = Vec::new();
    for one in of_rule(rule, kind) {
        for request in requests {
            let headers: Vec<Value> =
                request.headers.iter().flatten().map(|(name, value)| header_match(name, value)).collect();
            if kind == Kind::GrpcRoute && (request.path.is_some() || request.method.is_some()) {
                return Err("a GRPCRoute tells requests apart by headers only; remove path and method".to_owned());
            }
            let Some(mut combined) = add_headers(one.clone(), &headers) else { continue };
            if let Some(method) = &request.method {
                let exact = method.exact.as_deref();
                let exact = exact.ok_or("the Gateway API compares whole methods only; write method.exact")?;
                if combined["method"].as_str().is_some_and(|there| there != exact) {
                    continue;
                }
                combined["method"] = exact.into();
            }
            if let Some(path) = &request.path {
                match narrower(&combined["path"], path)? {
                    Some(path) => combined["path"] = path,
                    None => continue,
                }
            }
            all.push(combined);
        }
    }
    Ok(all)
}

/// The matches of a rule; one without any matches everything.
fn of_rule(rule: &Value, kind: Kind) -> Vec<Value> {
    let everything = || vec![json!({})];
    let mut matches = rule["matches"].as_array().filter(|all| !all.is_empty()).cloned().unwrap_or_else(everything);
    matches.retain(Value::is_object);
    for one in matches.iter_mut().filter(|one| kind == Kind::HttpRoute && !one["path"].is_object()) {
        one["path"] = json!({"type": "PathPrefix", "value": "/"});
    }
    matches
}

/// `None` where a header would have to be two things at once.
fn add_headers(mut one: Value, headers: &[Value]) -> Option<Value> {
    let mut all = one["headers"].as_array().cloned().unwrap_or_default();
    for header in headers {
        let name = header["name"].as_str().unwrap_or_default();
        match all.iter().find(|there| there["name"].as_str().is_some_and(|there| there.eq_ignore_ascii_case(name))) {
            Some(there) if there["value"] != header["value"] => return None,
            Some(_) => {}
            None => all.push(header.clone()),
        }
    }
    if !all.is_empty() {
        one["headers"] = all.into();
    }
    Some(one)
}

fn header_match(name: &str, value: &StringMatch) -> Value {
    let (kind, value) = match (&value.exact, &value.regex, &value.prefix) {
        (Some(exact), _, _) => ("Exact", exact.clone()),
        (None, Some(regex), _) => ("RegularExpression", regex.clone()),
        (None, None, prefix) => {
            ("RegularExpression", format!("{}.*", quoted_pattern(prefix.as_deref().unwrap_or_default())))
        }
    };
    json!({"type": kind, "name": name, "value": value})
}

/// Of two paths that both must hold the narrower one; `None` where no path can be both.
fn narrower(there: &Value, wanted: &StringMatch) -> Result<Option<Value>, String> {
    let value = there["value"].as_str().unwrap_or("/");
    let is_everything = value == "/" && there["type"] == "PathPrefix";
    let under = |path: &str, prefix: &str| {
        let prefix = prefix.trim_end_matches('/');
        path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let new = |kind: &str, value: &str| Some(json!({"type": kind, "value": value}));
    if let Some(regex) = &wanted.regex {
        let problem = "a path cannot be both the rule's and a regular expression; write path.exact or path.prefix";
        return if is_everything { Ok(new("RegularExpression", regex)) } else { Err(problem.to_owned()) };
    }
    let (kind, text) = match (&wanted.exact, &wanted.prefix) {
        (Some(exact), _) => ("Exact", exact.as_str()),
        (None, prefix) => ("PathPrefix", prefix.as_deref().unwrap_or("/")),
    };
    Ok(match there["type"].as_str() {
        Some("Exact") if kind == "Exact" => (value == text).then(|| there.clone()),
        Some("Exact") => under(value, text).then(|| there.clone()),
        Some("RegularExpression") if kind == "PathPrefix" && text == "/" => Some(there.clone()),
        Some("RegularExpression") => {
            return Err(
                "a path cannot be both a regular expression of the rule and the step's; remove match.path".into()
            );
        }
        _ if under(text, value) => new(kind, text),
        _ if kind == "PathPrefix" && under(value, text) => Some(there.clone()),
        _ => None,
    })
}
