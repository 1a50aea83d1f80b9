//! AWS Signature Version 4, for Amazon's managed Prometheus.

use std::fmt::Write as _;

use jiff::Timestamp;
use ring::{digest, hmac};

use super::Failure;
use super::http::{AwsSigning, HttpRequest, SignIn};

/// The name that Amazon gives to its managed Prometheus in signatures.
pub const MANAGED_PROMETHEUS: &str = "aps";

/// Credentials of an AWS account.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The key's name.
    pub access_key: String,
    /// The key.
    pub secret_key: String,
    /// What makes temporary keys valid; empty for lasting ones.
    pub session_token: String,
    /// The region where the template names none.
    pub region: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "credentials for {}", self.region)
    }
}

/// The request with its signature.
///
/// # Errors
/// The address can't be read, or no region is known.
pub fn sign(
    mut request: HttpRequest,
    signing: &AwsSigning,
    credentials: &Credentials,
    service: &str,
    now: Timestamp,
) -> Result<HttpRequest, Failure> {
    let uri: ::http::Uri =
        request.url.parse().map_err(|_| Failure("the address to sign for can't be read".to_owned()))?;
    let host = uri.authority().map(::http::uri::Authority::as_str).unwrap_or_default().to_owned();
    let region = if signing.region.is_empty() { &credentials.region } else { &signing.region };
    if region.is_empty() {
        return Err(Failure("no AWS region is known; write authentication.sigv4.region".to_owned()));
    }
    let stamp = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = now.strftime("%Y%m%d").to_string();
    let mut signed = vec![("host".to_owned(), host), ("x-amz-date".to_owned(), stamp.clone())];
    if !credentials.session_token.is_empty() {
        signed.push(("x-amz-security-token".to_owned(), credentials.session_token.clone()));
    }
    let names = signed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let canonical = format!(
        "{}\n{}\n{}\n{lines}\n{names}\n{}",
        request.method.as_str(),
        path(uri.path()),
        query(uri.query().unwrap_or_default()),
        hash(request.body.as_bytes()),
    );
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let to_sign = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hash(canonical.as_bytes()));
    let mut key = format!("AWS4{}", credentials.secret_key).into_bytes();
    for part in [day.as_str(), region, service, "aws4_request", to_sign.as_str()] {
        key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec();
    }
    let signature = hex(&key);
    request.headers.extend(signed.into_iter().filter(|(name, _)| name != "host"));
    let proof = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        credentials.access_key
    );
    request.headers.push(("Authorization".to_owned(), proof));
    request.sign_in = SignIn::None;
    Ok(request)
}

/// Every part of the path once more encoded, as all services but S3 want it.
fn path(path: &str) -> String {
    let parts: Vec<String> = path.split('/').map(encoded).collect();
    let path = parts.join("/");
    if path.is_empty() { "/".to_owned() } else { path }
}

/// The query's parts, sorted.
fn query(query: &str) -> String {
    let mut parts: Vec<String> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| format!("{}={}", encoded(&name), encoded(&value)))
        .collect();
    parts.sort();
    parts.join("&")
}

fn encoded(text: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    percent_encoding::utf8_percent_encode(text, ENCODED).to_string()
}

fn hash(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::http::{Method, Trust};
    use super::*;

    /// The signatures that Amazon published as examples of its procedure.
    #[test]
    fn signatures_are_those_of_amazons_examples() {
        let rows = [
            (
                Method::Get,
                "https://example.amazonaws.com/",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                Method::Post,
                "https://example.amazonaws.com/",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                Method::Get,
                "https://example.amazonaws.com/?Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
        ];
        let credentials = Credentials {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: String::new(),
            region: "us-east-1".to_owned(),
        };
        let signing = AwsSigning { region: String::new(), profile: String::new(), role_arn: String::new() };
        let now = "2015-08-30T12:36:00Z".parse().expect("a time");
        for (method, url, signature) in rows {
            let request = HttpRequest {
                method,
                url: url.to_owned(),
                headers: Vec::new(),
                body: String::new(),
                timeout: SignedDuration::from_secs(1),
                trust: Trust::Machine,
                sign_in: SignIn::Aws(signing.clone()),
            };
            let signed = sign(request, &signing, &credentials, "service", now).expect("a signature");
            assert_eq!(
                signed.headers[1].1,
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature={signature}"
                )
            );
            assert_eq!(signed.sign_in, SignIn::None);
        }
    }
}
