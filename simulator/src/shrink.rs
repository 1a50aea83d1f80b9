//! The least of a story that still breaks its promise.

use crate::many::one;
use crate::story::Story;

/// Leaves out what happens, and what goes wrong, one by one, as long as something is still broken.
pub fn shrink(story: &Story) -> Story {
    let mut least = story.clone();
    let mut changed = true;
    while changed {
        changed = false;
        changed |= simpler(&mut least, |story| story.dies_after_each_write = false);
        changed |= simpler(&mut least, |story| story.request_ms = 0);
        changed |= simpler(&mut least, |story| story.lags_ms.iter_mut().for_each(|lag| *lag = 0));
        changed |= fewer(&mut least, |story| &mut story.faults);
        changed |= fewer(&mut least, |story| &mut story.happenings);
    }
    least
}

fn fails(story: &Story) -> bool {
    one(story).1.is_some()
}

fn simpler(least: &mut Story, change: impl Fn(&mut Story)) -> bool {
    let mut tried = least.clone();
    change(&mut tried);
    let is_other = serde_json::to_string(&tried).ok() != serde_json::to_string(least).ok();
    let kept = is_other && fails(&tried);
    if kept {
        *least = tried;
    }
    kept
}

/// First in large pieces, then one by one.
fn fewer<T>(least: &mut Story, list: impl Fn(&mut Story) -> &mut Vec<T>) -> bool {
    let mut any = false;
    let mut piece = list(least).len();
    while piece > 0 {
        let mut at = 0;
        while at < list(least).len() {
            let mut tried = least.clone();
            let end = (at + piece).min(list(&mut tried).len());
            list(&mut tried).drain(at..end);
            if fails(&tried) {
                *least = tried;
                any = true;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    any
}
