//! Begins an AnalysisRun by hand: from a template in the cluster or from a file, as a Rollout would.

use clap::Args;
use serde_json::{Value, json};
use sluice_analysis::args::{RolloutFacts, Templates, new_run};
use sluice_crds::analysis::AnalysisTemplateSpec;
use sluice_crds::mistake::FieldPath;
use sluice_crds::rollout::RolloutAnalysis;

use crate::actions::Writing;
use crate::cluster::{Cluster, Kind, Problem, Where};
use crate::lint::files;

#[derive(Args)]
pub(crate) struct Begin {
    /// The AnalysisTemplate
    #[arg(value_name = "TEMPLATE", conflicts_with = "from_file", required_unless_present = "from_file")]
    pub(crate) template: Option<String>,
    #[command(flatten)]
    pub(crate) how: How,
}

/// What it is called, and what it is run with.
#[derive(Args)]
pub(crate) struct How {
    /// A template in a file, in the place of one in the cluster
    #[arg(long, value_name = "FILE|-")]
    pub(crate) from_file: Option<String>,
    /// The template is a ClusterAnalysisTemplate
    #[arg(long)]
    global: bool,
    /// The value of an argument; can be repeated
    #[arg(short = 'a', long = "argument", value_name = "NAME=VALUE", value_parser = argument)]
    arguments: Vec<(String, String)>,
    /// The run's name [default: the template's, and something drawn by lot]
    #[arg(long, conflicts_with = "generate_name")]
    name: Option<String>,
    /// What its name begins with
    #[arg(long, value_name = "PREFIX")]
    generate_name: Option<String>,
    /// The controller instance that it is for
    #[arg(long, value_name = "ID")]
    instance_id: Option<String>,
    #[command(flatten)]
    pub(crate) writing: Writing,
}

fn argument(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write name=value, for example service=shop".to_owned()),
    }
}

/// Creates the run. In a dry run of the client, it is what would be sent.
pub(crate) async fn begin(cluster: &Cluster, template: Option<&str>, how: &How) -> Result<Value, Problem> {
    let (local, of_cluster) = templates(cluster, how).await?;
    let read = |objects: &[Value]| -> Result<Vec<(String, AnalysisTemplateSpec)>, Problem> {
        objects.iter().map(template_of).collect()
    };
    let (local_read, of_cluster_read) = (read(&local)?, read(&of_cluster)?);
    let name = match template {
        Some(name) => name.rsplit('/').next().unwrap_or_default().to_owned(),
        None => local_read.first().map(|(name, _)| name.clone()).unwrap_or_default(),
    };
    let mut all = Templates::default();
    local_read.iter().for_each(|(name, spec)| all.insert(name, spec));
    of_cluster_read.iter().for_each(|(name, spec)| all.insert_of_cluster(name, spec));
    let is_there = |templates: &[(String, AnalysisTemplateSpec)]| templates.iter().any(|(one, _)| *one == name);
    if !is_there(if how.global { &of_cluster_read } else { &local_read }) {
        let kind = if how.global { Kind::CLUSTER_ANALYSIS_TEMPLATE } else { Kind::ANALYSIS_TEMPLATE };
        let hint = if how.global { "" } else { "; --global means a ClusterAnalysisTemplate" };
        return Err(Problem::new(format!("{} not found in namespace {}{hint}", kind.named(&name), cluster.namespace)));
    }
    let analysis: RolloutAnalysis = serde_json::from_value(json!({
        "templates": [{"templateName": name, "clusterScope": how.global}],
        "args": how.arguments.iter().map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>(),
    }))
    .map_err(|error| Problem::new(error.to_string()))?;
    let facts = RolloutFacts { rollout: &Value::Null, stable_hash: "", latest_hash: "" };
    let spec = new_run(&FieldPath::of("spec"), &analysis, &all, facts).map_err(|mistakes| {
        let sentences: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        Problem::new(format!("{name}: {}", sentences.join("; ")))
    })?;
    let mut metadata = json!({"namespace": cluster.namespace});
    match (&how.name, &how.generate_name) {
        (Some(name), _) => metadata["name"] = name.as_str().into(),
        (None, prefix) => metadata["generateName"] = prefix.clone().unwrap_or_else(|| format!("{name}-")).into(),
    }
    if let Some(id) = &how.instance_id {
        metadata["labels"] = json!({"argo-rollouts.argoproj.io/controller-instance-id": id});
    }
    let run = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": metadata, "spec": spec});
    match how.writing.manner() {
        Some(manner) => cluster.create(Kind::ANALYSIS_RUN, run, &manner).await,
        None => Ok(run),
    }
}

fn template_of(object: &Value) -> Result<(String, AnalysisTemplateSpec), Problem> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    match serde_json::from_value(object["spec"].clone()) {
        Ok(spec) => Ok((name, spec)),
        Err(error) => Err(Problem::new(format!("the template {name} can't be read: {error}; \"lint -f\" says more"))),
    }
}

/// Those of the namespace and those of the cluster; of a file, those in it and those of the cluster.
async fn templates(cluster: &Cluster, how: &How) -> Result<(Vec<Value>, Vec<Value>), Problem> {
    let place = Where::Namespace(&cluster.namespace);
    let of_cluster = match cluster.list(Kind::CLUSTER_ANALYSIS_TEMPLATE, place, "").await {
        // Whoever may see one namespace only has none of the cluster.
        Err(problem) if problem.status == Some(403) && !how.global => Vec::new(),
        outcome => outcome?.items,
    };
    let Some(file) = &how.from_file else {
        return Ok((cluster.list(Kind::ANALYSIS_TEMPLATE, place, "").await?.items, of_cluster));
    };
    let unread = |error: anyhow::Error| Problem::new(format!("{error:#}"));
    let mut local = Vec::new();
    for source in files::find(std::slice::from_ref(file)).map_err(unread)? {
        let bytes = source.read().map_err(unread)?;
        let text =
            std::str::from_utf8(&bytes).map_err(|_| Problem::new(format!("{file} is not UTF-8; save it as UTF-8")))?;
        let documents = crate::stage::furniture::documents(&source.name(), text).map_err(unread)?;
        local.extend(documents.into_iter().map(|manifest| manifest.object));
    }
    local.retain(|object| Kind::of_manifest(object) == Some(Kind::ANALYSIS_TEMPLATE));
    match local.len() {
        0 => Err(Problem::new(format!("{file} has no AnalysisTemplate"))),
        _ => Ok((local, of_cluster)),
    }
}
