//! Which of the typed checks' mistakes are still worth saying, where the form check could not read everything.

use std::collections::BTreeMap;

use super::check::Checked;
use crate::mistake::{FieldPath, Mistake, Nature};

/// The form's mistakes, and behind them those of `found` that are not an echo of them: a value that could not be
/// read was taken out, and nobody wants to be told that it is missing.
pub(in crate::validate) fn quieted(checked: Checked, found: Vec<Mistake>) -> Vec<Mistake> {
    let Checked { mut mistakes, holes, nulls, of_kubernetes } = checked;
    let inside_a_hole = |path: &FieldPath| {
        let mut above = Some(path.clone());
        while let Some(path) = above {
            if holes.contains(&path) {
                return true;
            }
            above = path.parent();
        }
        false
    };
    let mut absent: BTreeMap<FieldPath, usize> = mistakes
        .iter()
        .enumerate()
        .filter(|(_, mistake)| mistake.nature == Nature::Missing)
        .map(|(index, mistake)| (mistake.path.clone(), index))
        .collect();
    for mistake in found {
        if mistake.nature == Nature::Missing
            && let Some(index) = absent.remove(&mistake.path)
        {
            // Both miss the same field, and the rule knows what it is for.
            mistakes[index] = mistake;
            continue;
        }
        if inside_a_hole(&mistake.path) {
            continue;
        }
        if mistake.nature == Nature::Missing {
            if holes.range(&mistake.path..).next().is_some_and(|hole| mistake.path.holds(hole)) {
                continue;
            }
            // `pause:` with nothing behind it is what the user meant to write, so that is where to look.
            let null = nulls.range(&mistake.path..).next();
            if let Some((path, mend)) = null.filter(|(path, _)| is_just_inside(path, &mistake.path)) {
                let null = &serde_json::Value::Null;
                mistakes.push(Mistake::wrong(path.clone(), null, "is the same as not written", mend));
                continue;
            }
        }
        mistakes.push(mistake);
    }
    if of_kubernetes {
        for index in absent.into_values() {
            mistakes[index].nature = Nature::Doubtful;
        }
    }
    mistakes
}

/// Whether `path` is `outer` or a field directly in it.
fn is_just_inside(path: &FieldPath, outer: &FieldPath) -> bool {
    outer.holds(path) && path.segments().len() <= outer.segments().len() + 1
}
