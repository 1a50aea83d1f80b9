//! What a field's schema says besides its type. Each function marks the field that names it.

use schemars::Schema;
use serde_json::json;

/// Says on a field that it is required; moved to the object around it when the schema is made structural.
pub(super) const REQUIRED: &str = "x-required";

/// The object is refused without this field.
pub(crate) fn required(field: &mut Schema) {
    field.insert(REQUIRED.into(), true.into());
}

/// Numbers below 0 are refused.
pub(crate) fn not_negative(field: &mut Schema) {
    field.insert("minimum".into(), 0.into());
}

/// Only whole weights of the scheduler's range are taken.
pub(crate) fn scheduler_weight(field: &mut Schema) {
    field.insert("minimum".into(), 1.into());
    field.insert("maximum".into(), 100.into());
}

/// Items are told apart by name, so that two managers can each own some of them.
pub(crate) fn map_by_name(list: &mut Schema) {
    map_by(list, "name");
}

/// Items are told apart by type.
pub(crate) fn map_by_type(list: &mut Schema) {
    map_by(list, "type");
}

fn map_by(list: &mut Schema, key: &str) {
    list.insert("x-kubernetes-list-type".into(), "map".into());
    list.insert("x-kubernetes-list-map-keys".into(), json!([key]));
}

/// The list is replaced as a whole: its order matters, or its items have no name of their own.
pub(crate) fn atomic(list: &mut Schema) {
    list.insert("x-kubernetes-list-type".into(), "atomic".into());
}

/// Once there, the value stays. The rule compares with the stored value, so it holds nothing against an
/// object that is stored already, and a status patch never meets it.
pub(crate) fn immutable_once_set(field: &mut Schema) {
    rule(
        field,
        "self == oldSelf",
        "can't be changed, because pods that it no longer matches would be left behind; \
         make a new Rollout instead",
    );
}

/// Exactly one strategy. A stored Rollout that breaks this still takes status patches: since Kubernetes 1.30
/// the API server doesn't judge again what an update leaves as it was.
pub(crate) fn exactly_one_strategy(strategy: &mut Schema) {
    rule(
        strategy,
        "has(self.canary) != has(self.blueGreen)",
        "set exactly one of canary and blueGreen",
    );
}

fn rule(field: &mut Schema, rule: &str, message: &str) {
    field.insert(
        "x-kubernetes-validations".into(),
        json!([{ "rule": rule, "message": message }]),
    );
}
