//! Every name that a condition may use, and what each function takes and gives.

use sluice_crds::validate::distance;

/// What is known of a value before there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Any,
    Nil,
    Bool,
    /// Whole or not.
    Number,
    Int,
    Float,
    Text,
    Array,
    Map,
    Duration,
    Date,
}

/// The functions that get their arguments as values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Builtin {
    Abs,
    AsFloat,
    AsInt,
    Bits(Bits),
    Ceil,
    Concat,
    Date,
    Default,
    Duration,
    First,
    Flatten,
    Float,
    Floor,
    FromJson,
    FromPairs,
    Get,
    HasPrefix,
    HasSuffix,
    IndexOf,
    Int,
    IsInf,
    IsNaN,
    IsNil,
    Join,
    Keys,
    Last,
    LastIndexOf,
    Len,
    Lower,
    Max,
    Mean,
    Median,
    Min,
    Now,
    Repeat,
    Replace,
    Reverse,
    Round,
    Sort,
    Split,
    SplitAfter,
    String,
    Take,
    ToJson,
    ToPairs,
    Trim,
    TrimPrefix,
    TrimSuffix,
    Type,
    Uniq,
    Upper,
    Values,
}

/// What is done to the bits of whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bits {
    And,
    Or,
    Xor,
    AndNot,
    Not,
    Left,
    Right,
    UnsignedRight,
}

/// The functions that ask something about each element of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predicate {
    All,
    Any,
    Count,
    Filter,
    Find,
    FindIndex,
    FindLast,
    FindLastIndex,
    GroupBy,
    Map,
    None,
    One,
    Reduce,
    SortBy,
    Sum,
}

/// What dates and durations can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Add,
    After,
    Before,
    Day,
    Hour,
    Hours,
    Microseconds,
    Milliseconds,
    Minute,
    Minutes,
    Nanoseconds,
    Second,
    Seconds,
    String,
    Sub,
    Unix,
    UnixMilli,
    Year,
    YearDay,
}

/// How a function is called.
pub(super) struct Signature<F: 'static> {
    pub(super) name: &'static str,
    pub(super) function: F,
    pub(super) takes: &'static [Kind],
    /// How many of these have to be given; more than the last may be given where `endless`.
    pub(super) at_least: usize,
    pub(super) endless: bool,
    pub(super) gives: Kind,
}

const fn exactly(name: &'static str, function: Builtin, takes: &'static [Kind], gives: Kind) -> Signature<Builtin> {
    Signature { name, function, takes, at_least: takes.len(), endless: false, gives }
}

const fn upto(
    name: &'static str,
    function: Builtin,
    takes: &'static [Kind],
    at_least: usize,
    gives: Kind,
) -> Signature<Builtin> {
    Signature { name, function, takes, at_least, endless: false, gives }
}

const fn endless(name: &'static str, function: Builtin, takes: &'static [Kind], gives: Kind) -> Signature<Builtin> {
    Signature { name, function, takes, at_least: 1, endless: true, gives }
}

const fn method(name: &'static str, function: Method, takes: &'static [Kind], gives: Kind) -> Signature<Method> {
    Signature { name, function, takes, at_least: takes.len(), endless: false, gives }
}

/// The functions of the language, and behind them those that analysis conditions have besides.
pub(super) static BUILTINS: [Signature<Builtin>; 59] = [
    exactly("abs", Builtin::Abs, &[Kind::Number], Kind::Number),
    exactly("bitand", Builtin::Bits(Bits::And), &[Kind::Int, Kind::Int], Kind::Int),
    exactly("bitnand", Builtin::Bits(Bits::AndNot), &[Kind::Int, Kind::Int], Kind::Int),
    exactly("bitnot", Builtin::Bits(Bits::Not), &[Kind::Int], Kind::Int),
    exactly("bitor", Builtin::Bits(Bits::Or), &[Kind::Int, Kind::Int], Kind::Int),
    exactly("bitshl", Builtin::Bits(Bits::Left), &[Kind::Int, Kind::Int], Kind::Int),
    exactly("bitshr", Builtin::Bits(Bits::Right), &[Kind::Int, Kind::Int], Kind::Int),
    exactly("bitushr", Builtin::Bits(Bits::UnsignedRight), &[Kind::Int, Kind::Int], Kind::Int),
    exactly("bitxor", Builtin::Bits(Bits::Xor), &[Kind::Int, Kind::Int], Kind::Int),
    exactly("ceil", Builtin::Ceil, &[Kind::Number], Kind::Float),
    endless("concat", Builtin::Concat, &[Kind::Array], Kind::Array),
    upto("date", Builtin::Date, &[Kind::Text, Kind::Text, Kind::Text], 1, Kind::Date),
    exactly("duration", Builtin::Duration, &[Kind::Text], Kind::Duration),
    exactly("first", Builtin::First, &[Kind::Array], Kind::Any),
    exactly("flatten", Builtin::Flatten, &[Kind::Array], Kind::Array),
    exactly("float", Builtin::Float, &[Kind::Any], Kind::Float),
    exactly("floor", Builtin::Floor, &[Kind::Number], Kind::Float),
    exactly("fromJSON", Builtin::FromJson, &[Kind::Text], Kind::Any),
    exactly("fromPairs", Builtin::FromPairs, &[Kind::Array], Kind::Map),
    exactly("get", Builtin::Get, &[Kind::Any, Kind::Any], Kind::Any),
    exactly("hasPrefix", Builtin::HasPrefix, &[Kind::Text, Kind::Text], Kind::Bool),
    exactly("hasSuffix", Builtin::HasSuffix, &[Kind::Text, Kind::Text], Kind::Bool),
    exactly("indexOf", Builtin::IndexOf, &[Kind::Text, Kind::Text], Kind::Int),
    exactly("int", Builtin::Int, &[Kind::Any], Kind::Int),
    upto("join", Builtin::Join, &[Kind::Array, Kind::Text], 1, Kind::Text),
    exactly("keys", Builtin::Keys, &[Kind::Map], Kind::Array),
    exactly("last", Builtin::Last, &[Kind::Array], Kind::Any),
    exactly("lastIndexOf", Builtin::LastIndexOf, &[Kind::Text, Kind::Text], Kind::Int),
    exactly("len", Builtin::Len, &[Kind::Any], Kind::Int),
    exactly("lower", Builtin::Lower, &[Kind::Text], Kind::Text),
    endless("max", Builtin::Max, &[Kind::Any], Kind::Number),
    endless("mean", Builtin::Mean, &[Kind::Any], Kind::Float),
    endless("median", Builtin::Median, &[Kind::Any], Kind::Float),
    endless("min", Builtin::Min, &[Kind::Any], Kind::Number),
    exactly("now", Builtin::Now, &[], Kind::Date),
    exactly("repeat", Builtin::Repeat, &[Kind::Text, Kind::Int], Kind::Text),
    upto("replace", Builtin::Replace, &[Kind::Text, Kind::Text, Kind::Text, Kind::Int], 3, Kind::Text),
    exactly("reverse", Builtin::Reverse, &[Kind::Array], Kind::Array),
    exactly("round", Builtin::Round, &[Kind::Number], Kind::Float),
    upto("sort", Builtin::Sort, &[Kind::Array, Kind::Text], 1, Kind::Array),
    upto("split", Builtin::Split, &[Kind::Text, Kind::Text, Kind::Int], 2, Kind::Array),
    upto("splitAfter", Builtin::SplitAfter, &[Kind::Text, Kind::Text, Kind::Int], 2, Kind::Array),
    exactly("string", Builtin::String, &[Kind::Any], Kind::Text),
    exactly("take", Builtin::Take, &[Kind::Array, Kind::Int], Kind::Array),
    exactly("toJSON", Builtin::ToJson, &[Kind::Any], Kind::Text),
    exactly("toPairs", Builtin::ToPairs, &[Kind::Map], Kind::Array),
    upto("trim", Builtin::Trim, &[Kind::Text, Kind::Text], 1, Kind::Text),
    upto("trimPrefix", Builtin::TrimPrefix, &[Kind::Text, Kind::Text], 1, Kind::Text),
    upto("trimSuffix", Builtin::TrimSuffix, &[Kind::Text, Kind::Text], 1, Kind::Text),
    exactly("type", Builtin::Type, &[Kind::Any], Kind::Text),
    exactly("uniq", Builtin::Uniq, &[Kind::Array], Kind::Array),
    exactly("upper", Builtin::Upper, &[Kind::Text], Kind::Text),
    exactly("values", Builtin::Values, &[Kind::Map], Kind::Array),
    exactly("asFloat", Builtin::AsFloat, &[Kind::Any], Kind::Float),
    exactly("asInt", Builtin::AsInt, &[Kind::Any], Kind::Int),
    exactly("default", Builtin::Default, &[Kind::Any, Kind::Any], Kind::Any),
    exactly("isInf", Builtin::IsInf, &[Kind::Number], Kind::Bool),
    exactly("isNaN", Builtin::IsNaN, &[Kind::Number], Kind::Bool),
    exactly("isNil", Builtin::IsNil, &[Kind::Any], Kind::Bool),
];

/// The functions that ask about each element, and what they give.
pub(super) static PREDICATES: [(&str, Predicate, Kind); 15] = [
    ("all", Predicate::All, Kind::Bool),
    ("any", Predicate::Any, Kind::Bool),
    ("count", Predicate::Count, Kind::Int),
    ("filter", Predicate::Filter, Kind::Array),
    ("find", Predicate::Find, Kind::Any),
    ("findIndex", Predicate::FindIndex, Kind::Any),
    ("findLast", Predicate::FindLast, Kind::Any),
    ("findLastIndex", Predicate::FindLastIndex, Kind::Any),
    ("groupBy", Predicate::GroupBy, Kind::Map),
    ("map", Predicate::Map, Kind::Array),
    ("none", Predicate::None, Kind::Bool),
    ("one", Predicate::One, Kind::Bool),
    ("reduce", Predicate::Reduce, Kind::Any),
    ("sortBy", Predicate::SortBy, Kind::Array),
    ("sum", Predicate::Sum, Kind::Number),
];

/// What dates and durations can be asked, in Go's words.
pub(super) static METHODS: [Signature<Method>; 19] = [
    method("Add", Method::Add, &[Kind::Duration], Kind::Date),
    method("After", Method::After, &[Kind::Date], Kind::Bool),
    method("Before", Method::Before, &[Kind::Date], Kind::Bool),
    method("Day", Method::Day, &[], Kind::Int),
    method("Hour", Method::Hour, &[], Kind::Int),
    method("Hours", Method::Hours, &[], Kind::Float),
    method("Microseconds", Method::Microseconds, &[], Kind::Int),
    method("Milliseconds", Method::Milliseconds, &[], Kind::Int),
    method("Minute", Method::Minute, &[], Kind::Int),
    method("Minutes", Method::Minutes, &[], Kind::Float),
    method("Nanoseconds", Method::Nanoseconds, &[], Kind::Int),
    method("Second", Method::Second, &[], Kind::Int),
    method("Seconds", Method::Seconds, &[], Kind::Float),
    method("String", Method::String, &[], Kind::Text),
    method("Sub", Method::Sub, &[Kind::Date], Kind::Duration),
    method("Unix", Method::Unix, &[], Kind::Int),
    method("UnixMilli", Method::UnixMilli, &[], Kind::Int),
    method("Year", Method::Year, &[], Kind::Int),
    method("YearDay", Method::YearDay, &[], Kind::Int),
];

pub(super) fn signature<F: Copy + PartialEq>(
    table: &'static [Signature<F>],
    function: F,
) -> Option<&'static Signature<F>> {
    table.iter().find(|signature| signature.function == function)
}

/// Whether a name is taken, so that no variable may have it.
pub(super) fn is_function(name: &str) -> bool {
    BUILTINS.iter().any(|signature| signature.name == name) || PREDICATES.iter().any(|(known, ..)| *known == name)
}

/// What other languages call it.
const FOREIGN: [(&str, &str); 10] = [
    ("null", "nil"),
    ("None", "nil"),
    ("undefined", "nil"),
    ("AND", "and"),
    ("OR", "or"),
    ("NOT", "not"),
    ("True", "true"),
    ("False", "false"),
    ("avg", "mean"),
    ("length", "len"),
];

/// What somebody who wrote `name` probably meant.
pub(super) fn meant<'a>(name: &str, variables: impl Iterator<Item = &'a str>, with_functions: bool) -> Option<String> {
    if let Some((_, known)) = FOREIGN.iter().find(|(foreign, _)| *foreign == name) {
        return Some((*known).to_owned());
    }
    let functions = BUILTINS.iter().map(|signature| signature.name).chain(PREDICATES.iter().map(|(known, ..)| *known));
    let words = ["result", "true", "false", "nil", "not", "and", "or", "in"];
    let functions = functions.filter(|_| with_functions);
    nearest(name, functions.chain(words).chain(variables))
}

/// The name that is nearest to what was written, if one is near.
pub(super) fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    const LONGEST: usize = 30;
    const TOLERATED: usize = 2;
    let letters = |name: &str| name.to_lowercase().chars().collect::<Vec<_>>();
    let written = Some(letters(written)).filter(|written| written.len() <= LONGEST)?;
    let tolerated = TOLERATED.min(written.len() / 3);
    known
        .filter(|known| known.len() <= LONGEST)
        .map(|known| (distance(&written, &letters(known)), known))
        .filter(|(distance, _)| *distance <= tolerated)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known.to_owned())
}

impl Kind {
    /// What this is, in a word for a sentence.
    pub(super) fn named(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Nil => "nil",
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::Int => "a whole number",
            Self::Float => "a number with a fraction",
            Self::Text => "a text",
            Self::Array => "an array",
            Self::Map => "a map",
            Self::Duration => "a duration",
            Self::Date => "a date",
        }
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Number | Self::Int | Self::Float)
    }

    /// Whether a value of which only `given` is known may stand where this is wanted.
    pub(super) fn takes(self, given: Self) -> bool {
        let unknown = self == Self::Any || given == Self::Any;
        // What is nil fails for want of data when it is used, not here.
        unknown
            || self == given
            || given == Self::Nil
            || match self {
                Self::Number | Self::Float => given.is_number(),
                Self::Int => given == Self::Number,
                _ => false,
            }
    }
}
