//! Operators between two expressions, and which series of the two sides belong together.

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::parser::token::{T_LAND, T_LOR, T_LUNLESS, TokenType};
use promql_parser::parser::{BinModifier, BinaryExpr, LabelModifier, VectorMatchCardinality};

use super::arithmetic::{Outcome, apply, drops_name, one_if};
use super::error::QueryError;
use super::evaluate::Evaluation;
use super::value::{Sample, Value, distinct};
use crate::metrics::labels::{Labels, NAME};

impl Evaluation<'_> {
    pub(super) fn binary(&self, binary: &BinaryExpr, at_ms: i64) -> Result<Value, QueryError> {
        let left = self.value(&binary.lhs, at_ms)?;
        let right = self.value(&binary.rhs, at_ms)?;
        let as_bool = binary.modifier.as_ref().is_some_and(|modifier| modifier.return_bool);
        let op = binary.op;
        let samples = match (left, right) {
            (Value::Scalar(left), Value::Scalar(right)) => {
                return Ok(Value::Scalar(match apply(op, left, right) {
                    Outcome::Number(number) => number,
                    Outcome::Holds(holds) => one_if(holds),
                }));
            }
            (Value::Vector(left), Value::Scalar(right)) => {
                with_number(op, left, as_bool, |value| apply(op, value, right))
            }
            (Value::Scalar(left), Value::Vector(right)) => {
                with_number(op, right, as_bool, |value| apply(op, left, value))
            }
            (left, right) => {
                let (left, right) = (left.vector()?, right.vector()?);
                let matching = Matching::of(binary.modifier.as_ref());
                match op.id() {
                    T_LAND => matching.both(left, &right),
                    T_LOR => matching.either(left, right),
                    T_LUNLESS => matching.only_left(left, &right),
                    _ => matching.joined(op, left, right, as_bool)?,
                }
            }
        };
        distinct(samples).map(Value::Vector)
    }
}

fn with_number(op: TokenType, vector: Vec<Sample>, as_bool: bool, outcome: impl Fn(f64) -> Outcome) -> Vec<Sample> {
    let mut samples = Vec::with_capacity(vector.len());
    for Sample { labels, value } in vector {
        let value = match outcome(value) {
            Outcome::Number(number) => number,
            Outcome::Holds(holds) if as_bool => one_if(holds),
            // A comparison lets the vector's own value through, on whichever side it stands.
            Outcome::Holds(true) => value,
            Outcome::Holds(false) => continue,
        };
        let labels = if drops_name(op) || as_bool { labels.without_name() } else { labels };
        samples.push(Sample { labels, value });
    }
    samples
}

/// How the series of two vectors are told to belong together.
struct Matching<'a> {
    on: bool,
    labels: &'a [String],
    cardinality: &'a VectorMatchCardinality,
}

impl<'a> Matching<'a> {
    fn of(modifier: Option<&'a BinModifier>) -> Self {
        let (on, labels) = match modifier.and_then(|modifier| modifier.matching.as_ref()) {
            Some(LabelModifier::Include(on)) => (true, on.labels.as_slice()),
            Some(LabelModifier::Exclude(ignoring)) => (false, ignoring.labels.as_slice()),
            None => (false, [].as_slice()),
        };
        let cardinality = modifier.map_or(&VectorMatchCardinality::OneToOne, |modifier| &modifier.card);
        Self { on, labels, cardinality }
    }

    /// What the two sides have to have in common.
    fn signature(&self, labels: &Labels) -> Labels {
        if self.on { labels.only(self.labels) } else { labels.except(self.labels).without_name() }
    }

    fn signatures(&self, samples: &[Sample]) -> BTreeSet<Labels> {
        samples.iter().map(|sample| self.signature(&sample.labels)).collect()
    }

    fn both(&self, mut left: Vec<Sample>, right: &[Sample]) -> Vec<Sample> {
        let there = self.signatures(right);
        left.retain(|sample| there.contains(&self.signature(&sample.labels)));
        left
    }

    fn only_left(&self, mut left: Vec<Sample>, right: &[Sample]) -> Vec<Sample> {
        let there = self.signatures(right);
        left.retain(|sample| !there.contains(&self.signature(&sample.labels)));
        left
    }

    fn either(&self, mut left: Vec<Sample>, mut right: Vec<Sample>) -> Vec<Sample> {
        let there = self.signatures(&left);
        right.retain(|sample| !there.contains(&self.signature(&sample.labels)));
        left.append(&mut right);
        left
    }

    fn joined(
        &self,
        op: TokenType,
        left: Vec<Sample>,
        right: Vec<Sample>,
        as_bool: bool,
    ) -> Result<Vec<Sample>, QueryError> {
        // Before anything is matched: beside an empty vector even ambiguous labels are no mistake.
        if left.is_empty() || right.is_empty() {
            return Ok(Vec::new());
        }
        let swapped = matches!(self.cardinality, VectorMatchCardinality::OneToMany(_));
        let (many, one) = if swapped { (right, left) } else { (left, right) };
        let partners = self.partners(&one, if swapped { "left" } else { "right" })?;
        let mut taken: BTreeSet<Labels> = BTreeSet::new();
        let mut samples = Vec::new();
        for sample in many {
            let signature = self.signature(&sample.labels);
            let Some(partner) = partners.get(&signature) else { continue };
            let (a, b) = if swapped { (partner.value, sample.value) } else { (sample.value, partner.value) };
            let value = match apply(op, a, b) {
                Outcome::Number(number) => number,
                Outcome::Holds(holds) if as_bool => one_if(holds),
                Outcome::Holds(true) => a,
                Outcome::Holds(false) => continue,
            };
            let labels = self.result_labels(op, &sample.labels, &partner.labels);
            let labels = if as_bool { labels.without_name() } else { labels };
            let (place, reason) = match self.cardinality {
                VectorMatchCardinality::OneToOne => (
                    signature,
                    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
                ),
                _ => (labels.clone(), "multiple matches for labels: grouping labels must ensure unique matches"),
            };
            if !taken.insert(place) {
                return Err(QueryError::Execution(reason.to_owned()));
            }
            samples.push(Sample { labels, value });
        }
        Ok(samples)
    }

    fn partners<'s>(&self, one: &'s [Sample], side: &str) -> Result<BTreeMap<Labels, &'s Sample>, QueryError> {
        let mut partners = BTreeMap::new();
        for sample in one {
            let signature = self.signature(&sample.labels);
            if let Some(first) = partners.insert(signature.clone(), sample) {
                return Err(QueryError::Execution(format!(
                    "found duplicate series for the match group {signature} on the {side} hand-side of the operation: \
                     [{}, {}];many-to-many matching not allowed: matching labels must be unique on one side",
                    sample.labels, first.labels
                )));
            }
        }
        Ok(partners)
    }

    fn result_labels(&self, op: TokenType, many: &Labels, one: &Labels) -> Labels {
        let mut labels = many.clone();
        if drops_name(op) {
            labels.set(NAME, "");
        }
        match self.cardinality {
            VectorMatchCardinality::OneToOne if self.on => labels.only(self.labels),
            VectorMatchCardinality::OneToOne => labels.except(self.labels),
            VectorMatchCardinality::ManyToOne(include) | VectorMatchCardinality::OneToMany(include) => {
                for name in &include.labels {
                    labels.set(name, one.get(name));
                }
                labels
            }
            VectorMatchCardinality::ManyToMany => labels,
        }
    }
}
