//! Who of several replicas may write: the decision, without the requests.
//!
//! Clocks of two machines differ, so no time in the lease is compared with a clock of ours: a foreign lease counts as
//! expired when *we* have not seen it change for its whole duration, and ours ends, for us, counted from before the
//! request that renewed it was sent. The others count from when they saw that renewal, which is later.

use std::time::Duration;

use super::Moment;

/// The three times of an election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// For so long the others leave a lease alone that doesn't change.
    pub lease: Duration,
    /// For so long after its last renewal the leader writes. What is left of the lease is for the last write that
    /// it began to end.
    pub renew_deadline: Duration,
    /// How often a leader renews and the others look.
    pub retry: Duration,
}

impl Times {
    /// The times that Argo Rollouts has by default.
    pub const DEFAULT: Self =
        Self { lease: Duration::from_secs(15), renew_deadline: Duration::from_secs(10), retry: Duration::from_secs(2) };

    /// # Errors
    /// The times contradict each other; the sentence says how.
    pub fn check(&self) -> Result<(), String> {
        if self.retry.is_zero() {
            return Err("the retry period is 0; the lease could not be renewed in between".to_owned());
        }
        if self.renew_deadline <= self.retry {
            return Err(format!(
                "the renew deadline ({:?}) must be longer than the retry period ({:?})",
                self.renew_deadline, self.retry
            ));
        }
        if self.lease <= self.renew_deadline {
            return Err(format!(
                "the lease duration ({:?}) must be longer than the renew deadline ({:?})",
                self.lease, self.renew_deadline
            ));
        }
        Ok(())
    }
}

/// The lease as the API server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Who holds it; empty when it was given back.
    pub holder: String,
    /// For how long it holds, as its holder says.
    pub duration: Duration,
    /// Changes with every renewal: its resourceVersion.
    pub version: String,
}

/// What is to be done about the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Take it: it is free, or its holder is silent.
    Acquire,
    /// Renew it: it is ours.
    Renew,
    /// Somebody else holds it, and holds it until then unless it is renewed.
    Wait(Moment),
    /// We held it and don't any more: stop writing.
    Lost,
}

/// One replica's view of the election.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leadership {
    identity: String,
    times: Times,
    /// The lease, and since when it looks like this to us.
    observed: Option<(Record, Moment)>,
    /// When the last successful renewal of ours was begun.
    renewed_at: Option<Moment>,
}

impl Leadership {
    /// A replica that does not lead. Its identity must be its own: no other process, also no earlier one, has it.
    pub const fn new(identity: String, times: Times) -> Self {
        Self { identity, times, observed: None, renewed_at: None }
    }

    /// The lease was read.
    pub fn observe(&mut self, lease: Option<Record>, now: Moment) {
        self.observed = match (self.observed.take(), lease) {
            (Some((known, since)), Some(lease)) if known == lease => Some((known, since)),
            (_, lease) => lease.map(|lease| (lease, now)),
        };
    }

    /// A renewal (or taking) of ours was accepted; `began` is from before its request was sent.
    pub fn renewed(&mut self, lease: Record, began: Moment) {
        self.observed = Some((lease, began));
        self.renewed_at = Some(began);
    }

    /// No write may begin from now on.
    pub fn step_down(&mut self) {
        self.renewed_at = None;
    }

    /// No write may begin at this moment or later; `None` for who doesn't lead.
    pub fn write_deadline(&self) -> Option<Moment> {
        self.renewed_at.map(|at| at.saturating_add(self.times.renew_deadline))
    }

    /// The lease as it was last seen.
    pub fn lease(&self) -> Option<&Record> {
        self.observed.as_ref().map(|(lease, _)| lease)
    }

    /// What is to be done, by what was last observed.
    pub fn decide(&self, now: Moment) -> Decision {
        let expired = self.write_deadline().is_some_and(|deadline| now >= deadline);
        let leading = self.renewed_at.is_some();
        match &self.observed {
            _ if expired => Decision::Lost,
            Some((lease, _)) if lease.holder == self.identity => {
                if leading {
                    Decision::Renew
                } else {
                    Decision::Acquire
                }
            }
            _ if leading => Decision::Lost,
            None => Decision::Acquire,
            Some((lease, _)) if lease.holder.is_empty() => Decision::Acquire,
            Some((lease, since)) => {
                let until = since.saturating_add(lease.duration);
                if now >= until { Decision::Acquire } else { Decision::Wait(until) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Moment {
        Duration::from_secs(seconds)
    }

    fn lease(holder: &str, version: &str) -> Record {
        Record { holder: holder.to_owned(), duration: secs(15), version: version.to_owned() }
    }

    fn replica(name: &str) -> Leadership {
        Leadership::new(name.to_owned(), Times::DEFAULT)
    }

    #[test]
    fn a_free_lease_is_taken_and_a_held_one_is_waited_for() {
        // (the lease as it is seen at 100 s, now, the decision)
        for (seen, now, wanted) in [
            (None, 100, Decision::Acquire),
            (Some(lease("", "1")), 100, Decision::Acquire),
            (Some(lease("me", "1")), 100, Decision::Acquire),
            (Some(lease("other", "1")), 100, Decision::Wait(secs(115))),
            (Some(lease("other", "1")), 114, Decision::Wait(secs(115))),
            (Some(lease("other", "1")), 115, Decision::Acquire),
        ] {
            let mut me = replica("me");
            me.observe(seen.clone(), secs(100));
            assert_eq!(me.decide(secs(now)), wanted, "{seen:?} at {now} s");
        }
    }

    #[test]
    fn a_lease_that_is_renewed_does_not_expire_and_one_that_only_looks_old_does_not_either() {
        let mut me = replica("me");
        me.observe(Some(lease("other", "1")), secs(100));
        me.observe(Some(lease("other", "1")), secs(110));
        assert_eq!(me.decide(secs(112)), Decision::Wait(secs(115)));
        me.observe(Some(lease("other", "2")), secs(112));
        assert_eq!(me.decide(secs(116)), Decision::Wait(secs(127)));
    }

    #[test]
    fn a_leader_renews_until_its_own_deadline() {
        let mut me = replica("me");
        assert_eq!(me.write_deadline(), None);
        me.renewed(lease("me", "1"), secs(50));
        assert_eq!(me.write_deadline(), Some(secs(60)));
        assert_eq!(me.decide(secs(52)), Decision::Renew);
        assert_eq!(me.decide(secs(59)), Decision::Renew);
        assert_eq!(me.decide(secs(60)), Decision::Lost);
        me.renewed(lease("me", "2"), secs(58));
        assert_eq!(me.decide(secs(60)), Decision::Renew);
    }

    #[test]
    fn a_leader_that_sees_another_holder_or_no_lease_has_lost() {
        for seen in [Some(lease("other", "2")), Some(lease("", "2")), None] {
            let mut me = replica("me");
            me.renewed(lease("me", "1"), secs(50));
            me.observe(seen.clone(), secs(52));
            assert_eq!(me.decide(secs(52)), Decision::Lost, "{seen:?}");
        }
    }

    #[test]
    fn who_has_lost_stands_by_again() {
        let mut me = replica("me");
        me.renewed(lease("me", "1"), secs(50));
        me.observe(Some(lease("other", "2")), secs(70));
        me.step_down();
        assert_eq!(me.write_deadline(), None);
        assert_eq!(me.decide(secs(71)), Decision::Wait(secs(85)));
    }

    #[test]
    fn two_replicas_never_both_have_time_to_write() {
        let (mut old, mut new) = (replica("old"), replica("new"));
        old.renewed(lease("old", "1"), secs(10));
        // The answer was slow; the other saw the renewal when it arrived.
        new.observe(Some(lease("old", "1")), secs(11));
        let takes_over = (11..60).find(|now| new.decide(secs(*now)) == Decision::Acquire).map(secs);
        assert_eq!(takes_over, Some(secs(26)));
        assert_eq!(old.write_deadline(), Some(secs(20)));
    }

    #[test]
    fn times_that_contradict_each_other_are_refused() {
        assert_eq!(Times::DEFAULT.check(), Ok(()));
        // (lease, renew deadline, retry period, a word of the answer)
        for (lease, renew, retry, word) in
            [(15, 15, 2, "lease duration"), (15, 2, 2, "renew deadline"), (15, 10, 0, "retry period is 0")]
        {
            let times = Times { lease: secs(lease), renew_deadline: secs(renew), retry: secs(retry) };
            let refused = times.check().expect_err("contradiction");
            assert!(refused.contains(word), "{refused}");
        }
    }
}
