//! Questions over HTTP and their answers, as values: who sends them is not decided here.

use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;
use sluice_crds::analysis::provider::{BasicAuth, Header};

use super::Failure;
use crate::secrets::Secrets;

/// An answer that is longer is not read to its end.
pub const LARGEST_ANSWER: usize = 16 << 20;
/// The longest that a template may make anybody wait for one answer.
const LONGEST_TIMEOUT_SECONDS: i64 = 10 * 60;

/// The verbs that providers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
}

impl Method {
    /// As it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// A request to send. Two that are equal have the same answer at one instant, so one of them is enough. Printing it
/// shows no header values and no body, because secrets are in them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HttpRequest {
    /// The verb.
    pub method: Method,
    /// Where to.
    pub url: String,
    /// Headers by name.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: String,
    /// How long to wait for the whole answer.
    pub timeout: SignedDuration,
    /// Which server is believed to be the right one.
    pub trust: Trust,
    /// What is still to be done before it is sent.
    pub sign_in: SignIn,
}

/// Whose word is taken for a server's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// Those whom the machine trusts.
    Machine,
    /// These certificates alone, in PEM.
    Bundle(Arc<str>),
    /// Nobody's: the certificate is not checked.
    Unchecked,
}

impl Trust {
    /// As a template says it.
    pub(crate) fn of(insecure: bool, ca_bundle: Option<&str>) -> Self {
        match ca_bundle {
            _ if insecure => Self::Unchecked,
            Some(bundle) => Self::Bundle(bundle.into()),
            None => Self::Machine,
        }
    }
}

/// How a request proves who sends it, beyond the headers that it has.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignIn {
    /// Nothing more is needed.
    None,
    /// Get a token with this request, read it with [`super::oauth2::parse`] and add it with
    /// [`HttpRequest::with_token`].
    Token(Box<HttpRequest>),
    /// Sign it with [`super::sigv4::sign`].
    Aws(AwsSigning),
}

/// What an AWS signature is made for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AwsSigning {
    /// The region; empty for the one of the credentials.
    pub region: String,
    /// The profile of the credentials; empty for the default one.
    pub profile: String,
    /// The role to take on first; empty for none.
    pub role_arn: String,
}

/// An answer as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// Headers by name.
    pub headers: Vec<(String, String)>,
    /// The body as far as it was read; one byte more than [`LARGEST_ANSWER`] says that it was too long.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// The request with a token in it.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
        self.sign_in = SignIn::None;
        self
    }

    /// Whether something in it is for the named server alone, so that no redirect may carry it to another.
    pub fn has_credentials(&self) -> bool {
        self.sign_in != SignIn::None || !self.body.is_empty() || !self.headers.iter().all(|(name, _)| is_harmless(name))
    }
}

/// Headers that say nothing about who sends the request; any other may be a key.
fn is_harmless(name: &str) -> bool {
    ["accept", "content-type", "user-agent"].iter().any(|harmless| name.eq_ignore_ascii_case(harmless))
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, _) = self.url.split_once('?').unwrap_or((&self.url, ""));
        write!(f, "{} {place}", self.method.as_str())
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "nothing",
            Self::Token(_) => "a token",
            Self::Aws(_) => "an AWS signature",
        })
    }
}

impl HttpAnswer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body, if it was read to its end and is text.
    pub(super) fn text(&self) -> Result<&str, Failure> {
        if self.body.len() > LARGEST_ANSWER {
            return Err(Failure(format!("the answer is longer than {LARGEST_ANSWER} bytes")));
        }
        std::str::from_utf8(&self.body)
            .map_err(|error| Failure(format!("the answer is not UTF-8 from byte {} on", error.valid_up_to())))
    }

    /// What a status that is no success says.
    pub(super) fn refusal(&self) -> Failure {
        let excerpt = excerpt(&String::from_utf8_lossy(self.body.get(..2_000).unwrap_or(&self.body)));
        let mut sentence = format!("HTTP {}", self.status);
        if let Some(after) = self.header("retry-after") {
            sentence = format!("{sentence}, to be asked again after {}", self::excerpt(after));
        }
        if excerpt.is_empty() { Failure(sentence) } else { Failure(format!("{sentence}: {excerpt}")) }
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// The beginning of somebody else's text, on one line and without control characters.
pub(super) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 200;
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The headers of a template, with the values of those that are in Secrets.
pub(super) fn headers(written: Option<&[Header]>, secrets: &Secrets) -> Result<Vec<(String, String)>, Failure> {
    let mut headers = Vec::new();
    for header in written.into_iter().flatten() {
        let secret = header.value_from.as_ref().and_then(|source| source.secret_key_ref.as_ref());
        let value = match (&header.value, secret) {
            (Some(value), _) => value.as_str(),
            (None, Some(secret)) => secrets.get(&secret.name, &secret.key).ok_or_else(|| {
                Failure(format!("the Secret {:?} has no key {:?}, which a header needs", secret.name, secret.key))
            })?,
            (None, None) => "",
        };
        // A file's last line end is not part of the key in it.
        let value = value.trim_matches(['\r', '\n', ' ', '\t']);
        let is_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if header.key.is_empty() || !header.key.chars().all(is_name) {
            return Err(Failure(format!("{:?} can't be the name of a header", header.key)));
        }
        if value.chars().any(|c| c.is_control() && c != '\t') {
            return Err(Failure(format!("the value of the header {} has a line end in it", header.key)));
        }
        headers.push((header.key.clone(), value.to_owned()));
    }
    Ok(headers)
}

/// The header that carries a user name and a password, unless both are empty.
pub(super) fn basic(auth: Option<&BasicAuth>) -> Option<(String, String)> {
    use base64::Engine as _;
    let auth = auth?;
    let (user, password) = (auth.username.as_deref().unwrap_or_default(), auth.password.as_deref().unwrap_or_default());
    if user.is_empty() && password.is_empty() {
        return None;
    }
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{}", password.trim_end_matches('\n')));
    Some(("Authorization".to_owned(), format!("Basic {pair}")))
}

/// Seconds out of a template as a time to wait; nothing and less than nothing mean the default.
pub(super) fn timeout(seconds: i64, default: i64) -> SignedDuration {
    let seconds = if seconds <= 0 { default } else { seconds };
    SignedDuration::from_secs(seconds.min(LONGEST_TIMEOUT_SECONDS))
}

/// Whether a text is the address of an HTTP server.
pub(super) fn check_address(address: &str) -> Result<(), Failure> {
    let scheme = |scheme: &str| address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let parsed: Result<http::Uri, _> = address.parse();
    let has_host = parsed.is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty()));
    if has_host && (scheme("http://") || scheme("https://")) {
        Ok(())
    } else {
        Err(Failure(format!(
            "{:?} is not the address of a server; write one such as http://prometheus:9090",
            excerpt(address)
        )))
    }
}
