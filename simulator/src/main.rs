//! The simulator's command line; `cargo xtask simulate` builds and runs it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Parser;
use sluice_simulator::{Story, draw, many, one, play, shrink};

/// Random releases under random faults, each from a seed: every write is judged by the promises.
#[derive(Parser)]
#[command(name = "simulate", disable_version_flag = true)]
struct Arguments {
    /// The seeds: from this one up to, and without, that one.
    #[arg(long, default_value = "0..1200")]
    seeds: String,
    /// How many at a time; as many as there are processors where it is left out.
    #[arg(long)]
    jobs: Option<usize>,
    /// Keep the least of a story that fails among those that are always played (`simulator/regressions`).
    #[arg(long)]
    keep: bool,
    /// Instead: have the planner make each of its deliberate mistakes, and see by which seed it is caught.
    #[cfg(feature = "sabotage")]
    #[arg(long)]
    sabotage: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let seeds = read_seeds(&arguments.seeds)?;
    // Judges panic; what they say is told with the story.
    std::panic::set_hook(Box::new(|_| {}));
    let jobs = arguments.jobs.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    #[cfg(feature = "sabotage")]
    if arguments.sabotage {
        return Ok(prove_the_judges(&seeds, jobs));
    }
    let began = Instant::now();
    let mut failed = 0;
    let kept = regressions()?;
    for (path, story) in &kept {
        if let (_, Some(broken)) = one(story) {
            println!("FAILED {}: {}", path.display(), broken.what);
            tell(story)?;
            failed += 1;
        }
    }
    let total = many(seeds.clone(), jobs, draw, |seed, what| println!("FAILED seed {seed}: {what}"));
    if let Some((seed, _)) = total.failed.first() {
        tell_the_least_of(*seed, arguments.keep)?;
    }
    failed += total.failed.len();
    let all = kept.len() + usize::try_from(seeds.end - seeds.start)?;
    let figures = total.figures;
    println!(
        "{} stories kept every promise, {failed} did not: {} writes, {} faults, {} happenings, {:.0} s",
        all - failed,
        figures.writes,
        figures.faults,
        figures.happenings,
        began.elapsed().as_secs_f64(),
    );
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read_seeds(text: &str) -> Result<Range<u64>> {
    let range = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    let range: Range<u64> = range.with_context(|| format!("--seeds {text}: is no range; write 0..1200"))?;
    if range.is_empty() {
        bail!("--seeds {text}: there is no seed in it; write 0..1200");
    }
    Ok(range)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions")
}

/// The stories that have failed once.
fn regressions() -> Result<Vec<(PathBuf, Story)>> {
    let mut paths = std::fs::read_dir(folder())?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path)?;
        let story = serde_json::from_str(&text).with_context(|| format!("{} is no story", path.display()))?;
        Ok((path, story))
    };
    paths.into_iter().map(read).collect()
}

fn tell_the_least_of(seed: u64, keep: bool) -> Result<()> {
    let story = shrink(&draw(seed));
    if keep {
        let path = folder().join(format!("seed-{seed}.json"));
        std::fs::write(&path, serde_json::to_string_pretty(&story)? + "\n")?;
        println!("kept in {}", path.display());
    }
    println!("the least of seed {seed} that fails:");
    tell(&story)
}

/// A story that fails, line by line.
fn tell(story: &Story) -> Result<()> {
    println!("{}", serde_json::to_string(&story.rollout["spec"])?);
    // A panic of the planner leaves no lines; what it said stands in their place.
    if let Ok(played) = std::panic::catch_unwind(|| play(story, true)) {
        played.told.iter().for_each(|line| println!("{line}"));
    }
    println!("{}", one(story).1.map(|broken| broken.what).unwrap_or_default());
    Ok(())
}

/// Prints by which seed each mistake is caught.
#[cfg(feature = "sabotage")]
fn prove_the_judges(seeds: &Range<u64>, jobs: usize) -> ExitCode {
    let all = sluice_simulator::sabotage::catch_all(seeds, jobs);
    let mut missed = 0;
    for caught in &all {
        let mistake = format!("{:?}", caught.mistake);
        match &caught.by {
            Some((seed, what)) => {
                println!(
                    "{mistake:<24} seed {seed:>4}  {}",
                    what.lines().next().unwrap_or_default().chars().take(100).collect::<String>()
                );
            }
            None => {
                missed += 1;
                println!("FAILED {mistake} is not caught by {} seeds", seeds.end - seeds.start);
            }
        }
    }
    println!("{} of {} mistakes are caught", all.len() - missed, all.len());
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
