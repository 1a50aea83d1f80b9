//! The kubelet's own waits: everything that does not come from a pod's manifest.

use jiff::SignedDuration;

/// How long the modelled kubelet takes for what Kubernetes leaves to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Between the second crash of a container in a row and its next start; the first crash restarts at once.
    pub crash_back_off: BackOff,
    /// Between two attempts to pull an image.
    pub pull_back_off: BackOff,
    /// How long a container shows what happened (`Error`, `ErrImagePull`) before it shows that it is waiting
    /// (`CrashLoopBackOff`, `ImagePullBackOff`), and the least time between two starts.
    pub notice: SignedDuration,
    /// A container that ran this long starts its crash back-off from the beginning.
    pub forgive_after: SignedDuration,
    /// From a pod's arrival on the node to its first container's start.
    pub start_takes: SignedDuration,
}

/// A wait that doubles from `first` up to `longest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOff {
    pub first: SignedDuration,
    pub longest: SignedDuration,
}

impl BackOff {
    /// The wait before attempt `n + 1` when `n` waits went before.
    pub(super) fn wait(self, n: u32) -> SignedDuration {
        let factor = 1_i32.checked_shl(n).filter(|factor| *factor > 0).unwrap_or(i32::MAX);
        self.first.checked_mul(factor).unwrap_or(self.longest).min(self.longest)
    }
}

/// What a kubelet does by default.
impl Default for Options {
    fn default() -> Self {
        let back_off = BackOff { first: SignedDuration::from_secs(10), longest: SignedDuration::from_secs(300) };
        Self {
            crash_back_off: back_off,
            pull_back_off: back_off,
            notice: SignedDuration::from_secs(1),
            forgive_after: SignedDuration::from_secs(600),
            start_takes: SignedDuration::ZERO,
        }
    }
}

impl Options {
    /// The same kubelet with its own waits `times` shorter, for tests in real time. What manifests ask for
    /// (probe delays, grace periods, sleeps) stays as it is written.
    #[must_use]
    pub fn faster(self, times: u32) -> Self {
        let times = i32::try_from(times.max(1)).unwrap_or(i32::MAX);
        // A wait of zero would let a crash loop spin without time passing.
        let shorter = |d: SignedDuration| (d / times).max(SignedDuration::from_millis(1));
        let back_off = |b: BackOff| BackOff { first: shorter(b.first), longest: shorter(b.longest) };
        Self {
            crash_back_off: back_off(self.crash_back_off),
            pull_back_off: back_off(self.pull_back_off),
            notice: shorter(self.notice),
            forgive_after: shorter(self.forgive_after),
            start_takes: self.start_takes / times,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_five_minutes() {
        let back_off = Options::default().crash_back_off;
        let waits: Vec<i64> = (0..7).map(|n| back_off.wait(n).as_secs()).collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(back_off.wait(u32::MAX).as_secs(), 300);
    }

    #[test]
    fn a_faster_kubelet_waits_less_but_never_not_at_all() {
        let fast = Options::default().faster(20);
        assert_eq!(fast.crash_back_off.wait(1).as_millis(), 1_000);
        assert_eq!(fast.notice.as_millis(), 50);
        assert_eq!(Options::default().faster(u32::MAX).notice.as_millis(), 1);
    }
}
