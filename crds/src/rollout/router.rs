//! Traffic routers: which objects of which router are edited to move traffic.

use std::collections::BTreeMap;

use crate::schema::mark;
use crate::shape::api_types;
use crate::unit::Raw;
use crate::values::{DurationString, GoDuration};

api_types! {
    /// Routes traffic by weight. Several routers at once are allowed; all of them are served.
    pub struct TrafficRouting {
        /// The weight that means all traffic. Only nginx and plugins take another one. Default: 100.
        pub max_traffic_weight: Option<i32>,
        /// Routes that header and mirror steps may make, in order of precedence.
        #[schemars(transform = mark::atomic)]
        pub managed_routes: Option<Vec<ManagedRoute>>,
        /// How long a changed weight may take to reach all proxies of the router. No pod is taken away and no
        /// step is done before it is over, where the router can't say that the weight is in force. Default: 0s.
        pub propagation_delay: Option<DurationString>,
        /// Keeps a user who saw the new version on it while its share grows.
        pub sticky_sessions: Option<StickySessions>,
        /// Requests that find out whether a weight is in force, where the router can't say.
        pub probe: Option<WeightProbe>,
        /// Ingresses of ingress-nginx.
        pub nginx: Option<NginxRouting>,
        /// Istio VirtualServices.
        pub istio: Option<IstioRouting>,
        /// Gateway API routes.
        #[serde(rename = "gatewayAPI")]
        pub gateway_api: Option<GatewayApiRouting>,
        /// Ingresses of the AWS load balancer controller.
        pub alb: Option<AlbRouting>,
        /// A TrafficSplit of the Service Mesh Interface.
        pub smi: Option<SmiRouting>,
        /// Mappings of Ambassador.
        pub ambassador: Option<AmbassadorRouting>,
        /// A TraefikService of Traefik.
        pub traefik: Option<TraefikRouting>,
        /// An ApisixRoute of Apache APISIX.
        pub apisix: Option<ApisixRouting>,
        /// AWS App Mesh, which AWS has ended; known here so that it can be refused by name.
        pub app_mesh: Option<AppMeshRouting>,
        /// Routers of plugins: name to configuration. `argoproj-labs/gatewayAPI` is built in.
        pub plugins: Option<BTreeMap<String, Raw>>,
    }

    /// A route that header and mirror steps may make.
    pub struct ManagedRoute {
        /// Name of the route.
        #[schemars(transform = mark::required)]
        pub name: String,
    }

    /// Keeps a user who saw the new version on it while its share grows. Works with nginx, istio and gatewayAPI.
    pub struct StickySessions {
        /// Name of the cookie that remembers the version. Default: sluice-version.
        pub cookie_name: Option<String>,
        /// Seconds for which the cookie is kept. Default: 86400, a day.
        pub max_age_seconds: Option<i32>,
    }

    /// Requests that find out whether a weight is in force.
    pub struct WeightProbe {
        /// Address that goes through the router, for example http://shop.example.com/version.
        #[schemars(transform = mark::required)]
        pub url: String,
        /// Header of the answers that holds the pod template hash of the pod that answered.
        #[schemars(transform = mark::required)]
        pub header: String,
        /// How many requests are sent at a time. Default: 200.
        pub requests: Option<i32>,
    }

    /// Ingresses of ingress-nginx: either stableIngress or stableIngresses.
    pub struct NginxRouting {
        /// Prefix of the annotations that the ingress controller reads. Default: nginx.ingress.kubernetes.io.
        pub annotation_prefix: Option<String>,
        /// The Ingress that sends traffic to the stable Service.
        pub stable_ingress: Option<String>,
        /// Several such Ingresses.
        #[schemars(transform = mark::atomic)]
        pub stable_ingresses: Option<Vec<String>>,
        /// Annotations for the canary Ingress; the prefix is put before each.
        pub additional_ingress_annotations: Option<BTreeMap<String, String>>,
        /// Annotations for the canary Ingress, as they are.
        pub canary_ingress_annotations: Option<BTreeMap<String, String>>,
        /// Whether the canary Ingress is deleted while no release needs it, rather than kept at weight 0.
        /// Default: false.
        pub remove_when_idle: Option<bool>,
    }

    /// Istio VirtualServices: either virtualService or virtualServices.
    pub struct IstioRouting {
        /// The VirtualService to edit.
        pub virtual_service: Option<IstioVirtualService>,
        /// Several VirtualServices to edit.
        #[schemars(transform = mark::atomic)]
        pub virtual_services: Option<Vec<IstioVirtualService>>,
        /// Splits traffic between subsets of one host instead of between two Services.
        pub destination_rule: Option<IstioDestinationRule>,
    }

    /// A VirtualService to edit.
    pub struct IstioVirtualService {
        /// Its name, or name.namespace.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// Names of the HTTP routes to edit. Without it there must be only one.
        #[schemars(transform = mark::atomic)]
        pub routes: Option<Vec<String>>,
        /// TLS routes to edit. Without it there must be only one.
        #[schemars(transform = mark::atomic)]
        pub tls_routes: Option<Vec<IstioTlsRoute>>,
        /// TCP routes to edit. Without it there must be only one.
        #[schemars(transform = mark::atomic)]
        pub tcp_routes: Option<Vec<IstioTcpRoute>>,
    }

    /// A TLS route, found by port, SNI hosts or both.
    pub struct IstioTlsRoute {
        /// Port that the route matches.
        pub port: Option<i64>,
        /// SNI hosts that the route matches.
        #[schemars(transform = mark::atomic)]
        pub sni_hosts: Option<Vec<String>>,
    }

    /// A TCP route, found by port.
    pub struct IstioTcpRoute {
        /// Port that the route matches.
        pub port: Option<i64>,
    }

    /// The subsets between which traffic is split.
    pub struct IstioDestinationRule {
        /// Name of the DestinationRule.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// Subset of the new revision.
        pub canary_subset_name: Option<String>,
        /// Subset of the stable revision.
        pub stable_subset_name: Option<String>,
        /// Other subsets of the same DestinationRule, which stay as they are.
        #[schemars(transform = mark::atomic)]
        pub additional_subset_names: Option<Vec<String>>,
    }

    /// Gateway API routes to edit: lists of them, or the short form with one of each kind. Served from
    /// the release that brings the routers.
    pub struct GatewayApiRouting {
        /// Short form of httpRoutes for one route.
        pub http_route: Option<String>,
        /// Short form of grpcRoutes for one route.
        pub grpc_route: Option<String>,
        /// Short form of tlsRoutes for one route.
        pub tls_route: Option<String>,
        /// Short form of tcpRoutes for one route.
        pub tcp_route: Option<String>,
        /// HTTPRoutes to edit.
        #[schemars(transform = mark::map_by_name)]
        pub http_routes: Option<Vec<GatewayRoute>>,
        /// GRPCRoutes to edit.
        #[schemars(transform = mark::map_by_name)]
        pub grpc_routes: Option<Vec<GatewayRoute>>,
        /// TLSRoutes to edit.
        #[schemars(transform = mark::map_by_name)]
        pub tls_routes: Option<Vec<GatewayRoute>>,
        /// TCPRoutes to edit.
        #[schemars(transform = mark::map_by_name)]
        pub tcp_routes: Option<Vec<GatewayRoute>>,
        /// Namespace of the routes. Default: the Rollout's.
        pub namespace: Option<String>,
    }

    /// A Gateway API route to edit.
    pub struct GatewayRoute {
        /// Name of the route.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// Whether header steps put their rules into this route. Default: false.
        pub use_header_routes: Option<bool>,
    }

    /// Ingresses of the AWS load balancer controller: either ingress or ingresses.
    pub struct AlbRouting {
        /// The Ingress to edit.
        pub ingress: Option<String>,
        /// Several Ingresses to edit.
        #[schemars(transform = mark::atomic)]
        pub ingresses: Option<Vec<String>>,
        /// Port of the Services that traffic is sent to.
        #[schemars(transform = mark::required)]
        pub service_port: Option<i32>,
        /// Service in the Ingress to which the action belongs. Default: stableService.
        pub root_service: Option<String>,
        /// Prefix of the annotations that the controller reads. Default: alb.ingress.kubernetes.io.
        pub annotation_prefix: Option<String>,
        /// Keeps a client on the version that it saw first.
        pub stickiness_config: Option<AlbStickiness>,
    }

    /// Keeps a client on the version that it saw first.
    pub struct AlbStickiness {
        /// Whether it does.
        pub enabled: Option<bool>,
        /// For how long, 1 to 604800.
        pub duration_seconds: Option<i64>,
    }

    /// A TrafficSplit of the Service Mesh Interface.
    pub struct SmiRouting {
        /// Service that clients call. Default: stableService.
        pub root_service: Option<String>,
        /// Name of the TrafficSplit, which the controller makes. Default: the Rollout's name.
        pub traffic_split_name: Option<String>,
    }

    /// Mappings of Ambassador.
    pub struct AmbassadorRouting {
        /// Names of the Mappings to copy for the new revision.
        #[schemars(transform = mark::atomic)]
        pub mappings: Option<Vec<String>>,
    }

    /// A TraefikService of Traefik.
    pub struct TraefikRouting {
        /// Name of the weighted TraefikService to edit.
        #[schemars(transform = mark::required)]
        pub weighted_traefik_service_name: String,
    }

    /// An ApisixRoute of Apache APISIX.
    pub struct ApisixRouting {
        /// The ApisixRoute to edit.
        pub route: Option<ApisixRoute>,
    }

    /// An ApisixRoute to edit.
    pub struct ApisixRoute {
        /// Its name.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// Names of the HTTP rules to edit. Without it there must be only one.
        #[schemars(transform = mark::atomic)]
        pub rules: Option<Vec<String>>,
    }

    /// AWS App Mesh.
    pub struct AppMeshRouting {
        /// The VirtualService whose routes are edited.
        pub virtual_service: Option<AppMeshVirtualService>,
        /// The VirtualNodes between which traffic is split.
        pub virtual_node_group: Option<AppMeshVirtualNodeGroup>,
    }

    /// A VirtualService of App Mesh.
    pub struct AppMeshVirtualService {
        /// Its name.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// Names of the routes to edit.
        #[schemars(transform = mark::atomic)]
        pub routes: Option<Vec<String>>,
    }

    /// The VirtualNodes between which traffic is split.
    pub struct AppMeshVirtualNodeGroup {
        /// VirtualNode of the new revision.
        pub canary_virtual_node_ref: Option<AppMeshVirtualNodeRef>,
        /// VirtualNode of the stable revision.
        pub stable_virtual_node_ref: Option<AppMeshVirtualNodeRef>,
    }

    /// A VirtualNode of App Mesh.
    pub struct AppMeshVirtualNodeRef {
        /// Its name.
        #[schemars(transform = mark::required)]
        pub name: String,
    }
}

impl TrafficRouting {
    /// The weight that means all traffic.
    pub fn max_traffic_weight(&self) -> i32 {
        self.max_traffic_weight.unwrap_or(100)
    }

    /// How long a changed weight may take to reach all proxies of the router.
    pub fn propagation_delay(&self) -> GoDuration {
        self.propagation_delay.as_ref().and_then(|delay| delay.parse().ok()).unwrap_or_default()
    }
}

impl StickySessions {
    /// Name of the cookie that remembers the version.
    pub fn cookie_name(&self) -> &str {
        self.cookie_name.as_deref().unwrap_or("sluice-version")
    }

    /// Seconds for which the cookie is kept.
    pub fn max_age_seconds(&self) -> i32 {
        self.max_age_seconds.unwrap_or(86_400)
    }
}

impl WeightProbe {
    /// How many requests are sent at a time.
    pub fn requests(&self) -> i32 {
        self.requests.unwrap_or(200)
    }
}

impl NginxRouting {
    /// Prefix of the annotations that the ingress controller reads.
    pub fn annotation_prefix(&self) -> &str {
        self.annotation_prefix.as_deref().unwrap_or("nginx.ingress.kubernetes.io")
    }

    /// Whether the canary Ingress is deleted while no release needs it.
    pub fn remove_when_idle(&self) -> bool {
        self.remove_when_idle.unwrap_or(false)
    }

    /// The Ingresses that send traffic to the stable Service.
    pub fn stable_ingresses(&self) -> impl Iterator<Item = &str> {
        let one = self.stable_ingress.as_deref().filter(|name| !name.is_empty());
        one.into_iter().chain(self.stable_ingresses.iter().flatten().map(String::as_str))
    }
}

impl AlbRouting {
    /// Prefix of the annotations that the load balancer controller reads.
    pub fn annotation_prefix(&self) -> &str {
        self.annotation_prefix.as_deref().unwrap_or("alb.ingress.kubernetes.io")
    }
}
