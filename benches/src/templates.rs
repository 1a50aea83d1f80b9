//! What every pass of the controller pays per Rollout: the hash of its pod template.

use anyhow::ensure;
use serde_json::json;
use sluice_crds::template::{PodTemplate, TemplateHash};

use crate::figure::{Figure, median_of, time};

const CALLS: u32 = 2_000;

pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let template = PodTemplate::from(json!({
        "metadata": {"labels": {"app": "web", "tier": "front"}, "annotations": {"prometheus.io/scrape": "true"}},
        "spec": {
            "serviceAccountName": "web",
            "containers": [
                {
                    "name": "web", "image": "registry.example/web:1.2.3",
                    "ports": [{"name": "http", "containerPort": 8080}],
                    "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                    "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
                    "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
                    "volumeMounts": [{"name": "config", "mountPath": "/etc/web"}],
                },
                {"name": "proxy", "image": "proxy:2", "args": ["--upstream", "localhost:8080"]},
            ],
            "volumes": [{"name": "config", "configMap": {"name": "web"}}],
        },
    }));
    let known = TemplateHash::of(&template, None);
    let spent = median_of(5, || {
        time(|| {
            for _ in 0..CALLS {
                assert_eq!(TemplateHash::of(&template, None), known);
            }
        })
    });
    ensure!(!known.is_empty(), "the template has a hash");
    Ok(vec![
        Figure::new("the hash of a usual pod template", spent.as_secs_f64() * 1e6 / f64::from(CALLS), "µs")
            .at_most(50.0),
    ])
}
