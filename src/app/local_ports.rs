//! Which TCP ports of this host have servers and connections: what to say when nothing comes on the port that was asked for.
//!
//! Read from `/proc/net` once, before the sandbox closes it.

use std::collections::{BTreeMap, BTreeSet};

/// Ports that are listed.
const LISTED: usize = 12;
/// State of a listening socket in `/proc/net/tcp`.
const LISTEN: &str = "0A";
/// State of an established connection.
const ESTABLISHED: &str = "01";

/// Ports in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ports {
    /// Those with a server.
    listening: BTreeSet<u16>,
    /// Established connections to local servers, by local port.
    inbound: BTreeMap<u16, u64>,
    /// Established connections to other servers, by remote port.
    outbound: BTreeMap<u16, u64>,
}

/// One sentence for each thing known; none where `/proc` is missing.
pub(super) fn hints() -> Vec<String> {
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
    read(&tables).sentences()
}

/// Reads tables in the format of `/proc/net/tcp` (proc_net_tcp in the kernel's documentation).
fn read(tables: &[String]) -> Ports {
    let mut ports = Ports::default();
    let mut established = Vec::new();
    for line in tables.iter().flat_map(|table| table.lines().skip(1)) {
        let mut words = line.split_ascii_whitespace().skip(1);
        let (local, remote) = (words.next().and_then(port), words.next().and_then(port));
        match (words.next(), local, remote) {
            (Some(LISTEN), Some(local), _) => _ = ports.listening.insert(local),
            (Some(ESTABLISHED), Some(local), Some(remote)) => established.push((local, remote)),
            _ => {}
        }
    }
    for (local, remote) in established {
        if ports.listening.contains(&local) {
            *ports.inbound.entry(local).or_default() += 1;
        } else if !ports.listening.contains(&remote) {
            *ports.outbound.entry(remote).or_default() += 1;
        }
    }
    ports
}

/// The port of `0100007F:1F90`.
fn port(address: &str) -> Option<u16> {
    u16::from_str_radix(address.rsplit_once(':')?.1, 16).ok()
}

impl Ports {
    fn sentences(&self) -> Vec<String> {
        let mut out = Vec::new();
        if !self.listening.is_empty() {
            let shown: Vec<String> = self.listening.iter().take(LISTED).map(u16::to_string).collect();
            let more = if self.listening.len() > LISTED { ", …" } else { "" };
            out.push(format!("this host listens on TCP port {}{more}", shown.join(", ")));
        }
        for (counts, what) in
            [(&self.inbound, "open connections to"), (&self.outbound, "open connections to remote")]
        {
            let mut counts: Vec<_> = counts.iter().collect();
            counts.sort_by_key(|(port, count)| (std::cmp::Reverse(**count), **port));
            let shown: Vec<String> =
                counts.into_iter().take(LISTED).map(|(port, count)| format!("{port} ({count})")).collect();
            if !shown.is_empty() {
                out.push(format!("{what} port {}", shown.join(", ")));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn listening_ports_and_connections_become_sentences() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n\
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1\n\
            1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2\n\
            2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 3\n\
            3: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 4\n\
            4: 0200000A:C351 0300000A:01BB 01 00000000:00000000 00:00000000 00000000     0        0 5\n\
            5: garbage\n";
        let ports = read(&[table.to_owned(), String::new()]);
        assert_eq!(
            ports.sentences(),
            [
                "this host listens on TCP port 22, 8080",
                "open connections to port 8080 (1)",
                "open connections to remote port 443 (1)"
            ]
        );
        assert_eq!(read(&[]).sentences(), Vec::<String>::new());
    }
}
