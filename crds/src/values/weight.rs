//! A share of the traffic, which can't be more than all of it.

use std::cmp::Ordering;
use std::fmt;

use super::Rounding;

/// A share of traffic or pods: `value` of `max`, with `value` never above `max` and `max` never 0.
///
/// Two weights are equal when they are the same share: 50 of 100 is 500 of 1000.
#[derive(Clone, Copy, Debug)]
pub struct Weight {
    value: u32,
    max: u32,
}

/// Why two numbers are not a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeightError {
    /// There is nothing to have a share of.
    #[error("{0} can't be the largest weight; write 1 or more (the default is 100)")]
    NoMax(i64),
    /// The share is less than nothing or more than all.
    #[error("{value} is not a weight; write a number from 0 to {max}")]
    OutOfRange {
        /// The weight that was asked for.
        value: i64,
        /// The largest possible one.
        max: u32,
    },
}

impl Weight {
    /// The largest weight where a manifest does not set `maxTrafficWeight`.
    pub const DEFAULT_MAX: u32 = 100;

    /// `value` of `max`.
    ///
    /// # Errors
    /// `max` is not in 1..=2³²−1, or `value` not in 0..=`max`.
    pub fn new(value: i64, max: i64) -> Result<Self, WeightError> {
        let max = u32::try_from(max).ok().filter(|max| *max > 0).ok_or(WeightError::NoMax(max))?;
        match u32::try_from(value) {
            Ok(value) if value <= max => Ok(Self { value, max }),
            _ => Err(WeightError::OutOfRange { value, max }),
        }
    }

    /// `value` of 100, or all of it where the value is more than that.
    pub const fn percent(value: u32) -> Self {
        Self { value: if value > Self::DEFAULT_MAX { Self::DEFAULT_MAX } else { value }, max: Self::DEFAULT_MAX }
    }

    /// The largest share that is not above this many of `max`; a `max` of 0 counts as 1.
    pub const fn saturating(value: u32, max: u32) -> Self {
        let max = if max == 0 { 1 } else { max };
        Self { value: if value > max { max } else { value }, max }
    }

    /// The number that the manifest and the router show.
    pub const fn value(self) -> u32 {
        self.value
    }

    /// What the number is a part of.
    pub const fn max(self) -> u32 {
        self.max
    }

    /// Nothing, on the same scale.
    pub const fn none(self) -> Self {
        Self { value: 0, max: self.max }
    }

    /// Everything, on the same scale.
    pub const fn all(self) -> Self {
        Self { value: self.max, max: self.max }
    }

    /// What this share leaves over.
    pub const fn rest(self) -> Self {
        Self { value: self.max - self.value, max: self.max }
    }

    /// Whether the share is nothing.
    pub const fn is_none(self) -> bool {
        self.value == 0
    }

    /// Whether the share is everything.
    pub const fn is_all(self) -> bool {
        self.value == self.max
    }

    /// This share of so many replicas; a negative total counts as none.
    pub fn replicas_of(self, total: i32, rounding: Rounding) -> i32 {
        let total = u64::try_from(total).unwrap_or(0);
        let product = total * u64::from(self.value);
        let replicas = match rounding {
            Rounding::Up => product.div_ceil(u64::from(self.max)),
            Rounding::Down => product / u64::from(self.max),
        };
        // A share is never above the total, which came from an i32.
        i32::try_from(replicas).unwrap_or(i32::MAX)
    }
}

impl PartialEq for Weight {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Weight {}

impl PartialOrd for Weight {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Weight {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = u64::from(self.value) * u64::from(other.max);
        left.cmp(&(u64::from(other.value) * u64::from(self.max)))
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.max {
            Self::DEFAULT_MAX => write!(f, "{}%", self.value),
            max => write!(f, "{}/{max}", self.value),
        }
    }
}

/// The replicas that a weight of so many of `max` asks of `total`. Numbers outside of their range count as the
/// nearest one inside, so that no manifest can bring this to overflow.
pub fn replicas_for(total: i32, weight: i32, max: i32, rounding: Rounding) -> i32 {
    let weight = u32::try_from(weight).unwrap_or(0);
    let max = u32::try_from(max).unwrap_or(0);
    Weight::saturating(weight, max).replicas_of(total, rounding)
}
