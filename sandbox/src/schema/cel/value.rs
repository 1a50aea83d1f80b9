//! What a CEL expression computes with.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use serde_json::Value;

use super::super::quantity::Quantity;
use super::super::{Additional, Schema, Type, go_text};

/// A value. Compound values are shared, never copied.
#[derive(Debug, Clone)]
pub(super) enum Cel {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Rc<str>),
    Bytes(Rc<[u8]>),
    List(Rc<Vec<Cel>>),
    Map(Rc<BTreeMap<Key, Cel>>),
    /// Nanoseconds.
    Duration(i128),
    Timestamp(jiff::Timestamp),
    Quantity(Quantity),
    Ip(IpAddr),
    /// An address and the length of its prefix.
    Cidr(IpAddr, u8),
    Url(Rc<str>),
    Optional(Option<Rc<Cel>>),
    Kind(&'static str),
}

/// What a map can be indexed by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Bool(bool),
    Int(i64),
    Text(Rc<str>),
}

impl Key {
    pub(super) fn of(value: &Cel) -> Option<Self> {
        Some(match value {
            Cel::Bool(flag) => Self::Bool(*flag),
            Cel::Int(number) => Self::Int(*number),
            Cel::Uint(number) => Self::Int(i64::try_from(*number).ok()?),
            Cel::Double(number) if number.fract() == 0.0 && number.abs() < 9e15 =>
            {
                #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
                Self::Int(*number as i64)
            }
            Cel::Text(text) => Self::Text(Rc::clone(text)),
            _ => return None,
        })
    }

    pub(super) fn value(&self) -> Cel {
        match self {
            Self::Bool(flag) => Cel::Bool(*flag),
            Self::Int(number) => Cel::Int(*number),
            Self::Text(text) => Cel::Text(Rc::clone(text)),
        }
    }
}

impl Cel {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(Rc::from(text))
    }

    pub(super) fn list(items: Vec<Cel>) -> Self {
        Self::List(Rc::new(items))
    }

    pub(super) fn some(value: Cel) -> Self {
        Self::Optional(Some(Rc::new(value)))
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Ip(_) => "net.IP",
            Self::Cidr(..) => "net.CIDR",
            Self::Url(_) => "kubernetes.URL",
            Self::Optional(_) => "optional_type",
            Self::Kind(_) => "type",
        }
    }

    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Text(a), Self::Text(b)) | (Self::Url(a), Self::Url(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::List(a), Self::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.equals(b)),
            (Self::Map(a), Self::Map(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|((ak, av), (bk, bv))| ak == bk && av.equals(bv))
            }
            (Self::Optional(a), Self::Optional(b)) => match (a, b) {
                (Some(a), Some(b)) => a.equals(b),
                (None, None) => true,
                _ => false,
            },
            (Self::Kind(a), Self::Kind(b)) => a == b,
            (Self::Ip(a), Self::Ip(b)) => a == b,
            (Self::Cidr(a, x), Self::Cidr(b, y)) => a == b && x == y,
            _ => self.compare(other) == Some(Ordering::Equal),
        }
    }

    /// The order of values that have one.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Bytes(a), Self::Bytes(b)) => Some(a.cmp(b)),
            (Self::Duration(a), Self::Duration(b)) => Some(a.cmp(b)),
            (Self::Timestamp(a), Self::Timestamp(b)) => Some(a.cmp(b)),
            (Self::Quantity(a), Self::Quantity(b)) => Some(a.cmp(b)),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b),
            (Self::Double(a), _) => a.partial_cmp(&other.as_double()?),
            (_, Self::Double(b)) => self.as_double()?.partial_cmp(b),
            _ => Some(self.as_whole()?.cmp(&other.as_whole()?)),
        }
    }

    fn as_whole(&self) -> Option<i128> {
        match self {
            Self::Int(number) => Some(i128::from(*number)),
            Self::Uint(number) => Some(i128::from(*number)),
            _ => None,
        }
    }

    pub(super) fn as_double(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "numbers of different kinds are compared as doubles")]
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Uint(number) => Some(*number as f64),
            Self::Double(number) => Some(*number),
            _ => None,
        }
    }

    /// How large the value is, for the budget.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Text(text) | Self::Url(text) => text.len() / 10,
            Self::Bytes(bytes) => bytes.len() / 10,
            Self::List(items) => items.len(),
            Self::Map(map) => map.len(),
            _ => 0,
        }
    }
}

/// A JSON value by its schema. `spent` counts the nodes that were visited.
pub(super) fn from_json(schema: Option<&Schema>, value: &Value, spent: &mut u64) -> Cel {
    *spent += 1;
    match value {
        Value::Null => Cel::Null,
        Value::Bool(flag) => Cel::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) if schema.is_none_or(|s| s.types != Some(Type::Number)) => Cel::Int(whole),
            _ => Cel::Double(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => formatted(schema, text),
        Value::Array(items) => {
            let schema = schema.and_then(|s| s.items.as_deref());
            Cel::list(items.iter().map(|item| from_json(schema, item, spent)).collect())
        }
        Value::Object(map) => {
            let entries = map.iter().map(|(name, entry)| {
                let child = schema.and_then(|s| match (s.properties.get(name), &s.additional_properties) {
                    (Some(child), _) | (None, Additional::Of(child)) => Some(&**child),
                    _ => None,
                });
                (Key::Text(Rc::from(name.as_str())), from_json(child, entry, spent))
            });
            Cel::Map(Rc::new(entries.collect()))
        }
    }
}

fn formatted(schema: Option<&Schema>, text: &str) -> Cel {
    let typed = schema.filter(|s| s.types == Some(Type::String));
    let special = match typed.map(|s| s.format.as_str()) {
        Some("date-time") => text.parse().ok().map(Cel::Timestamp),
        Some("date") => format!("{text}T00:00:00Z").parse().ok().map(Cel::Timestamp),
        Some("duration") => parse_duration(text).map(Cel::Duration),
        _ => None,
    };
    special.unwrap_or_else(|| Cel::text(text))
}

const UNITS: [(&str, i128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Nanoseconds of a Go duration such as `1h30m`.
pub(super) fn parse_duration(text: &str) -> Option<i128> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let scale = UNITS.iter().find(|(name, _)| *name == unit)?.1;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.len() > 18 || whole.len() > 18 {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
        let places = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        total = total.checked_add(whole.checked_mul(scale)?.checked_add(part.checked_mul(scale)? / places)?)?;
        rest = after;
    }
    (total <= i128::from(i64::MAX)).then_some(sign * total)
}

/// A duration as CEL prints it: seconds.
pub(super) fn show_duration(nanos: i128) -> String {
    let (whole, part) = (nanos / 1_000_000_000, (nanos % 1_000_000_000).abs());
    let sign = if nanos < 0 && whole == 0 { "-" } else { "" };
    if part == 0 {
        return format!("{sign}{whole}s");
    }
    let fraction = format!("{part:09}");
    format!("{sign}{whole}.{}s", fraction.trim_end_matches('0'))
}

/// What `string(x)` and messages show.
pub(super) fn show(value: &Cel) -> String {
    match value {
        Cel::Null => "null".into(),
        Cel::Bool(flag) => flag.to_string(),
        Cel::Int(number) => number.to_string(),
        Cel::Uint(number) => number.to_string(),
        Cel::Double(number) => go_text::float(*number),
        Cel::Text(text) | Cel::Url(text) => text.to_string(),
        Cel::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Cel::Duration(nanos) => show_duration(*nanos),
        Cel::Timestamp(time) => time.to_string(),
        Cel::Quantity(quantity) => quantity.canonical(),
        Cel::Ip(address) => address.to_string(),
        Cel::Cidr(address, bits) => format!("{address}/{bits}"),
        Cel::Kind(name) => (*name).into(),
        Cel::Optional(None) => "optional.none()".into(),
        Cel::Optional(Some(inner)) => show(inner),
        Cel::List(items) => {
            let items: Vec<String> = items.iter().map(show).collect();
            format!("[{}]", items.join(", "))
        }
        Cel::Map(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{}: {}", show(&key.value()), show(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}
