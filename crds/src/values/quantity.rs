//! Resource quantities: `500m`, `1.5Gi`, `1e3`, compared by value and printed as Kubernetes prints them.
//!
//! The printed form has to be right to the letter, quirks included, because the pod template hash is taken over
//! it: a quantity that reads the same but prints differently would be a new revision.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::quoted;

/// An exact decimal quantity, with the text that Kubernetes prints for it after reading it.
///
/// Equality and order are those of the values: `1` equals `1000m`.
#[derive(Clone, Debug)]
pub struct Quantity {
    value: Decimal,
    format: Format,
    text: String,
}

/// Why a text is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is not a quantity; write one like 500m, 2, 1.5Gi or 1e3", quoted(.0))]
pub struct QuantityError(String);

impl Quantity {
    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        self.value.is_zero()
    }

    /// Whether it is less than nothing.
    pub fn is_negative(&self) -> bool {
        self.value.negative
    }

    /// The quantity with everything below a thousandth rounded away from zero, as Kubernetes stores resource
    /// lists.
    #[must_use]
    pub fn rounded_to_milli(&self) -> Self {
        let value = self.value.clone().rounded_away_from_zero(-3);
        if value == self.value {
            return self.clone();
        }
        let text = canonical(&value, self.format);
        Self { value, format: self.format, text }
    }

    /// A text that is the same for all ways of writing the same value.
    pub(crate) fn value_text(&self) -> String {
        let sign = if self.value.negative { "-" } else { "" };
        match self.value.power {
            _ if self.is_zero() => "0".to_owned(),
            power => format!("{sign}{}e{power}", self.value.digits),
        }
    }

    /// The text as Kubernetes prints it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }
}

/// The kind of suffix that a quantity was written with, which it keeps when it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// `12e6`
    Exponent,
    /// `12M`
    Decimal,
    /// `12Mi`
    Binary,
}

/// A suffix: its kind, and the power of ten (of two, for the binary kind) that it stands for.
#[derive(Clone, Copy, Debug)]
struct Suffix {
    format: Format,
    power: i32,
}

const DECIMAL_SUFFIXES: [(&str, i64); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY_SUFFIXES: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// The smallest thing that can be asked for: a billionth. Everything finer is rounded away from zero.
const FINEST_POWER: i64 = -9;

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let text = text.trim();
        parse(text).ok_or_else(|| QuantityError(text.to_owned()))
    }
}

/// A quantity's text in its parts.
struct Parts<'a> {
    negative: bool,
    /// Digits before the point, without leading zeros.
    whole: &'a str,
    /// Digits behind the point.
    fraction: &'a str,
    /// Whether there was any digit, leading zeros included.
    has_digit: bool,
    suffix: &'a str,
}

fn split(text: &str) -> Option<Parts<'_>> {
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits_end = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, mut suffix) = unsigned.split_at(digits_end(unsigned));
    let mut fraction = "";
    if let Some(behind_point) = suffix.strip_prefix('.') {
        (fraction, suffix) = behind_point.split_at(digits_end(behind_point));
    }
    let exponent = suffix.trim_start_matches(['e', 'E', 'i', 'n', 'u', 'm', 'k', 'K', 'M', 'G', 'T', 'P']);
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    if !exponent.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let has_digit = !(whole.is_empty() && fraction.is_empty());
    Some(Parts { negative, whole: whole.trim_start_matches('0'), fraction, has_digit, suffix })
}

fn read_suffix(text: &str) -> Option<Suffix> {
    if let Some((_, power)) = DECIMAL_SUFFIXES.iter().find(|(suffix, _)| *suffix == text) {
        return Some(Suffix { format: Format::Decimal, power: i32::try_from(*power).ok()? });
    }
    if let Some(index) = BINARY_SUFFIXES.iter().position(|suffix| *suffix == text) {
        return Some(Suffix { format: Format::Binary, power: i32::try_from(index * 10).ok()? });
    }
    let exponent = text.strip_prefix(['e', 'E'])?.parse::<i64>().ok()?;
    // Kubernetes keeps the low 32 bits of the exponent; so must whoever wants to print what it prints.
    Some(Suffix { format: Format::Exponent, power: exponent as i32 })
}

fn parse(text: &str) -> Option<Quantity> {
    if text.is_empty() {
        return None;
    }
    let parts = split(text)?;
    let suffix = read_suffix(parts.suffix)?;
    if let Some(quantity) = parse_short(text, &parts, suffix) {
        return Some(quantity);
    }
    if !parts.has_digit {
        return None;
    }
    let digits = [parts.whole, parts.fraction].concat();
    let power = -i64::try_from(parts.fraction.len()).ok()?;
    let mut value = match suffix.format {
        Format::Binary => Decimal::new(parts.negative, &digits, power).times_power_of_two(suffix.power.unsigned_abs()),
        Format::Decimal | Format::Exponent => {
            Decimal::new(parts.negative, &digits, power.saturating_add(i64::from(suffix.power)))
        }
    };
    value = value.rounded_away_from_zero(FINEST_POWER);
    let mut format = suffix.format;
    if format == Format::Binary {
        value = value.capped_at_i64();
        if value.magnitude_cmp(&Decimal::from_integer(1)) == Ordering::Less && !value.is_zero() {
            format = Format::Decimal;
        }
    }
    let text = canonical(&value, format);
    Some(Quantity { value, format, text })
}

/// The way of up to 18 digits, which nearly every quantity goes. Here, and only here, Kubernetes keeps the text
/// that was written instead of making a canonical one, if it looks canonical at a glance: `+5` and `1.500` stay
/// what they are.
fn parse_short(text: &str, parts: &Parts<'_>, suffix: Suffix) -> Option<Quantity> {
    let whole = if parts.whole.is_empty() { "0" } else { parts.whole };
    let (whole_length, fraction_length) = (i32::try_from(whole.len()).ok()?, i32::try_from(parts.fraction.len()).ok()?);
    let (spare_digits, power) = match suffix.format {
        Format::Decimal | Format::Exponent => {
            (18_i32.saturating_sub(whole_length.saturating_add(fraction_length)), suffix.power)
        }
        Format::Binary if fraction_length == 0 => (15_i32.saturating_sub(whole_length) - suffix.power * 3 / 10 - 1, 0),
        Format::Binary => return None,
    };
    let power = i64::from(power.wrapping_sub(fraction_length));
    if spare_digits < 0 || power < FINEST_POWER {
        return None;
    }
    let digits = [whole, parts.fraction].concat();
    let number: i64 = digits.parse().ok()?;
    let (value, looks_canonical) = match suffix.format {
        Format::Binary => (
            Decimal::new(parts.negative, &digits, 0).times_power_of_two(suffix.power.unsigned_abs()),
            number & 0b111 != 0,
        ),
        Format::Decimal | Format::Exponent => (
            Decimal::new(parts.negative, &digits, power),
            power % 3 == 0 && !digits.ends_with("000") && !digits.starts_with('0'),
        ),
    };
    let text = if looks_canonical { text.to_owned() } else { canonical(&value, suffix.format) };
    Some(Quantity { value, format: suffix.format, text })
}

/// The shortest whole number with the largest suffix that loses nothing.
fn canonical(value: &Decimal, format: Format) -> String {
    if value.is_zero() {
        return "0".to_owned();
    }
    if format == Format::Binary
        && value.magnitude_cmp(&Decimal::from_integer(1024)) != Ordering::Less
        && let Some(whole) = value.to_i128()
    {
        return binary_text(whole);
    }
    let zeros = value.power.rem_euclid(3);
    let power = value.power - zeros;
    let sign = if value.negative { "-" } else { "" };
    let digits = &value.digits;
    let zeros = &"00"[..usize::try_from(zeros).unwrap_or(0)];
    match format {
        Format::Exponent if power == 0 => format!("{sign}{digits}{zeros}"),
        Format::Exponent => format!("{sign}{digits}{zeros}e{power}"),
        Format::Decimal | Format::Binary => {
            // Beyond exa there is no suffix, and Kubernetes prints none.
            let suffix = DECIMAL_SUFFIXES.iter().find(|(_, of)| *of == power).map_or("", |(suffix, _)| suffix);
            format!("{sign}{digits}{zeros}{suffix}")
        }
    }
}

fn binary_text(mut whole: i128) -> String {
    let mut suffixes = BINARY_SUFFIXES.iter();
    let mut suffix = suffixes.next();
    while whole % 1024 == 0 {
        match suffixes.next() {
            Some(larger) => suffix = Some(larger),
            None => break,
        }
        whole /= 1024;
    }
    format!("{whole}{}", suffix.unwrap_or(&""))
}

/// `±digits × 10^power`, of any length. The digits neither begin nor end with 0, and zero has none.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    power: i64,
}

impl Decimal {
    fn new(negative: bool, digits: &str, power: i64) -> Self {
        let significant = digits.trim_start_matches('0');
        let trimmed = significant.trim_end_matches('0');
        if trimmed.is_empty() {
            return Self { negative: false, digits: String::new(), power: 0 };
        }
        let closing_zeros = i64::try_from(significant.len() - trimmed.len()).unwrap_or(i64::MAX);
        Self { negative, digits: trimmed.to_owned(), power: power.saturating_add(closing_zeros) }
    }

    fn from_integer(number: i64) -> Self {
        Self::new(number < 0, &number.unsigned_abs().to_string(), 0)
    }

    fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// The power of ten just above the first digit: how many digits stand before the point.
    fn height(&self) -> i64 {
        self.power.saturating_add(i64::try_from(self.digits.len()).unwrap_or(i64::MAX))
    }

    fn magnitude_cmp(&self, other: &Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // Of the same height, digits compare like words: a shorter one lacks only fractions.
            (false, false) => self.height().cmp(&other.height()).then_with(|| self.digits.cmp(&other.digits)),
        }
    }

    fn times_power_of_two(self, power: u32) -> Self {
        let mut digits: Vec<u8> = self.digits.bytes().rev().map(|digit| digit - b'0').collect();
        for _ in 0..power {
            let mut carry = 0;
            for digit in &mut digits {
                let doubled = *digit * 2 + carry;
                *digit = doubled % 10;
                carry = doubled / 10;
            }
            if carry > 0 {
                digits.push(carry);
            }
        }
        let text: String = digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect();
        Self::new(self.negative, &text, self.power)
    }

    /// Nothing finer than `10^finest` is left; what was finer counts as one of those.
    fn rounded_away_from_zero(self, finest: i64) -> Self {
        if self.is_zero() || self.power >= finest {
            return self;
        }
        let kept = usize::try_from(self.height().saturating_sub(finest)).unwrap_or(0);
        let mut digits = self.digits.as_bytes()[..kept].to_vec();
        for digit in digits.iter_mut().rev() {
            if *digit == b'9' {
                *digit = b'0';
            } else {
                *digit += 1;
                return Self::new(self.negative, &String::from_utf8_lossy(&digits), finest);
            }
        }
        Self::new(self.negative, &format!("1{}", String::from_utf8_lossy(&digits)), finest)
    }

    fn capped_at_i64(self) -> Self {
        let limit = Self::from_integer(i64::MAX);
        if self.magnitude_cmp(&limit) == Ordering::Greater { Self { negative: self.negative, ..limit } } else { self }
    }

    /// The whole number that this is, unless it has a fraction or more digits than any quantity needs.
    fn to_i128(&self) -> Option<i128> {
        let zeros = u32::try_from(self.power).ok()?;
        let magnitude = self.digits.parse::<i128>().ok()?.checked_mul(10_i128.checked_pow(zeros)?)?;
        Some(if self.negative { -magnitude } else { magnitude })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude_cmp(other),
            (true, true) => other.magnitude_cmp(self),
        }
    }
}
