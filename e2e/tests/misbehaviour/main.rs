//! What goes wrong with pods, seen through the API server and its controllers as a release controller sees it.

mod crashes;
mod deletion;
mod endpoints;
mod eviction;
mod images;
mod jobs;
mod slow_starts;

use sluice_e2e::{Kind, Namespace};

/// Creates the pod `web`, labelled `app: web`, whose only container has these fields besides its name.
async fn create_pod(namespace: &Namespace, container: &str) -> anyhow::Result<()> {
    create_pod_with(namespace, "", "", container).await
}

/// The same, with scripted behaviour (`ready-after: 1s`) and further fields of the pod's spec.
async fn create_pod_with(namespace: &Namespace, behaviour: &str, spec: &str, container: &str) -> anyhow::Result<()> {
    let image = if container.contains("image:") { "" } else { "image: 'shop/web:1', " };
    let annotations: Vec<String> = behaviour
        .split(',')
        .filter(|part| !part.is_empty())
        .map(|part| format!("sandbox.sluice.dev/{}", part.trim()))
        .collect();
    let yaml = format!(
        "{{metadata: {{name: web, labels: {{app: web}}, annotations: {{{}}}}},
           spec: {{{spec} containers: [{{name: main, {image}{container}}}]}}}}",
        annotations.join(", ")
    );
    namespace.create_from(Kind::POD, &yaml).await?;
    Ok(())
}

const POD: (Kind, &str) = (Kind::POD, "web");
