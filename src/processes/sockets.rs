//! The kernel's tables of sockets and addresses as /proc shows them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Lines of one table that are read, at most.
const MAX_LINES: usize = 200_000;

/// A socket that listens: its address and its inode.
pub(super) fn listening(table: &str, port: u16) -> impl Iterator<Item = (IpAddr, u64)> {
    table.lines().skip(1).take(MAX_LINES).filter_map(move |line| {
        let mut words = line.split_ascii_whitespace();
        let (local, _, state) = (words.nth(1)?, words.next()?, words.next()?);
        let (address, local_port) = local.split_once(':')?;
        if state != "0A" || u16::from_str_radix(local_port, 16).ok()? != port {
            return None;
        }
        Some((address_of(address)?, words.nth(5)?.parse().ok()?))
    })
}

/// Words of 32 bits in the byte order of this machine.
fn address_of(hex: &str) -> Option<IpAddr> {
    let words: Option<Vec<[u8; 4]>> = hex
        .as_bytes()
        .chunks(8)
        .map(|word| Some(u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?.to_ne_bytes()))
        .collect();
    match *words? {
        [a] => Some(IpAddr::V4(Ipv4Addr::from(a))),
        [a, b, c, d] => {
            let bytes: Vec<u8> = [a, b, c, d].concat();
            let bytes: [u8; 16] = bytes.try_into().ok()?;
            Some(IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical())
        }
        _ => None,
    }
}

/// Whether the routing table `fib_trie` or the list `if_inet6` says that `address` is one of the machine's own.
pub(super) fn is_local(address: IpAddr, fib_trie: &str, if_inet6: &str) -> bool {
    match address {
        IpAddr::V4(v4) if v4.is_loopback() => true,
        IpAddr::V4(v4) => {
            let entry = format!("|-- {v4}");
            let mut lines = fib_trie.lines().take(MAX_LINES).peekable();
            while let Some(line) = lines.next() {
                let is_own = lines.peek().is_some_and(|next| next.contains("host LOCAL"));
                if is_own && line.trim() == entry {
                    return true;
                }
            }
            false
        }
        IpAddr::V6(v6) if v6.is_loopback() => true,
        IpAddr::V6(v6) => {
            let digits = format!("{:032x}", u128::from(v6));
            if_inet6.lines().take(MAX_LINES).any(|line| line.starts_with(&digits))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 20 4 30 10 -1
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 99 1 0 100 0 0 10 0
";
    const TCP6: &str = "  sl  local_address                         remote_address                        st
   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1
   1: 0000000000000000FFFF00000100007F:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1
";

    #[test]
    #[cfg(target_endian = "little")]
    fn listening_sockets_are_found_by_port() {
        let all = |table: &str, port| -> Vec<(String, u64)> {
            listening(table, port).map(|(address, inode)| (address.to_string(), inode)).collect()
        };
        assert_eq!(all(TCP, 8080), [("127.0.0.1".to_owned(), 4711)]);
        assert_eq!(all(TCP, 80), [("0.0.0.0".to_owned(), 99)]);
        assert_eq!(all(TCP6, 80), [("::1".to_owned(), 100), ("127.0.0.1".to_owned(), 101)]);
        assert!(all("", 80).is_empty() && all("x\ny z\n1: a b c d e f g h i j\n", 80).is_empty());
    }

    #[test]
    fn own_addresses_are_told_from_others() {
        let trie = "     +-- 10.0.0.0/24 2 0 2\n        |-- 10.0.0.0\n           /24 link UNICAST\n        |-- 10.0.0.5\n           /32 host LOCAL\n";
        let v6 = "fd000000000000000000000000000007 02 40 00 80     eth0\n";
        let is = |text: &str| is_local(text.parse().unwrap(), trie, v6);
        assert!(is("10.0.0.5") && is("127.0.0.9") && is("fd00::7") && is("::1"));
        assert!(!is("10.0.0.0") && !is("10.0.0.50") && !is("fd00::8"));
    }
}
