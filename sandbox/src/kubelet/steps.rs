//! A yes or no over time that changes at known moments: whether an application answers its probe, whether a
//! container is ready. Known as a whole, so that hours can be skipped without asking every second.

use jiff::SignedDuration;

/// Offsets are counted from the start of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Steps {
    at_first: bool,
    /// Ascending; the answer flips at each.
    flips: Vec<SignedDuration>,
}

impl Steps {
    pub(super) fn always(answer: bool) -> Self {
        Self { at_first: answer, flips: Vec::new() }
    }

    pub(super) fn yes_from(offset: SignedDuration) -> Self {
        Self::of(false, [(offset, true)])
    }

    pub(super) fn yes_until(offset: SignedDuration) -> Self {
        Self::of(true, [(offset, false)])
    }

    /// From answers in ascending order of time; a repeated answer is no change.
    pub(super) fn of(at_first: bool, answers: impl IntoIterator<Item = (SignedDuration, bool)>) -> Self {
        let mut steps = Self::always(at_first);
        for (offset, answer) in answers {
            if steps.at(offset) != answer {
                match steps.flips.last() {
                    // Two answers at one moment: the later one counts.
                    Some(last) if *last == offset => {
                        steps.flips.pop();
                    }
                    _ => steps.flips.push(offset),
                }
            }
        }
        steps
    }

    pub(super) fn at(&self, offset: SignedDuration) -> bool {
        let flipped = self.flips.iter().take_while(|flip| **flip <= offset).count();
        self.at_first ^ (flipped % 2 == 1)
    }

    pub(super) fn next_after(&self, offset: SignedDuration) -> Option<SignedDuration> {
        self.flips.iter().copied().find(|flip| *flip > offset)
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        let mut moments: Vec<_> = self.flips.iter().chain(&other.flips).copied().collect();
        moments.sort_unstable();
        let both = |offset| self.at(offset) && other.at(offset);
        Self::of(self.at_first && other.at_first, moments.into_iter().map(|offset| (offset, both(offset))))
    }

    /// The stretches of equal answers: `(from, until, answer)`, the first from `SignedDuration::MIN`, the last
    /// without an end.
    pub(super) fn stretches(&self) -> impl Iterator<Item = (SignedDuration, Option<SignedDuration>, bool)> {
        let starts = std::iter::once(SignedDuration::MIN).chain(self.flips.iter().copied());
        let ends = self.flips.iter().copied().map(Some).chain([None]);
        starts.zip(ends).enumerate().map(|(i, (from, until))| (from, until, self.at_first ^ (i % 2 == 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(n: i64) -> SignedDuration {
        SignedDuration::from_secs(n)
    }

    #[test]
    fn the_answer_changes_exactly_at_its_moment() {
        let window = Steps::yes_from(s(3)).and(&Steps::yes_until(s(8)));
        let answers: Vec<bool> = [0, 2, 3, 7, 8, 100].map(|n| window.at(s(n))).to_vec();
        assert_eq!(answers, [false, false, true, true, false, false]);
        assert_eq!(window.next_after(s(0)), Some(s(3)));
        assert_eq!(window.next_after(s(3)), Some(s(8)));
        assert_eq!(window.next_after(s(8)), None);
    }

    #[test]
    fn a_window_of_no_length_never_opens() {
        let never = Steps::yes_from(s(5)).and(&Steps::yes_until(s(5)));
        assert_eq!(never, Steps::always(false));
    }

    #[test]
    fn repeated_answers_are_no_change() {
        let steps = Steps::of(false, [(s(1), false), (s(2), true), (s(3), true), (s(4), false)]);
        assert_eq!(steps.next_after(s(2)), Some(s(4)));
        assert_eq!(
            steps.stretches().collect::<Vec<_>>(),
            [(SignedDuration::MIN, Some(s(2)), false), (s(2), Some(s(4)), true), (s(4), None, false)]
        );
    }
}
