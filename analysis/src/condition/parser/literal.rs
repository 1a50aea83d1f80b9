//! Numbers, arrays and maps as they are written.

use super::super::mistake::Wrong;
use super::super::token::Kind;
use super::super::tree::Expr;
use super::super::value::Value;
use super::{Parsed, Parser, built};

/// The number that a text of digits is.
pub(super) fn number(text: &str, at: usize) -> Result<Value, Wrong> {
    let digits = text.replace('_', "").to_ascii_lowercase();
    let based = [("0x", 16), ("0o", 8), ("0b", 2)];
    if let Some((prefix, base)) = based.iter().find(|(prefix, _)| digits.starts_with(prefix)) {
        return i64::from_str_radix(&digits[prefix.len()..], *base)
            .map(Value::Int)
            .map_err(|_| Wrong::new(at, format!("{text:?} is not a whole number of base {base} in 64 bits")));
    }
    if digits.contains(['.', 'e']) {
        return match digits.parse::<f64>() {
            Ok(float) if float.is_finite() => Ok(Value::Float(float)),
            _ => Err(Wrong::new(at, format!("{text:?} is not a number in 64 bits"))),
        };
    }
    digits.parse().map(Value::Int).map_err(|_| {
        let mend = format!("write {digits}.0 for a number with a fraction");
        Wrong::with(at, format!("{text:?} is too large for a whole number"), mend)
    })
}

impl Parser<'_> {
    /// `[a, b]`
    pub(super) fn array(&mut self, at: usize) -> Parsed {
        self.skip();
        let mut items = Vec::new();
        while !self.accept("]") {
            items.push(self.expression(0)?);
            if !self.accept(",") && !self.is_sign("]") {
                return Err(self.missing("a comma or a closing ]"));
            }
        }
        let below = items.iter().map(|item| item.depth).max().unwrap_or(0);
        built(at, below, Expr::Array(items))
    }

    /// `{name: a, "two words": b, (c): d}`
    pub(super) fn map(&mut self, at: usize) -> Parsed {
        self.skip();
        let mut entries = Vec::new();
        while !self.accept("}") {
            let key_at = self.at();
            let key = match self.word().clone() {
                Kind::Word(name) | Kind::Text(name) | Kind::Number(name) => {
                    self.skip();
                    built(key_at, 0, Expr::Constant(Value::from(name)))?
                }
                Kind::Sign("(") => self.expression(0)?,
                Kind::Sign("{") if key_at == at + 1 => {
                    let message = "{{…}} was not replaced by the value of an argument";
                    return Err(Wrong::with(at, message, "the metric's args have to give it"));
                }
                _ => return Err(self.missing("the key of a map: a name, a text, a number or (…)")),
            };
            self.expect(":", "a : behind the key")?;
            entries.push((key, self.expression(0)?));
            if !self.accept(",") && !self.is_sign("}") {
                return Err(self.missing("a comma or a closing }"));
            }
        }
        let below = entries.iter().map(|(key, value)| key.depth.max(value.depth)).max().unwrap_or(0);
        built(at, below, Expr::Map(entries))
    }
}
