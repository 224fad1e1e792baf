//! Capture filters in tcpdump's language, compiled by libpcap: for the kernel, and for captures that are read.
//!
//! `port 80` does not match a frame with a VLAN tag, which has cost many people many hours. Where the link type knows tags, an
//! expression X is compiled as `(X) or (vlan and ((X) or (vlan and (X))))`, unless it speaks of tags itself or the user says
//! otherwise.

use std::fmt;

use pcap::{BpfProgram, Capture, Linktype};

use crate::model::{Frame, LinkType};
use crate::wire::decode;

/// What a live capture takes in when nothing is asked for: TCP, and what TCP may be wrapped in.
pub(super) const DEFAULT: &str = "tcp or proto 4 or proto 41 or proto 47 or proto 51 or proto 97 or proto 137 or \
     udp port 4789 or udp port 8472 or udp port 6081 or udp port 4790 or udp port 4754 or udp port 6635 or \
     udp port 4341 or udp port 3544 or udp port 5072 or udp port 37008 or udp port 2152 or udp port 1701 or \
     ether proto 0x8864 or ether proto 0x8847 or ether proto 0x8909 or ether proto 0x892f or ether proto 0x88e7 or \
     ether proto 0x4305";
/// Words after which the offsets of what follows are the user's business.
const OF_ENCAPSULATION: [&str; 6] = ["vlan", "mpls", "pppoes", "geneve", "vxlan", "pppoed"];
const DLT_RAW: i32 = if cfg!(target_os = "openbsd") { 14 } else { 12 };

/// The number that libpcap has for a link type on this system.
const fn dlt_of(link: LinkType) -> Linktype {
    Linktype(match link {
        LinkType::RAW => DLT_RAW,
        LinkType(number) => number as i32,
    })
}

/// The link type of a live capture's DLT.
pub(super) fn link_of(dlt: Linktype) -> LinkType {
    match dlt.0 {
        DLT_RAW => LinkType::RAW,
        number => LinkType(u16::try_from(number).unwrap_or(u16::MAX)),
    }
}

/// A filter as it was asked for.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub(super) text: String,
    pub(super) with_tags: bool,
}

impl Expression {
    /// Compiles for a link type; the error is libpcap's own about what the user typed.
    pub(super) fn compile(&self, link: LinkType) -> Result<BpfProgram, String> {
        let dead = Capture::dead(dlt_of(link)).map_err(|error| error.to_string())?;
        self.compile_with(link, |text| dead.compile(text, true).map_err(|error| message(&error)))
    }

    /// Compiles through `compile`, first as typed, then with tags when that makes sense.
    pub(super) fn compile_with<P>(
        &self,
        link: LinkType,
        mut compile: impl FnMut(&str) -> Result<P, String>,
    ) -> Result<P, String> {
        let plain = compile(&self.text)?;
        let knows_tags = matches!(link, LinkType::ETHERNET | LinkType::LINUX_SLL);
        if !self.with_tags || !knows_tags || self.speaks_of_tags() {
            return Ok(plain);
        }
        let x = &self.text;
        Ok(compile(&format!("({x}) or (vlan and (({x}) or (vlan and ({x}))))")).unwrap_or(plain))
    }

    fn speaks_of_tags(&self) -> bool {
        self.words().any(|word| OF_ENCAPSULATION.contains(&word))
    }

    /// Whether it says what is not wanted.
    fn excludes(&self) -> bool {
        self.text.contains('!') || self.words().any(|word| word == "not")
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.text.split(|c: char| !c.is_ascii_alphanumeric())
    }
}

/// libpcap's text without the crate's prefix.
pub(super) fn message(error: &pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A filter over frames of any link type, run here. What it does not match by its outer headers, it may match by those of the
/// packet inside a tunnel: VXLAN, GRE, MPLS, PPPoE and the like, and link types that libpcap has no filters for.
pub(super) struct FrameFilter {
    expression: Expression,
    /// One for each link type seen; none where it does not compile.
    programs: Vec<(LinkType, Option<BpfProgram>)>,
    /// The same for a bare IP packet; none where the expression speaks of link layers.
    inner: Option<BpfProgram>,
    /// Whether the inner headers count where the outer ones do not match: not when the expression excludes or names wrappings.
    looks_inside: bool,
    complaint: Option<String>,
    /// Why a link type cannot be filtered, the last one.
    unusable: Option<String>,
    /// Frames that a program was run on.
    judged: u64,
    passed: u64,
}

impl fmt::Debug for FrameFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameFilter").field("expression", &self.expression).finish_non_exhaustive()
    }
}

impl FrameFilter {
    /// Fails when the expression is wrong for every link type.
    pub(super) fn new(expression: Expression) -> Result<Self, String> {
        let inner = expression.compile(LinkType::RAW);
        if let Err(text) = expression.compile(LinkType::ETHERNET)
            && inner.is_err()
        {
            return Err(text);
        }
        Ok(Self {
            looks_inside: expression.with_tags && !expression.excludes() && !expression.speaks_of_tags(),
            expression,
            programs: Vec::new(),
            inner: inner.ok(),
            complaint: None,
            unusable: None,
            judged: 0,
            passed: 0,
        })
    }

    /// The expression as it was typed.
    pub(super) fn text(&self) -> &str {
        &self.expression.text
    }

    /// Whether the frame is wanted.
    pub(super) fn passes(&mut self, frame: &Frame<'_>) -> bool {
        if !self.programs.iter().any(|(link, _)| *link == frame.link) {
            self.add(frame.link);
        }
        let program = self.programs.iter().find(|(link, _)| *link == frame.link);
        let outer = program.and_then(|(_, program)| program.as_ref());
        if outer.is_none() && self.inner.is_none() {
            return false;
        }
        self.judged += 1;
        let passes = outer.is_some_and(|program| program.filter(frame.data))
            || self.passes_inside(frame, outer.is_some());
        self.passed += u64::from(passes);
        passes
    }

    /// Whether the packet inside a wrapping is wanted.
    fn passes_inside(&self, frame: &Frame<'_>, has_outer: bool) -> bool {
        if has_outer && !self.looks_inside {
            return false;
        }
        let packet = self.inner.as_ref().and_then(|program| Some((program, decode::inner_packet(frame)?)));
        packet.is_some_and(|(program, packet)| program.filter(packet))
    }

    fn add(&mut self, link: LinkType) {
        let program = self.expression.compile(link);
        if let (Err(text), None) = (&program, &self.inner) {
            let text = format!("the filter cannot be used on link type {}: {text}", link.0);
            self.complaint = Some(format!("frames are left out, {text}"));
            self.unusable = Some(text);
        }
        self.programs.push((link, program.ok()));
    }

    /// What has to be said about the filter, once.
    pub(super) const fn complaint(&mut self) -> Option<String> {
        self.complaint.take()
    }

    /// Why not a single frame could be judged.
    pub(super) fn unusable(&self) -> Option<&str> {
        self.unusable.as_deref().filter(|_| self.judged == 0)
    }

    /// What to say at the end about a filter that let nothing through.
    pub(super) fn last_words(&self) -> Option<String> {
        if self.passed > 0 || self.judged == 0 {
            return None;
        }
        let inside = if self.looks_inside {
            ""
        } else {
            "; with 'not' or the name of a wrapping it judges the outer headers only, not those inside VXLAN, GRE, MPLS, PPPoE or VLAN"
        };
        Some(format!(
            "the capture filter '{}' let none of {} frames through{inside}; -Y filters exchanges instead",
            self.expression.text, self.judged
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{InterfaceId, Timestamp};
    use crate::synth::Conversation;

    fn passes(text: &str, with_tags: bool, data: &[u8]) -> bool {
        let mut filter = FrameFilter::new(Expression { text: text.into(), with_tags }).unwrap();
        let wire_len = data.len() as u32;
        filter.passes(&Frame {
            time: Timestamp(0),
            link: LinkType::ETHERNET,
            interface: InterfaceId(0),
            data,
            wire_len,
        })
    }

    fn tagged(tags: usize) -> Vec<u8> {
        let made = Conversation::new("10.0.0.1:5".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
        let plain = made.client(b"x", Timestamp(0)).into_frames()[0].data.clone();
        [&plain[..12], &[0x81, 0, 0, 7].repeat(tags), &plain[12..]].concat()
    }

    #[test]
    fn tags_are_seen_through_unless_told_otherwise() {
        for tags in 0..3 {
            assert!(passes("port 80", true, &tagged(tags)), "{tags}");
            assert_eq!(passes("port 80", false, &tagged(tags)), tags == 0);
            assert!(!passes("port 81", true, &tagged(tags)));
            assert!(passes(DEFAULT, true, &tagged(tags)));
            assert_eq!(passes("vlan 7 and port 80", true, &tagged(tags)), tags == 1);
        }
    }

    #[test]
    fn errors_are_about_what_was_typed() {
        let text = FrameFilter::new(Expression { text: "prot 80".into(), with_tags: true }).unwrap_err();
        assert!(text.contains("syntax error"), "{text}");
    }

    #[test]
    fn a_link_type_without_the_filters_fields_is_left_out_and_said() {
        let expression = Expression { text: "ether host 02:00:00:00:00:01".into(), with_tags: true };
        let mut filter = FrameFilter::new(expression).unwrap();
        let frame = Frame {
            time: Timestamp(0),
            link: LinkType::RAW,
            interface: InterfaceId(0),
            data: &[0x45],
            wire_len: 1,
        };
        assert!(!filter.passes(&frame));
        assert!(filter.complaint().unwrap().contains("link type 101"));
        assert_eq!(filter.complaint(), None);
        assert!(filter.unusable().unwrap().contains("link type 101"));
        assert!(filter.passes(&Frame { link: LinkType::ETHERNET, data: &tagged(0), ..frame }));
        assert_eq!(filter.unusable(), None);
    }

    /// A TCP packet to port 80, in what `wrap` puts around it.
    fn wrapped(wrap: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let plain = tagged(0);
        wrap(&plain[14..])
    }

    fn outer(kind: u16, header: &[u8], inner: &[u8]) -> Vec<u8> {
        [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], &kind.to_be_bytes()[..], header, inner].concat()
    }

    #[test]
    fn the_packet_inside_a_wrapping_counts() {
        let mpls = wrapped(|ip| outer(0x8847, &[0, 0, 0x10, 64, 0, 0, 0x21, 64], ip));
        let pppoe = wrapped(|ip| outer(0x8864, &[0x11, 0, 0, 1, 0, 99, 0, 0x21], ip));
        let gre = wrapped(|ip| {
            let length = (24 + ip.len()) as u16;
            let [high, low] = length.to_be_bytes();
            let header =
                [0x45, 0, high, low, 0, 9, 0x40, 0, 64, 47, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0, 0, 8, 0];
            outer(0x0800, &header, ip)
        });
        for frame in [&mpls, &pppoe, &gre] {
            assert!(passes("port 80", true, frame));
            assert!(passes("tcp port 80 and host 10.0.0.2", true, frame));
            assert!(!passes("port 80", false, frame));
            assert!(!passes("port 81", true, frame));
        }
        assert!(passes("host 192.0.2.1", true, &gre), "the outer headers count as well");
        assert!(!passes("not host 192.0.2.1", true, &gre), "what is excluded is not let in from inside");
        assert!(passes("mpls and mpls and port 80", true, &mpls));
    }

    #[test]
    fn a_link_type_that_libpcap_cannot_filter_is_filtered_by_its_packets() {
        let packet = tagged(0)[14..].to_vec();
        let length = ((packet.len() + 4) as u16).to_le_bytes();
        let nflog = [&[2, 0, 0, 0, 8, 0, 1, 0, 8, 0, 1, 0], &length[..], &[9, 0], &packet].concat();
        for (text, expected) in [("port 80", true), ("not port 80", false), ("port 81", false)] {
            let mut filter = FrameFilter::new(Expression { text: text.into(), with_tags: true }).unwrap();
            let frame = Frame {
                time: Timestamp(0),
                link: LinkType(239),
                interface: InterfaceId(0),
                data: &nflog,
                wire_len: nflog.len() as u32,
            };
            assert_eq!(filter.passes(&frame), expected, "{text}");
            assert_eq!(filter.complaint(), None);
            assert_eq!(filter.last_words().is_none(), expected);
        }
    }

    #[test]
    fn the_default_compiles_for_every_link_type_of_an_interface() {
        for link in [0, 1, 9, 12, 50, 101, 105, 108, 113, 127, 276].map(LinkType) {
            let expression = Expression { text: DEFAULT.into(), with_tags: true };
            assert!(expression.compile(link).is_ok(), "{link:?} {:?}", expression.compile(link).err());
        }
    }

    #[test]
    fn a_filter_that_lets_nothing_through_says_so() {
        let mut filter =
            FrameFilter::new(Expression { text: "not port 80".into(), with_tags: true }).unwrap();
        assert_eq!(filter.last_words(), None);
        let data = tagged(0);
        let frame = Frame {
            time: Timestamp(0),
            link: LinkType::ETHERNET,
            interface: InterfaceId(0),
            data: &data,
            wire_len: data.len() as u32,
        };
        assert!(!filter.passes(&frame));
        let text = filter.last_words().unwrap();
        assert!(text.contains("none of 1 frames") && text.contains("VXLAN"), "{text}");
    }
}
