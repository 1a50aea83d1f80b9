//! Lists the scenarios that run on a real control plane.

#[path = "../scenarios/listing.rs"]
mod listing;

fn main() {
    println!("cargo::rerun-if-changed=../scenarios/listing.rs");
    listing::write_tests(std::path::Path::new("scenarios"), "only-in-the-sandbox:");
}
