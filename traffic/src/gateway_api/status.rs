//! Whether the gateways say that a route is in force as it is written.

use serde_json::Value;

/// Whether every parent of the route has accepted it and resolved its references, in its newest generation.
pub(super) fn is_verified(route: &Value) -> bool {
    let parents = |at: &str| route[at]["parents"].as_array().map(Vec::as_slice).unwrap_or_default();
    let wanted = route["spec"]["parentRefs"].as_array().map(Vec::as_slice).unwrap_or_default();
    let generation = route["metadata"]["generation"].as_i64().unwrap_or(0);
    let statuses = parents("status");
    !statuses.is_empty()
        && wanted.iter().all(|parent| {
            let mut of_it = statuses.iter().filter(|status| same_parent(parent, &status["parentRef"])).peekable();
            of_it.peek().is_some()
                && of_it.all(|status| {
                    ["Accepted", "ResolvedRefs"].iter().all(|kind| holds(&status["conditions"], kind, generation))
                })
        })
}

fn same_parent(wanted: &Value, told: &Value) -> bool {
    let same = |field: &str| wanted[field].is_null() || told[field].is_null() || wanted[field] == told[field];
    wanted["name"] == told["name"] && same("namespace") && same("sectionName") && same("port") && same("kind")
}

fn holds(conditions: &Value, kind: &str, generation: i64) -> bool {
    let mut of_kind = conditions.as_array().into_iter().flatten().filter(|condition| condition["type"] == kind);
    // A controller that doesn't say which generation it saw can't be waited for.
    let is_current = |condition: &Value| condition["observedGeneration"].as_i64().is_none_or(|seen| seen >= generation);
    of_kind.any(|condition| condition["status"] == "True" && is_current(condition))
}
