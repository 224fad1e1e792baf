//! Where a client is: its network, and the address a proxy says it has.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::{Exchange, Fields};

/// The network that an address is taken to belong to: /24 of IPv4, /64 of IPv6; an IPv4-mapped address counts as IPv4.
pub fn client_network(address: IpAddr) -> IpNet {
    let address = address.to_canonical();
    let prefix = if address.is_ipv4() { 24 } else { 64 };
    IpNet::new(address, prefix).unwrap_or_else(|_| IpNet::from(address)).trunc()
}

/// The client's address as proxies before us report it: the first of Forwarded (RFC 7239), X-Forwarded-For, X-Real-IP,
/// True-Client-IP, CF-Connecting-IP that holds one. Anybody can send these.
pub fn forwarded_for(fields: &Fields) -> Option<IpAddr> {
    let forwarded = fields.text("forwarded").and_then(|value| {
        value.split([';', ',']).find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim().eq_ignore_ascii_case("for").then(|| address(value)).flatten()
        })
    });
    forwarded.or_else(|| {
        ["x-forwarded-for", "x-real-ip", "true-client-ip", "cf-connecting-ip"]
            .into_iter()
            .find_map(|name| address(fields.text(name)?.split(',').next()?))
    })
}

/// The client behind the proxy that opened the connection: the nearest address of its chain that is not itself of a private
/// network, or the first one. Only a peer of a private network is believed: anybody else may have made the chain up.
pub fn forwarded_client(exchange: &Exchange) -> Option<IpAddr> {
    let fields = exchange.request.as_ref()?.head.fields();
    if !is_private(exchange.client.ip()) {
        return None;
    }
    let chain = forwarded_chain(fields);
    let nearest = chain.iter().rev().find(|address| !is_private(**address)).or(chain.first()).copied();
    nearest.or_else(|| forwarded_for(fields)).filter(|address| *address != exchange.client.ip())
}

/// Addresses of one request's chain of proxies that are read, at most.
const LONGEST_CHAIN: usize = 32;

/// The addresses of X-Forwarded-For and Forwarded (RFC 7239), in their order: the client first, the nearest proxy last.
fn forwarded_chain(fields: &Fields) -> Vec<IpAddr> {
    let mut chain: Vec<IpAddr> = Vec::new();
    for field in fields.iter() {
        let name = field.name_text();
        let value = std::str::from_utf8(field.value).unwrap_or_default();
        if name.eq_ignore_ascii_case("x-forwarded-for") {
            chain.extend(value.split(',').take(LONGEST_CHAIN).filter_map(address));
        } else if name.eq_ignore_ascii_case("forwarded") {
            chain.extend(value.split(',').take(LONGEST_CHAIN).filter_map(forwarded_element));
        }
        if chain.len() >= LONGEST_CHAIN {
            chain.truncate(LONGEST_CHAIN);
            break;
        }
    }
    chain
}

/// Every address that a proxy may have written for the client: the chain, X-Real-IP, True-Client-IP, CF-Connecting-IP.
pub fn forwarded_addresses(fields: &Fields) -> Vec<IpAddr> {
    let mut found = forwarded_chain(fields);
    let single = ["x-real-ip", "true-client-ip", "cf-connecting-ip"];
    found.extend(single.iter().filter_map(|name| address(fields.text(name)?)));
    found
}

/// The `for=` of one element of Forwarded (RFC 7239 §4).
fn forwarded_element(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.trim().eq_ignore_ascii_case("for").then(|| address(value)).flatten()
    })
}

/// Whether an address is of a loopback, private, shared or link-local network, where proxies stand.
pub fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            let is_shared = a == 100 && b & 0xc0 == 64;
            address.is_loopback() || address.is_private() || address.is_link_local() || is_shared
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

/// The first address in a list of them, as in X-Forwarded-For.
pub fn first_address(list: &[u8]) -> Option<IpAddr> {
    let first = list.split(|byte| *byte == b',').next()?;
    address(std::str::from_utf8(first).ok()?)
}

/// `203.0.113.7`, `203.0.113.7:4711`, `"[2001:db8::1]:4711"`, `2001:db8::1`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split_once(']')?.0.parse().ok();
    }
    text.split_once(':')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{client_network, forwarded_client, forwarded_for};
    use crate::features::tests::{exchange, fields, request, response};

    #[test]
    fn networks() {
        for (address, network) in [
            ("10.1.2.3", "10.1.2.0/24"),
            ("::ffff:10.1.2.3", "10.1.2.0/24"),
            ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(client_network(address.parse().unwrap()).to_string(), network);
        }
    }

    #[test]
    fn proxies_report_the_client() {
        for (name, value, expected) in [
            ("X-Forwarded-For", "203.0.113.7, 10.0.0.1", Some("203.0.113.7")),
            ("Forwarded", "proto=https;For=\"[2001:db8::1]:4711\"", Some("2001:db8::1")),
            ("X-Real-IP", "203.0.113.9:80", Some("203.0.113.9")),
            ("Forwarded", "for=_hidden", None),
            ("X-Forwarded-For", "", None),
        ] {
            let found = forwarded_for(&fields(&[(name, value)]));
            assert_eq!(found, expected.map(|text| text.parse().unwrap()), "{name}: {value}");
        }
    }

    #[test]
    fn the_nearest_public_address_of_a_chain_is_the_client() {
        for (peer, name, value, expected) in [
            ("10.0.0.5", "X-Forwarded-For", "6.6.6.6, 203.0.113.7, 10.0.0.3", Some("203.0.113.7")),
            ("10.0.0.5", "X-Forwarded-For", "10.9.9.9, 10.0.0.3", Some("10.9.9.9")),
            ("127.0.0.1", "Forwarded", "for=203.0.113.7;by=x, For=\"[fd00::1]\"", Some("203.0.113.7")),
            ("::1", "X-Real-IP", "203.0.113.7", Some("203.0.113.7")),
            ("100.64.1.1", "X-Forwarded-For", "203.0.113.7", Some("203.0.113.7")),
            ("198.51.100.1", "X-Forwarded-For", "203.0.113.7", None),
            ("10.0.0.5", "X-Forwarded-For", "unknown", None),
            ("10.0.0.5", "X-Forwarded-For", "10.0.0.5", None),
        ] {
            let one = exchange(peer, 0, request("GET", "/", &[(name, value)], b""), response(403, &[], b""));
            assert_eq!(forwarded_client(&one), expected.map(|text| text.parse().unwrap()), "{peer} {value}");
        }
    }
}
