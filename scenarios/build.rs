//! Lists the scenarios that run in the sandbox.

#[path = "listing.rs"]
mod listing;

fn main() {
    println!("cargo::rerun-if-changed=listing.rs");
    listing::write_tests(std::path::Path::new("../e2e/scenarios"), "only-on-a-real-cluster:");
}
