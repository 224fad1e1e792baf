//! Where a client is: its network, and the address a proxy says it has.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::Fields;

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
    use super::{client_network, forwarded_for};
    use crate::features::tests::fields;

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
}
