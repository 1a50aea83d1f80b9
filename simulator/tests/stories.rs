//! What a seed is worth: it tells the same story each time, and a story that was kept goes well now.

use std::path::Path;

use sluice_simulator::{Story, draw, one, play};

#[test]
fn a_seed_gives_the_same_history_each_time() {
    for seed in 0..3 {
        let once = play(&draw(seed), true);
        let twice = play(&draw(seed), true);
        assert_eq!(once.told, twice.told, "seed {seed}");
        assert!(once.figures.writes > 10, "seed {seed} is about something");
    }
}

#[test]
fn a_story_can_be_kept_in_a_file() {
    let story = draw(1);
    let text = serde_json::to_string(&story).expect("JSON");
    let read = serde_json::from_str(&text).expect("the same story");
    assert_eq!(play(&story, true).told, play(&read, true).told);
}

#[test]
fn stories_that_failed_once_go_well_now() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let files = std::fs::read_dir(folder).expect("the folder of stories").map(|entry| entry.expect("an entry").path());
    let mut told = 0;
    for path in files.filter(|path| path.extension().is_some_and(|extension| extension == "json")) {
        let text = std::fs::read_to_string(&path).expect("a file");
        let story: Story = serde_json::from_str(&text).expect("a story");
        let broken = one(&story).1.map(|broken| broken.what);
        assert_eq!(broken, None, "{}", path.display());
        told += 1;
    }
    assert!(told > 0, "there are such stories");
}
