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

/// Items are told apart by name, so that two managers can each own some of them. Only where a name that comes
/// twice has never worked, since the API server refuses it: not for arguments, which a manifest may repeat today.
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
/// object that is stored already.
pub(crate) fn immutable_once_set(field: &mut Schema) {
    rules(
        field,
        &[(
            "self == oldSelf",
            "can't be changed, because pods that it no longer matches would be left behind; \
             make a new Rollout instead",
        )],
    );
}

/// Exactly one strategy.
pub(crate) fn exactly_one_strategy(strategy: &mut Schema) {
    rules(strategy, &[("has(self.canary) != has(self.blueGreen)", "set exactly one of canary and blueGreen")]);
}

/// The preview Service can't be the active one.
pub(crate) fn two_blue_green_services(blue_green: &mut Schema) {
    rules(
        blue_green,
        &[(
            "!has(self.previewService) || self.previewService != self.activeService",
            "previewService can't be the same Service as activeService",
        )],
    );
}

/// The canary Service can't be the stable one.
pub(crate) fn two_canary_services(canary: &mut Schema) {
    rules(
        canary,
        &[(
            "!has(self.canaryService) || !has(self.stableService) || self.canaryService == '' \
             || self.canaryService != self.stableService",
            "canaryService can't be the same Service as stableService",
        )],
    );
}

/// A step is not several of these at once. Other combinations are for validation to refuse: Argo Rollouts
/// lets them pass and does the first, so there may be stored ones.
pub(crate) fn one_thing_at_a_time(step: &mut Schema) {
    rules(
        step,
        &[(
            "(has(self.setWeight) ? 1 : 0) + (has(self.pause) ? 1 : 0) \
             + (has(self.analysis) ? 1 : 0) + (has(self.experiment) ? 1 : 0) < 2",
            "a step does one thing; make several steps of it",
        )],
    );
}

/// Rules in CEL, only for what has never worked: a manifest that runs today must be taken.
///
/// An object that is stored already may break a rule. Since Kubernetes 1.30 the API server doesn't judge again
/// what an update leaves as it was, so status patches pass; and because each rule sits as deep as it can, so
/// does an autoscaler's change of `spec.replicas`.
fn rules(schema: &mut Schema, rules: &[(&str, &str)]) {
    let rules: Vec<_> = rules.iter().map(|(rule, message)| json!({ "rule": rule, "message": message })).collect();
    schema.insert("x-kubernetes-validations".into(), rules.into());
}
