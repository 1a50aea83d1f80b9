//! Whole requests from fractional shares: remainders are carried over, nothing is lost or doubled.

use std::collections::BTreeMap;

/// What each taker is still owed (or has had too much of), in requests.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Credits<K: Ord>(BTreeMap<K, f64>);

impl<K: Ord> Default for Credits<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone> Credits<K> {
    /// Shares `requests` out by weight. The numbers add up to `requests`; over time each taker gets
    /// its share to within one request.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "floored and not negative")]
    pub(super) fn share_out(&mut self, requests: u64, takers: &[(f64, K)]) -> Vec<u64> {
        let total: f64 = takers.iter().map(|(weight, _)| weight).sum();
        if total <= 0.0 || requests == 0 {
            return vec![0; takers.len()];
        }
        // Who no longer takes part takes no credit along.
        self.0.retain(|key, _| takers.iter().any(|(_, taker)| taker == key));
        let mut owed: Vec<f64> = takers
            .iter()
            .map(|(weight, key)| self.0.get(key).copied().unwrap_or(0.0) + requests as f64 * weight / total)
            .collect();
        let mut given: Vec<u64> = owed.iter().map(|owed| owed.max(0.0).floor() as u64).collect();
        let mut left = i128::from(requests) - given.iter().map(|n| i128::from(*n)).sum::<i128>();
        for (owed, given) in owed.iter_mut().zip(&given) {
            *owed -= *given as f64;
        }
        while left != 0 {
            let step = if left > 0 { 1 } else { -1 };
            let Some(index) = next_in_line(&owed, &given, takers, step) else {
                break;
            };
            if step > 0 {
                given[index] += 1;
                owed[index] -= 1.0;
            } else {
                given[index] -= 1;
                owed[index] += 1.0;
            }
            left -= step;
        }
        for ((_, key), owed) in takers.iter().zip(owed) {
            self.0.insert(key.clone(), owed);
        }
        given
    }
}

/// The one owed most gets one more; the one owed least gives one back.
fn next_in_line<K>(owed: &[f64], given: &[u64], takers: &[(f64, K)], step: i128) -> Option<usize> {
    let candidates = (0..owed.len()).filter(|index| if step > 0 { takers[*index].0 > 0.0 } else { given[*index] > 0 });
    if step > 0 {
        candidates.max_by(|a, b| owed[*a].total_cmp(&owed[*b]).then(b.cmp(a)))
    } else {
        candidates.min_by(|a, b| owed[*a].total_cmp(&owed[*b]).then(a.cmp(b)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_single_requests_is_every_tenth() {
        let mut credits = Credits::default();
        let takers = [(90.0, "stable"), (10.0, "canary")];
        let canary: Vec<u64> = (0..30).map(|_| credits.share_out(1, &takers)[1]).collect();
        assert_eq!(canary.iter().sum::<u64>(), 3);
        assert!(canary.iter().all(|count| *count <= 1));
    }

    #[test]
    fn nothing_is_lost_whatever_the_shares() {
        let mut credits = Credits::default();
        let takers = [(1.0, 'a'), (1.0, 'b'), (1.0, 'c'), (0.0, 'd')];
        let mut totals = [0; 4];
        for round in 1..200 {
            let given = credits.share_out(round % 7, &takers);
            assert_eq!(given.iter().sum::<u64>(), round % 7);
            for (total, given) in totals.iter_mut().zip(given) {
                *total += given;
            }
        }
        assert_eq!(totals[3], 0);
        assert!(totals[0].abs_diff(totals[1]) <= 1 && totals[1].abs_diff(totals[2]) <= 1, "{totals:?}");
    }

    #[test]
    fn a_share_that_changes_leaves_no_debt_behind() {
        let mut credits = Credits::default();
        credits.share_out(1, &[(99.0, "stable"), (1.0, "canary")]);
        let given = credits.share_out(100, &[(100.0, "stable"), (0.0, "canary")]);
        assert_eq!(given, [100, 0]);
    }
}
