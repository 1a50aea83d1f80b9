//! Whether the judges see what they are for: the planner makes one mistake after the other, and each must be caught.

use std::ops::Range;

use sluice_planner::sabotage::{Mistake, make};

use crate::draw::draw;
use crate::many::one;

/// How a mistake was caught.
#[derive(Debug)]
pub struct Caught {
    /// The mistake.
    pub mistake: Mistake,
    /// By which seed, and what the judges said.
    pub by: Option<(u64, String)>,
}

/// Plays seeds until the mistake is seen.
pub fn catch(mistake: Mistake, seeds: Range<u64>) -> Caught {
    make(Some(mistake));
    let by = seeds.into_iter().find_map(|seed| Some((seed, one(&draw(seed)).1?.what)));
    make(None);
    Caught { mistake, by }
}

/// All mistakes, on so many threads, in their order.
pub fn catch_all(seeds: &Range<u64>, jobs: usize) -> Vec<Caught> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let all = std::sync::Mutex::new(Vec::new());
    let work = || {
        while let Some(mistake) = Mistake::ALL.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            let caught = catch(*mistake, seeds.clone());
            all.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(caught);
        }
    };
    std::thread::scope(|scope| (0..jobs.max(1)).for_each(|_| drop(scope.spawn(work))));
    let mut all = all.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    all.sort_by_key(|caught| Mistake::ALL.iter().position(|mistake| *mistake == caught.mistake));
    all
}
