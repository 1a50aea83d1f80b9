//! Resource quantities: `500m`, `1Gi`, `2e3`; exact, and printed in canonical form.

use std::cmp::Ordering;

/// An amount in billionths, and the family of suffixes in which it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    DecimalSi,
    BinarySi,
    Exponent,
}

const NANO: i128 = 1_000_000_000;
const DECIMAL: [(&str, i128); 10] = [
    ("E", 1_000_000_000_000_000_000 * NANO),
    ("P", 1_000_000_000_000_000 * NANO),
    ("T", 1_000_000_000_000 * NANO),
    ("G", 1_000_000_000 * NANO),
    ("M", 1_000_000 * NANO),
    ("k", 1_000 * NANO),
    ("", NANO),
    ("m", 1_000_000),
    ("u", 1_000),
    ("n", 1),
];
const BINARY: [(&str, i128); 6] = [
    ("Ei", (1 << 60) * NANO),
    ("Pi", (1 << 50) * NANO),
    ("Ti", (1 << 40) * NANO),
    ("Gi", (1 << 30) * NANO),
    ("Mi", (1 << 20) * NANO),
    ("Ki", (1 << 10) * NANO),
];

impl Quantity {
    /// Reads a quantity; fractions below a billionth round up, as on a real server.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let digits_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (digits, suffix) = rest.split_at(digits_end);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || digits.len() > 40 {
            return None;
        }
        let (scale, format) = scale_of(suffix)?;
        let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
        let divisor = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        let product = mantissa.checked_mul(scale)?;
        let nanos = product / divisor + i128::from(product % divisor != 0);
        Some(Self { nanos: if negative { -nanos } else { nanos }, format })
    }

    pub fn nanos(self) -> i128 {
        self.nanos
    }

    /// The sum with a number of billionths, in the same family of suffixes.
    pub fn plus(self, nanos: i128) -> Option<Self> {
        Some(Self { nanos: self.nanos.checked_add(nanos)?, ..self })
    }

    /// The value rounded up to whole units.
    pub fn units(self) -> i128 {
        self.nanos.div_euclid(NANO) + i128::from(self.nanos.rem_euclid(NANO) != 0)
    }

    pub fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// The shortest exact form in its own family of suffixes: `1000m` is `1`, `1024Mi` is `1Gi`.
    pub fn canonical(self) -> String {
        if self.nanos == 0 {
            return "0".into();
        }
        if self.format == Format::BinarySi {
            for (suffix, scale) in BINARY {
                if self.nanos % scale == 0 {
                    return format!("{}{suffix}", self.nanos / scale);
                }
            }
        }
        for (i, (suffix, scale)) in DECIMAL.iter().enumerate() {
            if self.nanos % scale != 0 {
                continue;
            }
            let amount = self.nanos / scale;
            if self.format == Format::Exponent {
                let exponent = 18 - 3 * i32::try_from(i).unwrap_or(0);
                return if exponent == 0 { amount.to_string() } else { format!("{amount}e{exponent}") };
            }
            // Bytes that fill no binary suffix stay plain.
            if self.format == Format::BinarySi && self.nanos % NANO == 0 {
                return (self.nanos / NANO).to_string();
            }
            return format!("{amount}{suffix}");
        }
        self.nanos.to_string()
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

fn scale_of(suffix: &str) -> Option<(i128, Format)> {
    if let Some((_, scale)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((*scale, Format::DecimalSi));
    }
    if let Some((_, scale)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return Some((*scale, Format::BinarySi));
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    let power = u32::try_from(exponent.checked_add(9)?).ok().filter(|power| *power <= 27)?;
    Some((10_i128.pow(power), Format::Exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_one_canonical_form() {
        let rows = [
            ("500m", "500m"),
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1.5Gi", "1536Mi"),
            ("1024Mi", "1Gi"),
            ("1000", "1k"),
            ("1023Ki", "1023Ki"),
            ("2e3", "2e3"),
            ("0", "0"),
            ("-1", "-1"),
            ("100M", "100M"),
            ("1.0", "1"),
            ("0.1n", "1n"),
        ];
        for (given, expected) in rows {
            assert_eq!(Quantity::parse(given).map(Quantity::canonical).as_deref(), Some(expected), "{given}");
        }
        for bad in ["", "x", "1x", "1.2.3", "m", "1e99", "."] {
            assert_eq!(Quantity::parse(bad), None, "{bad}");
        }
        assert!(Quantity::parse("1Gi") > Quantity::parse("1G"));
        assert_eq!(Quantity::parse("1500m").map(Quantity::units), Some(2));
    }
}
