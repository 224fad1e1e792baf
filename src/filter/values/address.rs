//! Addresses, networks and ports of client and server.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::history::store::columns::address_bits;

/// Addresses from one to another, of one port or any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    low: u128,
    high: u128,
    port: Option<u16>,
}

impl Addresses {
    /// `10.0.0.1`, `10.0.0.0/8`, `10.0.*`, `10.0.0.1:8080`, `2001:db8::/32`, `[::1]:80`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let of =
            |low: IpAddr, high: IpAddr, port| Self { low: address_bits(low), high: address_bits(high), port };
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(of(address, address, None));
        }
        if let Ok(network) = text.parse::<IpNet>() {
            return Some(of(network.network(), network.broadcast(), None));
        }
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return Some(of(socket.ip(), socket.ip(), Some(socket.port())));
        }
        if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let address = address.parse().ok()?;
            return Some(of(address, address, None));
        }
        let (low, high) = wildcard(text)?;
        Some(of(low, high, None))
    }
    /// Whether the address is among them, whatever the port.
    pub(crate) fn contains(&self, bits: u128) -> bool {
        (self.low..=self.high).contains(&bits)
    }
    /// Whether the address and port are among them.
    pub(crate) fn matches(&self, address: SocketAddr) -> bool {
        self.contains(address_bits(address.ip())) && self.port.is_none_or(|port| port == address.port())
    }
    /// Whether a port is asked for.
    pub(crate) fn has_port(&self) -> bool {
        self.port.is_some()
    }
}

/// `10.0.*` and `10.0.0.*`: the first and last address.
fn wildcard(text: &str) -> Option<(IpAddr, IpAddr)> {
    let parts: Vec<&str> = text.split('.').collect();
    let (last, given) = parts.split_last()?;
    if *last != "*" || given.is_empty() || given.len() > 3 {
        return None;
    }
    let (mut low, mut high) = ([0_u8; 4], [255_u8; 4]);
    for (at, part) in given.iter().enumerate() {
        let octet: u8 = part.parse().ok()?;
        *low.get_mut(at)? = octet;
        *high.get_mut(at)? = octet;
    }
    Some((low.into(), high.into()))
}

#[cfg(test)]
mod tests {
    use super::Addresses;

    #[test]
    fn reads_addresses_and_networks() {
        for (text, address, expected) in [
            ("10.0.0.1", "10.0.0.1:5", true),
            ("10.0.0.0/8", "10.9.9.9:5", true),
            ("10.0.0.7/8", "10.9.9.9:5", true),
            ("10.0.0.0/8", "11.0.0.0:5", false),
            ("10.0.*", "10.0.3.4:5", true),
            ("10.0.*", "10.1.3.4:5", false),
            ("10.0.0.1:80", "10.0.0.1:80", true),
            ("10.0.0.1:80", "10.0.0.1:81", false),
            ("2001:db8::/32", "[2001:db8:1::2]:5", true),
            ("::1", "[::1]:5", true),
            ("[::1]:80", "[::1]:80", true),
            ("0.0.0.0/0", "[::1]:5", false),
            ("10.0.0.1", "[::ffff:10.0.0.1]:5", true),
        ] {
            let addresses = Addresses::parse(text).unwrap();
            assert_eq!(addresses.matches(address.parse().unwrap()), expected, "{text} {address}");
        }
        for bad in ["", "*", "10.0.0", "10.0.0.0/33", "host", "1.2.3.4.*", "300.*"] {
            assert_eq!(Addresses::parse(bad), None, "{bad}");
        }
    }
}
