//! Two Services that take turns as the stable one, so that neither changes its pods while it carries traffic.

use sluice_crds::Rollout;
use sluice_crds::rollout::PingPong;
use sluice_crds::rollout::status::PingPongSide;

/// The names of the stable and the canary Service, as the roles are now.
pub(crate) fn service_names(rollout: &Rollout) -> (Option<&str>, Option<&str>) {
    let Some(canary) = rollout.spec.canary() else { return (None, None) };
    match of(rollout) {
        Some(both) if stable_side(rollout) == PingPongSide::Ping => {
            (Some(&both.ping_service), Some(&both.pong_service))
        }
        Some(both) => (Some(&both.pong_service), Some(&both.ping_service)),
        None => (canary.stable_service.as_deref(), canary.canary_service.as_deref()),
    }
}

/// The two Services, if there are such.
pub(crate) fn of(rollout: &Rollout) -> Option<&PingPong> {
    let canary = rollout.spec.canary()?;
    canary.ping_pong.as_ref().filter(|_| canary.traffic_routing.is_some())
}

/// Which of them is the stable one. Before there is a stable revision it is pong, so that the first one goes to ping.
fn stable_side(rollout: &Rollout) -> PingPongSide {
    let status = rollout.status.as_ref().and_then(|status| status.canary.as_ref());
    match status.and_then(|status| status.stable_ping_pong.as_ref()) {
        Some(PingPongSide::Ping) => PingPongSide::Ping,
        _ => PingPongSide::Pong,
    }
}

/// Which of them is the stable one once the new revision is promoted.
pub(crate) fn after_promotion(rollout: &Rollout) -> Option<PingPongSide> {
    of(rollout)?;
    Some(if stable_side(rollout) == PingPongSide::Ping { PingPongSide::Pong } else { PingPongSide::Ping })
}
