//! Many seeds, on as many threads as there are processors.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::play::play;
use crate::run::{Broken, Figures};
use crate::story::Story;

/// What many stories came to.
#[derive(Debug, Default)]
pub struct Total {
    /// What was done in all.
    pub figures: Figures,
    /// The seeds that broke a promise, and which.
    pub failed: Vec<(u64, String)>,
}

/// Plays the stories of these seeds, and tells of each that breaks a promise as soon as it does.
pub fn many(
    seeds: Range<u64>,
    jobs: usize,
    story: impl Fn(u64) -> Story + Sync,
    tell: impl Fn(u64, &str) + Sync,
) -> Total {
    let next = AtomicU64::new(seeds.start);
    let total = Mutex::new(Total::default());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let (figures, broken) = one(&story(seed));
            let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
            total.figures.add(figures);
            if let Some(Broken { what }) = broken {
                tell(seed, &what);
                total.failed.push((seed, what));
            }
        }
    };
    std::thread::scope(|scope| (0..jobs.max(1)).for_each(|_| drop(scope.spawn(work))));
    let mut total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    total.failed.sort_unstable();
    total
}

/// One story; a planner that panics has broken a promise, too.
pub fn one(story: &Story) -> (Figures, Option<Broken>) {
    let played = std::panic::catch_unwind(|| play(story, false));
    match played {
        Ok(played) => (played.figures, played.broken),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            (Figures::default(), Some(Broken { what: format!("a panic: {}", text.unwrap_or_default()) }))
        }
    }
}
