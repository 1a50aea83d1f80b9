//! Compares our hashes and our template equality with fresh answers of the Go oracle on standard input:
//! `template-oracle generate … | cargo run -p sluice-crds --example compare_hashes`.

use std::io::{BufRead, stdin};
use std::process::ExitCode;

#[path = "../tests/template_tables/vectors.rs"]
mod vectors;

fn main() -> ExitCode {
    let (mut same, mut different) = (0, 0);
    for line in stdin().lock().lines() {
        match line.map_err(|error| error.to_string()).and_then(|line| vectors::compare(&line)) {
            Ok(_) => same += 1,
            Err(difference) => {
                different += 1;
                eprintln!("{difference}");
            }
        }
    }
    println!("{same} templates agree, {different} differ");
    if different == 0 && same > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
