//! Finds a tap's notices among frames that carry no TCP.

use etherparse::{SlicedPacket, TransportSlice};

use crate::model::{Frame, LinkType, NOTICE_PORT, Notice};

/// The protocol number of UDP, at its place in an IPv4 and in an IPv6 header.
const UDP: u8 = 17;

/// The notice in a frame, if it is one of a tap's mirror: a syslog datagram in raw IP. Cheap when it is not.
pub fn notice(frame: &Frame<'_>) -> Option<Notice> {
    if frame.link != LinkType::RAW {
        return None;
    }
    let protocol = match frame.data.first()? >> 4 {
        4 => frame.data.get(9)?,
        6 => frame.data.get(6)?,
        _ => return None,
    };
    if *protocol != UDP {
        return None;
    }
    match SlicedPacket::from_ip(frame.data).ok()?.transport? {
        TransportSlice::Udp(udp)
            if udp.source_port() == NOTICE_PORT && udp.destination_port() == NOTICE_PORT =>
        {
            Notice::from_syslog(frame.time, udp.payload())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{InterfaceId, NoticeKind, Timestamp};
    use crate::synth::datagram;

    fn frame(data: &[u8], link: LinkType) -> Frame<'_> {
        Frame { time: Timestamp(5_000), link, interface: InterfaceId(0), data, wire_len: data.len() as u32 }
    }

    #[test]
    fn finds_what_a_tap_wrote_and_nothing_else() {
        let notice = Notice::warning(Timestamp(5_000), NoticeKind::ClientAlert, "unknown_ca");
        for (from, to) in [("10.0.0.1:514", "10.0.0.2:514"), ("[::1]:514", "[::2]:514")] {
            let data = datagram(from.parse().unwrap(), to.parse().unwrap(), notice.to_syslog().as_bytes());
            assert_eq!(super::notice(&frame(&data, LinkType::RAW)), Some(notice.clone()));
            assert_eq!(super::notice(&frame(&data, LinkType::ETHERNET)), None);
            for cut in 0..data.len() - notice.text.len() {
                assert_eq!(super::notice(&frame(&data[..cut], LinkType::RAW)), None);
            }
        }
        let other = datagram("10.0.0.1:53".parse().unwrap(), "10.0.0.2:514".parse().unwrap(), b"x");
        assert_eq!(super::notice(&frame(&other, LinkType::RAW)), None);
    }
}
