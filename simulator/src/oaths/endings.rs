//! How a release may end: promoted when all is there and checked, taken back for good.

use serde_json::Value;

use super::{HASH, StatusWrite};

/// # Panics
/// The status promotes what is not ready, or begins again what was taken back.
pub(super) fn check(written: &StatusWrite<'_>) {
    let hash = written.will_be("currentPodHash");
    let Some(hash) = hash.as_str() else { return };
    let is_same = written.was["currentPodHash"] == hash;
    let carried = !is_same && !written.was["currentPodHash"].is_null() && written.will_be("promoteFull") == true;
    assert!(!carried, "promise 5: a promotion of one revision counts for the next one");
    let promoted = written.will_be("stableRS") == hash && written.was["stableRS"] != hash;
    if promoted {
        promotion(written, hash, is_same);
    }
    // Other steps are another release of the same revision, which a person has asked for.
    let same_steps = written.will_be("currentStepHash") == written.was["currentStepHash"];
    let was_aborted = is_same && same_steps && written.was["abort"] == true && !written.was["abortedAt"].is_null();
    if was_aborted && written.was["promoteFull"] != true {
        let stays = written.will_be("abort") == true;
        assert!(stays, "promise 4: an aborted release begins again by itself");
    }
    let newly = is_same && written.was["abortedAt"].is_null() && !written.will_be("abortedAt").is_null();
    if newly {
        let rejected = written.will_be("rejected");
        assert!(rejected[0]["podHash"] == hash, "promise 4: an aborted revision is not remembered as rejected");
    }
}

fn promotion(written: &StatusWrite<'_>, hash: &str, is_same: bool) {
    let (spec, was) = (written.spec, written.was);
    let is_first = !written.has_stable();
    let full = was["promoteFull"] == true;
    assert!(spec["paused"] != true, "promoted although a person has paused the Rollout");
    assert!(!is_same || was["abort"] != true || full, "promise 4: an aborted release is promoted");
    let strategy = &spec["strategy"];
    let (canary, blue_green) = (&strategy["canary"], &strategy["blueGreen"]);
    let replicas = written.replicas();
    if !canary["replicaProgressThreshold"].is_object() {
        let used = if canary.is_object() { canary } else { blue_green };
        let missing = used["maxUnavailable"].as_i64().unwrap_or(replicas * 25 / 100);
        let least = (replicas - missing).max(i64::from(replicas > 0));
        let available = written.available(hash);
        assert!(available >= least, "promise 3: promoted with {available} of {replicas} pods available");
    }
    if is_first || full || goes_back(written, hash) || !is_same {
        return;
    }
    if blue_green.is_object() {
        for (field, kind) in [("prePromotionAnalysis", "PrePromotion"), ("postPromotionAnalysis", "PostPromotion")] {
            let passed = written.runs(kind, hash).any(|run| run["status"]["phase"] == "Successful");
            assert!(
                blue_green[field].is_null() || passed,
                "promise 9: promoted without a {kind} analysis that succeeded"
            );
        }
        let waits = blue_green["autoPromotionEnabled"] == false;
        let resumed = was["controllerPause"] == true && was["pauseConditions"].is_null();
        let past = was["blueGreen"]["scaleUpPreviewCheckPoint"] == true;
        assert!(!waits || resumed || past, "promoted although nobody has promoted it");
    }
}

/// Going back to an older revision skips what it has passed before.
fn goes_back(written: &StatusWrite<'_>, hash: &str) -> bool {
    let sets = || written.sight.pods.replica_sets.values().map(|set| set.value());
    let created = |hash: &Value| {
        let set = sets().find(|set| set["metadata"]["labels"][HASH] == *hash);
        set.and_then(|set| set["metadata"]["creationTimestamp"].as_str())
    };
    let (new, stable) = (created(&Value::from(hash)), created(&written.was["stableRS"]));
    new.is_some() && new <= stable
}
