//! The words of a CEL expression.

/// A word, and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Name(String),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
    Symbol(&'static str),
}

/// Longer ones first, since the first that fits is taken.
const SYMBOLS: [&str; 28] = [
    "[?", ".?", "{?", "==", "!=", "<=", ">=", "&&", "||", "(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "!", "<",
    ">", "+", "-", "*", "/", "%", "=",
];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut lexer = Lexer { text, at: 0 };
    let mut found = Vec::new();
    loop {
        lexer.skip_space();
        let at = lexer.at;
        match lexer.next()? {
            Some(kind) => found.push(Token { kind, at }),
            None => return Ok(found),
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            let comment = if trimmed.starts_with("//") { trimmed.find('\n').unwrap_or(trimmed.len()) } else { 0 };
            let skipped = rest.len() - trimmed.len() + comment;
            if skipped == 0 {
                return;
            }
            self.at += skipped;
        }
    }

    fn next(&mut self) -> Result<Option<Kind>, String> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(None) };
        if let Some((prefix, raw, bytes)) = string_prefix(rest) {
            self.at += prefix;
            return self.string(raw, bytes).map(Some);
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            let name = rest[..end].to_owned();
            self.at += end;
            return Ok(Some(Kind::Name(name)));
        }
        let fraction = first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit());
        if first.is_ascii_digit() || fraction {
            return self.number().map(Some);
        }
        if first == '`' {
            let end = rest[1..].find('`').ok_or_else(|| self.error("unterminated quoted identifier"))?;
            let name = rest[1..=end].to_owned();
            self.at += end + 2;
            return Ok(Some(Kind::Name(name)));
        }
        let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
        let symbol = symbol.ok_or_else(|| self.error(&format!("token recognition error at: '{first}'")))?;
        self.at += symbol.len();
        Ok(Some(Kind::Symbol(symbol)))
    }

    fn error(&self, what: &str) -> String {
        syntax_error(self.text, self.at, what)
    }

    fn number(&mut self) -> Result<Kind, String> {
        let rest = self.rest();
        if let Some(digits) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
            let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
            let (digits, unsigned) = (&digits[..end], digits[end..].starts_with(['u', 'U']));
            let kind = if unsigned {
                u64::from_str_radix(digits, 16).map(Kind::Uint)
            } else {
                i64::from_str_radix(digits, 16).map(Kind::Int)
            };
            let kind = kind.map_err(|_| self.error("invalid int literal"))?;
            self.at += 2 + end + usize::from(unsigned);
            return Ok(kind);
        }
        let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let mut end = digits(rest);
        let mut double = false;
        if rest[end..].starts_with('.') && rest[end + 1..].starts_with(|c: char| c.is_ascii_digit()) {
            double = true;
            end += 1 + digits(&rest[end + 1..]);
        }
        if rest[end..].starts_with(['e', 'E']) {
            let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
            let exponent = digits(&rest[end + 1 + sign..]);
            if exponent > 0 {
                double = true;
                end += 1 + sign + exponent;
            }
        }
        let text = &rest[..end];
        let unsigned = !double && rest[end..].starts_with(['u', 'U']);
        let kind = if double {
            text.parse().map(Kind::Double).map_err(|_| self.error("invalid double literal"))
        } else if unsigned {
            text.parse().map(Kind::Uint).map_err(|_| self.error("invalid uint literal"))
        } else {
            text.parse().map(Kind::Int).map_err(|_| self.error("invalid int literal"))
        };
        self.at += end + usize::from(unsigned);
        kind
    }

    fn string(&mut self, raw: bool, bytes: bool) -> Result<Kind, String> {
        let rest = self.rest();
        let quote = if rest.starts_with("\"\"\"") {
            "\"\"\""
        } else if rest.starts_with("'''") {
            "'''"
        } else if rest.starts_with('"') {
            "\""
        } else {
            "'"
        };
        self.at += quote.len();
        let mut out = Vec::new();
        loop {
            let rest = self.rest();
            if rest.starts_with(quote) {
                self.at += quote.len();
                break;
            }
            let c = rest.chars().next().ok_or_else(|| self.error("unterminated string"))?;
            self.at += c.len_utf8();
            if c == '\\' && !raw {
                self.escape(&mut out, bytes)?;
            } else {
                out.extend(c.encode_utf8(&mut [0; 4]).bytes());
            }
        }
        if bytes {
            return Ok(Kind::Bytes(out));
        }
        String::from_utf8(out).map(Kind::Text).map_err(|_| self.error("invalid string"))
    }

    fn escape(&mut self, out: &mut Vec<u8>, bytes: bool) -> Result<(), String> {
        let c = self.rest().chars().next().ok_or_else(|| self.error("unterminated string"))?;
        let start = self.at;
        self.at += c.len_utf8();
        let (digits, radix) = match c {
            'x' | 'X' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='3' => {
                self.at = start;
                (3, 8)
            }
            _ => {
                out.push(match c {
                    'n' => b'\n',
                    't' => b'\t',
                    'r' => b'\r',
                    'a' => 7,
                    'b' => 8,
                    'f' => 12,
                    'v' => 11,
                    '\\' | '\'' | '"' | '`' | '?' => c as u8,
                    _ => return Err(self.error("invalid escape sequence")),
                });
                return Ok(());
            }
        };
        let code = self.rest().get(..digits).and_then(|text| u32::from_str_radix(text, radix).ok());
        let code = code.ok_or_else(|| self.error("invalid escape sequence"))?;
        self.at += digits;
        if bytes && digits < 4 {
            out.push(u8::try_from(code).unwrap_or(u8::MAX));
        } else {
            let c = char::from_u32(code).ok_or_else(|| self.error("invalid escape sequence"))?;
            out.extend(c.encode_utf8(&mut [0; 4]).bytes());
        }
        Ok(())
    }
}

/// Length of the prefix before the quote, whether escapes stay as written, whether it is bytes.
fn string_prefix(text: &str) -> Option<(usize, bool, bool)> {
    let end = text.bytes().take(3).position(|b| matches!(b, b'"' | b'\''))?;
    let prefix = text.get(..end)?.to_ascii_lowercase();
    match prefix.as_str() {
        "" => Some((0, false, false)),
        "r" => Some((1, true, false)),
        "b" => Some((1, false, true)),
        "rb" | "br" => Some((2, true, true)),
        _ => None,
    }
}

/// A complaint in the form of the reference parser.
pub(super) fn syntax_error(text: &str, at: usize, what: &str) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let shown = text.lines().nth(line - 1).unwrap_or_default();
    format!("ERROR: <input>:{line}:{column}: {what}\n | {shown}\n | {}^", ".".repeat(column - 1))
}
