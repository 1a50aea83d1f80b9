//! CustomResourceDefinitions come to life.

use jiff::Timestamp;

use super::verbs::Target;
use crate::world::{Object, World};

pub(crate) fn after_write(_world: &mut World, _target: &Target, _object: &Object, _now: Timestamp) {}
pub(crate) fn after_removal(_world: &mut World, _target: &Target, _removed: &Object, _now: Timestamp) {}
