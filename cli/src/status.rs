//! `sluice status`: how a release goes, for scripts: lines on the way, and an exit code that tells done from paused
//! from failed.

use std::time::Duration;

use clap::{ArgAction, Args};
use tokio::time::Instant;

use crate::cluster::connection::patience;
use crate::cluster::kind::bare_name;
use crate::cluster::{Cluster, Connection, Kind, Problem};
use crate::exit;
use crate::get::LOOK_EVERY;
use crate::print;
use crate::view::standing::{Standing, Waits};

pub(crate) const EXIT_CODES: &str = "Exit codes: 0 it is so, 1 an error, 3 failed or aborted, 4 the time is up, 5 it \
                                     waits for a person, 6 an analysis could not tell and a person has to.";

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Status {
    /// The Rollout
    #[arg(value_parser = bare_name)]
    name: String,
    /// Wait until the end; --watch=false looks once
    #[arg(short, long, default_value_t = true, default_missing_value = "true", num_args = 0..=1, require_equals = true, action = ArgAction::Set, value_name = "BOOL")]
    watch: bool,
    /// Wait no longer than this; 0 waits for ever
    #[arg(short, long, default_value = "0", value_name = "DURATION", value_parser = patience)]
    timeout: Duration,
    /// What to wait for: done, paused, step=N or weight=N. With it, a release that waits for a person is an answer
    /// too, with exit code 5 or 6 [default: done, through all pauses]
    #[arg(long, value_name = "WHAT", value_parser = until)]
    until: Option<Until>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    Done,
    Paused,
    Step(usize),
    Weight(i64),
}

pub(crate) fn until(text: &str) -> Result<Until, String> {
    let number = |text: &str| text.parse::<u32>().map_err(|_| format!("{text:?} is not a whole number"));
    match text.split_once('=') {
        None if text == "done" => Ok(Until::Done),
        None if text == "paused" => Ok(Until::Paused),
        Some(("step", step)) => usize::try_from(number(step)?).map(Until::Step).map_err(|problem| problem.to_string()),
        Some(("weight", weight)) => Ok(Until::Weight(number(weight)?.into())),
        _ => Err("write done, paused, step=2 or weight=50".to_owned()),
    }
}

/// Waits for one thing, as with `--until`.
pub(crate) async fn wait(
    connection: &Connection,
    name: String,
    until: Until,
    timeout: Duration,
) -> Result<u8, Problem> {
    run(connection, &Status { name, watch: true, timeout, until: Some(until) }).await
}

pub(crate) async fn run(connection: &Connection, status: &Status) -> Result<u8, Problem> {
    let cluster = Cluster::connect(connection).await?;
    let deadline = (!status.timeout.is_zero()).then(|| Instant::now() + status.timeout);
    let mut said = String::new();
    let mut rollout = cluster.get(Kind::ROLLOUT, &status.name).await?;
    loop {
        let standing = Standing::of(&rollout);
        let line = line(&standing);
        if line != said {
            print::line(&line)?;
            said = line;
        }
        if let Some(answer) = answer(&standing, status.until) {
            return told(&standing, answer, status.until);
        }
        if !status.watch {
            return Ok(at_a_glance(&standing, status.until));
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            let code = waiting(standing.waits).unwrap_or(exit::TIMEOUT);
            let sentence = format!("the time is up: {} is {}", Kind::ROLLOUT.named(&status.name), line_of(&standing));
            return Err(Problem::new(sentence).with_code(code));
        }
        tokio::time::sleep(LOOK_EVERY).await;
        rollout = cluster.get_again(Kind::ROLLOUT, &status.name).await?;
    }
}

fn told(standing: &Standing, code: u8, until: Option<Until>) -> Result<u8, Problem> {
    let problem = match code {
        exit::FAILED => format!("the release has failed: {}", standing.sentence()),
        1 => format!(
            "it ended {} and was never {}",
            standing.phase,
            if until == Some(Until::Paused) { "paused" } else { "there" }
        ),
        exit::WAITS_FOR_PERSON => format!("it waits for a person: {}", standing.sentence()),
        exit::INCONCLUSIVE => format!("an analysis could not tell, so a person has to: {}", standing.sentence()),
        _ => return Ok(code),
    };
    Err(Problem::new(problem).with_code(code))
}

/// `Paused - CanaryPauseStep`, as scripts know it.
fn line(standing: &Standing) -> String {
    let message = standing.message.split_whitespace().collect::<Vec<_>>().join(" ");
    if message.is_empty() { standing.phase.clone() } else { format!("{} - {message}", standing.phase) }
}

fn line_of(standing: &Standing) -> String {
    let sentence = standing.sentence();
    if sentence.is_empty() { standing.phase.clone() } else { format!("{}: {sentence}", standing.phase) }
}

/// The exit code, once there is an answer to what was asked.
fn answer(standing: &Standing, until: Option<Until>) -> Option<u8> {
    let done = standing.phase == "Healthy";
    let there = match until {
        None | Some(Until::Done) => done,
        Some(Until::Paused) => standing.phase == "Paused",
        Some(Until::Step(wanted)) => done || standing.step.is_some_and(|(step, _)| step >= wanted),
        Some(Until::Weight(wanted)) => done || standing.weight.is_some_and(|(actual, _)| actual >= wanted),
    };
    if standing.phase == "Degraded" {
        return Some(exit::FAILED);
    }
    if there {
        return Some(exit::DONE);
    }
    // Paused was asked for, and it will not be any more.
    let missed = (until == Some(Until::Paused) && done).then_some(1);
    missed.or_else(|| until.and_then(|_| waiting(standing.waits)))
}

fn waiting(waits: Waits) -> Option<u8> {
    match waits {
        Waits::Person => Some(exit::WAITS_FOR_PERSON),
        Waits::Verdict => Some(exit::INCONCLUSIVE),
        Waits::No | Waits::Time => None,
    }
}

/// What one look says: still on its way is no failure, unless something was asked for.
fn at_a_glance(standing: &Standing, until: Option<Until>) -> u8 {
    waiting(standing.waits).unwrap_or(if until.is_some() { exit::TIMEOUT } else { exit::DONE })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(phase: &str, waits: Waits, step: usize, weight: i64) -> Standing {
        Standing {
            phase: phase.to_owned(),
            message: String::new(),
            why: String::new(),
            waits,
            is_canary: true,
            step: Some((step, 4)),
            weight: Some((weight, 50)),
            next: None,
        }
    }

    #[test]
    fn exit_codes_tell_done_from_paused_from_failed() {
        let healthy = || standing("Healthy", Waits::No, 4, 100);
        let moving = || standing("Progressing", Waits::No, 2, 30);
        let timed = || standing("Paused", Waits::Time, 1, 20);
        let person = || standing("Paused", Waits::Person, 1, 20);
        let verdict = || standing("Paused", Waits::Verdict, 1, 20);
        let failed = || standing("Degraded", Waits::No, 0, 0);
        let (done, paused, step, weight) =
            (Some(Until::Done), Some(Until::Paused), Some(Until::Step(2)), Some(Until::Weight(30)));
        // (how it stands, --until → exit code of a watch; none while it goes on, exit code of one look)
        let rows = [
            (healthy(), None, Some(0), 0),
            (moving(), None, None, 0),
            (person(), None, None, 5),
            (verdict(), None, None, 6),
            (failed(), None, Some(3), 3),
            (moving(), done, None, 4),
            (timed(), done, None, 4),
            (person(), done, Some(5), 5),
            (verdict(), done, Some(6), 6),
            (timed(), paused, Some(0), 0),
            (person(), paused, Some(0), 0),
            (healthy(), paused, Some(1), 1),
            (failed(), paused, Some(3), 3),
            (moving(), step, Some(0), 0),
            (timed(), step, None, 4),
            (person(), step, Some(5), 5),
            (healthy(), step, Some(0), 0),
            (moving(), weight, Some(0), 0),
            (timed(), weight, None, 4),
        ];
        for (standing, until, watched, once) in rows {
            let answer = answer(&standing, until);
            assert_eq!(answer, watched, "{standing:?} {until:?}");
            assert_eq!(answer.unwrap_or_else(|| at_a_glance(&standing, until)), once, "{standing:?} {until:?}");
        }
    }

    #[test]
    fn what_to_wait_for_is_read_or_refused_with_the_mend() {
        assert_eq!(
            (until("done"), until("step=3"), until("weight=50")),
            (Ok(Until::Done), Ok(Until::Step(3)), Ok(Until::Weight(50)))
        );
        assert!(until("forever").is_err_and(|problem| problem.contains("step=2")));
        assert!(until("step=-1").is_err());
    }
}
