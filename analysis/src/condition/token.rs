//! The words of a condition.

use super::escape::unescaped;
use super::mistake::Wrong;

/// A word and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A number as it was written, so that a map's key can be just that.
    Number(String),
    /// A text without its quotes.
    Text(String),
    /// A name, or a word such as `in` and `let`.
    Word(String),
    /// `+`, `(`, `?.` and the like.
    Sign(&'static str),
    /// Behind the last word.
    End,
}

/// Longer signs first, so that `**` isn't read as `*` twice.
const SIGNS: [&str; 35] = [
    "&&", "||", "==", "!=", "<=", ">=", "**", "..", "?.", "??", "::", "(", ")", "[", "]", "{", "}", "<", ">", "!", "+",
    "-", "*", "/", "%", "^", "|", "?", ":", ",", ";", ".", "#", "=", "&",
];

/// A text as words; the last one is [`Kind::End`].
pub(super) fn words(source: &str) -> Result<Vec<Token>, Wrong> {
    let mut words = Vec::new();
    let mut at = 0;
    loop {
        at = skip_blank(source, at)?;
        let rest = &source[at..];
        let Some(first) = rest.chars().next() else {
            words.push(Token { at, kind: Kind::End });
            return Ok(words);
        };
        let (kind, length) = match first {
            '\'' | '"' => quoted(rest, at, first)?,
            '`' => raw(rest, at)?,
            '0'..='9' => number(rest, at)?,
            '.' if rest[1..].starts_with(|next: char| next.is_ascii_digit()) => number(rest, at)?,
            _ if begins_name(first) => {
                let name: String = rest.chars().take_while(|next| continues_name(*next)).collect();
                let length = name.len();
                (Kind::Word(name), length)
            }
            _ => sign(rest, at, first)?,
        };
        words.push(Token { at, kind });
        at += length;
    }
}

pub(super) fn begins_name(character: char) -> bool {
    character == '_' || character == '$' || character.is_alphabetic()
}

fn continues_name(character: char) -> bool {
    begins_name(character) || character.is_numeric()
}

/// The first place that is neither white nor in a comment.
fn skip_blank(source: &str, mut at: usize) -> Result<usize, Wrong> {
    loop {
        let rest = &source[at..];
        let text = rest.trim_start();
        at += rest.len() - text.len();
        if text.starts_with("//") {
            at += text.find('\n').unwrap_or(text.len());
        } else if let Some(comment) = text.strip_prefix("/*") {
            let end = comment.find("*/").ok_or_else(|| Wrong::with(at, "this comment never ends", "write */"))?;
            at += end + 4;
        } else {
            return Ok(at);
        }
    }
}

fn quoted(rest: &str, at: usize, quote: char) -> Result<(Kind, usize), Wrong> {
    let mut characters = rest.char_indices().skip(1);
    while let Some((index, character)) = characters.next() {
        match character {
            '\n' => break,
            '\\' => {
                characters.next();
            }
            _ if character == quote => {
                return Ok((Kind::Text(unescaped(&rest[1..index], at + 1, quote)?), index + 1));
            }
            _ => {}
        }
    }
    Err(Wrong::with(at, "this text never ends", format!("close it with {quote} on the same line")))
}

/// A text in backquotes knows no escapes; a doubled backquote is one.
fn raw(rest: &str, at: usize) -> Result<(Kind, usize), Wrong> {
    let mut from = 1;
    while let Some(index) = rest[from..].find('`').map(|index| from + index) {
        if !rest[index + 1..].starts_with('`') {
            return Ok((Kind::Text(rest[1..index].replace("``", "`")), index + 1));
        }
        from = index + 2;
    }
    Err(Wrong::with(at, "this text never ends", "close it with `"))
}

fn number(rest: &str, at: usize) -> Result<(Kind, usize), Wrong> {
    let bytes = rest.as_bytes();
    let run = |from: usize, allowed: fn(&u8) -> bool| {
        from + bytes[from..].iter().take_while(|byte| allowed(byte) || **byte == b'_').count()
    };
    let mut end = match bytes {
        [b'0', b'x' | b'X', ..] => run(2, u8::is_ascii_hexdigit),
        [b'0', b'o' | b'O' | b'b' | b'B', ..] => run(2, u8::is_ascii_digit),
        _ => {
            let mut end = run(0, u8::is_ascii_digit);
            // `1..3` is a range, not the numbers `1.` and `.3`.
            if bytes.get(end) == Some(&b'.') && bytes.get(end + 1) != Some(&b'.') {
                end = run(end + 1, u8::is_ascii_digit);
            }
            if matches!(bytes.get(end), Some(b'e' | b'E')) {
                let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
                end = run(end + 1 + sign, u8::is_ascii_digit);
            }
            end
        }
    };
    let behind: usize = rest[end..].chars().take_while(|next| continues_name(*next)).map(char::len_utf8).sum();
    if behind > 0 {
        end += behind;
        let message = format!("{:?} is not a number", shortened(&rest[..end]));
        return Err(Wrong::with(at, message, "names begin with a letter, and units stand in the query"));
    }
    Ok((Kind::Number(rest[..end].to_owned()), end))
}

fn sign(rest: &str, at: usize, first: char) -> Result<(Kind, usize), Wrong> {
    // `a ?.5 : 1` chooses a number, `a?.b` a member.
    if rest.starts_with("?.") && rest[2..].starts_with(|next: char| next.is_ascii_digit()) {
        return Ok((Kind::Sign("?"), 1));
    }
    match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        Some(&"&") => Err(Wrong::with(at, "& alone means nothing", "write && or and")),
        None => Err(Wrong::new(at, format!("{first:?} has no meaning in a condition"))),
        Some(sign) => Ok((Kind::Sign(sign), sign.len())),
    }
}

/// A piece of the user's text, short enough for a sentence.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

impl Kind {
    /// The word as a sentence names it.
    pub(super) fn named(&self) -> String {
        match self {
            Self::Number(text) | Self::Word(text) => format!("{:?}", shortened(text)),
            Self::Text(text) => format!("the text {:?}", shortened(text)),
            Self::Sign(sign) => format!("{sign:?}"),
            Self::End => "the end".to_owned(),
        }
    }
}
