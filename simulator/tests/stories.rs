//! What a seed is worth: it tells the same story each time, and a story that was kept goes well now.

use sluice_simulator::{draw, play};

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
