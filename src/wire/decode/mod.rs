//! Frame → Segment: link layer, VLANs, tunnels, IP, fragments, TCP.
//!
//! Two paths give the same answer. `fast` reads what nearly every frame is, Ethernet or cooked or raw IP with an unfragmented
//! TCP segment in it, from fixed offsets and without allocating. Whatever it does not know goes the general way: one layer
//! after the other, through etherparse, with a bound on their number.
//!
//! What is not a TCP segment leaves as a [`Skip`] with its reason, and is counted under it. A bad checksum is never a reason:
//! offloading leaves checksums unset in a quarter of the world's captures. A frame that snaplen has cut gives the bytes that
//! there are, and says how many there were.
//!
//! VLAN ids and tunnel ids do not tell flows apart unless [`DecodeLimits::separate_networks`] is set. A mirror port, a bridge or
//! `-i any` shows one connection with its tag in one direction and without in the other, or the same frame on both sides of a
//! tunnel; taking those for two connections would lose or double exchanges. Two tenants that use the same addresses and ports
//! at the same time are the rarer case, and the option is for them.

mod datagram;
mod fast;
mod fragments;
mod ip;
mod layer;
mod link;
mod notice;
mod rare;
mod skip;
mod tags;
mod tcp;
#[cfg(test)]
mod tests;
mod tunnel;

use crate::model::{Frame, LinkType, Segment};

pub use crate::wire::decode::fragments::FragmentCounters;
pub use crate::wire::decode::notice::notice;
pub use crate::wire::decode::skip::{Skip, SkipCounters};

use crate::wire::decode::fragments::FragmentStore;
use crate::wire::decode::layer::{Step, Walk};

/// What bounds the decoder.
#[derive(Clone, Copy, Debug)]
pub struct DecodeLimits {
    /// Bytes of fragments waiting for the rest of their datagram, all together; the oldest go first.
    pub fragment_bytes: usize,
    /// Datagrams that wait at once.
    pub fragment_datagrams: usize,
    /// Nanoseconds of capture time after which an incomplete datagram is given up (RFC 8200 §4.5: 60 s; Linux: 30 s).
    pub fragment_timeout: i64,
    /// Whether equal addresses in different VLANs or tunnels are different connections.
    pub separate_networks: bool,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self {
            fragment_bytes: 4 << 20,
            fragment_datagrams: 4096,
            fragment_timeout: 30 * 1_000_000_000,
            separate_networks: false,
        }
    }
}

/// What a frame turned out to be.
#[derive(Clone, Copy, Debug)]
pub enum Decoded<'a> {
    /// A TCP segment, borrowed from the frame or from the fragment store.
    Segment(Segment<'a>),
    /// Something else; it is counted.
    Skip(Skip),
}

/// Datagrams inside reassembled datagrams: one buffer for each level.
const NESTED_FRAGMENTS: usize = 2;

/// Turns frames into segments. Keeps the fragments that wait for each other, and counts.
#[derive(Debug)]
pub struct Decoder {
    fragments: FragmentStore,
    whole: [Vec<u8>; NESTED_FRAGMENTS],
    skipped: SkipCounters,
    separate_networks: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(DecodeLimits::default())
    }
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new(limits: DecodeLimits) -> Self {
        Self {
            fragments: FragmentStore::new(limits),
            whole: Default::default(),
            skipped: SkipCounters::default(),
            separate_networks: limits.separate_networks,
        }
    }

    /// Whether frames of this link type can be read at all.
    pub const fn supports(link: LinkType) -> bool {
        link::is_known(link)
    }

    /// Decodes one frame. The segment lives as long as the frame and the next call allow.
    #[inline]
    pub fn decode<'a>(&'a mut self, frame: &Frame<'a>) -> Decoded<'a> {
        if !self.separate_networks
            && let Some(segment) = fast::segment(frame)
        {
            return Decoded::Segment(segment);
        }
        self.decode_slowly(frame)
    }

    /// The general path, for every link type, tunnel and fragment.
    fn decode_slowly<'a>(&'a mut self, frame: &Frame<'a>) -> Decoded<'a> {
        let Self { fragments, whole, skipped, separate_networks } = self;
        let mut walk = Walk::new(frame, *separate_networks);
        let found = link::first_step(frame).and_then(|step| run(step, &mut walk, fragments, whole));
        match found {
            Ok(segment) => Decoded::Segment(segment),
            Err(reason) => {
                skipped.add(reason);
                Decoded::Skip(reason)
            }
        }
    }

    /// Frames that gave no segment, by reason.
    pub const fn skipped(&self) -> &SkipCounters {
        &self.skipped
    }
    /// What became of fragments.
    pub const fn fragment_counters(&self) -> FragmentCounters {
        self.fragments.counters()
    }
    /// Bytes held for fragments.
    pub const fn memory(&self) -> usize {
        self.fragments.bytes()
    }
}

/// Walks the layers until there is a segment or a reason why not.
fn run<'a>(
    first: Step<'a>,
    walk: &mut Walk,
    fragments: &mut FragmentStore,
    mut whole: &'a mut [Vec<u8>],
) -> Result<Segment<'a>, Skip> {
    let mut step = first;
    loop {
        walk.deeper()?;
        step = match step {
            Step::Ethernet(layer) => link::ethernet(layer)?,
            Step::EtherType(ether_type, layer) => link::ether_type(ether_type, layer, walk)?,
            Step::Ppp(layer) => link::ppp(layer)?,
            Step::Ip(layer) => ip::header(layer)?,
            Step::Upper(upper) => tunnel::upper(upper, walk)?,
            Step::Fragment(fragment) => {
                let (buffer, rest) = std::mem::take(&mut whole).split_first_mut().ok_or(Skip::TooDeep)?;
                whole = rest;
                fragments.insert(fragment, walk, buffer)?
            }
            Step::Tcp(upper) => return tcp::segment(&upper, walk),
        };
    }
}

/// The innermost IP packet of a frame that is more than IP in a plain link layer: inside tags, labels, tunnels, or a link type
/// that is itself a wrapping. As much of it as was captured; datagrams in pieces are not put together.
pub fn inner_packet<'a>(frame: &Frame<'a>) -> Option<&'a [u8]> {
    if fast::segment(frame).is_some() {
        return None;
    }
    let mut walk = Walk::new(frame, false);
    let mut packet = None;
    let mut step = link::first_step(frame).ok()?;
    loop {
        walk.deeper().ok()?;
        let next = match step {
            Step::Ethernet(layer) => link::ethernet(layer),
            Step::EtherType(kind, layer) => link::ether_type(kind, layer, &mut walk),
            Step::Ppp(layer) => link::ppp(layer),
            Step::Ip(layer) => {
                packet = Some(layer.bytes);
                ip::header(layer)
            }
            Step::Upper(upper) => tunnel::upper(upper, &mut walk),
            Step::Fragment(_) | Step::Tcp(_) => return packet,
        };
        match next {
            Ok(next) => step = next,
            Err(_) => return packet,
        }
    }
}
