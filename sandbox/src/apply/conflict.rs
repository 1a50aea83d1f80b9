//! Fields that somebody else owns.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::field_set::FieldSet;
use super::managers::{ManagerId, Operation};
use super::path::{PathElement, show_path};
use crate::schema::go_text;

/// One field of one other manager that an apply would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub manager: ManagerId,
    pub path: Vec<PathElement>,
}

/// All conflicts of one apply, by manager.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conflicts(Vec<Conflict>);

impl Conflicts {
    pub(super) fn of(found: &BTreeMap<ManagerId, FieldSet>) -> Self {
        let conflicts = found.iter().flat_map(|(manager, fields)| {
            fields.paths().into_iter().map(|path| Conflict { manager: manager.clone(), path })
        });
        Self(conflicts.collect())
    }

    /// Those that lie outside of `allowed`.
    #[must_use]
    pub(super) fn outside(&self, allowed: &FieldSet) -> Self {
        Self(self.0.iter().filter(|conflict| !allowed.contains(&conflict.path)).cloned().collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The message of the 409.
    pub fn message(&self) -> String {
        if let [only] = self.0.as_slice() {
            return format!(
                "Apply failed with 1 conflict: conflict with {}: {}",
                show_manager(&only.manager),
                show_path(&only.path)
            );
        }
        let mut lines = Vec::new();
        let mut last = None;
        for conflict in &self.0 {
            if last != Some(&conflict.manager) {
                lines.push(format!("conflicts with {}:", show_manager(&conflict.manager)));
                last = Some(&conflict.manager);
            }
            lines.push(format!("- {}", show_path(&conflict.path)));
        }
        format!("Apply failed with {} conflicts: {}", self.0.len(), lines.join("\n"))
    }

    /// The `status.details.causes` of the 409.
    pub fn causes(&self) -> Vec<Value> {
        let cause = |conflict: &Conflict| {
            json!({
                "reason": "FieldManagerConflict",
                "message": format!("conflict with {}", show_manager(&conflict.manager)),
                "field": show_path(&conflict.path),
            })
        };
        self.0.iter().map(cause).collect()
    }
}

fn show_manager(manager: &ManagerId) -> String {
    let mut shown = go_text::quote(&manager.name);
    if !manager.subresource.is_empty() {
        shown.push_str(&format!(" with subresource {}", go_text::quote(&manager.subresource)));
    }
    if manager.operation == Operation::Update {
        shown.push_str(&format!(" using {}", manager.api_version));
    }
    shown
}
