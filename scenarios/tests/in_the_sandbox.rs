//! Every scenario, told to the sandbox.

use std::path::Path;

use sluice_scenarios::{Scenario, told_in_the_sandbox};

macro_rules! scenario {
    ($name:ident, $path:literal) => {
        #[test]
        fn $name() {
            match Scenario::read(Path::new($path)) {
                Ok(scenario) => told_in_the_sandbox(&scenario),
                Err(mistakes) => panic!("{mistakes}"),
            }
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));
