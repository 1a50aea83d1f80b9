//! Prints every generated file as one JSON object, path → text. `cargo xtask crds` reads it: so the project's
//! commands need not be compiled together with the types.

use std::collections::BTreeMap;

fn main() -> serde_json::Result<()> {
    let files: BTreeMap<String, String> = sluice_crds::schema::generated_files().into_iter().collect();
    println!("{}", serde_json::to_string(&files)?);
    Ok(())
}
