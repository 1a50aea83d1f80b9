//! How far a measured share may be from the wanted one by chance alone.

/// One honest measure in ten thousand is doubted.
const DOUBT: f64 = 1e-4;

/// Whether so many of so many answers may be had by chance where each has this probability: whether as few, and
/// whether as many, is not rarer than half the doubt.
#[must_use]
pub fn is_plausible(hits: u64, answers: u64, probability: f64) -> bool {
    if probability <= 0.0 || probability >= 1.0 {
        return hits == if probability > 0.0 { answers } else { 0 };
    }
    let (odds, mut log_mass) = ((probability / (1.0 - probability)).ln(), (1.0 - probability).ln() * exact(answers));
    let (mut as_few, mut as_many) = (0.0, 0.0);
    for count in 0..=answers {
        let mass = log_mass.exp();
        as_few += if count <= hits { mass } else { 0.0 };
        as_many += if count >= hits { mass } else { 0.0 };
        log_mass += (exact(answers - count) / exact(count + 1)).ln() + odds;
    }
    hits <= answers && as_few >= DOUBT / 2.0 && as_many >= DOUBT / 2.0
}

/// No test counts to a number that this would round.
fn exact(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use super::is_plausible;

    /// Bounds as a table of the binomial distribution gives them.
    #[test]
    fn the_bounds_are_those_of_the_distribution() {
        // A fair coin, 20 times: 0 and 20 have 1 in a million each, 1 and 19 have 21 in a million.
        for (hits, plausible) in [(0, false), (1, false), (2, true), (10, true), (18, true), (19, false), (20, false)] {
            assert_eq!(is_plausible(hits, 20, 0.5), plausible, "{hits} of 20");
        }
        // 5 % of 4,000 are 200, give or take 54.
        for (hits, plausible) in [(140, false), (160, true), (200, true), (240, true), (265, false)] {
            assert_eq!(is_plausible(hits, 4_000, 0.05), plausible, "{hits} of 4000");
        }
    }

    #[test]
    fn nothing_and_everything_leave_no_room() {
        assert!(is_plausible(0, 5_000, 0.0) && is_plausible(5_000, 5_000, 1.0));
        assert!(!is_plausible(1, 5_000, 0.0) && !is_plausible(4_999, 5_000, 1.0));
        assert!(!is_plausible(11, 10, 0.5), "more than all");
    }
}
