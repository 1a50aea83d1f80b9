//! The sandbox answers as a real Kubernetes API server does.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use sluice_e2e::conformance::{self, Listed, generate, suite};
use sluice_e2e::connect;

/// Cases drawn from these seeds every time. On an engineer's machine one more seed is tried, to find what
/// nobody thought of; CI judges a change and not that day's luck.
const SEEDS: [u64; 3] = [1, 2, 3];
const CASES_PER_SEED: u64 = 8;
const STEPS: usize = 10;

/// With fewer the suite has lost its cases, and its verdict says nothing.
const LEAST_CHECKS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sandbox_answers_as_a_real_server_does() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cases = conformance::written_cases(&root.join("conformance"))?;
    let fresh = fresh_seed();
    let explored = std::env::var_os("CI").is_none().then_some(fresh);
    for seed in SEEDS.into_iter().chain(explored) {
        cases.extend(generate::cases(seed, CASES_PER_SEED, STEPS));
    }
    // For whoever works on one case: only those whose name contains this.
    let only = std::env::var("CONFORMANCE_ONLY").unwrap_or_default();
    cases.retain(|case| case.case.contains(&only));
    let listed = Listed::parse(&std::fs::read_to_string(root.join("../sandbox/DIFFERENCES.md"))?)?;

    let kubeconfig = std::env::var_os("SLUICE_KUBECONFIG").context("SLUICE_KUBECONFIG names no control plane")?;
    let real = connect(Path::new(&kubeconfig)).await?;
    let sandbox = conformance::sandbox::client(1);
    let name = format!("conform-{:x}", fresh % 0x10_0000);
    let checks = suite::run_all(&real, &sandbox, &cases, &name).await?;

    let mut used = vec![false; listed.len()];
    let (mut equal, mut explained, mut problems) = (0, 0, String::new());
    for (_, difference) in &checks {
        let Some(difference) = difference else {
            equal += 1;
            continue;
        };
        let left = conformance::unexplained(difference, &listed, &mut used);
        if left.is_empty() {
            explained += 1;
        } else {
            problems.push_str(&format!("{}\n    {}\n", difference.check, left.join("\n    ")));
        }
    }
    for (row, _) in listed.iter().zip(used).filter(|(_, used)| !used && only.is_empty()) {
        problems.push_str(&format!("listed in DIFFERENCES.md, but nothing differs: {} | {}\n", row.check, row.line));
    }
    if !problems.is_empty() {
        problems.push_str(&format!("fresh seed: {fresh}\n"));
    }
    if std::env::var_os("CONFORMANCE_ONLY").is_none() && checks.len() < LEAST_CHECKS {
        problems.push_str(&format!("only {} checks, where at least {LEAST_CHECKS} are promised\n", checks.len()));
    }
    let last = format!("conformance: {} checks, {equal} equal, {explained} listed in DIFFERENCES.md", checks.len());
    // Past the capture of the test harness: the line is for those who see it pass.
    writeln!(std::io::stderr(), "{problems}{last}")?;
    if !problems.is_empty() {
        bail!("the sandbox answers otherwise than the real server; see above");
    }
    Ok(())
}

fn fresh_seed() -> u64 {
    let now = jiff::Timestamp::now().as_nanosecond().unsigned_abs();
    u64::try_from(now % 1_000_000_007).unwrap_or(7)
}
