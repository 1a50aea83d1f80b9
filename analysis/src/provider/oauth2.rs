//! OAuth 2 client credentials: the request that gets a token, and the token out of its answer.

use serde::Deserialize;
use sluice_crds::analysis::provider::OAuth2;

use super::Failure;
use super::http::{HttpAnswer, HttpRequest, Method, SignIn, Trust, basic, check_address, timeout};

/// A token, and for how long it may be used again.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// What is sent.
    pub value: String,
    /// Seconds for which it is good; half a minute less than the server says, so that none expires on its way.
    pub good_for_seconds: i64,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a token, good for {} s", self.good_for_seconds)
    }
}

/// The request for a token; none where no address for tokens is written.
pub(super) fn request(oauth2: Option<&OAuth2>, trust: Trust) -> Result<SignIn, Failure> {
    let text = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
    let Some(oauth2) = oauth2.filter(|oauth2| !text(&oauth2.token_url).is_empty()) else {
        return Ok(SignIn::None);
    };
    let url = text(&oauth2.token_url);
    check_address(&url)?;
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    let scopes = oauth2.scopes.as_deref().unwrap_or_default();
    if !scopes.is_empty() {
        form.append_pair("scope", &scopes.join(" "));
    }
    // RFC 6749, 2.3.1: both parts are form-encoded before they become a user name and a password.
    let encoded = |text: String| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = sluice_crds::analysis::provider::BasicAuth {
        username: Some(encoded(text(&oauth2.client_id))),
        password: Some(encoded(text(&oauth2.client_secret))),
    };
    let mut headers = vec![("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    headers.extend(basic(Some(&pair)));
    Ok(SignIn::Token(Box::new(HttpRequest {
        method: Method::Post,
        url,
        headers,
        body: form.finish(),
        timeout: timeout(0, 10),
        trust,
        sign_in: SignIn::None,
    })))
}

/// The token in an answer.
///
/// # Errors
/// The server refused, or what it sent is no token.
pub fn parse(answer: &HttpAnswer) -> Result<Token, Failure> {
    #[derive(Deserialize)]
    struct Granted {
        access_token: Option<String>,
        token_type: Option<String>,
        expires_in: Option<serde_json::Value>,
    }
    if !answer.is_success() {
        return Err(Failure(format!("no token: {}", answer.refusal().0)));
    }
    let granted: Granted =
        serde_json::from_str(answer.text()?).map_err(|_| Failure("no token: the answer is not JSON".to_owned()))?;
    if granted.token_type.as_deref().is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(Failure("no token: the server gives tokens that are not bearer tokens".to_owned()));
    }
    let is_sendable = |token: &String| !token.is_empty() && token.chars().all(|c| c.is_ascii_graphic());
    let value = granted
        .access_token
        .filter(is_sendable)
        .ok_or_else(|| Failure("no token: the answer has no access_token".to_owned()))?;
    let seconds = granted.expires_in.and_then(|seconds| match seconds {
        serde_json::Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    });
    // A server that doesn't say is asked again every time.
    Ok(Token { value, good_for_seconds: (seconds.unwrap_or(0) - 30).max(0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> HttpAnswer {
        HttpAnswer { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_token_is_asked_for_with_the_clients_credentials() {
        let oauth2 = OAuth2 {
            token_url: Some("https://login.example.com/token".to_owned()),
            client_id: Some("shop".to_owned()),
            client_secret: Some("s:cret\n".to_owned()),
            scopes: Some(vec!["metrics".to_owned(), "read".to_owned()]),
        };
        let Ok(SignIn::Token(request)) = request(Some(&oauth2), Trust::Machine) else { panic!("a token is needed") };
        assert_eq!(request.body, "grant_type=client_credentials&scope=metrics+read");
        // shop:s%3Acret
        assert_eq!(request.headers[1], ("Authorization".to_owned(), "Basic c2hvcDpzJTNBY3JldA==".to_owned()));
        assert_eq!(format!("{request:?}"), "POST https://login.example.com/token");
        assert_eq!(super::request(Some(&OAuth2::default()), Trust::Machine), Ok(SignIn::None));
    }

    #[test]
    fn tokens_are_read_and_refusals_told() {
        let rows = [
            (answer(200, r#"{"access_token":"abc","token_type":"Bearer","expires_in":3600}"#), Ok(("abc", 3570))),
            (answer(200, r#"{"access_token":"abc","expires_in":"60"}"#), Ok(("abc", 30))),
            (answer(200, r#"{"access_token":"abc"}"#), Ok(("abc", 0))),
            (answer(200, r#"{"access_token":"a\nb"}"#), Err("no token: the answer has no access_token")),
            (answer(200, "<html>"), Err("no token: the answer is not JSON")),
            (
                answer(200, r#"{"access_token":"a","token_type":"mac"}"#),
                Err("no token: the server gives tokens that are not bearer tokens"),
            ),
            (answer(401, r#"{"error":"invalid_client"}"#), Err(r#"no token: HTTP 401: {"error":"invalid_client"}"#)),
        ];
        for (answer, expected) in rows {
            let token = parse(&answer);
            let found = token.as_ref().map(|token| (token.value.as_str(), token.good_for_seconds));
            assert_eq!(found.map_err(|failure| failure.0.as_str()), expected);
        }
    }
}
