//! Routing objects as they are, and which of them a Rollout's routing needs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

/// The kinds of objects that traffic is routed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `networking.k8s.io` Ingress.
    Ingress,
    /// Istio VirtualService.
    VirtualService,
    /// Istio DestinationRule.
    DestinationRule,
    /// Gateway API HTTPRoute.
    HttpRoute,
    /// Gateway API GRPCRoute.
    GrpcRoute,
    /// Gateway API TLSRoute.
    TlsRoute,
    /// Gateway API TCPRoute.
    TcpRoute,
}

/// The group of the Gateway API.
pub(crate) const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Ingress,
        Self::VirtualService,
        Self::DestinationRule,
        Self::HttpRoute,
        Self::GrpcRoute,
        Self::TlsRoute,
        Self::TcpRoute,
    ];

    /// The kind as manifests write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ingress => "Ingress",
            Self::VirtualService => "VirtualService",
            Self::DestinationRule => "DestinationRule",
            Self::HttpRoute => "HTTPRoute",
            Self::GrpcRoute => "GRPCRoute",
            Self::TlsRoute => "TLSRoute",
            Self::TcpRoute => "TCPRoute",
        }
    }

    /// The API group.
    pub const fn group(self) -> &'static str {
        match self {
            Self::Ingress => "networking.k8s.io",
            Self::VirtualService | Self::DestinationRule => "networking.istio.io",
            Self::HttpRoute | Self::GrpcRoute | Self::TlsRoute | Self::TcpRoute => GATEWAY_GROUP,
        }
    }

    /// The plural in a request's path.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Ingress => "ingresses",
            Self::VirtualService => "virtualservices",
            Self::DestinationRule => "destinationrules",
            Self::HttpRoute => "httproutes",
            Self::GrpcRoute => "grpcroutes",
            Self::TlsRoute => "tlsroutes",
            Self::TcpRoute => "tcproutes",
        }
    }

    /// The versions that can be read, the best first. A cluster serves one of them or none.
    pub const fn versions(self) -> &'static [&'static str] {
        match self {
            Self::Ingress => &["v1"],
            Self::VirtualService | Self::DestinationRule => &["v1", "v1beta1", "v1alpha3"],
            Self::HttpRoute => &["v1", "v1beta1"],
            Self::GrpcRoute | Self::TlsRoute | Self::TcpRoute => &["v1", "v1alpha3", "v1alpha2"],
        }
    }
}

/// One object by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectRef {
    /// The object of this kind, namespace and name.
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Self { kind, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// The object that a text names as [`fmt::Display`] does.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once(' ')?;
        let (namespace, name) = name.split_once('/')?;
        let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind)?;
        Some(Self::new(kind, namespace, name))
    }
}

/// As people name it: `VirtualService shop/web`.
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind.as_str(), self.namespace, self.name)
    }
}

/// What a look for an object found.
#[derive(Clone, Debug)]
pub enum Seen {
    /// The object, as the API server sent it.
    There(Arc<Value>),
    /// No object has this name.
    Absent,
    /// The cluster doesn't know the kind; its CRDs may be installed later.
    KindAbsent,
}

/// Routing objects as they are. An object that nobody looked for is unknown, which is not the same as absent.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    seen: BTreeMap<ObjectRef, Seen>,
    grants: BTreeMap<String, Vec<Arc<Value>>>,
}

impl Objects {
    /// Takes note of what a look for an object found.
    pub fn insert(&mut self, object: ObjectRef, seen: Seen) {
        self.seen.insert(object, seen);
    }

    /// Takes note of all ReferenceGrants of a namespace.
    pub fn insert_grants(&mut self, namespace: &str, grants: Vec<Arc<Value>>) {
        self.grants.insert(namespace.to_owned(), grants);
    }

    /// Whether somebody has looked for this object.
    pub fn knows(&self, object: &ObjectRef) -> bool {
        self.seen.contains_key(object)
    }

    /// Whether somebody has looked for this object and found none.
    pub fn is_gone(&self, object: &ObjectRef) -> bool {
        matches!(self.seen.get(object), Some(Seen::Absent | Seen::KindAbsent))
    }

    pub(crate) fn get(&self, object: &ObjectRef) -> Option<&Seen> {
        self.seen.get(object)
    }

    /// The object, if it is known to be there.
    pub(crate) fn there(&self, object: &ObjectRef) -> Option<&Value> {
        match self.seen.get(object)? {
            Seen::There(object) => Some(object),
            Seen::Absent | Seen::KindAbsent => None,
        }
    }

    /// The ReferenceGrants of a namespace; `None` where nobody looked.
    pub(crate) fn grants(&self, namespace: &str) -> Option<&[Arc<Value>]> {
        self.grants.get(namespace).map(Vec::as_slice)
    }
}

/// What has to be read, and watched, for a Rollout's routing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// These objects.
    pub objects: BTreeSet<ObjectRef>,
    /// All ReferenceGrants of these namespaces.
    pub grants_in: BTreeSet<String>,
}
