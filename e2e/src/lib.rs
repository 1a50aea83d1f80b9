//! Harness for tests against a real Kubernetes control plane.

pub mod conformance;
