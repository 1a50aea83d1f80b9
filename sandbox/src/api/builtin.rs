//! The built-in resources: names, versions, doors and rules.

use crate::api::registry::{Resource, Rules, ScalePaths, Subresource, Version};
use crate::world::ResourceKey;

/// One line of the table below.
struct Line {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    short_names: &'static [&'static str],
    categories: &'static [&'static str],
    namespaced: bool,
    doors: &'static [Door],
    rules: Rules,
}

#[derive(Clone, Copy)]
enum Door {
    Status,
    Scale,
    Eviction,
    Binding,
    Finalize,
}

const fn line(group: &'static str, version: &'static str, kind: &'static str, plural: &'static str) -> Line {
    Line {
        group,
        version,
        kind,
        plural,
        short_names: &[],
        categories: &[],
        namespaced: true,
        doors: &[],
        rules: Rules::PLAIN,
    }
}

const fn review(group: &'static str, kind: &'static str, plural: &'static str, namespaced: bool) -> Line {
    Line {
        namespaced,
        rules: Rules { review: true, deletes_collections: false, ..Rules::PLAIN },
        ..line(group, "v1", kind, plural)
    }
}

const COUNTED: Rules = Rules { counts_generations: true, ..Rules::PLAIN };

const RBAC: Rules = Rules { create_on_update: true, ..Rules::PLAIN };

const TABLE: &[Line] = &[
    Line {
        short_names: &["ns"],
        namespaced: false,
        doors: &[Door::Status, Door::Finalize],
        rules: Rules { deletes_collections: false, ..Rules::PLAIN },
        ..line("", "v1", "Namespace", "namespaces")
    },
    Line { short_names: &["no"], namespaced: false, doors: &[Door::Status], ..line("", "v1", "Node", "nodes") },
    Line {
        short_names: &["po"],
        categories: &["all"],
        doors: &[Door::Status, Door::Eviction, Door::Binding],
        rules: Rules { returns_deleted: true, graceful: true, ..COUNTED },
        ..line("", "v1", "Pod", "pods")
    },
    Line {
        short_names: &["svc"],
        categories: &["all"],
        doors: &[Door::Status],
        rules: Rules { create_on_update: true, returns_deleted: true, ..Rules::PLAIN },
        ..line("", "v1", "Service", "services")
    },
    Line {
        short_names: &["ep"],
        rules: Rules { create_on_update: true, ..Rules::PLAIN },
        ..line("", "v1", "Endpoints", "endpoints")
    },
    Line { short_names: &["cm"], ..line("", "v1", "ConfigMap", "configmaps") },
    line("", "v1", "Secret", "secrets"),
    Line {
        short_names: &["sa"],
        rules: Rules { returns_deleted: true, ..Rules::PLAIN },
        ..line("", "v1", "ServiceAccount", "serviceaccounts")
    },
    Line {
        short_names: &["ev"],
        rules: Rules { create_on_update: true, ..Rules::PLAIN },
        ..line("", "v1", "Event", "events")
    },
    Line {
        short_names: &["ev"],
        rules: Rules { create_on_update: true, ..Rules::PLAIN },
        ..line("events.k8s.io", "v1", "Event", "events")
    },
    Line {
        short_names: &["deploy"],
        categories: &["all"],
        doors: &[Door::Status, Door::Scale],
        rules: COUNTED,
        ..line("apps", "v1", "Deployment", "deployments")
    },
    Line {
        short_names: &["rs"],
        categories: &["all"],
        doors: &[Door::Status, Door::Scale],
        rules: COUNTED,
        ..line("apps", "v1", "ReplicaSet", "replicasets")
    },
    Line {
        categories: &["all"],
        doors: &[Door::Status],
        rules: Rules { returns_deleted: true, ..COUNTED },
        ..line("batch", "v1", "Job", "jobs")
    },
    Line {
        short_names: &["ing"],
        doors: &[Door::Status],
        rules: COUNTED,
        ..line("networking.k8s.io", "v1", "Ingress", "ingresses")
    },
    Line {
        short_names: &["hpa"],
        categories: &["all"],
        doors: &[Door::Status],
        ..line("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
    },
    Line {
        short_names: &["pdb"],
        doors: &[Door::Status],
        rules: Rules { unconditional_update: false, ..COUNTED },
        ..line("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
    },
    Line {
        rules: Rules { unconditional_update: false, create_on_update: true, ..Rules::PLAIN },
        ..line("coordination.k8s.io", "v1", "Lease", "leases")
    },
    Line { rules: COUNTED, ..line("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices") },
    Line { rules: RBAC, ..line("rbac.authorization.k8s.io", "v1", "Role", "roles") },
    Line { rules: RBAC, ..line("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings") },
    Line { namespaced: false, rules: RBAC, ..line("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles") },
    Line {
        namespaced: false,
        rules: RBAC,
        ..line("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings")
    },
    Line {
        short_names: &["crd", "crds"],
        categories: &["api-extensions"],
        namespaced: false,
        doors: &[Door::Status],
        rules: Rules { unconditional_update: false, ..COUNTED },
        ..line("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions")
    },
    review("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews", false),
    review("authorization.k8s.io", "SelfSubjectRulesReview", "selfsubjectrulesreviews", false),
    review("authorization.k8s.io", "SubjectAccessReview", "subjectaccessreviews", false),
    review("authorization.k8s.io", "LocalSubjectAccessReview", "localsubjectaccessreviews", true),
    review("authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews", false),
];

/// Groups in the order of the real server's discovery; custom groups follow.
const GROUP_ORDER: &[&str] = &[
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "apiextensions.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
];

/// The place of a group in discovery; groups that aren't built in come last.
pub(crate) fn group_rank(group: &str) -> usize {
    GROUP_ORDER.iter().position(|known| *known == group).unwrap_or(GROUP_ORDER.len())
}

pub(crate) fn resources() -> Vec<Resource> {
    TABLE.iter().map(resource).collect()
}

fn resource(line: &Line) -> Resource {
    // Both event groups show the same objects, which are kept in the core form.
    let stored_group = if line.kind == "Event" { "" } else { line.group };
    Resource {
        group: line.group.into(),
        plural: line.plural.into(),
        singular: line.kind.to_lowercase(),
        kind: line.kind.into(),
        list_kind: format!("{}List", line.kind),
        short_names: owned(line.short_names),
        categories: owned(line.categories),
        namespaced: line.namespaced,
        versions: vec![Version {
            name: line.version.into(),
            served: true,
            storage: true,
            subresources: line.doors.iter().map(|door| subresource(*door)).collect(),
            schema: None,
            columns: Vec::new(),
            deprecation_warning: None,
            selectable_fields: Vec::new(),
        }],
        stored_as: ResourceKey::new(stored_group, line.plural),
        rules: line.rules,
        definition_generation: 0,
    }
}

fn subresource(door: Door) -> Subresource {
    match door {
        Door::Status => Subresource::Status,
        Door::Eviction => Subresource::Eviction,
        Door::Binding => Subresource::Binding,
        Door::Finalize => Subresource::Finalize,
        Door::Scale => Subresource::Scale(ScalePaths {
            spec_replicas: ".spec.replicas".into(),
            status_replicas: ".status.replicas".into(),
            selector: Some(".spec.selector".into()),
        }),
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
