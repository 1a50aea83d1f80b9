//! The file that tells a client where the cluster is and who it is itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A kubeconfig for one server, one certificate and one token. The texts are quoted as JSON, which is YAML too.
pub fn kubeconfig(server: &str, certificate_pem: &str, token: &str) -> String {
    let certificate = STANDARD.encode(certificate_pem);
    let token = serde_json::Value::from(token);
    let server = serde_json::Value::from(server);
    format!(
        "apiVersion: v1
kind: Config
current-context: sandbox
clusters:
- name: sandbox
  cluster:
    server: {server}
    certificate-authority-data: {certificate}
users:
- name: sandbox
  user:
    token: {token}
contexts:
- name: sandbox
  context:
    cluster: sandbox
    user: sandbox
    namespace: default
"
    )
}
