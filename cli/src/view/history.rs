//! `history`: how releases ended, and which revisions there is a way back to.

use jiff::Timestamp;
use serde_json::Value;

use super::ages::{age, length, time};
use super::text::{Cell, sign, table};
use crate::family::Family;

pub(crate) fn page(family: &Family, now: Timestamp) -> Vec<Vec<Cell>> {
    let header = ["REVISION", "RESULT", "ENDED", "TOOK", "KEPT", "IMAGES", "WHO", "WHY"].map(Cell::from).to_vec();
    let outcomes = family.rollout["status"]["history"].as_array().map_or(&[][..], Vec::as_slice);
    let kept: Vec<(i64, &Value)> = family.sets.iter().filter_map(|set| Some((revision(set)?, set))).collect();
    let mut rows: Vec<(i64, Vec<Cell>)> = outcomes.iter().map(|one| ended(one, &kept, now)).collect();
    let told = |number: &i64| outcomes.iter().any(|outcome| outcome["revision"].as_i64() == Some(*number));
    rows.extend(kept.iter().filter(|(number, _)| !told(number)).map(|(number, set)| (*number, untold(*number, set))));
    // The latest first; of one revision the latest end first, as they are written down.
    rows.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    table(std::iter::once(header).chain(rows.into_iter().map(|(_, row)| row)).collect())
}

fn ended(outcome: &Value, kept: &[(i64, &Value)], now: Timestamp) -> (i64, Vec<Cell>) {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).unwrap_or("-").to_owned();
    let number = outcome["revision"].as_i64().unwrap_or(0);
    let took = time(&outcome["from"]).zip(time(&outcome["to"]));
    let took = took.map_or_else(|| "-".to_owned(), |(from, to)| length(to.duration_since(from).as_secs()));
    let is_kept = kept.iter().any(|(one, _)| *one == number);
    let images = outcome["images"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let result = text(&outcome["result"]);
    let row = vec![
        number.to_string().into(),
        Cell::new(result.clone(), sign(&result).1),
        format!("{} ago", age(&outcome["to"], now)).into(),
        took.into(),
        if is_kept { "yes" } else { "no" }.into(),
        images.collect::<Vec<_>>().join(",").into(),
        text(&outcome["who"]).into(),
        text(&outcome["why"]).into(),
    ];
    (number, row)
}

/// A revision of which nobody wrote down how it ended: it is on its way, or older than what is remembered.
fn untold(number: i64, set: &Value) -> Vec<Cell> {
    let containers = set.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let images = containers.into_iter().flatten().filter_map(|container| container["image"].as_str());
    let images = images.collect::<Vec<_>>().join(",");
    [number.to_string().as_str(), "-", "-", "-", "yes", &images, "-", "-"].map(Cell::from).to_vec()
}

fn revision(set: &Value) -> Option<i64> {
    set.pointer("/metadata/annotations/rollout.argoproj.io~1revision")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::text::{Style, joined};
    use super::*;

    #[test]
    fn each_end_has_its_reason_and_its_actor_and_the_way_back_is_shown() {
        let set = |revision: &str, image: &str| {
            json!({
                "metadata": {"annotations": {"rollout.argoproj.io/revision": revision}},
                "spec": {"template": {"spec": {"containers": [{"image": image}]}}},
            })
        };
        let rollout = json!({"status": {"history": [
            {"revision": 2, "result": "Aborted", "from": "2026-01-01T00:01:00Z", "to": "2026-01-01T00:03:00Z", "images": ["shop:2.0"], "who": "sluice: 500s on checkout", "why": "aborted by hand at step 1 of 4"},
            {"revision": 1, "result": "Promoted", "to": "2026-01-01T00:00:30Z", "images": ["shop:1.0"], "why": "Initial deploy"},
        ]}});
        let family = Family { rollout, sets: vec![set("2", "shop:2.0"), set("3", "shop:3.0")], ..Family::default() };
        let now = "2026-01-01T00:04:00Z".parse().expect("a time");
        let expected = "\
REVISION  RESULT    ENDED      TOOK  KEPT  IMAGES    WHO                       WHY
3         -         -          -     yes   shop:3.0  -                         -
2         Aborted   60s ago    2m    yes   shop:2.0  sluice: 500s on checkout  aborted by hand at step 1 of 4
1         Promoted  3m30s ago  -     no    shop:1.0  -                         Initial deploy
";
        assert_eq!(joined(&page(&family, now), Style::default()), expected);
    }
}
