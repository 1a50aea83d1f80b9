//! The forms of the documents that are checked, built once.

use std::sync::LazyLock;

use k8s_openapi::api::batch::v1::JobSpec;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::{JsonSchema, SchemaGenerator};

use super::compile::compile;
use super::{Form, Holds, Text};
use crate::rollout::router::GatewayApiRouting;
use crate::shape::CustomKind;
use crate::{AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, Experiment, Rollout};

/// A pod template, as the Kubernetes version that this build knows writes it.
pub(in crate::validate) fn pod_template() -> &'static Form {
    static FORM: LazyLock<Form> = LazyLock::new(of_type::<PodTemplateSpec>);
    &FORM
}

/// The spec of a Job; its pod template is checked apart.
pub(in crate::validate) fn job_spec() -> &'static Form {
    static FORM: LazyLock<Form> = LazyLock::new(|| left_open(of_type::<JobSpec>(), &["template"]));
    &FORM
}

/// The configuration of the Gateway API router, built in or under the name that it has as a plugin.
pub(in crate::validate) fn gateway_api() -> &'static Form {
    static FORM: LazyLock<Form> = LazyLock::new(of_type::<GatewayApiRouting>);
    &FORM
}

/// A Rollout.
pub(in crate::validate) fn rollout() -> &'static Form {
    static FORM: LazyLock<Form> = LazyLock::new(|| left_open(of_kind::<Rollout>(), &["spec", "template"]));
    &FORM
}

/// An AnalysisTemplate.
pub(in crate::validate) fn analysis_template() -> &'static Form {
    static FORM: LazyLock<Form> = LazyLock::new(|| left_open(of_kind::<AnalysisTemplate>(), JOB));
    &FORM
}

/// A ClusterAnalysisTemplate.
pub(in crate::validate) fn cluster_analysis_template() -> &'static Form {
    static FORM: LazyLock<Form> = LazyLock::new(|| left_open(of_kind::<ClusterAnalysisTemplate>(), JOB));
    &FORM
}

/// An AnalysisRun.
pub(in crate::validate) fn analysis_run() -> &'static Form {
    static FORM: LazyLock<Form> = LazyLock::new(|| left_open(of_kind::<AnalysisRun>(), JOB));
    &FORM
}

/// An Experiment.
pub(in crate::validate) fn experiment() -> &'static Form {
    static FORM: LazyLock<Form> =
        LazyLock::new(|| left_open(of_kind::<Experiment>(), &["spec", "templates", "template"]));
    &FORM
}

const JOB: &[&str] = &["spec", "metrics", "provider", "job", "spec"];

fn of_kind<K: CustomKind>() -> Form {
    let mut form = compile(&crate::schema::schema::<K>());
    if let Holds::Fields(fields) = &mut form.holds {
        let text = || Form { holds: Holds::Text(Text::default()), nullable: false };
        fields.known.insert("apiVersion".to_owned(), text());
        fields.known.insert("kind".to_owned(), text());
        fields.known.insert("metadata".to_owned(), of_type::<ObjectMeta>());
    }
    form
}

fn of_type<T: JsonSchema>() -> Form {
    compile(SchemaGenerator::default().into_root_schema_for::<T>().as_value())
}

/// The form with the field at `path` open to anything: its own check knows more of it than the schema says, and a
/// mistake should be told once.
fn left_open(mut form: Form, path: &[&str]) -> Form {
    let mut inner = Some(&mut form);
    for name in path {
        inner = inner.and_then(|form| form.field(name));
    }
    if let Some(field) = inner {
        *field = Form::any();
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_check_of_its_own_is_left_open() {
        let rows: [(&Form, &[&str]); 5] = [
            (rollout(), &["spec", "template"]),
            (experiment(), &["spec", "templates", "template"]),
            (analysis_template(), JOB),
            (analysis_run(), JOB),
            (job_spec(), &["template"]),
        ];
        for (form, path) in rows {
            let mut form = form.clone();
            let mut inner = Some(&mut form);
            for name in path {
                inner = inner.and_then(|form| form.field(name));
            }
            assert!(matches!(inner.map(|form| &form.holds), Some(Holds::Any)), "{path:?}");
        }
    }
}
