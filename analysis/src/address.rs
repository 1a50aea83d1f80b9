//! Which servers may be asked. Templates are written by people who may not read what the controller can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::provider::Failure;
use crate::provider::http::HttpRequest;

/// Addresses under which clouds give out credentials to whoever runs on a machine, beside the link-local ranges.
const METADATA_ADDRESSES: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)), IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254))];
const METADATA_NAMES: [&str; 3] = ["metadata.google.internal", "metadata.goog", "metadata"];

/// Which hosts may be asked. Loopback and private ranges are like all others; metadata addresses are denied unless
/// the operator names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    allowed: Vec<Rule>,
    denied: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    /// `*`
    Any,
    /// `prometheus.example.com`
    Name(String),
    /// `*.example.com`, kept as `.example.com`
    Below(String),
    /// `10.1.2.3` or `10.0.0.0/8`: an address and how many of its bits count.
    Range(IpAddr, u8),
}

impl AddressPolicy {
    /// Reads the operator's lists. With an empty list of allowed hosts all are, and so with `*` in it.
    ///
    /// # Errors
    /// All entries that are neither a host, nor `*.` with one, nor a range of addresses.
    pub fn new(allowed: &[String], denied: &[String]) -> Result<Self, Vec<Failure>> {
        let mut mistakes = Vec::new();
        let mut read = |list: &[String]| {
            let mut rules = Vec::new();
            for entry in list {
                match Rule::read(entry) {
                    Some(rule) => rules.push(rule),
                    None => mistakes.push(Failure(format!(
                        "{entry:?} is not a host; write prometheus.example.com, *.example.com or 10.0.0.0/8"
                    ))),
                }
            }
            rules
        };
        let policy = Self { allowed: read(allowed), denied: read(denied) };
        if mistakes.is_empty() { Ok(policy) } else { Err(mistakes) }
    }

    /// Judges an address as it is written, before its name is looked up.
    ///
    /// # Errors
    /// The server may not be asked.
    pub fn check_url(&self, url: &str) -> Result<(), Failure> {
        let (_, host, _) = parts(url)?;
        let ip = host.parse::<IpAddr>().ok();
        self.check(&host, ip)
    }

    /// Judges an address that a name was looked up to. The connection has to go to this very address: a name that is
    /// looked up again may give another one.
    ///
    /// # Errors
    /// The server may not be asked.
    pub fn check_ip(&self, host: &str, ip: IpAddr) -> Result<(), Failure> {
        self.check(&plain(host), Some(ip))
    }

    /// Judges a redirect.
    ///
    /// # Errors
    /// It leads to a server that may not be asked, or would carry credentials to another one.
    pub fn check_redirect(&self, request: &HttpRequest, to: &str) -> Result<(), Failure> {
        let (from, target) = (parts(&request.url)?, parts(to)?);
        self.check_url(to)?;
        if request.has_credentials() && from != target {
            let (scheme, host, port) = target;
            let problem = format!("the server redirects to {scheme}://{host}:{port}, where credentials are not sent");
            return Err(Failure(format!("{problem}; write that address into the template")));
        }
        Ok(())
    }

    fn check(&self, host: &str, ip: Option<IpAddr>) -> Result<(), Failure> {
        let ip = ip.map(embedded);
        let fits = |rule: &Rule| rule.fits(host, ip);
        let refused = |why: &str| Err(Failure(format!("{host} may not be asked: {why}")));
        if self.denied.iter().any(fits) {
            return refused("the operator has denied it");
        }
        let is_metadata = METADATA_NAMES.contains(&host) || ip.is_some_and(gives_out_credentials);
        if is_metadata && !self.allowed.iter().any(|rule| *rule != Rule::Any && fits(rule)) {
            return refused("clouds give out credentials there; the operator can allow it by name");
        }
        // A name that is not allowed may still be looked up to an address that is.
        let only_ranges_left = ip.is_none() && self.allowed.iter().any(|rule| matches!(rule, Rule::Range(..)));
        if !self.allowed.is_empty() && !only_ranges_left && !self.allowed.iter().any(fits) {
            return refused("it is not among the hosts that the operator allows");
        }
        Ok(())
    }
}

impl Rule {
    fn read(entry: &str) -> Option<Self> {
        let entry = plain(entry.trim());
        if entry == "*" {
            return Some(Self::Any);
        }
        if let Ok(ip) = entry.parse::<IpAddr>() {
            return Some(Self::Range(ip, if ip.is_ipv4() { 32 } else { 128 }));
        }
        if let Some((ip, bits)) = entry.split_once('/') {
            let (ip, bits) = (ip.parse::<IpAddr>().ok()?, bits.parse::<u8>().ok()?);
            return (bits <= if ip.is_ipv4() { 32 } else { 128 }).then_some(Self::Range(ip, bits));
        }
        let (below, name) = entry.strip_prefix("*.").map_or((false, entry.as_str()), |name| (true, name));
        let is_name = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
            && !name.starts_with('.');
        is_name.then(|| if below { Self::Below(format!(".{name}")) } else { Self::Name(name.to_owned()) })
    }

    fn fits(&self, host: &str, ip: Option<IpAddr>) -> bool {
        match (self, ip) {
            (Self::Any, _) => true,
            (Self::Name(name), _) => host == name,
            (Self::Below(name), _) => host.ends_with(name.as_str()),
            (Self::Range(IpAddr::V4(start), bits), Some(IpAddr::V4(ip))) => {
                let shift = 32 - u32::from(*bits);
                u32::from(*start).checked_shr(shift) == u32::from(ip).checked_shr(shift)
            }
            (Self::Range(IpAddr::V6(start), bits), Some(IpAddr::V6(ip))) => {
                let shift = 128 - u32::from(*bits);
                u128::from(*start).checked_shr(shift) == u128::from(ip).checked_shr(shift)
            }
            (Self::Range(..), _) => false,
        }
    }
}

/// Scheme, host and port of an address.
fn parts(url: &str) -> Result<(String, String, u16), Failure> {
    let uri: http::Uri = url.trim().parse().map_err(|_| Failure("the address can't be read".to_owned()))?;
    let scheme = uri.scheme_str().unwrap_or_default().to_ascii_lowercase();
    let usual = match scheme.as_str() {
        "http" => 80,
        "https" => 443,
        _ => return Err(Failure("only http and https are asked".to_owned())),
    };
    let host = plain(uri.host().unwrap_or_default());
    if host.is_empty() {
        return Err(Failure("the address names no host".to_owned()));
    }
    Ok((scheme, host, uri.port_u16().unwrap_or(usual)))
}

/// A host without brackets, without the dot that ends a full name, in lower case.
fn plain(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase()
}

/// The IPv4 address that an IPv6 one only wraps.
fn embedded(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = ip else { return ip };
    match six.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0, 0xffff, high, low] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        _ => ip,
    }
}

fn gives_out_credentials(ip: IpAddr) -> bool {
    METADATA_ADDRESSES.contains(&ip)
        || match ip {
            IpAddr::V4(four) => four.is_link_local(),
            IpAddr::V6(six) => six.segments()[0] & 0xffc0 == 0xfe80,
        }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::provider::http::{Method, SignIn, Trust};

    fn policy(allowed: &[&str], denied: &[&str]) -> AddressPolicy {
        let owned = |list: &[&str]| list.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>();
        AddressPolicy::new(&owned(allowed), &owned(denied)).expect("good lists")
    }

    #[test]
    fn all_servers_may_be_asked_but_those_that_give_out_credentials() {
        let open = AddressPolicy::default();
        let rows = [
            ("http://prometheus:9090/", true),
            ("http://localhost:9090", true),
            ("http://127.0.0.1", true),
            ("http://10.1.2.3", true),
            ("http://[::1]:9090", true),
            ("http://169.254.169.254/latest/meta-data/", false),
            ("http://user@169.254.169.254/", false),
            ("http://[fe80::1]/", false),
            ("http://[febf::1]/", false),
            ("http://[fd00:ec2::254]/", false),
            ("http://[::ffff:169.254.169.254]/", false),
            ("http://[64:ff9b::a9fe:a9fe]/", false),
            ("http://100.100.100.200/", false),
            ("http://METADATA.google.internal./", false),
            ("ftp://prometheus/", false),
            ("prometheus:9090", false),
            ("http://", false),
        ];
        for (url, allowed) in rows {
            assert_eq!(open.check_url(url).is_ok(), allowed, "{url}");
        }
    }

    #[test]
    fn a_name_is_judged_again_by_what_it_is_looked_up_to() {
        let open = AddressPolicy::default();
        let metadata: IpAddr = "169.254.169.254".parse().expect("an address");
        assert_eq!(
            open.check_ip("innocent.example.com", metadata).map_err(|failure| failure.0),
            Err("innocent.example.com may not be asked: clouds give out credentials there; the operator can allow it by name".to_owned())
        );
        assert!(open.check_ip("innocent.example.com", Ipv4Addr::LOCALHOST.into()).is_ok());
    }

    #[test]
    fn the_operators_lists_decide() {
        let rows = [
            (policy(&["prometheus"], &[]), "http://prometheus:9090", true),
            (policy(&["prometheus"], &[]), "http://other", false),
            (policy(&["*.example.com"], &[]), "http://a.b.example.com", true),
            (policy(&["*.example.com"], &[]), "http://example.com", false),
            (policy(&["*.example.com"], &[]), "http://badexample.com", false),
            (policy(&["10.0.0.0/8"], &[]), "http://10.200.1.1", true),
            (policy(&["10.0.0.0/8"], &[]), "http://11.0.0.1", false),
            (policy(&["10.0.0.0/8"], &[]), "http://looked.up", true),
            (policy(&["fd00::/8"], &[]), "http://[fd12::1]", true),
            (policy(&[], &["*.internal"]), "http://db.internal", false),
            (policy(&["db.internal"], &["*.internal"]), "http://db.internal", false),
            (policy(&["*"], &[]), "http://169.254.169.254", false),
            (policy(&["*", "169.254.169.254"], &[]), "http://169.254.169.254", true),
            (policy(&["*", "169.254.169.254"], &[]), "http://prometheus", true),
            (policy(&["metadata.google.internal"], &[]), "http://metadata.google.internal", true),
            (policy(&["0.0.0.0/0"], &[]), "http://8.8.8.8", true),
        ];
        for (policy, url, allowed) in rows {
            assert_eq!(policy.check_url(url).is_ok(), allowed, "{policy:?} {url}");
        }
        let bad = AddressPolicy::new(&["http://x".to_owned(), "10.0.0.0/33".to_owned()], &["".to_owned()]);
        assert_eq!(bad.map_err(|mistakes| mistakes.len()), Err(3));
    }

    #[test]
    fn no_redirect_carries_credentials_to_another_server() {
        let request = |headers: Vec<(String, String)>| HttpRequest {
            method: Method::Get,
            url: "https://prometheus.example.com/api".to_owned(),
            headers,
            body: String::new(),
            timeout: SignedDuration::from_secs(1),
            trust: Trust::Machine,
            sign_in: SignIn::None,
        };
        let open = AddressPolicy::default();
        let (without, with) = (request(Vec::new()), request(vec![("X-Api-Key".to_owned(), "secret".to_owned())]));
        let rows = [
            ("https://prometheus.example.com/other", true, true),
            ("https://prometheus.example.com:443/other", true, true),
            ("http://prometheus.example.com/other", true, false),
            ("https://prometheus.example.com:8443/", true, false),
            ("https://evil.example.com/", true, false),
            ("http://169.254.169.254/", false, false),
        ];
        for (to, allowed_without, allowed_with) in rows {
            assert_eq!(open.check_redirect(&without, to).is_ok(), allowed_without, "{to} without credentials");
            assert_eq!(open.check_redirect(&with, to).is_ok(), allowed_with, "{to} with credentials");
        }
    }
}
