//! Why a frame gave no TCP segment.

/// The reason. The order is the order in which reports list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Skip {
    /// Not IP: ARP, spanning tree, management frames.
    NotIp,
    /// UDP that carries no tunnel we know.
    Udp,
    /// ICMP or ICMPv6.
    Icmp,
    /// Another protocol over IP.
    OtherProtocol,
    /// ESP, MACsec or encrypted 802.11: nobody can look inside.
    Encrypted,
    /// A fragment whose datagram is not complete yet.
    FragmentWaiting,
    /// A fragment that was there already, whole or in part of a finished datagram.
    FragmentRepeated,
    /// A fragment that cannot belong to any datagram, or that snaplen has cut.
    FragmentRefused,
    /// Snaplen cut the frame before the end of TCP's fixed header.
    Cut,
    /// A header contradicts itself or ends early.
    Malformed,
    /// More layers than anybody needs.
    TooDeep,
    /// A link type that is not supported.
    UnknownLinkType,
}

impl Skip {
    /// Every reason, in order.
    pub const ALL: [Self; 12] = [
        Self::NotIp,
        Self::Udp,
        Self::Icmp,
        Self::OtherProtocol,
        Self::Encrypted,
        Self::FragmentWaiting,
        Self::FragmentRepeated,
        Self::FragmentRefused,
        Self::Cut,
        Self::Malformed,
        Self::TooDeep,
        Self::UnknownLinkType,
    ];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotIp => "not-ip",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::OtherProtocol => "other-protocol",
            Self::Encrypted => "encrypted",
            Self::FragmentWaiting => "fragment-waiting",
            Self::FragmentRepeated => "fragment-repeated",
            Self::FragmentRefused => "fragment-refused",
            Self::Cut => "cut-before-payload",
            Self::Malformed => "malformed",
            Self::TooDeep => "too-many-layers",
            Self::UnknownLinkType => "unknown-link-type",
        }
    }
}

/// Frames by the reason for which they were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SkipCounters([u64; Skip::ALL.len()]);

impl SkipCounters {
    pub(super) const fn add(&mut self, reason: Skip) {
        self.0[reason as usize] += 1;
    }
    /// Frames skipped for `reason`.
    pub const fn count(&self, reason: Skip) -> u64 {
        self.0[reason as usize]
    }
    /// All frames skipped.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
    /// The reasons that occurred, in order, by name.
    pub fn named(&self) -> Vec<(&'static str, u64)> {
        let named = Skip::ALL.into_iter().map(|reason| (reason.name(), self.count(reason)));
        named.filter(|(_, count)| *count > 0).collect()
    }
}
