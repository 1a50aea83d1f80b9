//! The lists of complaints and of faults, and the scenarios, name each other.

use std::collections::BTreeSet;
use std::path::Path;

use sluice_scenarios::Scenario;

const LIST: &str = include_str!("../../docs/complaints.md");

/// A complaint's number, or a fault's as `f4`, and a scenario that shows that it is answered.
type Pairs = BTreeSet<(String, String)>;

fn listed() -> Pairs {
    let rows = LIST.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let number = cells.next()?;
        let _: u32 = number.strip_prefix('f').unwrap_or(number).parse().ok()?;
        Some((number, cells.nth(1)?))
    });
    rows.flat_map(|(number, scenarios)| {
        let named = scenarios.split('`').skip(1).step_by(2);
        named.map(move |name| (number.to_owned(), name.to_owned()))
    })
    .collect()
}

fn told() -> Pairs {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e/scenarios");
    let entries = std::fs::read_dir(folder).expect("the folder of the scenarios");
    let files = entries.map(|entry| entry.expect("an entry").path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files
        .flat_map(|path| {
            let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
            let shows = Scenario::read(&path).expect("a scenario").shows;
            let answered = shows.into_iter().filter_map(|shown| {
                let of =
                    |kind: &str| shown.strip_prefix(kind).and_then(|rest| rest.split(':').next().map(str::to_owned));
                of("complaint ").or_else(|| of("fault ").map(|number| format!("f{number}")))
            });
            answered.map(|number| (number, name.clone())).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn each_row_of_the_lists_is_shown_by_the_scenarios_that_it_names_and_no_other() {
    let (listed, told) = (listed(), told());
    assert!(!listed.is_empty(), "the list names no scenario at all");
    let unlisted: Vec<_> = told.difference(&listed).collect();
    assert!(unlisted.is_empty(), "scenarios that docs/complaints.md doesn't name: {unlisted:?}");
    let untold: Vec<_> = listed.difference(&told).collect();
    assert!(untold.is_empty(), "scenarios that aren't there, or don't say so: {untold:?}");
}
