//! The parts of a route that look alike wherever it comes from.

use serde_json::{Value, json};

/// A whole text by one of Envoy's ways to compare: `exact`, `prefix`, or a pattern that matches all of it.
pub(super) fn text_match(way: &str, text: &str) -> Value {
    match way {
        "regex" => json!({"safe_regex": {"regex": text}}),
        way => json!({way: text}),
    }
}

pub(super) fn header_match(name: &str, way: &str, text: &str) -> Value {
    json!({"name": name, "string_match": text_match(way, text)})
}

/// So many per cent of the requests are also sent there, and nobody waits for the answer.
pub(super) fn mirror(cluster: &str, percent: f64) -> Value {
    const PARTS_OF_A_PERCENT: f64 = 10_000.0;
    let share = json!({"numerator": (percent * PARTS_OF_A_PERCENT).round(), "denominator": "MILLION"});
    json!({"cluster": cluster, "runtime_fraction": {"default_value": share}})
}

/// Divides by these weights. Where none has any, nobody serves.
pub(super) fn divided(clusters: &[Value], mirrors: &[Value]) -> Value {
    let total: u64 = clusters.iter().filter_map(|cluster| cluster["weight"].as_u64()).sum();
    if total == 0 {
        return json!({"direct_response": {"status": 503}});
    }
    json!({"route": {"weighted_clusters": {"clusters": clusters}, "request_mirror_policies": mirrors}})
}
