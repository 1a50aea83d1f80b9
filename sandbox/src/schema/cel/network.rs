//! Addresses, ranges of addresses, and URLs.

use std::net::IpAddr;
use std::rc::Rc;

use super::eval::Outcome;
use super::value::Cel;

pub(super) fn global(function: &str, args: &[Cel]) -> Option<Outcome> {
    let [Cel::Text(text)] = args else { return None };
    Some(match function {
        "ip" => text
            .parse()
            .map(Cel::Ip)
            .map_err(|_| format!("IP Address \"{text}\" parse error during conversion from string").into()),
        "isIP" => Ok(Cel::Bool(text.parse::<IpAddr>().is_ok())),
        "ip.isCanonical" => Ok(Cel::Bool(text.parse::<IpAddr>().is_ok_and(|address| address.to_string() == **text))),
        "cidr" => range(text)
            .map(|(address, bits)| Cel::Cidr(address, bits))
            .ok_or_else(|| format!("network address parse error during conversion from string: \"{text}\"").into()),
        "isCIDR" => Ok(Cel::Bool(range(text).is_some())),
        "url" => {
            if is_url(text) {
                Ok(Cel::Url(Rc::clone(text)))
            } else {
                Err(format!("URL parse error during conversion from string: \"{text}\"").into())
            }
        }
        "isURL" => Ok(Cel::Bool(is_url(text))),
        _ => return None,
    })
}

pub(super) fn member(target: &Cel, function: &str, args: &[Cel]) -> Option<Outcome> {
    match target {
        Cel::Ip(address) => ip_member(*address, function).filter(|_| args.is_empty()).map(Ok),
        Cel::Cidr(address, bits) => cidr_member(*address, *bits, function, args).map(Ok),
        Cel::Url(text) => url_member(text, function).filter(|_| args.is_empty()).map(Ok),
        _ => None,
    }
}

fn ip_member(address: IpAddr, function: &str) -> Option<Cel> {
    let v6_link_local = |v6: std::net::Ipv6Addr| v6.segments()[0] & 0xffc0 == 0xfe80;
    Some(match function {
        "family" => Cel::Int(if address.is_ipv4() { 4 } else { 6 }),
        "isUnspecified" => Cel::Bool(address.is_unspecified()),
        "isLoopback" => Cel::Bool(address.is_loopback()),
        "isLinkLocalMulticast" => Cel::Bool(match address {
            IpAddr::V4(v4) => v4.octets()[..3] == [224, 0, 0],
            IpAddr::V6(v6) => v6.segments()[0] & 0xff0f == 0xff02,
        }),
        "isLinkLocalUnicast" => Cel::Bool(match address {
            IpAddr::V4(v4) => v4.is_link_local(),
            IpAddr::V6(v6) => v6_link_local(v6),
        }),
        "isGlobalUnicast" => Cel::Bool(match address {
            IpAddr::V4(v4) => {
                !(v4.is_unspecified()
                    || v4.is_loopback()
                    || v4.is_multicast()
                    || v4.is_link_local()
                    || v4.is_broadcast())
            }
            IpAddr::V6(v6) => !(v6.is_unspecified() || v6.is_loopback() || v6.is_multicast() || v6_link_local(v6)),
        }),
        _ => return None,
    })
}

fn range(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let bits: u8 = bits.parse().ok()?;
    (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, bits))
}

/// The address as a number with everything behind the prefix cut off.
fn masked(address: IpAddr, bits: u8) -> u128 {
    let (number, width) = match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)), 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    };
    let cut = u32::from(width - bits.min(width));
    number.checked_shr(cut).unwrap_or(0).checked_shl(cut).unwrap_or(0)
}

fn holds(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    network.is_ipv4() == address.is_ipv4() && masked(network, bits) == masked(address, bits)
}

fn cidr_member(network: IpAddr, bits: u8, function: &str, args: &[Cel]) -> Option<Cel> {
    Some(match (function, args) {
        ("prefixLength", []) => Cel::Int(i64::from(bits)),
        ("ip", []) => Cel::Ip(network),
        ("containsIP", [Cel::Ip(address)]) => Cel::Bool(holds(network, bits, *address)),
        ("containsIP", [Cel::Text(text)]) => Cel::Bool(text.parse().is_ok_and(|address| holds(network, bits, address))),
        ("containsCIDR", [Cel::Cidr(inner, inner_bits)]) => {
            Cel::Bool(*inner_bits >= bits && holds(network, bits, *inner))
        }
        ("containsCIDR", [Cel::Text(text)]) => {
            Cel::Bool(range(text).is_some_and(|(inner, inner_bits)| inner_bits >= bits && holds(network, bits, inner)))
        }
        ("masked", []) => {
            let number = masked(network, bits);
            let address = match network {
                IpAddr::V4(_) => IpAddr::from(u32::try_from(number).unwrap_or(0).to_be_bytes()),
                IpAddr::V6(_) => IpAddr::from(number.to_be_bytes()),
            };
            Cel::Cidr(address, bits)
        }
        _ => return None,
    })
}

/// An absolute URL, or a path that begins with a slash.
fn is_url(text: &str) -> bool {
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return false;
    }
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    text.starts_with('/')
        || scheme.is_some_and(|scheme| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        })
}

fn url_member(text: &str, function: &str) -> Option<Cel> {
    let (before_query, query) = text.split_once('?').unwrap_or((text, ""));
    let (scheme, rest) = before_query.split_once("://").unwrap_or(("", before_query));
    let (authority, path) =
        if scheme.is_empty() { ("", rest) } else { rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash)) };
    let host = authority.rsplit('@').next().unwrap_or_default();
    let (name, port) = match host.rfind(':') {
        Some(colon) if !host[colon..].contains(']') => (&host[..colon], &host[colon + 1..]),
        _ => (host, ""),
    };
    Some(Cel::text(match function {
        "getScheme" => scheme,
        "getHost" => host,
        "getHostname" => name.trim_matches(['[', ']']),
        "getPort" => port,
        "getEscapedPath" => path,
        "getQuery" => {
            let mut map = std::collections::BTreeMap::new();
            for pair in query.split('&').filter(|pair| !pair.is_empty()) {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let key = super::value::Key::Text(Rc::from(name));
                map.entry(key).or_insert_with(Vec::new).push(Cel::text(value));
            }
            let lists = map.into_iter().map(|(name, values)| (name, Cel::list(values)));
            return Some(Cel::Map(Rc::new(lists.collect())));
        }
        _ => return None,
    }))
}
