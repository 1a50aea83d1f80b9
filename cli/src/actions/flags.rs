//! The flags of the verbs that change something.

use clap::{Args, Subcommand, ValueEnum};
use sluice_crds::values::GoDuration;

use crate::cluster::Manner;
use crate::cluster::kind::bare_name;

#[derive(Subcommand)]
pub(crate) enum Do {
    /// Let a release that waits go on.
    ///
    /// A release that doesn't wait passes the step that is under way, and a note says which one that was.
    Promote(Promote),
    /// Take a release back: everything returns to the stable version.
    Abort(Named),
    /// Run a release or an experiment again that was aborted or failed.
    Retry {
        #[command(subcommand)]
        what: Retry,
    },
    /// Hold a release where it is, until resume or promote.
    Pause(Named),
    /// Take a pause back. Unlike promote it passes no step.
    Resume(Named),
    /// Replace all pods, within the budgets of the Rollout.
    Restart(Restart),
    /// Go back to the pod template of an earlier revision.
    Undo(Undo),
    /// Change a Rollout.
    Set {
        #[command(subcommand)]
        what: Set,
    },
    /// End an analysis or an experiment early.
    Terminate {
        #[command(subcommand)]
        what: Terminate,
    },
}

#[derive(Args)]
pub(crate) struct Promote {
    /// The Rollout
    #[arg(value_parser = bare_name)]
    pub(super) name: String,
    /// Skip all steps, pauses and analyses that are left
    #[arg(long)]
    pub(super) full: bool,
    #[command(flatten)]
    pub(super) guards: Guards,
    #[command(flatten)]
    pub(super) writing: Writing,
}

#[derive(Args)]
pub(crate) struct Named {
    /// One or several, as shop or rollout/shop
    #[arg(value_name = "NAME", required = true, value_parser = bare_name)]
    pub(super) names: Vec<String>,
    #[command(flatten)]
    pub(super) guards: Guards,
    #[command(flatten)]
    pub(super) writing: Writing,
}

#[derive(Subcommand)]
pub(crate) enum Retry {
    /// A release that was aborted
    #[command(visible_aliases = ["ro", "rollouts"])]
    Rollout(Named),
    /// An Experiment, from its beginning
    #[command(visible_aliases = ["exp", "experiments"])]
    Experiment(Named),
}

#[derive(Args)]
pub(crate) struct Restart {
    /// So long from now, for example 10s
    #[arg(short = 'i', long = "in", value_name = "DURATION", value_parser = later)]
    pub(super) within: Option<GoDuration>,
    #[command(flatten)]
    pub(super) named: Named,
}

#[derive(Args)]
pub(crate) struct Undo {
    /// The Rollout
    #[arg(value_parser = bare_name)]
    pub(super) name: String,
    /// Its number in `history` [default: the one before]
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "NUMBER")]
    pub(super) to_revision: u64,
    #[command(flatten)]
    pub(super) writing: Writing,
}

#[derive(Subcommand)]
pub(crate) enum Set {
    /// Images of its containers, which begins a release
    Image(Image),
}

#[derive(Args)]
pub(crate) struct Image {
    /// The Rollout
    #[arg(value_name = "ROLLOUT", value_parser = bare_name)]
    pub(super) name: String,
    /// Container and image; * is all containers
    #[arg(value_name = "CONTAINER=IMAGE", required = true, value_parser = image)]
    pub(super) images: Vec<(String, String)>,
    #[command(flatten)]
    pub(super) writing: Writing,
}

#[derive(Subcommand)]
pub(crate) enum Terminate {
    /// An AnalysisRun: what was measured so far decides
    #[command(visible_aliases = ["ar", "analysisruns"])]
    Analysisrun(Named),
    /// An Experiment
    #[command(visible_aliases = ["exp", "experiments"])]
    Experiment(Named),
}

/// What must hold, so that a stale terminal moves nothing.
#[derive(Args, Clone, Copy)]
pub(crate) struct Guards {
    /// Only if so many steps are done, the first number in "Step: 1/4"
    #[arg(long, value_name = "NUMBER")]
    pub(super) if_step: Option<usize>,
    /// Only if this revision is the one that is being released
    #[arg(long, value_name = "NUMBER")]
    pub(super) if_revision: Option<u64>,
}

/// How a change is made and told.
#[derive(Args)]
pub(crate) struct Writing {
    /// What to leave out: client asks nobody, server stores nothing
    #[arg(long, value_enum, default_value_t = DryRun::None, value_name = "HOW")]
    dry_run: DryRun,
    /// Print the object instead of a line
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub(crate) output: Option<Output>,
    /// Why, for the Rollout's history; up to 100 characters
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DryRun {
    None,
    Client,
    Server,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    Name,
    Json,
    Yaml,
}

impl Writing {
    /// How the API server is asked; not at all in a dry run of the client.
    pub(crate) fn manner(&self) -> Option<Manner> {
        // The history of a Rollout names the field manager that asked for an end, so the reason travels in that.
        let manager = self.reason.as_ref().map_or_else(|| "sluice".to_owned(), |reason| format!("sluice: {reason}"));
        (self.dry_run != DryRun::Client).then_some(Manner { manager, dry_run: self.dry_run == DryRun::Server })
    }

    /// What a result line ends with.
    pub(crate) fn suffix(&self) -> &'static str {
        match self.dry_run {
            DryRun::None => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        }
    }
}

/// A field manager has at most 128 characters, all of them printable.
fn reason(text: &str) -> Result<String, String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.len() {
        0 => Err("is empty; write a few words".to_owned()),
        1..=100 if !text.chars().any(char::is_control) => Ok(text),
        length => Err(format!("has {length} bytes, and 100 printable ones are kept; write less")),
    }
}

fn image(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((container, image)) if !container.is_empty() && !image.is_empty() => {
            Ok((container.to_owned(), image.to_owned()))
        }
        _ => Err("write container=image, for example web=shop:2.0, or *=shop:2.0 for all".to_owned()),
    }
}

fn later(text: &str) -> Result<GoDuration, String> {
    let duration: GoDuration = text.parse().map_err(|problem| format!("{problem}"))?;
    if duration.is_negative() { Err("must not be negative; write 10s or 5m".to_owned()) } else { Ok(duration) }
}
