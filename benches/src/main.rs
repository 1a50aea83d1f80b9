//! What we claim about speed, measured: `cargo run --release -p sluice-benches [part]`.
//!
//! Every figure that is a promise is printed beside its bound; ratios come from one run, so that a slow
//! or busy machine shifts both sides alike. `benches/README.md` keeps the last figures.

mod active;
mod admin;
mod conditions;
mod door;
mod figure;
mod fleet;
mod hour;
mod idle;
mod judge;
mod passes;
mod plans;
mod process;
mod promotions;
mod routes;
mod templates;
mod together;
mod verdicts;
mod watched;
mod writes;

use figure::Figure;

/// A part of the benchmarks and how it is run.
type Part = (&'static str, fn() -> anyhow::Result<Vec<Figure>>);

const PARTS: [Part; 14] = [
    ("door", door::measure),
    ("writes", writes::measure),
    ("hour", hour::measure),
    ("templates", templates::measure),
    ("conditions", conditions::measure),
    ("judge", judge::measure),
    ("plans", plans::measure),
    ("passes", passes::measure),
    ("promotions", promotions::measure),
    ("verdicts", verdicts::measure),
    ("active", active::measure),
    ("idle", idle::measure),
    ("routes", routes::measure),
    ("together", together::measure),
];

fn main() -> anyhow::Result<()> {
    let wanted = std::env::args().nth(1);
    let known = |name: &str| PARTS.iter().any(|(part, _)| *part == name);
    if let Some(unknown) = wanted.as_deref().filter(|name| !known(name)) {
        let parts: Vec<&str> = PARTS.iter().map(|(part, _)| *part).collect();
        anyhow::bail!("there is no part {unknown:?}; choose one of {}", parts.join(", "));
    }
    let mut missed = 0;
    for (name, measure) in PARTS.iter().filter(|(part, _)| wanted.as_deref().is_none_or(|name| name == *part)) {
        for figure in measure()? {
            println!("{name:<10} {figure}");
            missed += usize::from(!figure.holds());
        }
    }
    anyhow::ensure!(missed == 0, "{missed} figures are beyond their bound");
    Ok(())
}
