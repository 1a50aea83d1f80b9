//! Real proxies that serve what the real control plane holds.
//!
//! A data plane watches the routing objects of a namespace with its Services, endpoints and pods, translates them
//! into the configuration of a real proxy, and says what is in force: when it does, every request that begins
//! afterwards is served so. Nothing is retried anywhere, and no connection to a pod is used twice, so that each
//! request that fails is seen.

mod envoy;
mod follow;
mod nginx;
mod process;
mod view;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::namespace::Namespace;
pub use view::{Destination, View};

/// Longer than any of this takes, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every proxy answers here with the number of the configuration that serves the request.
const GENERATION_PATH: &str = "/-/generation";

/// By which objects traffic is routed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Router {
    /// Ingresses, served by nginx.
    Nginx,
    /// VirtualServices and DestinationRules, served by Envoy.
    Istio,
    /// HTTPRoutes, served by Envoy.
    GatewayApi,
}

/// A running proxy that follows a namespace. It ends when this is dropped.
pub struct DataPlane {
    address: SocketAddr,
    in_force: watch::Receiver<InForce>,
    following: JoinHandle<()>,
}

/// What the proxy serves, or why it doesn't serve what it should.
#[derive(Clone, Default)]
struct InForce {
    view: Arc<View>,
    trouble: Option<String>,
}

impl DataPlane {
    /// Starts the proxy of this router for a namespace.
    pub async fn start(namespace: &Namespace, router: Router) -> Result<Self> {
        let proxy = follow::Proxy::start(router).await?;
        let address = proxy.address();
        let (tell, in_force) = watch::channel(InForce::default());
        let following =
            tokio::spawn(follow::follow(namespace.cluster.client.clone(), namespace.name.clone(), router, proxy, tell));
        Ok(Self { address, in_force, following })
    }

    /// Where it takes requests.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until what is in force is as `holds` wants it; an error from there is what is still missing.
    pub async fn serves(&self, expected: &str, holds: impl Fn(&View) -> Result<()>) -> Result<Arc<View>> {
        let mut in_force = self.in_force.clone();
        let mut missing = anyhow!("nothing is in force");
        let found = timeout(PATIENCE, async {
            loop {
                let now = in_force.borrow_and_update().clone();
                // Half of what belongs together may have come so far.
                let held = now.trouble.map_or_else(|| holds(&now.view), |trouble| Err(anyhow!(trouble)));
                match held {
                    Ok(()) => return Ok(now.view),
                    Err(error) => missing = error,
                }
                in_force.changed().await.context("the data plane has ended")?;
            }
        });
        let found = found.await;
        found.unwrap_or_else(|_| Err(missing)).with_context(|| format!("not in force within {PATIENCE:?}: {expected}"))
    }
}

impl Drop for DataPlane {
    fn drop(&mut self) {
        self.following.abort();
    }
}
