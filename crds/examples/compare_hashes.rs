//! Compares our template hashes with fresh answers of the Go oracle:
//!
//! ```text
//! template-oracle generate --seed 7 --count 5000 > questions
//! template-oracle hash < questions > answers
//! cargo run -p sluice-crds --example compare_hashes questions answers
//! ```

use std::process::ExitCode;
use std::{env, fs};

#[path = "../tests/template_tables/vectors.rs"]
mod vectors;

fn main() -> ExitCode {
    let files: Vec<String> = env::args().skip(1).collect();
    let [questions, answers] = files.as_slice() else {
        eprintln!("usage: compare_hashes QUESTIONS ANSWERS");
        return ExitCode::FAILURE;
    };
    match (fs::read_to_string(questions), fs::read_to_string(answers)) {
        (Ok(questions), Ok(answers)) => compare_all(&questions, &answers),
        (Err(error), _) => fail(questions, &error),
        (_, Err(error)) => fail(answers, &error),
    }
}

fn fail(file: &str, error: &std::io::Error) -> ExitCode {
    eprintln!("{file}: {error}");
    ExitCode::FAILURE
}

fn compare_all(questions: &str, answers: &str) -> ExitCode {
    let (mut same, mut skipped, mut different) = (0, 0, 0);
    for (question, answer) in questions.lines().zip(answers.lines()) {
        match vectors::compare(question, answer) {
            Ok(vectors::Outcome::Same) => same += 1,
            Ok(vectors::Outcome::Skipped) => skipped += 1,
            Err(difference) => {
                different += 1;
                eprintln!("{difference}");
            }
        }
    }
    println!("{same} templates agree, {different} differ, {skipped} were skipped");
    let is_complete = questions.lines().count() == answers.lines().count();
    if different == 0 && same > skipped && is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
