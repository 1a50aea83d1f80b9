//! The arithmetic of a roll: how far the new ReplicaSet may grow and the old ones may shrink.

use serde_json::Value;

use super::{MAX_REPLICAS, Missing, Pass, available, size};
use crate::controllers::object::{annotation, at, count, created_at, name};

/// How many pods above `spec.replicas` may exist.
pub(super) fn max_surge(deployment: &Value) -> i64 {
    fence_posts(deployment).0
}

/// How many of `spec.replicas` may be missing.
pub(super) fn max_unavailable(deployment: &Value) -> i64 {
    fence_posts(deployment).1
}

fn fence_posts(deployment: &Value) -> (i64, i64) {
    if at(deployment, &["spec", "strategy", "type"]) == "Recreate" {
        return (0, 0);
    }
    let wanted = count(deployment, &["spec", "replicas"]);
    let rolling = |key| at(deployment, &["spec", "strategy", "rollingUpdate", key]);
    let surge = scaled(rolling("maxSurge"), wanted, Round::Up);
    let unavailable = scaled(rolling("maxUnavailable"), wanted, Round::Down);
    // Both zero would never move; Kubernetes then lets one be missing.
    let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable };
    (surge, unavailable.min(wanted))
}

#[derive(Clone, Copy)]
enum Round {
    Up,
    Down,
}

fn scaled(value: &Value, total: i64, round: Round) -> i64 {
    if let Some(absolute) = value.as_i64() {
        return absolute;
    }
    let percent: i64 =
        value.as_str().and_then(|text| text.strip_suffix('%')).and_then(|text| text.parse().ok()).unwrap_or(0);
    let hundredths = total.saturating_mul(percent);
    match round {
        Round::Up => hundredths.saturating_add(99).div_euclid(100),
        Round::Down => hundredths.div_euclid(100),
    }
}

/// The size that a ReplicaSet of the new template may have now.
pub(super) fn new_size(deployment: &Value, sets: &[Value], new_now: i64) -> i64 {
    let wanted = count(deployment, &["spec", "replicas"]);
    if at(deployment, &["spec", "strategy", "type"]) == "Recreate" {
        return wanted;
    }
    let total: i64 = sets.iter().map(size).sum();
    let room = wanted + max_surge(deployment) - total;
    if room <= 0 { new_now } else { new_now + room.min(wanted - new_now) }
}

impl Pass<'_> {
    /// One pass of a rolling update: up if there is room, else down if there is slack.
    pub(super) fn roll(&mut self) {
        self.find_new_replica_set(Missing::Create);
        let Some(new) = self.new_set() else { return };
        if self.grow(new) || self.shrink_old(new) {
            return;
        }
        self.clean_up_when_complete();
    }

    fn grow(&mut self, new: usize) -> bool {
        let now = size(&self.sets[new]);
        let wanted = self.wanted();
        if now == wanted {
            return false;
        }
        let next = if now > wanted { wanted } else { new_size(&self.deployment, &self.sets, now) };
        self.resize_if_needed(new, next)
    }

    fn shrink_old(&mut self, new: usize) -> bool {
        let old = self.old_sets();
        if old.iter().all(|index| size(&self.sets[*index]) == 0) {
            return false;
        }
        let floor = self.wanted() - max_unavailable(&self.deployment);
        let total: i64 = self.sets.iter().map(size).sum();
        let new_unavailable = size(&self.sets[new]) - available(&self.sets[new]);
        let slack = total - floor - new_unavailable;
        if slack <= 0 {
            return false;
        }
        let cleaned = self.drop_unhealthy(&old, slack);
        let drained = self.drain(&old, floor);
        cleaned + drained > 0
    }

    /// Takes away old pods that serve nobody, oldest revision first: they can't be missed.
    fn drop_unhealthy(&mut self, old: &[usize], slack: i64) -> i64 {
        let mut dropped = 0;
        for &index in old {
            let unhealthy = size(&self.sets[index]) - available(&self.sets[index]);
            let here = unhealthy.min(slack - dropped);
            if here > 0 {
                self.resize(index, size(&self.sets[index]) - here);
                dropped += here;
            }
        }
        dropped
    }

    fn drain(&mut self, old: &[usize], floor: i64) -> i64 {
        let spare = self.sets.iter().map(available).sum::<i64>() - floor;
        let mut drained = 0;
        for &index in old {
            let here = size(&self.sets[index]).min(spare - drained);
            if here > 0 {
                self.resize(index, size(&self.sets[index]) - here);
                drained += here;
            }
        }
        drained
    }

    /// After `spec.replicas` changed in mid-roll or under pause: each ReplicaSet keeps its part.
    pub(super) fn scale_in_proportion(&mut self) {
        let wanted = self.wanted();
        if let Some(only) = self.only_active_or_latest() {
            self.resize_if_needed(only, wanted);
            return;
        }
        if self.new_set().is_some_and(|new| self.is_saturated(new)) {
            for index in self.old_sets() {
                if size(&self.sets[index]) > 0 {
                    self.resize(index, 0);
                }
            }
            return;
        }
        if at(&self.deployment, &["spec", "strategy", "type"]) == "Recreate" {
            return;
        }
        let mut active: Vec<usize> = (0..self.sets.len()).filter(|index| size(&self.sets[*index]) > 0).collect();
        let allowed = if wanted > 0 { wanted + max_surge(&self.deployment) } else { 0 };
        let to_add = allowed - active.iter().map(|index| size(&self.sets[*index])).sum::<i64>();
        active.sort_by(|a, b| {
            let (a, b) = (&self.sets[*a], &self.sets[*b]);
            let by_age = created_at(a).cmp(&created_at(b)).then_with(|| name(a).cmp(name(b)));
            size(b).cmp(&size(a)).then(if to_add > 0 { by_age.reverse() } else { by_age })
        });
        let mut added = 0;
        let mut sizes = Vec::with_capacity(active.len());
        for &index in &active {
            let part = self.part_of(index, to_add, added);
            sizes.push(size(&self.sets[index]) + part);
            added += part;
        }
        if let Some(first) = sizes.first_mut() {
            *first = (*first + to_add - added).max(0);
        }
        for (index, replicas) in active.into_iter().zip(sizes) {
            self.resize(index, replicas);
        }
    }

    fn only_active_or_latest(&self) -> Option<usize> {
        let active: Vec<usize> = (0..self.sets.len()).filter(|index| size(&self.sets[*index]) > 0).collect();
        match active[..] {
            [] => self.new_set().or_else(|| self.sets.len().checked_sub(1)),
            [only] => Some(only),
            _ => None,
        }
    }

    fn is_saturated(&self, index: usize) -> bool {
        let set = &self.sets[index];
        let desired = annotation(set, super::DESIRED_REPLICAS).and_then(|text| text.parse().ok());
        let wanted = self.wanted();
        size(set) == wanted && desired == Some(wanted) && available(set) == wanted
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "replica counts are int32 in the API"
    )]
    fn part_of(&self, index: usize, to_add: i64, added: i64) -> i64 {
        let replicas = size(&self.sets[index]);
        if replicas == 0 || to_add == 0 || to_add == added {
            return 0;
        }
        let wanted = self.wanted();
        let fraction = if wanted == 0 {
            -replicas
        } else {
            let most = wanted + max_surge(&self.deployment);
            let most_before = annotation(&self.sets[index], MAX_REPLICAS)
                .and_then(|text| text.parse::<i64>().ok())
                .filter(|before| *before > 0)
                .unwrap_or_else(|| count(&self.deployment, &["status", "replicas"]).max(1));
            let scaled = replicas as f64 * most as f64 / most_before as f64;
            scaled.round() as i64 - replicas
        };
        let allowed = to_add - added;
        if to_add > 0 { fraction.min(allowed) } else { fraction.max(allowed) }
    }
}
