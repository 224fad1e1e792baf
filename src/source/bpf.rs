//! Capture filters in tcpdump's language, compiled by libpcap: for the kernel, and for captures that are read.
//!
//! `port 80` does not match a frame with a VLAN tag, which has cost many people many hours. Where the link type knows tags, an
//! expression X is compiled as `(X) or (vlan and ((X) or (vlan and (X))))`, unless it speaks of tags itself or the user says
//! otherwise.

use std::fmt;

use pcap::{BpfProgram, Capture, Linktype};

use crate::model::{Frame, LinkType};

/// What a live capture takes in when nothing is asked for: TCP, and what TCP may be wrapped in.
pub(super) const DEFAULT: &str = "tcp or proto 4 or proto 41 or proto 47 or proto 51 or \
     udp dst port 4789 or udp dst port 8472 or udp dst port 6081";
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
        self.text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| OF_ENCAPSULATION.contains(&word))
    }
}

/// libpcap's text without the crate's prefix.
pub(super) fn message(error: &pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A filter over frames of any link type, run here.
pub(super) struct FrameFilter {
    expression: Expression,
    /// One for each link type seen; none where it does not compile.
    programs: Vec<(LinkType, Option<BpfProgram>)>,
    complaint: Option<String>,
}

impl fmt::Debug for FrameFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameFilter").field("expression", &self.expression).finish_non_exhaustive()
    }
}

impl FrameFilter {
    /// Fails when the expression is wrong for every link type.
    pub(super) fn new(expression: Expression) -> Result<Self, String> {
        let wrong = |link| expression.compile(link).err();
        if let Some(text) = wrong(LinkType::ETHERNET)
            && wrong(LinkType::RAW).is_some()
        {
            return Err(text);
        }
        Ok(Self { expression, programs: Vec::new(), complaint: None })
    }

    /// Whether the frame is wanted.
    pub(super) fn passes(&mut self, frame: &Frame<'_>) -> bool {
        if !self.programs.iter().any(|(link, _)| *link == frame.link) {
            self.add(frame.link);
        }
        self.programs
            .iter()
            .find(|(link, _)| *link == frame.link)
            .and_then(|(_, program)| program.as_ref())
            .is_some_and(|program| program.filter(frame.data))
    }

    fn add(&mut self, link: LinkType) {
        let program = self.expression.compile(link);
        if let Err(text) = &program {
            self.complaint = Some(format!(
                "frames of link type {} are left out, the filter cannot be used on it: {text}",
                link.0
            ));
        }
        self.programs.push((link, program.ok()));
    }

    /// What has to be said about the filter, once.
    pub(super) const fn complaint(&mut self) -> Option<String> {
        self.complaint.take()
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
    }
}
