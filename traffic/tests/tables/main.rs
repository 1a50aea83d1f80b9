//! Routing objects before and after, written by hand.

mod examples;
mod finalizer;
mod junk;
mod named;
mod properties;
mod support;

use support::run_file;

#[test]
fn nginx() {
    run_file(include_str!("../cases/nginx.yaml"));
}

#[test]
fn istio() {
    run_file(include_str!("../cases/istio.yaml"));
}

#[test]
fn gateway_api() {
    run_file(include_str!("../cases/gateway_api.yaml"));
}
