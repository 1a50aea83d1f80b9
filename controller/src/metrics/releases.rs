//! How long releases took, by how they ended.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sluice_crds::rollout::status::{CompletionStatus, ReleaseDuration};

use super::buckets::Buckets;
use super::text::{Kind, Text};

/// From a release that nobody waits for to one that waits over a week's end for a person.
const BOUNDS: &[f64] =
    &[30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 21_600.0, 86_400.0, 259_200.0, 604_800.0];

/// The releases that this process has seen end.
#[derive(Clone, Debug, Default)]
pub(super) struct Releases {
    by_status: BTreeMap<String, Durations>,
}

#[derive(Clone, Debug)]
struct Durations {
    whole: Buckets,
    moving: Buckets,
    waiting_for_people: Buckets,
}

impl Releases {
    /// Counts a release, if it is this change of the status that ended it.
    pub(super) fn observe(&mut self, before: Option<&ReleaseDuration>, after: &ReleaseDuration) {
        let (Some(Time(started)), Some(Time(finished))) = (&after.rollout_started_at, &after.finished_at) else {
            return;
        };
        if before.is_some_and(|before| before.finished_at == after.finished_at) {
            return;
        }
        let whole = finished.duration_since(*started).as_secs_f64().max(0.0);
        let paused = after.total_manual_pause_duration_seconds.unwrap_or(0).max(0);
        let paused = (paused as f64).min(whole);
        let status = after.completion_status.as_ref().map_or("", CompletionStatus::as_str);
        // A status that a newer version wrote must not make series without end.
        let status = if CompletionStatus::KNOWN.contains(&status) { status } else { "Unknown" };
        let durations = self.by_status.entry(status.to_owned()).or_insert_with(|| Durations {
            whole: Buckets::new(BOUNDS),
            moving: Buckets::new(BOUNDS),
            waiting_for_people: Buckets::new(BOUNDS),
        });
        durations.whole.observe(whole);
        durations.moving.observe(whole - paused);
        durations.waiting_for_people.observe(paused);
    }

    pub(super) fn write(&self, text: &mut Text) {
        type Of = fn(&Durations) -> &Buckets;
        let families: [(&'static str, &str, Of); 3] = [
            ("rollout_duration_seconds", "From the beginning of a release to its end", |of| &of.whole),
            ("rollout_progression_duration_seconds", "The same without waiting for people", |of| &of.moving),
            ("rollout_manual_pause_duration_seconds", "How long it waited for people", |of| &of.waiting_for_people),
        ];
        for (name, help, of) in families {
            let mut family = text.family(name, Kind::Histogram, help);
            for (status, durations) in &self.by_status {
                family.buckets(&[("status", status)], of(durations));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn duration(value: serde_json::Value) -> ReleaseDuration {
        serde_json::from_value(value).expect("a duration")
    }

    #[test]
    fn a_release_is_counted_once_when_it_ends() {
        let running = duration(json!({"rolloutStartedAt": "2026-01-01T00:00:00Z"}));
        let ended = duration(json!({
            "rolloutStartedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:10:00Z",
            "totalManualPauseDurationSeconds": 480, "completionStatus": "Promoted",
        }));
        let mut releases = Releases::default();
        releases.observe(None, &running);
        releases.observe(Some(&running), &ended);
        releases.observe(Some(&ended), &ended);
        let mut text = Text::default();
        releases.write(&mut text);
        let page = text.into_page();
        for line in [
            r#"rollout_duration_seconds_sum{status="Promoted"} 600"#,
            r#"rollout_duration_seconds_count{status="Promoted"} 1"#,
            r#"rollout_duration_seconds_bucket{status="Promoted",le="300"} 0"#,
            r#"rollout_duration_seconds_bucket{status="Promoted",le="600"} 1"#,
            r#"rollout_progression_duration_seconds_sum{status="Promoted"} 120"#,
            r#"rollout_manual_pause_duration_seconds_sum{status="Promoted"} 480"#,
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
        }
    }
}
