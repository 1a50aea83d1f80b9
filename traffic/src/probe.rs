//! What requests through a router say about a weight, where the router itself can't say.

/// Whether so many of so many answers may come from the new revision if it has this share of the traffic. Of ten
/// thousand right weights one is doubted, and asked about again at the next probe.
pub fn is_in_force(weight: i64, total: i64, answers: u32, of_canary: u32) -> bool {
    /// Deviations within which 99.99 % of all samples lie.
    const WITHIN: f64 = 3.891;
    if answers == 0 || of_canary > answers {
        return false;
    }
    let total = u32::try_from(total.max(1)).unwrap_or(u32::MAX);
    let weight = u32::try_from(weight.max(0)).unwrap_or(u32::MAX).min(total);
    let (answers, share) = (f64::from(answers), f64::from(weight) / f64::from(total));
    if weight == 0 || weight == total {
        return (f64::from(of_canary) - answers * share).abs() < 0.5;
    }
    let deviation = (answers * share * (1.0 - share)).sqrt();
    // Half an answer more, because answers are whole.
    (f64::from(of_canary) - answers * share).abs() <= WITHIN * deviation + 0.5
}
