//! Request bodies to values: JSON with the complaints of a real server, YAML as kubectl reads it. A field that is
//! given twice wins with its last value and is reported, so that strict validation can refuse it.

use serde_json::{Map, Number, Value};

use super::field_error::{child, key};
use super::go_text;

/// Deeper documents are refused, so that no walk over a value can exhaust the stack.
pub const MAX_DEPTH: usize = 128;

/// A decoded document and the fields that were given more than once.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    pub value: Value,
    /// `duplicate field "spec.a"`, in the order of the document.
    pub duplicates: Vec<String>,
}

/// Decodes JSON. The error is worded like Go's `encoding/json`.
pub fn json(bytes: &[u8]) -> Result<Decoded, String> {
    let text = String::from_utf8_lossy(bytes);
    let mut parser = Parser { text: &text, at: 0, duplicates: Vec::new() };
    parser.skip_space();
    let value = parser.value("", 0)?;
    parser.skip_space();
    match parser.peek() {
        None => Ok(Decoded { value, duplicates: parser.duplicates }),
        Some(c) => Err(unexpected(c, "after top-level value")),
    }
}

/// Decodes one YAML (or JSON) document with kubectl's reading of scalars.
pub fn yaml(bytes: &[u8]) -> Result<Decoded, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "yaml: invalid UTF-8".to_owned())?;
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
    };
    let mut value: Value = serde_saphyr::from_str_with_options(text, options).map_err(|error| yaml_error(&error))?;
    whole_numbers(&mut value);
    let strict = serde_saphyr::options! {
        legacy_octal_numbers: true,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
    };
    let duplicates = match serde_saphyr::from_str_with_options::<Value>(text, strict) {
        Ok(_) => Vec::new(),
        Err(error) => vec![duplicate_line(text, &error)],
    };
    Ok(Decoded { value, duplicates })
}

fn yaml_error(error: &serde_saphyr::Error) -> String {
    let line = error.location().map_or(0, |location| location.line());
    let reason = error.to_string();
    format!("error converting YAML to JSON: yaml: line {line}: {}", reason.lines().next().unwrap_or_default())
}

fn duplicate_line(text: &str, error: &serde_saphyr::Error) -> String {
    let line = error.location().map_or(0, |location| location.line());
    let written = usize::try_from(line).ok().and_then(|line| text.lines().nth(line.checked_sub(1)?));
    let name = written.and_then(|line| line.split(':').next()).unwrap_or_default();
    let name = name.trim().trim_start_matches("- ").trim_matches(['"', '\'']);
    format!(
        "error converting YAML to JSON: yaml: unmarshal errors:\n  line {line}: key {} already set in map",
        go_text::quote(name)
    )
}

/// `1.0` and `1e3` are stored as `1` and `1000`.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => *number = canonical(number.clone()),
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(map) => map.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

fn canonical(number: Number) -> Number {
    // Beyond 2^53 a float is no longer exactly the integer that it prints as.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT => {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
            let whole = float as i64;
            whole.into()
        }
        _ => number,
    }
}

fn unexpected(c: char, context: &str) -> String {
    let shown = match c {
        '\'' => r"'\''".to_owned(),
        '"' => "'\"'".to_owned(),
        c => {
            let quoted = go_text::quote(&c.to_string());
            format!("'{}'", &quoted[1..quoted.len() - 1])
        }
    };
    format!("invalid character {shown} {context}")
}

const CUT_SHORT: &str = "unexpected end of JSON input";

struct Parser<'a> {
    text: &'a str,
    at: usize,
    duplicates: Vec<String>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Result<char, String> {
        let c = self.peek().ok_or(CUT_SHORT)?;
        self.at += c.len_utf8();
        Ok(c)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\r' | '\n')) {
            self.at += 1;
        }
    }

    fn value(&mut self, path: &str, depth: usize) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err("exceeded max depth".into());
        }
        match self.peek().ok_or(CUT_SHORT)? {
            '{' => self.object(path, depth),
            '[' => self.array(path, depth),
            '"' => self.string().map(Value::String),
            't' => self.literal("true", Value::Bool(true)),
            'f' => self.literal("false", Value::Bool(false)),
            'n' => self.literal("null", Value::Null),
            '-' | '0'..='9' => self.number(),
            c => Err(unexpected(c, "looking for beginning of value")),
        }
    }

    fn object(&mut self, path: &str, depth: usize) -> Result<Value, String> {
        self.at += 1;
        let mut map = Map::new();
        self.skip_space();
        if self.peek() == Some('}') {
            self.at += 1;
            return Ok(Value::Object(map));
        }
        loop {
            self.skip_space();
            match self.peek().ok_or(CUT_SHORT)? {
                '"' => {}
                c => return Err(unexpected(c, "looking for beginning of object key string")),
            }
            let name = self.string()?;
            self.skip_space();
            match self.next()? {
                ':' => self.skip_space(),
                c => return Err(unexpected(c, "after object key")),
            }
            let field = child(path, &name);
            let value = self.value(&field, depth + 1)?;
            if map.insert(name, value).is_some() {
                self.duplicates.push(format!("duplicate field \"{field}\""));
            }
            self.skip_space();
            match self.next()? {
                ',' => {}
                '}' => return Ok(Value::Object(map)),
                c => return Err(unexpected(c, "after object key:value pair")),
            }
        }
    }

    fn array(&mut self, path: &str, depth: usize) -> Result<Value, String> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(']') {
            self.at += 1;
            return Ok(Value::Array(items));
        }
        loop {
            self.skip_space();
            items.push(self.value(&key(path, items.len()), depth + 1)?);
            self.skip_space();
            match self.next()? {
                ',' => {}
                ']' => return Ok(Value::Array(items)),
                c => return Err(unexpected(c, "after array element")),
            }
        }
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Value, String> {
        for expected in word.chars() {
            let c = self.next()?;
            if c != expected {
                return Err(unexpected(c, &format!("in literal {word} (expecting '{expected}')")));
            }
        }
        Ok(value)
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            match self.next()? {
                '"' => return Ok(out),
                '\\' => self.escape(&mut out)?,
                c if (c as u32) < 0x20 => return Err(unexpected(c, "in string literal")),
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), String> {
        match self.next()? {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            c @ ('"' | '\\' | '/') => out.push(c),
            'u' => {
                let first = self.hex4()?;
                let mut code = first;
                if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u") {
                    let before = self.at;
                    self.at += 2;
                    let second = self.hex4()?;
                    if (0xdc00..0xe000).contains(&second) {
                        code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                    } else {
                        self.at = before;
                    }
                }
                out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
            c => return Err(unexpected(c, "in string escape code")),
        }
        Ok(())
    }

    fn hex4(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            let c = self.next()?;
            let digit = c.to_digit(16).ok_or_else(|| unexpected(c, "in \\u hexadecimal character escape"))?;
            code = code * 16 + digit;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.at;
        if self.peek() == Some('-') {
            self.at += 1;
        }
        if self.peek() == Some('0') {
            self.at += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        if self.peek() == Some('.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.at += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        let text = &self.text[start..self.at];
        if let Ok(whole) = text.parse::<i64>() {
            return Ok(whole.into());
        }
        let float: f64 = text.parse().unwrap_or(f64::INFINITY);
        Number::from_f64(float)
            .map(|number| Value::Number(canonical(number)))
            .ok_or_else(|| format!("json: cannot unmarshal number {text} into Go value of type float64"))
    }

    fn digits(&mut self, context: &str) -> Result<(), String> {
        match self.peek() {
            Some('0'..='9') => {}
            Some(c) => return Err(unexpected(c, context)),
            None => return Err(CUT_SHORT.into()),
        }
        while matches!(self.peek(), Some('0'..='9')) {
            self.at += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_read_with_the_last_of_repeated_fields() {
        let decoded = json(br#" {"a": 1, "b": [{"c": 1, "c": 2.5}], "a": 1e3, "s": "\u00e9\ud83d\ude00\n"} "#);
        assert_eq!(
            decoded,
            Ok(Decoded {
                value: json!({"a": 1000, "b": [{"c": 2.5}], "s": "é😀\n"}),
                duplicates: vec!["duplicate field \"b[0].c\"".into(), "duplicate field \"a\"".into()],
            })
        );
    }

    #[test]
    fn broken_json_is_explained_as_a_go_server_explains_it() {
        let rows = [
            ("", "unexpected end of JSON input"),
            ("{", "unexpected end of JSON input"),
            ("x", "invalid character 'x' looking for beginning of value"),
            ("{a", "invalid character 'a' looking for beginning of object key string"),
            (r#"{"a" 1}"#, "invalid character '1' after object key"),
            (r#"{"a":1 "b"}"#, "invalid character '\"' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"),
            ("{} x", "invalid character 'x' after top-level value"),
            ("tru3", "invalid character '3' in literal true (expecting 'e')"),
            ("\"\n\"", r"invalid character '\n' in string literal"),
            (r#""\q""#, "invalid character 'q' in string escape code"),
            ("-x", "invalid character 'x' in numeric literal"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
        ];
        for (text, expected) in rows {
            assert_eq!(json(text.as_bytes()), Err(expected.into()), "{text}");
        }
        assert_eq!(json("[".repeat(100_000).as_bytes()), Err("exceeded max depth".into()));
    }

    #[test]
    fn yaml_is_read_as_kubectl_reads_it() {
        let decoded = yaml(b"a: yes\nb: 0755\nc: 1.0\nd: '1'\ne: 1:30\n");
        assert_eq!(decoded.map(|d| d.value), Ok(json!({"a": true, "b": 493, "c": 1, "d": "1", "e": "1:30"})));
    }

    #[test]
    fn a_yaml_key_that_is_set_twice_is_reported_with_its_line() {
        let decoded = yaml(b"a: 1\nb: 2\na: 3\n").expect("readable");
        assert_eq!(decoded.value, json!({"a": 3, "b": 2}));
        assert_eq!(
            decoded.duplicates,
            ["error converting YAML to JSON: yaml: unmarshal errors:\n  line 3: key \"a\" already set in map"]
        );
    }
}
