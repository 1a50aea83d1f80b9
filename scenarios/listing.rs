// One test for each scenario file, so that each is named in the results and can be run alone. Shared by the build
// scripts of the crates that run them.

use std::fmt::Write as _;
use std::path::Path;

/// Writes `scenario!(file_name, "/path/to/file-name.yaml");` for each file that doesn't say `except`.
pub(crate) fn write_tests(folder: &Path, except: &str) {
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = std::fs::read_dir(folder).expect("the folder of the scenarios");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    let mut tests = String::new();
    for path in paths {
        println!("cargo::rerun-if-changed={}", path.display());
        let text = std::fs::read_to_string(&path).expect("a scenario can be read");
        if text.lines().any(|line| line.starts_with(except)) {
            continue;
        }
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").replace('-', "_");
        let path = path.canonicalize().expect("a path");
        writeln!(tests, "scenario!({name}, {:?});", path.display().to_string()).expect("a String takes text");
    }
    let out = std::env::var_os("OUT_DIR").expect("cargo names a folder");
    std::fs::write(Path::new(&out).join("scenarios.rs"), tests).expect("the folder can be written");
}
