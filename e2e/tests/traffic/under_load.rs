//! A release under load: each phase is counted by itself, and nothing in between may fail either.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use sluice_e2e::binomial::is_plausible;
use sluice_e2e::dataplane::{DataPlane, Destination};
use sluice_e2e::kubelets::COUNT_PATH;
use sluice_e2e::load::{Asked, Load, Tally};
use sluice_e2e::{Namespace, eventually, sight, text_at};
use tokio::time::Duration;

use crate::example::HOST;

/// Two revisions that divide the requests.
#[derive(Clone, Copy)]
pub(crate) struct Between<'a> {
    pub(crate) old: &'a str,
    pub(crate) new: &'a str,
}

pub(crate) struct UnderLoad<'a> {
    namespace: &'a Namespace,
    plane: &'a DataPlane,
    load: Load,
    /// How many requests have been answered, all of them well.
    answered: u64,
}

/// What most people ask.
pub(crate) fn anybody() -> Asked {
    Asked { host: HOST, path: "/", headers: Vec::new() }
}

/// What people ask who try the new revision first.
pub(crate) fn tester() -> Asked {
    Asked { headers: vec![("x-tester", "yes".to_owned())], ..anybody() }
}

/// What people ask who have seen a revision before.
pub(crate) fn returning(revision: &str) -> Asked {
    Asked { headers: vec![("cookie", format!("theme=dark; sluice-version={revision}"))], ..anybody() }
}

/// What is also sent to the new revision.
pub(crate) fn copied() -> Asked {
    Asked { path: "/copied/1", ..anybody() }
}

impl<'a> UnderLoad<'a> {
    pub(crate) fn begin(namespace: &'a Namespace, plane: &'a DataPlane) -> Self {
        Self { namespace, plane, load: Load::begin(plane.address(), anybody()), answered: 0 }
    }

    /// So many requests are divided by this weight, within what chance allows. Of ten thousand honest measures one
    /// is doubted, and then a second one decides.
    pub(crate) async fn divide(
        &mut self,
        requests: u64,
        asked: Asked,
        between: Between<'_>,
        percent: u32,
    ) -> Result<()> {
        let mut tally = self.count(requests, asked.clone()).await?;
        let plausible = |tally: &Tally| {
            is_plausible(tally.of(between.new), requests, f64::from(percent) / 100.0)
                && tally.of(between.old) + tally.of(between.new) == requests
        };
        if !plausible(&tally) {
            tally = self.count(requests, asked).await?;
        }
        ensure!(
            plausible(&tally),
            "at {percent} % for {} {requests} requests went to {:?}",
            between.new,
            tally.answers
        );
        Ok(())
    }

    /// Each copied request is answered by the old revision, and one pod of the new one has got it too.
    pub(crate) async fn copies(&mut self, canary: &Destination, between: Between<'_>, requests: u64) -> Result<()> {
        let view = self.plane.serves("a pod of the new revision", |view| {
            ensure!(view.pods_behind(canary).len() == 1, "there is not one");
            Ok(())
        });
        let view = view.await?;
        let pod = view.pods_behind(canary).first().map(|pod| sight::name(pod).to_owned()).context("no pod")?;
        let address = view.address_of(&pod, canary).context("it does not listen")?.into();
        let received = async || anyhow::Ok(text_at(address, COUNT_PATH).await?.parse::<u64>()?);
        let before = received().await?;
        self.divide(requests, copied(), between, 0).await?;
        eventually(Duration::from_secs(30), "every copy has arrived", async || {
            let copies = received().await? - before;
            ensure!(copies == requests, "{copies} of {requests}");
            Ok(())
        })
        .await
    }

    /// A pod of the stable revision is killed: requests fail until its endpoint is gone, and none afterwards.
    pub(crate) async fn loses_a_pod(&mut self, stable: &Destination, requests: u64) -> Result<()> {
        let view = self.plane.serves("pods", |_| Ok(())).await?;
        let name = |pod: &Value| sight::name(pod).to_owned();
        let pod = view.pods_behind(stable).first().map(|pod| name(pod)).context("no pod")?;
        self.namespace.annotate_pod(&pod, "crash-after", "0s").await?;
        let served = self.plane.serves("all pods but the killed one", |view| {
            ensure!(view.address_of(&pod, stable).is_none(), "its endpoint is still there");
            Ok(())
        });
        served.await?;
        let tally = self.load.count(requests, anybody()).await?;
        let meanwhile = self.load.rest();
        eprintln!("  {} requests met the pod that was killed", meanwhile.failed);
        self.answered += meanwhile.requests() - meanwhile.failed;
        self.all_answered(&tally, requests)
    }

    /// Ends the load; so many requests have been answered.
    pub(crate) async fn end(mut self) -> Result<u64> {
        self.nothing_failed_meanwhile()?;
        let rest = self.load.end().await?;
        ensure!(rest.failed == 0, "failed at the end: {:#?}", rest.failures);
        Ok(self.answered + rest.requests())
    }

    async fn count(&mut self, requests: u64, asked: Asked) -> Result<Tally> {
        let tally = self.load.count(requests, asked).await?;
        self.all_answered(&tally, requests)?;
        self.nothing_failed_meanwhile()?;
        Ok(tally)
    }

    fn all_answered(&mut self, tally: &Tally, requests: u64) -> Result<()> {
        ensure!(tally.failed == 0, "{} of {requests} requests failed: {:#?}", tally.failed, tally.failures);
        ensure!(tally.requests() == requests, "{} of {requests} requests were counted", tally.requests());
        self.answered += requests;
        Ok(())
    }

    fn nothing_failed_meanwhile(&mut self) -> Result<()> {
        let rest = self.load.rest();
        ensure!(rest.failed == 0, "{} requests between two phases failed: {:#?}", rest.failed, rest.failures);
        self.answered += rest.requests();
        Ok(())
    }
}
