//! The sandbox's metrics backend answers as a real Prometheus does.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Result, bail};
use jiff::Timestamp;
use serde_json::Value;
use sluice_e2e::promql::compare::difference;
use sluice_e2e::promql::generate;
use sluice_e2e::promql::samples::{self, LASTS_S, START_S};
use sluice_e2e::promql::server::Server;
use sluice_sandbox::api::request::{Body, Request};
use sluice_sandbox::metrics::{Store, handle};

/// With fewer the list has lost its queries, and the verdict says nothing.
const LEAST_QUERIES: usize = 350;

/// Queries drawn from these seeds every time. On an engineer's machine one more seed is tried, to find what
/// nobody thought of; CI judges a change and not that day's luck.
const SEEDS: [u64; 3] = [1, 2, 3];
const QUERIES_PER_SEED: usize = 200;

/// Instants after the first sample: early, at a scrape, between two, and after the last one.
const INSTANTS_S: [&str; 5] = ["60.5", "1200", "1507.321", "2345.678", "2520"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_come_to_what_a_real_prometheus_makes_of_them() -> Result<()> {
    let all = samples::all();
    let real = Server::with(&all).await?;
    let ours = samples::store(&all);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut queries = listed(&root.join("promql/queries.txt"))?;
    let written = queries.len();
    let fresh = u64::from(Timestamp::now().subsec_nanosecond().unsigned_abs());
    let explored = std::env::var_os("CI").is_none().then_some(fresh);
    for seed in SEEDS.into_iter().chain(explored) {
        queries.extend(generate::queries(seed, QUERIES_PER_SEED));
    }
    let requests = listed(&root.join("promql/requests.txt"))?;

    let mut problems = Vec::new();
    let mut answers = 0;
    for query in &queries {
        for path in paths(query) {
            let real = real.ask("GET", &path, "").await?;
            let ours = ask(&ours, "GET", &path, "");
            answers += 1;
            let in_order = query.starts_with("sort");
            if let Some(difference) = difference(&real, &ours, in_order) {
                problems.push(format!("{query}\n     GET {path}\n     {difference}"));
            }
        }
    }
    for line in &requests {
        let (method, rest) = line.split_once(' ').unwrap_or(("GET", line));
        let (path, form) = rest.split_once(' ').unwrap_or((rest, ""));
        let real = real.ask(method, path, form).await?;
        answers += 1;
        if let Some(difference) = difference(&real, &ask(&ours, method, path, form), true) {
            problems.push(format!("{line}\n     {difference}"));
        }
    }
    let last = format!("promql: {} queries, {answers} answers, {} differ", queries.len(), problems.len());
    // Past the capture of the test harness: the line is for those who see it pass.
    writeln!(std::io::stderr(), "{}{last}", problems.iter().map(|problem| format!("{problem}\n")).collect::<String>())?;
    if written < LEAST_QUERIES {
        bail!("only {written} written queries, where at least {LEAST_QUERIES} are promised");
    }
    if !problems.is_empty() {
        bail!("the sandbox answers otherwise than Prometheus; see above (fresh seed: {fresh})");
    }
    Ok(())
}

fn listed(file: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(file)?;
    Ok(text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect())
}

/// One query as a request at each instant, and one over a range.
fn paths(query: &str) -> Vec<String> {
    let escaped: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let instants = INSTANTS_S.iter().map(|after| {
        let at = START_S as f64 + after.parse::<f64>().unwrap_or(0.0);
        format!("/api/v1/query?query={escaped}&time={at}")
    });
    let (from, until) = (START_S + 300, START_S + LASTS_S - 300);
    let range = format!("/api/v1/query_range?query={escaped}&start={from}&end={until}&step=47.5");
    instants.chain([range]).collect()
}

fn ask(store: &Store, method: &str, path_and_query: &str, form: &str) -> (u16, Value) {
    let mut request = Request::new(method, path_and_query);
    if !form.is_empty() {
        request = request.with_header("content-type", "application/x-www-form-urlencoded");
        request.body = form.to_owned().into();
    }
    let response = handle(store, &request, Timestamp::from_second(START_S).unwrap_or_default());
    let Body::Whole(body) = response.body else { return (response.status, Value::Null) };
    let text = || Value::String(String::from_utf8_lossy(&body).into_owned());
    (response.status, serde_json::from_slice(&body).unwrap_or_else(|_| text()))
}
