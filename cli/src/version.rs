//! `sluice version`: this program's, and the cluster's.

use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cluster::{Cluster, Connection, Problem};
use crate::{exit, print};

/// Nobody waits longer to hear a number.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);

#[derive(Args)]
pub(crate) struct Version {
    /// Only the number of this program
    #[arg(long)]
    short: bool,
    /// Leave the cluster alone
    #[arg(long)]
    client: bool,
    /// Print it for programs
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Yaml,
}

/// A cluster that doesn't answer is a note: the version of this program is known either way.
pub(crate) async fn run(connection: &Connection, version: &Version) -> Result<u8, Problem> {
    let own = env!("CARGO_PKG_VERSION");
    if version.short {
        return print::line(&format!("v{own}")).map(|()| exit::DONE);
    }
    let server = if version.client { None } else { server(connection).await };
    match version.output {
        None => {
            print::line(&format!("sluice: v{own}"))?;
            if let Some(server) = server {
                print::line(&format!("kubernetes: {server}"))?;
            }
        }
        Some(Format::Json) => print::json(&json!({"sluice": format!("v{own}"), "kubernetes": server}))?,
        Some(Format::Yaml) => print::yaml(&json!({"sluice": format!("v{own}"), "kubernetes": server}))?,
    }
    Ok(exit::DONE)
}

async fn server(connection: &Connection) -> Option<String> {
    let asked = async {
        let cluster = Cluster::connect(connection).await?;
        cluster.version().await
    };
    match tokio::time::timeout(ANSWERED_WITHIN, asked).await {
        Ok(Ok(version)) => Some(version),
        Ok(Err(problem)) => {
            print::note(&problem.sentence);
            None
        }
        Err(_) => {
            print::note("the cluster doesn't answer; --client leaves it alone");
            None
        }
    }
}
