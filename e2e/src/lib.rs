//! Harness for tests against a real Kubernetes control plane.
