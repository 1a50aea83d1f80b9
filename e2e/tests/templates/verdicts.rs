//! Each template passes a healthy release and tells each bad one by its fault, judged by the pure crate.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::future::join_all;
use sluice_crds::analysis::{AnalysisPhase, AnalysisRunStatus};
use sluice_e2e::eventually;
use sluice_e2e::promql::server::Server;
use sluice_e2e::release::{Behaviour, Exporter};
use sluice_e2e::trial::Trial;

use super::{WINDOW, file_of, numbers, scraping};

/// The releases, each in a namespace of its name.
const RELEASES: [(&str, Behaviour); 19] = [
    ("healthy", Behaviour::HEALTHY),
    ("flawless", Behaviour::FLAWLESS),
    ("errors", Behaviour::ERRORS),
    ("only-errors", Behaviour::ONLY_ERRORS),
    ("few-errors", Behaviour::FEW_ERRORS),
    ("refusals", Behaviour::REFUSALS),
    ("slow", Behaviour::SLOW),
    ("slow-for-a-few", Behaviour::SLOW_FOR_A_FEW),
    ("slow-queries", Behaviour::SLOW_QUERIES),
    ("a-few-slow-queries", Behaviour::A_FEW_SLOW_QUERIES),
    ("exhausted-pool", Behaviour::EXHAUSTED_POOL),
    ("busy", Behaviour::BUSY),
    ("leaky", Behaviour::LEAKY),
    ("unready", Behaviour::UNREADY),
    ("crashing", Behaviour::CRASHING),
    ("little-traffic", Behaviour::LITTLE_TRAFFIC),
    ("no-traffic", Behaviour::NO_TRAFFIC),
    (GONE, Behaviour::HEALTHY),
    (TURNING, Behaviour::HEALTHY),
];

/// Was healthy, and nothing can be scraped of it any more.
const GONE: &str = "gone";
/// Is healthy until a run has seen that twice, and then answers nothing but errors.
const TURNING: &str = "turning";

/// A template, a release, the verdict, and the metrics that have it; of a good one nothing is to be said.
type Case = (&'static str, &'static str, AnalysisPhase, &'static [&'static str]);

#[rustfmt::skip]
const CASES: [Case; 40] = {
    use AnalysisPhase::{Failed, Inconclusive, Successful};
    [
        ("success-rate", "healthy", Successful, &[]),
        ("success-rate", "flawless", Successful, &[]),
        ("success-rate", "errors", Failed, &["success-rate", "error-rate"]),
        ("success-rate", "only-errors", Failed, &["success-rate", "error-rate"]),
        ("success-rate", "few-errors", Successful, &[]),
        ("success-rate", "refusals", Failed, &["success-rate"]),
        ("success-rate", "slow", Successful, &[]),
        ("success-rate", "little-traffic", Inconclusive, &["requests"]),
        ("success-rate", "no-traffic", Inconclusive, &["requests"]),
        ("success-rate", GONE, Inconclusive, &["requests", "success-rate", "error-rate"]),

        ("database", "healthy", Successful, &[]),
        ("database", "slow-queries", Failed, &["query-p95"]),
        ("database", "a-few-slow-queries", Failed, &["query-p99"]),
        ("database", "exhausted-pool", Failed, &["connections"]),
        ("database", "no-traffic", Inconclusive, &["query-p95", "query-p99"]),
        ("database", GONE, Inconclusive, &["query-p95", "query-p99", "connections"]),

        ("frontend", "healthy", Successful, &[]),
        ("frontend", "flawless", Successful, &[]),
        ("frontend", "slow", Failed, &["latency-p95"]),
        ("frontend", "slow-for-a-few", Failed, &["latency-p99"]),
        ("frontend", "errors", Failed, &["error-rate"]),
        ("frontend", "few-errors", Failed, &["error-rate"]),
        ("frontend", "busy", Failed, &["cpu"]),
        ("frontend", "leaky", Failed, &["memory"]),
        ("frontend", "slow-queries", Successful, &[]),
        ("frontend", "no-traffic", Inconclusive, &["latency-p95", "latency-p99", "error-rate"]),
        ("frontend", GONE, Inconclusive, &["latency-p95", "latency-p99", "error-rate", "cpu", "memory"]),

        ("pods", "healthy", Successful, &[]),
        ("pods", "unready", Failed, &["ready"]),
        ("pods", "crashing", Failed, &["ready", "alive"]),
        ("pods", "no-traffic", Successful, &[]),
        ("pods", GONE, Inconclusive, &["ready", "alive"]),

        ("post-promotion", "healthy", Successful, &[]),
        ("post-promotion", "flawless", Successful, &[]),
        ("post-promotion", "errors", Failed, &["error-rate"]),
        ("post-promotion", "slow", Failed, &["latency-p95"]),
        ("post-promotion", "few-errors", Successful, &[]),
        ("post-promotion", TURNING, Failed, &["error-rate"]),
        ("post-promotion", "no-traffic", Inconclusive, &["error-rate", "latency-p95"]),
        ("post-promotion", GONE, Inconclusive, &["error-rate", "latency-p95"]),
    ]
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn templates_pass_healthy_releases_and_tell_each_bad_one_by_its_fault() -> Result<()> {
    let mut releases = BTreeMap::new();
    for (name, behaviour) in RELEASES {
        releases.insert(name, Exporter::start(behaviour).await?);
    }
    let prometheus = scraping(&releases).await?;
    drop(releases.remove(GONE));
    let told = join_all(CASES.iter().map(|case| told(case, &prometheus, &releases))).await;
    let problems: Vec<String> = told.into_iter().filter_map(Result::err).map(|e| format!("{e:#}")).collect();
    // Past the capture of the test harness: the line is for those who see it pass.
    writeln!(std::io::stderr(), "templates: {} cases, {} differ", CASES.len(), problems.len())?;
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prometheus_that_is_not_there_takes_the_release_back_after_some_patience() -> Result<()> {
    // Nobody may listen on this port without being asked.
    let status = trial("success-rate", "healthy", "http://127.0.0.1:1")?.judged(|_| ()).await?;
    ensure!(status.phase == Some(AnalysisPhase::Error), "{status:?}");
    let message = status.message.unwrap_or_default();
    ensure!(message.contains("consecutiveErrors (5) > consecutiveErrorLimit (4): not answered"), "{message}");
    Ok(())
}

/// Waits until no window holds anything of this release any more.
async fn forgotten(prometheus: &Server, release: &str) -> Result<()> {
    let left = format!("count(count_over_time(http_requests_total{{namespace=\"{release}\"}}[{WINDOW}]))");
    eventually(Duration::from_secs(60), "the release is gone from all windows", async || {
        let found = numbers(prometheus, &left).await?;
        ensure!(found.is_empty(), "{found:?} are left");
        Ok(())
    })
    .await
}

fn trial(template: &str, release: &str, prometheus: &str) -> Result<Trial> {
    let args = [("namespace", release), ("service", "web"), ("prometheus", prometheus), ("window", WINDOW)];
    Trial::of(&file_of(template), &args)
}

async fn told(case: &Case, prometheus: &Server, releases: &BTreeMap<&str, Exporter>) -> Result<()> {
    let (template, release, verdict, faults) = case;
    let about = || format!("{template} of a release that is {release}");
    if *release == GONE {
        forgotten(prometheus, release).await?;
    }
    let turning = releases.get(TURNING).filter(|_| *release == TURNING);
    let mut turned = false;
    let status = trial(template, release, &prometheus.url()).with_context(about)?.judged(|status| {
        let is_time = measured(status) >= 2 && !turned;
        if let Some(turning) = turning.filter(|_| is_time) {
            turned = true;
            turning.turn(Behaviour::ONLY_ERRORS);
        }
    });
    let status = status.await.with_context(about)?;
    let results = status.metric_results.iter().flatten();
    let at_fault = results.filter(|result| *verdict != AnalysisPhase::Successful && result.phase == status.phase);
    let at_fault: Vec<&str> = at_fault.map(|result| result.name.as_str()).collect();
    ensure!(
        status.phase.as_ref() == Some(verdict) && at_fault == *faults,
        "{}: expected {verdict} by {faults:?}, found {:?} by {at_fault:?}: {}",
        about(),
        status.phase,
        status.message.as_deref().unwrap_or_default()
    );
    Ok(())
}

/// How often each metric was measured at least.
fn measured(status: &AnalysisRunStatus) -> i32 {
    let counts = status.metric_results.iter().flatten().map(|result| result.count.unwrap_or(0));
    counts.min().unwrap_or(0)
}
