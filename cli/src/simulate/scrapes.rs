//! How often metrics are scraped: as often as the queries need, because scrapes are most of a simulation's work.

use jiff::SignedDuration;
use serde_json::Value;
use sluice_crds::values::GoDuration;

use crate::stage::furniture::Manifest;

/// As Prometheus is mostly set up, and the least that is worth while.
const SELDOM: SignedDuration = SignedDuration::from_secs(15);
const OFTEN: SignedDuration = SignedDuration::from_secs(2);

/// So often that the shortest range of a query has two samples at least; never, where nothing asks a Prometheus.
pub(super) fn interval(manifests: &[Manifest]) -> Option<SignedDuration> {
    let metrics = manifests.iter().filter_map(|manifest| manifest.object["spec"]["metrics"].as_array()).flatten();
    let asked = metrics.map(|metric| &metric["provider"]["prometheus"]).filter(|prometheus| prometheus.is_object());
    asked.map(|prometheus| (shortest(prometheus) / 2).clamp(OFTEN, SELDOM)).min()
}

/// The shortest range in the query. One that can't be read, or is not written, may be any.
fn shortest(prometheus: &Value) -> SignedDuration {
    let Some(query) = prometheus["query"].as_str() else { return SignedDuration::ZERO };
    let ranges = query.split('[').skip(1).filter_map(|behind| behind.split([']', ':']).next());
    let length = |range: &str| range.trim().parse::<GoDuration>().map(SignedDuration::from);
    ranges.map(|range| length(range).unwrap_or(SignedDuration::ZERO)).min().unwrap_or(SELDOM * 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::furniture::documents;

    #[test]
    fn the_shortest_range_says_how_often() {
        let with = |provider: &str| {
            let text = format!("{{apiVersion: a, kind: B, spec: {{metrics: [{{provider: {provider}}}]}}}}");
            interval(&documents("a.yaml", &text).expect("YAML")).map(|interval| interval.as_secs())
        };
        let query = |query: &str| with(&format!("{{prometheus: {{query: '{query}'}}}}"));
        assert_eq!(query("rate(a[5m]) / rate(b[8s])"), Some(4));
        assert_eq!((query("rate(a[5m])"), query("a"), query("rate(a[1s])")), (Some(15), Some(15), Some(2)));
        assert_eq!(query("max_over_time(rate(a[20s])[1h:1m])"), Some(10));
        assert_eq!(query("rate(a[{{args.range}}])"), Some(2));
        assert_eq!((with("{prometheus: {signal: {}}}"), with("{web: {}}")), (Some(2), None));
    }
}
