//! Which resources the API server serves, and how each of them behaves.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::builtin;
use crate::schema::Schema;
use crate::world::ResourceKey;

/// One resource in all its versions.
#[derive(Debug, Clone)]
pub struct Resource {
    pub group: String,
    pub plural: String,
    pub singular: String,
    pub kind: String,
    pub list_kind: String,
    pub short_names: Vec<String>,
    pub categories: Vec<String>,
    pub namespaced: bool,
    pub versions: Vec<Version>,
    /// Where its objects are; two API groups may show the same ones (events).
    pub stored_as: ResourceKey,
    pub rules: Rules,
    /// Which state of its definition a custom resource follows.
    pub definition_generation: i64,
}

/// One version of a resource.
#[derive(Debug, Clone)]
pub struct Version {
    pub name: String,
    pub served: bool,
    /// The version in which objects are kept.
    pub storage: bool,
    pub subresources: Vec<Subresource>,
    /// What a custom resource's definition says about its fields; built-in kinds have their own table.
    pub schema: Option<Arc<CustomSchema>>,
    /// Printer columns of a custom resource.
    pub columns: Vec<Column>,
    /// Shown to whoever still uses the version.
    pub deprecation_warning: Option<String>,
    /// Further fields that a field selector may name, as paths like `.spec.color`.
    pub selectable_fields: Vec<String>,
}

/// A custom resource's schema, as written and as it is used.
#[derive(Debug)]
pub struct CustomSchema {
    pub written: serde_json::Value,
    pub parsed: Schema,
    /// Changes with the schema.
    pub hash: String,
}

/// A door of its own beside the object.
#[derive(Debug, Clone, PartialEq)]
pub enum Subresource {
    Status,
    Scale(ScalePaths),
    Eviction,
    Binding,
    Finalize,
}

impl Subresource {
    /// The last segment of its path.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Scale(_) => "scale",
            Self::Eviction => "eviction",
            Self::Binding => "binding",
            Self::Finalize => "finalize",
        }
    }
}

/// Where a resource keeps what `scale` shows; paths like `.spec.replicas`.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalePaths {
    pub spec_replicas: String,
    pub status_replicas: String,
    pub selector: Option<String>,
}

/// A printer column of a custom resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub kind: String,
    pub format: String,
    pub description: String,
    pub priority: i64,
    pub json_path: String,
}

/// How writes to a resource behave beyond what all have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Changes of the wish are counted in `metadata.generation`.
    pub counts_generations: bool,
    /// An update may leave out `metadata.resourceVersion`.
    pub unconditional_update: bool,
    /// An update of what isn't there creates it.
    pub create_on_update: bool,
    /// A deletion answers with the object instead of with a `Status`.
    pub returns_deleted: bool,
    /// Deletion waits for the grace period (pods).
    pub graceful: bool,
    /// Defined by a CustomResourceDefinition.
    pub custom: bool,
    /// A question that is answered and not stored.
    pub review: bool,
    /// `deletecollection` is offered.
    pub deletes_collections: bool,
}

impl Rules {
    /// The commonest rules of built-in kinds.
    pub const PLAIN: Self = Self {
        counts_generations: false,
        unconditional_update: true,
        create_on_update: false,
        returns_deleted: false,
        graceful: false,
        custom: false,
        review: false,
        deletes_collections: true,
    };

    /// The rules of every custom resource.
    pub const CUSTOM: Self =
        Self { counts_generations: true, unconditional_update: false, custom: true, ..Self::PLAIN };
}

impl Resource {
    /// The version of that name, if it is served.
    pub fn served(&self, name: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.served && version.name == name)
    }

    /// The version in which objects are kept.
    pub fn storage_version(&self) -> &str {
        self.versions
            .iter()
            .find(|version| version.storage)
            .or_else(|| self.versions.first())
            .map_or("v1", |version| version.name.as_str())
    }

    /// What the version in which objects are kept knows of their fields.
    pub(crate) fn stored_schema(&self) -> Option<&Schema> {
        let stored = self.versions.iter().find(|version| version.storage)?;
        stored.schema.as_ref().map(|schema| &schema.parsed)
    }

    /// The `apiVersion` in which objects are kept.
    pub fn storage_api_version(&self) -> String {
        api_version(&self.group, self.storage_version())
    }
}

impl Version {
    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|one| one.name() == name)
    }

    /// Whether `status` has its own door, so that the main one leaves it alone.
    pub fn has_status(&self) -> bool {
        self.subresources.contains(&Subresource::Status)
    }
}

/// `v1` or `apps/v1`.
pub fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// All resources that are served, by group and plural name.
#[derive(Debug, Clone)]
pub struct Registry {
    resources: BTreeMap<(String, String), Arc<Resource>>,
}

impl Registry {
    /// The kinds that every cluster has.
    pub fn built_in() -> Self {
        let resources = builtin::resources()
            .into_iter()
            .map(|resource| {
                let key = (resource.group.clone(), resource.plural.clone());
                (key, Arc::new(resource))
            })
            .collect();
        Self { resources }
    }

    pub fn find(&self, group: &str, plural: &str) -> Option<&Arc<Resource>> {
        self.resources.get(&(group.to_owned(), plural.to_owned()))
    }

    /// The resource of a kind.
    pub fn find_kind(&self, group: &str, kind: &str) -> Option<&Arc<Resource>> {
        self.in_group(group).find(|resource| resource.kind == kind)
    }

    /// The resources of one group, by plural name.
    pub fn in_group(&self, group: &str) -> impl Iterator<Item = &Arc<Resource>> {
        let first = (group.to_owned(), String::new());
        self.resources.range(first..).take_while(move |((of, _), _)| of == group).map(|(_, resource)| resource)
    }

    /// All resources, by group and plural name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.resources.values()
    }

    /// Whether a group serves anything in that version.
    pub fn serves(&self, group: &str, version: &str) -> bool {
        self.in_group(group).any(|resource| resource.served(version).is_some())
    }

    /// The groups in the order in which discovery lists them: built-in ones first, the core group not among them.
    pub fn groups(&self) -> Vec<String> {
        let mut groups: Vec<String> = self.resources.keys().map(|(group, _)| group.clone()).collect();
        groups.dedup();
        groups.retain(|group| !group.is_empty());
        groups.sort_by_key(|group| (builtin::group_rank(group), group.clone()));
        groups
    }

    /// The served versions of a group, preferred first.
    pub fn versions(&self, group: &str) -> Vec<String> {
        let mut versions: Vec<String> = self
            .in_group(group)
            .flat_map(|resource| resource.versions.iter())
            .filter(|version| version.served)
            .map(|version| version.name.clone())
            .collect();
        versions.sort_by_key(|version| std::cmp::Reverse(version_rank(version)));
        versions.dedup();
        versions
    }

    pub(crate) fn insert(&mut self, resource: Resource) {
        let key = (resource.group.clone(), resource.plural.clone());
        self.resources.insert(key, Arc::new(resource));
    }

    pub(crate) fn remove(&mut self, group: &str, plural: &str) {
        self.resources.remove(&(group.to_owned(), plural.to_owned()));
    }
}

/// Orders versions as Kubernetes does: v2 before v1 before v1beta2 before v1alpha1 before anything else.
fn version_rank(version: &str) -> (u8, u64, u64, std::cmp::Reverse<String>) {
    let other = std::cmp::Reverse(version.to_owned());
    let parse = || -> Option<(u8, u64, u64)> {
        let rest = version.strip_prefix('v')?;
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let major = rest[..digits].parse().ok()?;
        let tail = &rest[digits..];
        if tail.is_empty() {
            return Some((3, major, 0));
        }
        let (stage, minor) = match tail.strip_prefix("beta") {
            Some(minor) => (2, minor),
            None => (1, tail.strip_prefix("alpha")?),
        };
        Some((stage, major, minor.parse().ok()?))
    };
    let (stage, major, minor) = parse().unwrap_or((0, 0, 0));
    (stage, major, minor, other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stable_versions_come_first_and_newer_before_older() {
        let mut versions = ["v1alpha1", "v1", "nonsense", "v2", "v1beta2", "v11alpha2", "v1beta1"];
        versions.sort_by_key(|version| std::cmp::Reverse(version_rank(version)));
        assert_eq!(versions, ["v2", "v1", "v1beta2", "v1beta1", "v11alpha2", "v1alpha1", "nonsense"]);
    }

    #[test]
    fn every_built_in_resource_is_found_by_its_names() {
        let registry = Registry::built_in();
        for resource in registry.all() {
            let found = registry.find(&resource.group, &resource.plural);
            assert!(found.is_some_and(|found| found.kind == resource.kind));
            let by_kind = registry.find_kind(&resource.group, &resource.kind);
            assert!(by_kind.is_some_and(|found| found.plural == resource.plural));
        }
        assert!(registry.serves("apps", "v1"));
        assert!(!registry.serves("apps", "v1beta1"));
        assert_eq!(registry.groups().first().map(String::as_str), Some("apps"));
    }
}
