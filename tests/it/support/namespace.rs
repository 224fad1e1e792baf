//! Two network namespaces joined by a pair of virtual interfaces.

use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::must;

/// Makes the names of one test run differ.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A client's and a server's namespace; removed when dropped. Needs root.
pub(crate) struct Pair {
    /// Where requests come from.
    pub client: String,
    /// Where the server is, and the capture.
    pub server: String,
    /// The server's interface.
    pub interface: String,
}

impl Pair {
    /// The server's address; namespaces keep the runs apart.
    pub(crate) const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 203, 0, 2));

    pub(crate) fn new() -> Self {
        let name = format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let pair = Self {
            client: format!("why403-c-{name}"),
            server: format!("why403-s-{name}"),
            interface: "veth-server".to_owned(),
        };
        let (client, server) = (&pair.client, &pair.server);
        ip(&format!("netns add {client}"));
        ip(&format!("netns add {server}"));
        ip(&format!("-n {client} link add veth-client type veth peer name veth-server netns {server}"));
        for (namespace, interface, address) in
            [(client, "veth-client", "10.203.0.1"), (server, "veth-server", "10.203.0.2")]
        {
            ip(&format!("-n {namespace} address add {address}/24 dev {interface}"));
            ip(&format!("-n {namespace} link set {interface} up"));
            ip(&format!("-n {namespace} link set lo up"));
        }
        pair
    }

    /// A command that runs in the server's namespace.
    pub(crate) fn at_server(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        inside(&self.server, program)
    }

    /// A command that runs in the client's namespace.
    pub(crate) fn at_client(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        inside(&self.client, program)
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for namespace in [&self.client, &self.server] {
            let _ = Command::new("ip").args(["netns", "delete", namespace]).status();
        }
    }
}

fn inside(namespace: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).arg(program);
    command
}

/// Runs `ip` with words separated by spaces.
pub(crate) fn ip(words: &str) {
    must("ip", words.split(' '));
}
