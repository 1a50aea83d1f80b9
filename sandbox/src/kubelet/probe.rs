//! Probes: what an application answers over time, and what the kubelet concludes from it.

use jiff::SignedDuration;
use serde_json::Value;

use super::files::{FileChange, Files};
use super::program::cannot_start;
use super::read::{list, text, whole, words};
use super::shell::{Shell, Unknown};
use super::steps::Steps;
use super::time::seconds;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Probe {
    asks: Asks,
    initial_delay: SignedDuration,
    period_seconds: i64,
    timeout: SignedDuration,
    success_threshold: i64,
    failure_threshold: i64,
    /// The probe's own grace period for the kill that it causes.
    pub(super) grace: Option<SignedDuration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Asks {
    Command(Vec<String>),
    /// HTTP, TCP or gRPC: answered by a running application, unless the port's name is nowhere declared.
    Port {
        declared: bool,
    },
}

/// What a series of probes led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// Each moment at which a threshold was reached, and which.
    pub(super) verdicts: Vec<(SignedDuration, bool)>,
    /// The first failed attempt of each row of failures.
    pub(super) failures: Vec<SignedDuration>,
}

impl Probe {
    pub(super) fn at(container: &Value, pointer: &str) -> Option<Self> {
        let probe = container.pointer(pointer)?;
        let or = |field: &str, default: i64, least: i64| whole(probe, field).unwrap_or(default).max(least);
        Some(Self {
            asks: Asks::of(probe, container),
            initial_delay: seconds(or("/initialDelaySeconds", 0, 0)),
            period_seconds: or("/periodSeconds", 10, 1),
            timeout: seconds(or("/timeoutSeconds", 1, 1)),
            success_threshold: or("/successThreshold", 1, 1),
            failure_threshold: or("/failureThreshold", 3, 1),
            grace: whole(probe, "/terminationGracePeriodSeconds").map(seconds),
        })
    }

    /// What a process whose files change in this way answers, as long as it is alive.
    pub(super) fn answers(&self, files: &[FileChange]) -> Steps {
        let argv = match &self.asks {
            Asks::Port { declared } => return Steps::always(*declared),
            Asks::Command(argv) if cannot_start(argv).is_some() => return Steps::always(false),
            Asks::Command(argv) => argv,
        };
        let succeeds = |offset| {
            let mut shell = Shell::new(Files::after(files, offset), Unknown::SucceedsAtOnce);
            matches!(shell.run(argv), Some((took, 0)) if took <= self.timeout)
        };
        let changes = files.iter().map(|change| (change.offset, succeeds(change.offset)));
        Steps::of(succeeds(SignedDuration::MIN), changes)
    }

    /// What the kubelet finds when it asks from `from` on, each period.
    pub(super) fn findings(&self, answers: &Steps, from: SignedDuration) -> Findings {
        let first = self.initial_delay.max(from);
        let mut found = Findings::default();
        let (mut row_of, mut row) = (true, 0_i64);
        for (start, until, answer) in answers.stretches() {
            let begin = self.attempts_before(first, start);
            let end = until.map_or(i64::MAX, |until| self.attempts_before(first, until));
            if begin >= end {
                continue;
            }
            if row_of != answer {
                (row_of, row) = (answer, 0);
            }
            if !answer && row == 0 {
                found.failures.push(self.attempt(first, begin));
            }
            let needed = if answer { self.success_threshold } else { self.failure_threshold };
            let reached = row.saturating_add(end - begin);
            if row < needed && reached >= needed {
                let attempt = begin + needed - row - 1;
                found.verdicts.push((self.attempt(first, attempt), answer));
            }
            row = reached;
        }
        found
    }

    /// How many attempts happen before `offset`.
    fn attempts_before(&self, first: SignedDuration, offset: SignedDuration) -> i64 {
        if offset <= first {
            return 0;
        }
        let period = i128::from(self.period_seconds) * 1_000_000_000;
        let attempts = (offset.as_nanos() - first.as_nanos() + period - 1) / period;
        i64::try_from(attempts).unwrap_or(i64::MAX)
    }

    fn attempt(&self, first: SignedDuration, n: i64) -> SignedDuration {
        first.saturating_add(SignedDuration::from_secs(self.period_seconds.saturating_mul(n)))
    }

    /// How a failure of this probe reads in an event.
    pub(super) fn failure(&self) -> String {
        match &self.asks {
            Asks::Command(argv) => format!("command \"{}\" failed", argv.join(" ")),
            Asks::Port { declared: true } => "the application answers with an error".to_owned(),
            Asks::Port { declared: false } => "the probe's port name is not among the container's ports".to_owned(),
        }
    }
}

impl Asks {
    fn of(probe: &Value, container: &Value) -> Self {
        if probe.get("exec").is_some() {
            return Self::Command(words(probe, "/exec/command"));
        }
        let named = ["/httpGet/port", "/tcpSocket/port"]
            .into_iter()
            .map(|pointer| text(probe, pointer))
            .find(|name| !name.is_empty());
        let declared = named.is_none_or(|name| {
            name.parse::<u16>().is_ok() || list(container, "/ports").iter().any(|port| text(port, "/name") == name)
        });
        Self::Port { declared }
    }
}

/// Yes from one moment until another; without the first, from the start, without the second, for ever.
pub(super) fn window(from: Option<SignedDuration>, until: Option<SignedDuration>) -> Steps {
    let opened = from.map_or(Steps::always(true), Steps::yes_from);
    until.map_or(opened.clone(), |until| opened.and(&Steps::yes_until(until)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn s(n: i64) -> SignedDuration {
        SignedDuration::from_secs(n)
    }

    fn probe(fields: &Value) -> Probe {
        Probe::at(&json!({"ports": [{"name": "http"}], "probe": fields}), "/probe").unwrap()
    }

    #[test]
    fn a_verdict_takes_as_many_answers_in_a_row_as_the_threshold_says() {
        let up_at_3 = Steps::yes_from(s(3));
        let up_from_3_to_20 = up_at_3.and(&Steps::yes_until(s(20)));
        let blip = Steps::of(true, [(s(4), false), (s(6), true)]);
        let yes = Steps::always(true);
        for (fields, answers, from, verdicts, failures) in [
            (json!({}), &yes, 0, vec![(0, true)], vec![]),
            (json!({"initialDelaySeconds": 7}), &yes, 0, vec![(7, true)], vec![]),
            (json!({"initialDelaySeconds": 2}), &yes, 5, vec![(5, true)], vec![]),
            (
                json!({"initialDelaySeconds": 1, "periodSeconds": 2, "successThreshold": 3}),
                &yes,
                0,
                vec![(5, true)],
                vec![],
            ),
            (json!({"periodSeconds": 1, "failureThreshold": 9}), &up_at_3, 0, vec![(3, true)], vec![0]),
            (json!({"periodSeconds": 2, "failureThreshold": 9}), &up_at_3, 0, vec![(4, true)], vec![0]),
            (json!({"periodSeconds": 1}), &up_at_3, 0, vec![(2, false), (3, true)], vec![0]),
            (
                json!({"periodSeconds": 5, "failureThreshold": 2}),
                &up_from_3_to_20,
                0,
                vec![(5, true), (25, false)],
                vec![0, 20],
            ),
            (json!({"periodSeconds": 1, "failureThreshold": 3}), &blip, 0, vec![(0, true), (6, true)], vec![4]),
            (json!({"periodSeconds": 10}), &blip, 0, vec![(0, true)], vec![]),
        ] {
            let found = probe(&fields).findings(answers, s(from));
            let told: Vec<(i64, bool)> = found.verdicts.iter().map(|(at, yes)| (at.as_secs(), *yes)).collect();
            let failed: Vec<i64> = found.failures.iter().map(SignedDuration::as_secs).collect();
            assert_eq!((told, failed), (verdicts, failures), "{fields}");
        }
    }

    #[test]
    fn what_is_asked_decides_the_answer() {
        for (fields, answer) in [
            (json!({"httpGet": {"port": 80}}), true),
            (json!({"httpGet": {"port": "http"}}), true),
            (json!({"httpGet": {"port": "https"}}), false),
            (json!({"tcpSocket": {"port": "nope"}}), false),
            (json!({"grpc": {"port": 9000}}), true),
            (json!({"exec": {"command": ["true"]}}), true),
            (json!({"exec": {"command": ["false"]}}), false),
            (json!({"exec": {"command": ["sh", "-c", "exit 1"]}}), false),
            (json!({"exec": {"command": ["no-such-program"]}}), false),
            (json!({"exec": {"command": ["sleep", "5"]}}), false),
            (json!({"exec": {"command": ["sleep", "5"]}, "timeoutSeconds": 6}), true),
            (json!({"exec": {"command": ["/app/health"]}}), true),
        ] {
            assert_eq!(probe(&fields).answers(&[]), Steps::always(answer), "{fields}");
        }
    }

    #[test]
    fn a_file_probe_follows_the_file() {
        let change = |at, exists| FileChange { offset: s(at), path: "/tmp/healthy".into(), exists };
        let answers = probe(&json!({"exec": {"command": ["cat", "/tmp/healthy"]}}))
            .answers(&[change(0, true), change(30, false)]);
        assert!(answers.at(s(0)) && answers.at(s(29)) && !answers.at(s(30)));
    }
}
