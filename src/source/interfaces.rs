//! The interfaces that can be captured on (`-D`).

use std::net::IpAddr;

use pcap::Device;

use super::bpf::message;

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// What `-i` takes.
    pub name: String,
    /// libpcap's words for it, where it has any.
    pub description: Option<String>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Whether it is up.
    pub is_up: bool,
    /// Whether it only reaches this machine.
    pub is_loopback: bool,
}

/// Devices whose frames are not IP.
const OTHERS: [&str; 5] = ["usbmon", "bluetooth", "dbus-", "nfqueue", "can"];

/// All interfaces, in libpcap's order: the likeliest first.
pub fn interfaces() -> Result<Vec<Interface>, String> {
    let devices = Device::list().map_err(|error| message(&error))?;
    let of_ip = devices.into_iter().filter(|device| !OTHERS.iter().any(|name| device.name.starts_with(name)));
    Ok(of_ip
        .map(|device| Interface {
            is_up: device.flags.is_up(),
            is_loopback: device.flags.is_loopback(),
            addresses: device.addresses.iter().map(|address| address.addr).collect(),
            name: device.name,
            description: device.desc,
        })
        .collect())
}

/// The names, for an error message.
pub(super) fn names() -> String {
    match interfaces() {
        Ok(all) if !all.is_empty() => {
            all.into_iter().map(|interface| interface.name).collect::<Vec<_>>().join(", ")
        }
        _ => "none that can be listed".to_owned(),
    }
}
