//! What can be wrong with a capture's bytes.

/// Why reading ends before the end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not a byte.
    #[error("it is empty")]
    Empty,
    /// The first bytes are those of something else.
    #[error("it is no pcap or pcapng capture: {0}")]
    NotACapture(&'static str),
    /// It ends inside the file header.
    #[error("it ends inside its header; capture again, or copy it again")]
    ShortHeader,
    /// A link type whose frames nobody here can read.
    #[error(
        "its link type {0}{name} is not supported; Ethernet, Linux cooked, raw IP, BSD loopback, PPP, Frame Relay and 802.11 are",
        name = link_name(*.0)
    )]
    LinkType(u32),
    /// It ends inside a record.
    #[error("it is cut short in the middle of a record")]
    CutShort,
    /// A record that cannot be.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// A record of impossible length.
    #[error("it is damaged: a record claims {0} bytes")]
    RecordLength(u64),
    /// The compressed stream is broken, or reading failed.
    #[error("{0}")]
    Read(String),
}

impl Fault {
    pub(super) const fn record_of(length: usize) -> Self {
        Self::RecordLength(length as u64)
    }

    /// Says what a file that is no capture looks like, and what to do with it.
    pub(super) fn not_a_capture(head: &[u8]) -> Self {
        const KNOWN: &[(&[u8], &str)] = &[
            (
                b"\x04\"M\x18",
                "it is compressed with lz4; decompress it first, or pipe it: lz4 -dc FILE | why403 -r -",
            ),
            (b"PK\x03\x04", "it is a zip archive; unpack it first"),
            (b"snoop\0\0\0", "it is a snoop file; convert it first: editcap FILE out.pcap"),
            (b"GMBU", "it is a Network Monitor file; convert it first: editcap FILE out.pcap"),
            (b"RTSS", "it is a Network Monitor file; convert it first: editcap FILE out.pcap"),
            (b"\x1c\x00\x01\xac", "it is an Ixia capture; convert it first: editcap FILE out.pcap"),
            (b"\xac\x01\x00\x1c", "it is an Ixia capture; convert it first: editcap FILE out.pcap"),
            (b"\x7fELF", "it is a program"),
        ];
        if head.is_empty() {
            return Self::Empty;
        }
        let known = KNOWN.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, hint)| *hint);
        let is_text = head.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..));
        Self::NotACapture(known.unwrap_or(if is_text {
            "it looks like text; -r wants what tcpdump -w or Wireshark wrote"
        } else {
            "its first bytes are unknown; -r wants what tcpdump -w or Wireshark wrote"
        }))
    }
}

/// The name of a link type whose frames carry no TCP over IP, or are too rare to be read; empty for others.
fn link_name(link: u32) -> &'static str {
    match link {
        6 => " (Token Ring)",
        7 | 129 => " (ARCNET)",
        10 => " (FDDI)",
        100 | 123 => " (ATM)",
        187 | 201 => " (Bluetooth)",
        251 | 256 => " (Bluetooth LE)",
        189 | 220 | 249 => " (USB)",
        190 | 227 => " (CAN)",
        195 | 230 | 215 => " (802.15.4)",
        253 => " (netlink)",
        _ => "",
    }
}
