//! `sluice create`: makes the objects of manifests, all of Sluice's kinds.

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::actions::Writing;
use crate::analysis::begin::{How, begin};
use crate::cluster::{Cluster, Connection, Kind, Problem};
use crate::{lint::files, print};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Create {
    #[command(subcommand)]
    what: Option<What>,
    /// A file, a directory, an address, or - for standard input; can be repeated
    #[arg(short, long = "filename", value_name = "FILE|DIR|URL|-", required = true)]
    filenames: Vec<String>,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Subcommand)]
enum What {
    /// An AnalysisRun from a template; `analysis run` waits for its verdict besides
    #[command(visible_aliases = ["ar", "analysisruns"])]
    Analysisrun(OfTemplate),
}

#[derive(Args)]
struct OfTemplate {
    /// The template in the cluster
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "from_file", required_unless_present = "from_file")]
    from: Option<String>,
    #[command(flatten)]
    how: How,
}

/// All manifests are read before the first object is made.
pub(crate) async fn run(connection: &Connection, create: &Create) -> Result<u8, Problem> {
    if let Some(What::Analysisrun(OfTemplate { from, how })) = &create.what {
        let cluster = Cluster::connect(connection).await?;
        let run = begin(&cluster, from.as_deref(), how).await?;
        return tell(Kind::ANALYSIS_RUN, &run, &how.writing).map(|()| 0);
    }
    let mut objects = Vec::new();
    for source in files::find(&create.filenames).map_err(|error| Problem::new(format!("{error:#}")))? {
        let bytes = source.read().map_err(|error| Problem::new(format!("{error:#}")))?;
        objects.extend(read(&source.name(), &bytes)?);
    }
    if objects.is_empty() {
        return Err(Problem::new("there is nothing to create: the manifests are empty"));
    }
    let cluster = Cluster::connect(connection).await?;
    for (kind, object) in objects {
        let created = match create.writing.manner() {
            Some(manner) => cluster.create(kind, object, &manner).await?,
            None => object,
        };
        tell(kind, &created, &create.writing)?;
    }
    Ok(0)
}

pub(crate) fn tell(kind: Kind, object: &Value, writing: &Writing) -> Result<(), Problem> {
    use crate::actions::Output;
    let named = kind.named(object["metadata"]["name"].as_str().unwrap_or_default());
    match writing.output {
        None => print::line(&format!("{named} created{}", writing.suffix())),
        Some(Output::Name) => print::line(&named),
        Some(Output::Json) => print::json(object),
        Some(Output::Yaml) => print::text(&format!("---\n{}", print::as_yaml(object)?)),
    }
}

fn read(file: &str, bytes: &[u8]) -> Result<Vec<(Kind, Value)>, Problem> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| Problem::new(format!("{file} is not UTF-8; save it as UTF-8")))?;
    let unread = |error: serde_saphyr::Error| {
        // Below its first line is a picture of the place.
        let error = error.to_string();
        let sentence = error.lines().next().unwrap_or_default().trim_start_matches("error: ");
        Problem::new(format!("{file} is no YAML: {sentence}"))
    };
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).map_err(unread)?;
    let documents = documents.into_iter().filter(|document| !document.is_null());
    documents
        .map(|document| match Kind::of_manifest(&document) {
            Some(kind) => Ok((kind, document)),
            None => Err(Problem::new(format!(
                "{file} has a {} {}; only the kinds of argoproj.io/v1alpha1 are created here, the others with kubectl create",
                document["apiVersion"].as_str().unwrap_or("manifest without apiVersion"),
                document["kind"].as_str().unwrap_or_default()
            ))),
        })
        .collect()
}
