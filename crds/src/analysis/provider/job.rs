//! A Job as a metric.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::shape::api_types;
use crate::template::PodTemplate;
use crate::unit::ExtraMetadata;

api_types! {
    /// Runs a Job; its success is the verdict.
    pub struct JobMetric {
        /// Labels and annotations of the Job.
        pub metadata: Option<ExtraMetadata>,
        /// The Job to run: a Kubernetes JobSpec; see `kubectl explain job.spec`.
        #[schemars(transform = crate::schema::mark::required)]
        pub spec: Option<JobSpec>,
    }
}

/// The spec of a Job, kept as the JSON that was written, for the same reason as a pod template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobSpec(Value);

impl JobSpec {
    /// The JSON as it was written.
    pub const fn as_json(&self) -> &Value {
        &self.0
    }

    /// The pods of the Job, if it says what they are.
    pub fn template(&self) -> Option<PodTemplate> {
        self.0.get("template").cloned().map(PodTemplate::from)
    }
}

impl From<Value> for JobSpec {
    fn from(json: Value) -> Self {
        Self(json)
    }
}

impl JsonSchema for JobSpec {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "JobSpec".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut template = generator.subschema_for::<PodTemplate>();
        template.insert("description".into(), "The pod to run.".into());
        json_schema!({
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": true,
            "required": ["template"],
            "properties": { "template": template },
        })
    }
}
