//! What somebody may have meant by a field that nothing reads: a neighbour with nearly that name, or the same name
//! further up or down.

use super::check::either;
use super::{Fields, Holds, Others};
use crate::mistake::FieldPath;

/// How far below an object its fields are looked through: `steps` written into `spec` is two levels too high.
const LEVELS_DOWN: usize = 3;

/// Up to this many fields are listed when there is nothing better to say.
const LISTED: usize = 8;

/// A longer name than any field's is no misspelling of one, and comparing it would only take time.
const LONGEST_NAME: usize = 64;

/// One of the objects that enclose the unknown field.
pub(super) struct Level<'s> {
    pub(super) fields: &'s Fields,
    pub(super) path: FieldPath,
}

/// What to do about the unknown field `name` in the last of `levels`.
pub(super) fn mend(levels: &[Level<'_>], name: &str) -> String {
    const LEAVE_OUT: &str = "remove it or check its spelling";
    let Some(here) = levels.last() else {
        return LEAVE_OUT.to_owned();
    };
    let neighbour = nearest(here.fields, name);
    if let Some((1, meant)) = neighbour {
        return format!("did you mean {meant}?");
    }
    if let Some(place) = levels.iter().rev().find_map(|level| elsewhere(level, name)) {
        return format!("did you mean {place}?");
    }
    if let Some((_, meant)) = neighbour {
        return format!("did you mean {meant}?");
    }
    let known: Vec<&String> = here.fields.known.keys().collect();
    match known.as_slice() {
        [only] => format!("the only field here is {only}"),
        [_, ..] if known.len() <= LISTED => format!("the fields here are {}", either(&known).replace(" or ", " and ")),
        _ => LEAVE_OUT.to_owned(),
    }
}

/// The known field whose name is nearest, with its distance, if it is near enough to have been meant.
fn nearest<'s>(fields: &'s Fields, name: &str) -> Option<(usize, &'s str)> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let tolerated = (name.chars().count() / 3).clamp(1, 3);
    let folded = folded(name);
    fields
        .known
        .keys()
        .map(|known| (distance(&folded, &self::folded(known)).max(1), known.as_str()))
        .filter(|(distance, _)| *distance <= tolerated)
        .min()
}

/// A name without what people get wrong most: case, dashes and underscores.
fn folded(name: &str) -> Vec<char> {
    name.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// How many letters have to be put in, left out, replaced or swapped with their neighbour.
pub fn distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, r) in right.iter().enumerate() {
            let replaced = row[j] + usize::from(l != r);
            let mut least = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            let swapped = i > 0 && j > 0 && *l == right[j - 1] && left[i - 1] == *r;
            if swapped {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(left.len())
}

/// Where else, at most a few levels below `level`, a field of exactly this name is known: the nearest one, and of
/// several as near the one with the fewest other fields, whose whole point it is.
fn elsewhere(level: &Level<'_>, name: &str) -> Option<String> {
    let mut row = vec![(level.fields, level.path.to_string())];
    for _ in 0..=LEVELS_DOWN {
        let holders = row.iter().filter(|(fields, _)| fields.known.contains_key(name));
        if let Some((_, path)) = holders.min_by_key(|(fields, _)| fields.known.len()) {
            return Some(below(path, name));
        }
        row = row.iter().flat_map(|(fields, path)| objects_in(fields, path)).collect();
    }
    None
}

/// The objects directly in an object, themselves or as items of a list, with their paths.
fn objects_in<'s>(fields: &'s Fields, path: &str) -> Vec<(&'s Fields, String)> {
    // Nobody writes the status by hand.
    let written = fields.known.iter().filter(|(field, _)| !path.is_empty() || *field != "status");
    let inner = written.filter_map(|(field, form)| {
        let (inner, list) = match &form.holds {
            Holds::Fields(inner) => (inner, ""),
            Holds::List(item) => match &item.holds {
                Holds::Fields(inner) => (inner, "[]"),
                _ => return None,
            },
            _ => return None,
        };
        let is_map = matches!(inner.others, Others::Entries(_));
        (!is_map).then(|| (inner, format!("{}{list}", below(path, field))))
    });
    inner.collect()
}

fn below(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_what_a_typist_got_wrong() {
        let rows = [
            ("steps", "steps", 0),
            ("step", "steps", 1),
            ("stpes", "steps", 1),
            ("steqs", "steps", 1),
            ("setWieght", "setWeight", 1),
            ("", "steps", 5),
            ("pause", "", 5),
            ("canary", "blueGreen", 8),
        ];
        for (left, right, expected) in rows {
            let letters = |text: &str| text.chars().collect::<Vec<char>>();
            assert_eq!(distance(&letters(left), &letters(right)), expected, "{left} → {right}");
        }
    }
}
