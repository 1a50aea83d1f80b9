//! The functions of CEL, of its string extensions, and of Kubernetes' own libraries.

use std::cmp::Ordering;
use std::rc::Rc;

use regex::Regex;

use super::super::quantity::Quantity;
use super::eval::{Failure, Outcome, Scope};
use super::value::{Cel, parse_duration, show};
use super::{network, strings, times};

pub(super) fn type_named(name: &str) -> Option<&'static str> {
    ["null_type", "bool", "int", "uint", "double", "string", "bytes", "list", "map", "type"]
        .into_iter()
        .find(|known| *known == name)
}

fn no_overload() -> Failure {
    Failure::Error("no such overload".into())
}

/// `f(args)`.
pub(super) fn global(scope: &mut Scope, function: &str, args: &[Cel]) -> Outcome {
    for arg in args {
        scope.spend(arg.size())?;
    }
    match (function, args) {
        ("size", [value]) => size(value),
        ("type", [value]) => Ok(Cel::Kind(value.kind())),
        ("string", [value]) => Ok(Cel::text(&show(value))),
        ("int", [value]) => to_int(value),
        ("uint", [value]) => to_uint(value),
        ("double", [value]) => to_double(value),
        ("bool", [Cel::Text(text)]) => match &**text {
            "true" | "True" | "TRUE" | "t" | "1" => Ok(Cel::Bool(true)),
            "false" | "False" | "FALSE" | "f" | "0" => Ok(Cel::Bool(false)),
            other => Err(format!("strconv.ParseBool: parsing \"{other}\": invalid syntax").into()),
        },
        ("dyn", [value])
        | ("bool", [value @ Cel::Bool(_)])
        | ("timestamp", [value @ Cel::Timestamp(_)])
        | ("duration", [value @ Cel::Duration(_)])
        | ("bytes", [value @ Cel::Bytes(_)]) => Ok(value.clone()),
        ("bytes", [Cel::Text(text)]) => Ok(Cel::Bytes(Rc::from(text.as_bytes()))),
        ("duration", [Cel::Text(text)]) => {
            parse_duration(text).map(Cel::Duration).ok_or_else(|| format!("time: invalid duration \"{text}\"").into())
        }
        ("timestamp", [Cel::Text(text)]) => text
            .parse()
            .map(Cel::Timestamp)
            .map_err(|_| format!("parsing time \"{text}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse").into()),
        ("matches", [text, pattern]) => member(scope, text, "matches", std::slice::from_ref(pattern)),
        ("quantity", [Cel::Text(text)]) => Quantity::parse(text).map(Cel::Quantity).ok_or_else(|| {
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'".into()
        }),
        ("isQuantity", [Cel::Text(text)]) => Ok(Cel::Bool(Quantity::parse(text).is_some())),
        ("optional.none", []) => Ok(Cel::Optional(None)),
        ("optional.of", [value]) => Ok(Cel::some(value.clone())),
        ("optional.ofNonZeroValue", [value]) => {
            Ok(if is_zero(value) { Cel::Optional(None) } else { Cel::some(value.clone()) })
        }
        ("math.greatest", [Cel::List(items)]) => extreme(items, Ordering::Greater),
        ("math.least", [Cel::List(items)]) => extreme(items, Ordering::Less),
        ("math.greatest", items) => extreme(items, Ordering::Greater),
        ("math.least", items) => extreme(items, Ordering::Less),
        ("sets.contains", [Cel::List(a), Cel::List(b)]) => contains_all(scope, a, b).map(Cel::Bool),
        ("sets.equivalent", [Cel::List(a), Cel::List(b)]) => {
            Ok(Cel::Bool(contains_all(scope, a, b)? && contains_all(scope, b, a)?))
        }
        ("sets.intersects", [Cel::List(a), Cel::List(b)]) => {
            scope.spend(a.len().saturating_mul(b.len()))?;
            Ok(Cel::Bool(a.iter().any(|x| b.iter().any(|y| x.equals(y)))))
        }
        _ => network::global(function, args).unwrap_or_else(|| undeclared(function)),
    }
}

fn undeclared(function: &str) -> Outcome {
    let name = function.rsplit('.').next().unwrap_or(function);
    Err(format!("found no matching overload for '{name}'").into())
}

/// `target.f(args)`.
pub(super) fn member(scope: &mut Scope, target: &Cel, function: &str, args: &[Cel]) -> Outcome {
    scope.spend(target.size())?;
    for arg in args {
        scope.spend(arg.size())?;
    }
    match (target, function, args) {
        (_, "size", []) => size(target),
        (Cel::Text(text), "matches", [Cel::Text(pattern)]) => Ok(Cel::Bool(compiled(scope, pattern)?.is_match(text))),
        (Cel::Text(text), "find", [Cel::Text(pattern)]) => {
            let found = compiled(scope, pattern)?;
            Ok(Cel::text(found.find(text).map_or("", |found| found.as_str())))
        }
        (Cel::Text(text), "findAll", [Cel::Text(pattern), rest @ ..]) => {
            let limit = match rest {
                [Cel::Int(limit)] => usize::try_from(*limit).unwrap_or(usize::MAX),
                _ => usize::MAX,
            };
            let regex = compiled(scope, pattern)?;
            Ok(Cel::list(regex.find_iter(text).take(limit).map(|found| Cel::text(found.as_str())).collect()))
        }
        (Cel::Text(text), ..) => strings::member(scope, text, function, args).unwrap_or_else(|| undeclared(function)),
        (Cel::List(items), ..) => list_member(scope, items, function, args),
        (Cel::Optional(inner), ..) => optional_member(inner.as_ref(), function, args),
        (Cel::Quantity(quantity), ..) => quantity_member(*quantity, function, args),
        (Cel::Timestamp(time), ..) => {
            times::timestamp_member(*time, function, args).unwrap_or_else(|| undeclared(function))
        }
        (Cel::Duration(nanos), _, []) => {
            times::duration_member(*nanos, function).unwrap_or_else(|| undeclared(function))
        }
        (Cel::Ip(_) | Cel::Cidr(..) | Cel::Url(_), ..) => {
            network::member(target, function, args).unwrap_or_else(|| undeclared(function))
        }
        _ => undeclared(function),
    }
}

fn compiled(scope: &mut Scope, pattern: &str) -> Result<Regex, Failure> {
    // Compiling costs far more than matching.
    scope.spend(100 + pattern.len())?;
    Regex::new(pattern).map_err(|_| Failure::Error(format!("error parsing regexp: `{pattern}`")))
}

fn size(value: &Cel) -> Outcome {
    let size = match value {
        Cel::Text(text) => text.chars().count(),
        Cel::Bytes(bytes) => bytes.len(),
        Cel::List(items) => items.len(),
        Cel::Map(map) => map.len(),
        _ => return Err(no_overload()),
    };
    Ok(Cel::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}

fn to_int(value: &Cel) -> Outcome {
    let range = || Failure::Error("integer overflow".into());
    match value {
        Cel::Int(number) => Ok(Cel::Int(*number)),
        Cel::Uint(number) => i64::try_from(*number).map(Cel::Int).map_err(|_| range()),
        #[expect(clippy::cast_possible_truncation, reason = "within the bounds of an integer")]
        Cel::Double(number) if number.abs() < 9.2e18 => Ok(Cel::Int(*number as i64)),
        Cel::Double(_) => Err(range()),
        Cel::Text(text) => text
            .parse()
            .map(Cel::Int)
            .map_err(|_| format!("strconv.ParseInt: parsing \"{text}\": invalid syntax").into()),
        Cel::Timestamp(time) => Ok(Cel::Int(time.as_second())),
        Cel::Duration(nanos) => i64::try_from(*nanos).map(Cel::Int).map_err(|_| range()),
        _ => Err(no_overload()),
    }
}

fn to_uint(value: &Cel) -> Outcome {
    let range = || Failure::Error("unsigned integer overflow".into());
    match value {
        Cel::Uint(number) => Ok(Cel::Uint(*number)),
        Cel::Int(number) => u64::try_from(*number).map(Cel::Uint).map_err(|_| range()),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the bounds")]
        Cel::Double(number) if (0.0..1.8e19).contains(number) => Ok(Cel::Uint(*number as u64)),
        Cel::Double(_) => Err(range()),
        Cel::Text(text) => text
            .parse()
            .map(Cel::Uint)
            .map_err(|_| format!("strconv.ParseUint: parsing \"{text}\": invalid syntax").into()),
        _ => Err(no_overload()),
    }
}

fn to_double(value: &Cel) -> Outcome {
    match value {
        Cel::Text(text) => text
            .parse()
            .map(Cel::Double)
            .map_err(|_| format!("strconv.ParseFloat: parsing \"{text}\": invalid syntax").into()),
        other => other.as_double().map(Cel::Double).ok_or_else(no_overload),
    }
}

fn is_zero(value: &Cel) -> bool {
    match value {
        Cel::Null | Cel::Bool(false) | Cel::Int(0) | Cel::Uint(0) => true,
        Cel::Double(number) => *number == 0.0,
        Cel::Text(text) => text.is_empty(),
        Cel::List(items) => items.is_empty(),
        Cel::Map(map) => map.is_empty(),
        _ => false,
    }
}

fn extreme(items: &[Cel], wanted: Ordering) -> Outcome {
    let mut best: Option<&Cel> = None;
    for item in items {
        match best {
            None => best = Some(item),
            Some(current) => {
                if item.compare(current).ok_or_else(no_overload)? == wanted {
                    best = Some(item);
                }
            }
        }
    }
    best.cloned().ok_or_else(no_overload)
}

fn contains_all(scope: &mut Scope, outer: &[Cel], inner: &[Cel]) -> Result<bool, Failure> {
    scope.spend(outer.len().saturating_mul(inner.len()))?;
    Ok(inner.iter().all(|x| outer.iter().any(|y| x.equals(y))))
}

fn list_member(scope: &mut Scope, items: &Rc<Vec<Cel>>, function: &str, args: &[Cel]) -> Outcome {
    let place = |found: Option<usize>| Cel::Int(found.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1));
    match (function, args) {
        ("join", rest) => {
            let separator = match rest {
                [] => "",
                [Cel::Text(separator)] => separator,
                _ => return Err(no_overload()),
            };
            let texts: Option<Vec<&str>> =
                items.iter().map(|item| if let Cel::Text(text) = item { Some(&**text) } else { None }).collect();
            let joined = texts.ok_or_else(no_overload)?.join(separator);
            scope.spend(joined.len() / 10)?;
            Ok(Cel::text(&joined))
        }
        ("isSorted", []) => {
            for pair in items.windows(2) {
                if pair[0].compare(&pair[1]).ok_or_else(no_overload)? == Ordering::Greater {
                    return Ok(Cel::Bool(false));
                }
            }
            Ok(Cel::Bool(true))
        }
        ("sum", []) => sum(items),
        ("min", []) => extreme(items, Ordering::Less).map_err(|_| "min called on empty list".into()),
        ("max", []) => extreme(items, Ordering::Greater).map_err(|_| "max called on empty list".into()),
        ("indexOf", [value]) => Ok(place(items.iter().position(|item| item.equals(value)))),
        ("lastIndexOf", [value]) => Ok(place(items.iter().rposition(|item| item.equals(value)))),
        ("first", []) => Ok(items.first().map_or(Cel::Optional(None), |item| Cel::some(item.clone()))),
        ("last", []) => Ok(items.last().map_or(Cel::Optional(None), |item| Cel::some(item.clone()))),
        ("slice", [Cel::Int(from), Cel::Int(to)]) => {
            let bounds = usize::try_from(*from).ok().zip(usize::try_from(*to).ok());
            let part = bounds.and_then(|(from, to)| items.get(from..to));
            part.map(|part| Cel::list(part.to_vec()))
                .ok_or_else(|| format!("cannot slice({from}, {to}), list is too short").into())
        }
        ("flatten", []) => Ok(Cel::list(
            items
                .iter()
                .flat_map(|item| match item {
                    Cel::List(inner) => inner.to_vec(),
                    other => vec![other.clone()],
                })
                .collect(),
        )),
        ("sort", []) => {
            let mut sorted = items.to_vec();
            sorted.sort_by(|a, b| a.compare(b).unwrap_or(Ordering::Equal));
            Ok(Cel::list(sorted))
        }
        ("distinct", []) => {
            scope.spend(items.len().saturating_mul(items.len()))?;
            let mut distinct: Vec<Cel> = Vec::new();
            for item in items.iter() {
                if !distinct.iter().any(|seen| seen.equals(item)) {
                    distinct.push(item.clone());
                }
            }
            Ok(Cel::list(distinct))
        }
        ("reverse", []) => Ok(Cel::list(items.iter().rev().cloned().collect())),
        _ => undeclared(function),
    }
}

fn sum(items: &[Cel]) -> Outcome {
    let mut total: Option<Cel> = None;
    for item in items {
        total = Some(match (total, item) {
            (None, item) => item.clone(),
            (Some(Cel::Int(a)), Cel::Int(b)) => Cel::Int(a.checked_add(*b).ok_or("integer overflow")?),
            (Some(Cel::Uint(a)), Cel::Uint(b)) => Cel::Uint(a.checked_add(*b).ok_or("unsigned integer overflow")?),
            (Some(Cel::Double(a)), Cel::Double(b)) => Cel::Double(a + b),
            (Some(Cel::Duration(a)), Cel::Duration(b)) => Cel::Duration(a + b),
            _ => return Err(no_overload()),
        });
    }
    Ok(total.unwrap_or(Cel::Int(0)))
}

fn optional_member(inner: Option<&Rc<Cel>>, function: &str, args: &[Cel]) -> Outcome {
    match (function, args) {
        ("hasValue", []) => Ok(Cel::Bool(inner.is_some())),
        ("value", []) => inner.map(|value| (**value).clone()).ok_or_else(|| "optional.none() dereference".into()),
        ("orValue", [other]) => Ok(inner.map_or_else(|| other.clone(), |value| (**value).clone())),
        ("or", [other]) => Ok(inner.map_or_else(|| other.clone(), |value| Cel::Optional(Some(Rc::clone(value))))),
        _ => undeclared(function),
    }
}

fn quantity_member(quantity: Quantity, function: &str, args: &[Cel]) -> Outcome {
    let other = match args {
        [] => None,
        [Cel::Quantity(other)] => Some(*other),
        [Cel::Int(number)] => Quantity::parse(&number.to_string()),
        _ => return Err(no_overload()),
    };
    let whole = quantity.nanos() % 1_000_000_000 == 0;
    Ok(match (function, other) {
        ("isInteger", None) => Cel::Bool(whole),
        ("asInteger", None) if whole => {
            Cel::Int(i64::try_from(quantity.units()).map_err(|_| "cannot convert value to integer")?)
        }
        ("asInteger", None) => return Err("cannot convert value to integer".into()),
        #[expect(clippy::cast_precision_loss, reason = "the function is called approximate")]
        ("asApproximateFloat", None) => Cel::Double(quantity.nanos() as f64 / 1e9),
        ("sign", None) => Cel::Int(quantity.nanos().signum().try_into().unwrap_or(0)),
        ("add", Some(other)) => Cel::Quantity(quantity.plus(other.nanos()).ok_or("quantity overflow")?),
        ("sub", Some(other)) => {
            let negated = other.nanos().checked_neg().ok_or("quantity overflow")?;
            Cel::Quantity(quantity.plus(negated).ok_or("quantity overflow")?)
        }
        ("isLessThan", Some(other)) => Cel::Bool(quantity < other),
        ("isGreaterThan", Some(other)) => Cel::Bool(quantity > other),
        ("compareTo", Some(other)) => Cel::Int(match quantity.cmp(&other) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }),
        _ => return undeclared(function),
    })
}
