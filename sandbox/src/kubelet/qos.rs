//! The quality-of-service class of a pod, from its requests and limits.

use serde_json::Value;

use super::read::{list, text};

const COUNTED: [&str; 2] = ["cpu", "memory"];

pub(super) fn class(pod: &Value) -> &'static str {
    let containers = || ["/spec/initContainers", "/spec/containers"].into_iter().flat_map(|pointer| list(pod, pointer));
    let asks_nothing = |container: &Value| {
        COUNTED
            .iter()
            .all(|resource| is_zero(container, "requests", resource) && is_zero(container, "limits", resource))
    };
    if containers().all(asks_nothing) {
        return "BestEffort";
    }
    let is_fixed = |container: &Value| {
        COUNTED.iter().all(|resource| {
            let limit = amount(container, "limits", resource);
            let request = amount(container, "requests", resource);
            !is_zero(container, "limits", resource) && (request.is_empty() || request == limit)
        })
    };
    if containers().all(is_fixed) { "Guaranteed" } else { "Burstable" }
}

fn amount<'a>(container: &'a Value, list: &str, resource: &str) -> &'a str {
    text(container, &format!("/resources/{list}/{resource}"))
}

fn is_zero(container: &Value, list: &str, resource: &str) -> bool {
    matches!(amount(container, list, resource), "" | "0")
}

#[cfg(test)]
mod tests {
    use super::class;
    use serde_json::json;

    #[test]
    fn the_class_follows_from_requests_and_limits() {
        let both = json!({"cpu": "1", "memory": "1Gi"});
        let main = |resources| json!({"spec": {"containers": [{"resources": resources}]}});
        for (pod, expected) in [
            (main(json!({})), "BestEffort"),
            (main(json!({"requests": {"cpu": "0"}})), "BestEffort"),
            (main(json!({"requests": {"cpu": "100m"}})), "Burstable"),
            (main(json!({"limits": both})), "Guaranteed"),
            (main(json!({"limits": both, "requests": both})), "Guaranteed"),
            (main(json!({"limits": both, "requests": {"cpu": "500m"}})), "Burstable"),
            (json!({"spec": {"containers": [{"resources": {"limits": both}}, {}]}}), "Burstable"),
        ] {
            assert_eq!(class(&pod), expected, "{pod}");
        }
    }
}
