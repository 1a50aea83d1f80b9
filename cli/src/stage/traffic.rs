//! What became of requests, by revision.

use std::collections::BTreeMap;

use sluice_sandbox::dataplane::Record;

/// Requests and errors of one revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) requests: u64,
    pub(crate) errors: u64,
}

/// What has become of all requests, by the hash of the revision that answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) served: BTreeMap<String, Served>,
    /// Those that met no pod, which are errors to whoever asked.
    pub(crate) lost: u64,
}

impl Totals {
    /// Of these flows.
    pub(crate) fn of<'a>(record: &Record, flows: impl Iterator<Item = &'a str>) -> Self {
        let mut totals = Self::default();
        for flow in flows {
            for (revision, served) in record.revisions(flow) {
                let total = totals.served.entry(revision.to_owned()).or_default();
                total.requests += served.requests;
                total.errors += served.errors;
            }
            totals.lost += record.met_no_ready_pod(flow) + record.unrouted(flow);
        }
        totals
    }

    /// What came since an earlier look.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let served = self.served.iter().map(|(revision, now)| {
            let then = before.served.get(revision).copied().unwrap_or_default();
            let requests = now.requests.saturating_sub(then.requests);
            (revision.clone(), Served { requests, errors: now.errors.saturating_sub(then.errors) })
        });
        Self {
            served: served.filter(|(_, served)| served.requests > 0).collect(),
            lost: self.lost.saturating_sub(before.lost),
        }
    }

    pub(crate) fn requests(&self) -> u64 {
        self.served.values().map(|served| served.requests).sum::<u64>() + self.lost
    }

    pub(crate) fn errors(&self) -> u64 {
        self.served.values().map(|served| served.errors).sum::<u64>() + self.lost
    }

    /// Errors in thousandths of the requests; none where nobody asked.
    pub(crate) fn error_permille(&self) -> Option<u64> {
        (self.errors() * 1000 + self.requests() / 2).checked_div(self.requests())
    }

    /// The shares of the revisions in whole percent, each under its name.
    pub(crate) fn told(&self, named: impl Fn(&str) -> String) -> String {
        let all = self.requests();
        let percent = |count: u64| (count * 100 + all / 2).checked_div(all).unwrap_or(0);
        let mut parts: Vec<(String, u64)> =
            self.served.iter().map(|(revision, served)| (named(revision), percent(served.requests))).collect();
        parts.sort();
        let mut parts: Vec<String> = parts.into_iter().map(|(name, share)| format!("{name} {share}%")).collect();
        let errors = self.errors() - self.lost;
        if errors > 0 {
            parts.push(format!("errors {}%", percent(errors)));
        }
        if self.lost > 0 {
            parts.push(format!("met no ready pod {}%", percent(self.lost)));
        }
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(served: &[(&str, u64, u64)], lost: u64) -> Totals {
        let served = served.iter().map(|(revision, requests, errors)| {
            ((*revision).to_owned(), Served { requests: *requests, errors: *errors })
        });
        Totals { served: served.collect(), lost }
    }

    #[test]
    fn shares_and_errors_are_of_what_happened_since_the_last_look() {
        let before = totals(&[("v1", 100, 0)], 0);
        for (now, line, errors) in [
            (totals(&[("v1", 150, 0)], 0), "v1 100%", Some(0)),
            (
                totals(&[("v1", 130, 0), ("v2", 10, 2)], 10),
                "v1 60%, v2 20%, errors 4%, met no ready pod 20%",
                Some(240),
            ),
            (totals(&[("v1", 100, 0)], 50), "met no ready pod 100%", Some(1000)),
            (totals(&[("v1", 100, 0)], 0), "", None),
        ] {
            let since = now.since(&before);
            assert_eq!((since.told(str::to_owned).as_str(), since.error_permille()), (line, errors));
        }
    }
}
