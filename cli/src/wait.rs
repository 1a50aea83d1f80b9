//! `sluice wait`: `status` for scripts, which waits for one thing and says by its exit code what came.

use std::time::Duration;

use clap::Args;

use crate::cluster::connection::patience;
use crate::cluster::kind::bare_name;
use crate::cluster::{Connection, Problem};
use crate::status::{self, Until, until};

#[derive(Args)]
#[command(after_help = status::EXIT_CODES)]
pub(crate) struct Wait {
    /// The Rollout
    #[arg(value_parser = bare_name)]
    name: String,
    /// What to wait for: done, paused, step=N or weight=N
    #[arg(long = "for", visible_alias = "until", default_value = "done", value_name = "WHAT", value_parser = until)]
    until: Until,
    /// Wait no longer than this; 0 waits for ever
    #[arg(short, long, default_value = "0", value_name = "DURATION", value_parser = patience)]
    timeout: Duration,
}

pub(crate) async fn run(connection: &Connection, wait: &Wait) -> Result<u8, Problem> {
    status::wait(connection, wait.name.clone(), wait.until, wait.timeout).await
}
