//! What a Rollout says about its routing.

use sluice_crds::rollout::TrafficRouting;
use sluice_crds::rollout::router::{GatewayApiRouting, IstioVirtualService, NginxRouting};

use crate::gateway_api;
use crate::istio;
use crate::nginx;
use crate::objects::Needs;

/// The name that the Gateway API router has as a plugin.
const GATEWAY_PLUGIN: &str = "argoproj-labs/gatewayAPI";

/// What a Rollout says about its routing, ready to be looked up.
#[derive(Clone, Debug)]
pub struct Routing {
    /// Name of the Rollout.
    pub rollout: String,
    /// Its namespace.
    pub namespace: String,
    /// Its uid.
    pub uid: String,
    /// The Service that is the stable one now (with pingPong: of the two). Only subset-level routing of Istio does
    /// without.
    pub stable_service: Option<String>,
    /// The Service that is the canary one now.
    pub canary_service: Option<String>,
    /// Services of Experiments that have a weight or have had one: those that run, and those that the status
    /// remembers. A destination that is in neither list and hasn't the name that they get is somebody else's.
    pub known_experiments: Vec<String>,
    /// `trafficRouting`.
    pub traffic: TrafficRouting,
    gateways: Vec<GatewayApiRouting>,
}

impl Routing {
    /// The routing of a Rollout of this name, namespace and uid, without Services yet.
    pub fn new(rollout: &str, namespace: &str, uid: &str, traffic: TrafficRouting) -> Self {
        let plugin = traffic.plugins.as_ref().and_then(|plugins| plugins.get(GATEWAY_PLUGIN));
        // What can't be read is refused by validation, with its path.
        let plugin = plugin.and_then(|config| serde_json::from_value(config.clone()).ok());
        let gateways = traffic.gateway_api.iter().cloned().chain(plugin).collect();
        Self {
            rollout: rollout.to_owned(),
            namespace: namespace.to_owned(),
            uid: uid.to_owned(),
            stable_service: None,
            canary_service: None,
            known_experiments: Vec::new(),
            traffic,
            gateways,
        }
    }

    /// Names the two Services; an empty name is none.
    #[must_use]
    pub fn with_services(mut self, stable: &str, canary: &str) -> Self {
        let named = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        (self.stable_service, self.canary_service) = (named(stable), named(canary));
        self
    }

    /// The weight that means all traffic.
    pub fn total(&self) -> i64 {
        i64::from(self.traffic.max_traffic_weight()).max(1)
    }

    /// All objects that have to be read and watched.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        nginx::needs(self, &mut needs);
        istio::needs(self, &mut needs);
        gateway_api::needs(self, &mut needs);
        needs
    }

    pub(crate) fn nginx(&self) -> Option<&NginxRouting> {
        self.traffic.nginx.as_ref()
    }

    pub(crate) fn virtual_services(&self) -> impl Iterator<Item = &IstioVirtualService> {
        let istio = self.traffic.istio.as_ref();
        let one = istio.and_then(|istio| istio.virtual_service.as_ref());
        let many = istio.and_then(|istio| istio.virtual_services.as_deref()).unwrap_or_default();
        one.into_iter().chain(many)
    }

    /// The Gateway API routers: built in, and under the name of the plugin.
    pub(crate) fn gateways(&self) -> &[GatewayApiRouting] {
        &self.gateways
    }

    /// Names of the routes that header and mirror steps may make, in order of precedence.
    pub(crate) fn managed_routes(&self) -> impl Iterator<Item = &str> {
        self.traffic.managed_routes.iter().flatten().map(|route| route.name.as_str())
    }

    pub(crate) fn stable_service(&self) -> &str {
        self.stable_service.as_deref().unwrap_or_default()
    }

    pub(crate) fn canary_service(&self) -> &str {
        self.canary_service.as_deref().unwrap_or_default()
    }

    /// Whether a Service belongs to one of this Rollout's Experiments: the status remembers it, or it has the name
    /// that they get, `<rollout>-<hash>-<revision>-<step>-<template>`. The name counts because a crash may come
    /// between the write of a route and that of the status.
    pub(crate) fn is_experiment(&self, service: &str) -> bool {
        self.known_experiments.iter().any(|known| known == service) || self.has_experiment_name(service)
    }

    fn has_experiment_name(&self, service: &str) -> bool {
        const HASH_LETTERS: &str = "bcdfghjklmnpqrstvwxz2456789";
        let rest = service.strip_prefix(self.rollout.as_str()).and_then(|rest| rest.strip_prefix('-'));
        let parts: Vec<&str> = rest.unwrap_or_default().splitn(4, '-').collect();
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_hash = |text: &str| text.len() >= 5 && text.chars().all(|letter| HASH_LETTERS.contains(letter));
        matches!(parts[..], [hash, revision, step, _] if is_hash(hash) && is_number(revision) && is_number(step))
    }
}
