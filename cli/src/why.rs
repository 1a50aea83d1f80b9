//! `sluice why` and `sluice history`: how it came to this.

use clap::Args;
use kube::api::ListParams;
use serde_json::Value;

use crate::cluster::kind::bare_name;
use crate::cluster::{Cluster, Connection, Kind, Problem, Where};
use crate::exit;
use crate::family::{Family, uid};
use crate::get::now;
use crate::print;
use crate::terminal::Look;
use crate::view::why::{self, Trouble};
use crate::view::{history, text::joined};

/// Events are asked for of so many pods; the others have the same to say.
const PODS_LOOKED_AT: usize = 3;

#[derive(Args)]
pub(crate) struct Why {
    /// The Rollout
    #[arg(value_parser = bare_name)]
    name: String,
    #[command(flatten)]
    look: Look,
}

pub(crate) async fn explain(connection: &Connection, why: &Why) -> Result<u8, Problem> {
    let cluster = Cluster::connect(connection).await?;
    let family = Family::of(&cluster, cluster.get(Kind::ROLLOUT, &why.name).await?).await?;
    let mut troubles = Vec::new();
    for pod in why::troubled(&family).into_iter().take(PODS_LOOKED_AT) {
        troubles.push(trouble(&cluster, pod).await);
    }
    let style = why.look.style();
    print::text(&joined(&why::page(&family, &troubles, now(), style.width), style))?;
    Ok(exit::DONE)
}

/// Events are kept for an hour and may not be readable; a pod's own state is said either way.
async fn trouble(cluster: &Cluster, pod: &Value) -> Trouble {
    let about = format!("involvedObject.uid={}", uid(pod).unwrap_or_default());
    let params = ListParams { field_selector: Some(about), ..ListParams::default() };
    let events = cluster.list_with(Kind::EVENT, Where::Namespace(&cluster.namespace), &params).await;
    why::trouble(pod, &events.map(|listed| listed.items).unwrap_or_default())
}

pub(crate) async fn tell_history(connection: &Connection, why: &Why) -> Result<u8, Problem> {
    let cluster = Cluster::connect(connection).await?;
    let family = Family::of(&cluster, cluster.get(Kind::ROLLOUT, &why.name).await?).await?;
    print::text(&joined(&history::page(&family, now()), why.look.style()))?;
    Ok(exit::DONE)
}
