//! A whole connection as a list of frames, built in one expression.

use std::net::SocketAddr;

use crate::model::{Frame, InterfaceId, LinkType, Timestamp};

use super::{FlowWriter, Side};

/// A frame of our making, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeFrame {
    /// Its capture time.
    pub time: Timestamp,
    /// How to read `data`.
    pub link: LinkType,
    /// The frame's bytes.
    pub data: Vec<u8>,
    /// Its length on the wire; larger than `data.len()` after [`MadeFrame::cut`].
    pub wire_len: u32,
}

impl MadeFrame {
    /// Borrowed, as the pipeline takes it.
    pub fn frame(&self) -> Frame<'_> {
        Frame {
            time: self.time,
            link: self.link,
            interface: InterfaceId(0),
            data: &self.data,
            wire_len: self.wire_len,
        }
    }
    /// As a capture with this snapshot length would have kept it.
    #[must_use]
    pub fn cut(mut self, snaplen: usize) -> Self {
        self.data.truncate(snaplen);
        self
    }
}

/// Builds the frames of one connection, call by call, each at the time that is passed in.
///
/// ```
/// use why403::{model::Timestamp, synth::{Conversation, pcap}};
/// let (client, server) = ("10.0.0.1:49152".parse()?, "10.0.0.2:80".parse()?);
/// let t = Timestamp(1_000);
/// let frames = Conversation::new(client, server)
///     .handshake(t)
///     .client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", t)
///     .server(b"HTTP/1.1 204 No Content\r\n\r\n", t.plus(500))
///     .fin(t.plus(900))
///     .into_frames();
/// assert_eq!(frames.len(), 3 + 1 + 1 + 3);
/// let _file: Vec<u8> = pcap::to_bytes(&frames);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Conversation {
    flow: FlowWriter,
    frames: Vec<MadeFrame>,
}

impl Conversation {
    /// A connection that has sent nothing yet; Ethernet, MSS 1460.
    pub fn new(client: SocketAddr, server: SocketAddr) -> Self {
        Self { flow: FlowWriter::new(client, server), frames: Vec::new() }
    }
    /// Over a flow set up by the caller (MSS, link type, sequence numbers).
    pub const fn over(flow: FlowWriter) -> Self {
        Self { flow, frames: Vec::new() }
    }
    /// The most payload bytes of one frame.
    #[must_use]
    pub fn mss(mut self, mss: usize) -> Self {
        self.flow = self.flow.with_mss(mss);
        self
    }
    /// Raw IP frames instead of Ethernet.
    #[must_use]
    pub fn raw_ip(mut self) -> Self {
        self.flow = self.flow.with_link(LinkType::RAW);
        self
    }
    /// The sequence numbers of the two SYNs.
    #[must_use]
    pub fn initial_sequence(mut self, client: u32, server: u32) -> Self {
        self.flow = self.flow.with_initial_sequence(client, server);
        self
    }

    /// SYN, SYN-ACK, ACK.
    #[must_use]
    pub fn handshake(self, time: Timestamp) -> Self {
        self.write(time, |flow, frames| flow.handshake(frames))
    }
    /// The client sends `bytes`.
    #[must_use]
    pub fn client(self, bytes: &[u8], time: Timestamp) -> Self {
        self.send(Side::Client, bytes, time)
    }
    /// The server sends `bytes`.
    #[must_use]
    pub fn server(self, bytes: &[u8], time: Timestamp) -> Self {
        self.send(Side::Server, bytes, time)
    }
    /// `side` sends `bytes`.
    #[must_use]
    pub fn send(self, side: Side, bytes: &[u8], time: Timestamp) -> Self {
        self.write(time, |flow, frames| flow.send(side, bytes, frames))
    }
    /// `side` acknowledges what it has.
    #[must_use]
    pub fn ack(self, side: Side, time: Timestamp) -> Self {
        self.write(time, |flow, frames| flow.ack(side, frames))
    }
    /// An orderly close: the server's FIN, the client's FIN, the last ACK.
    #[must_use]
    pub fn fin(self, time: Timestamp) -> Self {
        self.fin_from(Side::Server, time).fin_from(Side::Client, time).ack(Side::Server, time)
    }
    /// `side` closes its direction.
    #[must_use]
    pub fn fin_from(self, side: Side, time: Timestamp) -> Self {
        self.write(time, |flow, frames| flow.fin(side, frames))
    }
    /// `side` resets the connection.
    #[must_use]
    pub fn reset(self, side: Side, time: Timestamp) -> Self {
        self.write(time, |flow, frames| flow.reset(side, frames))
    }
    /// `side` sent `bytes` bytes that the capture does not have.
    #[must_use]
    pub fn lost(mut self, side: Side, bytes: u32) -> Self {
        self.flow.skip(side, bytes);
        self
    }

    /// What was written so far.
    pub fn frames(&self) -> &[MadeFrame] {
        &self.frames
    }
    /// The finished list.
    pub fn into_frames(self) -> Vec<MadeFrame> {
        self.frames
    }

    fn write(mut self, time: Timestamp, act: impl FnOnce(&mut FlowWriter, &mut dyn FnMut(&[u8]))) -> Self {
        let Self { flow, frames } = &mut self;
        let link = flow.link();
        act(flow, &mut |data| {
            frames.push(MadeFrame { time, link, data: data.to_vec(), wire_len: data.len() as u32 });
        });
        self
    }
}

/// The frames of several connections in order of time; of equal times, in the order given.
pub fn merge(conversations: impl IntoIterator<Item = Conversation>) -> Vec<MadeFrame> {
    let mut frames: Vec<MadeFrame> = conversations.into_iter().flat_map(Conversation::into_frames).collect();
    frames.sort_by_key(|frame| frame.time);
    frames
}

#[cfg(test)]
mod tests {
    use etherparse::{SlicedPacket, TransportSlice};

    use super::*;

    fn all(client: &str, server: &str) -> Vec<MadeFrame> {
        Conversation::new(client.parse().unwrap(), server.parse().unwrap())
            .mss(10)
            .handshake(Timestamp(1))
            .client(b"0123456789abcdef", Timestamp(2))
            .server(b"ok", Timestamp(3))
            .fin(Timestamp(4))
            .into_frames()
    }

    #[test]
    fn frames_parse_and_their_checksums_hold() {
        for (client, server) in
            [("10.0.0.1:1", "10.0.0.2:80"), ("[::1]:1", "[::2]:80"), ("10.0.0.1:1", "[::2]:80")]
        {
            let mut payload = Vec::new();
            let mut sequence = Vec::new();
            for made in all(client, server) {
                let packet = SlicedPacket::from_ethernet(&made.data).unwrap();
                let Some(TransportSlice::Tcp(tcp)) = &packet.transport else { panic!("no TCP") };
                let ip = packet.net.as_ref().unwrap();
                let sum = match ip {
                    etherparse::NetSlice::Ipv4(ip) => {
                        tcp.calc_checksum_ipv4(ip.header().source(), ip.header().destination()).unwrap()
                    }
                    etherparse::NetSlice::Ipv6(ip) => {
                        tcp.calc_checksum_ipv6(ip.header().source(), ip.header().destination()).unwrap()
                    }
                    etherparse::NetSlice::Arp(_) => panic!("ARP"),
                };
                assert_eq!(sum, tcp.checksum());
                payload.extend_from_slice(tcp.payload());
                sequence.push((tcp.sequence_number(), tcp.acknowledgment_number()));
            }
            assert_eq!(payload, b"0123456789abcdefok");
            assert_eq!(
                sequence,
                [
                    (1_000, 0),
                    (500_000, 1_001),
                    (1_001, 500_001),
                    (1_001, 500_001),
                    (1_011, 500_001),
                    (500_001, 1_017),
                    (500_003, 1_017),
                    (1_017, 500_004),
                    (500_004, 1_018)
                ]
            );
        }
    }

    #[test]
    fn merging_sorts_by_time_and_keeps_ties_in_order() {
        let a = Conversation::new("1.1.1.1:1".parse().unwrap(), "2.2.2.2:2".parse().unwrap());
        let b = a.clone().ack(Side::Client, Timestamp(1)).ack(Side::Server, Timestamp(5));
        let a = a.ack(Side::Client, Timestamp(1)).ack(Side::Client, Timestamp(3));
        let merged = merge([a.clone(), b.clone()]);
        let times: Vec<i64> = merged.iter().map(|frame| frame.time.0).collect();
        assert_eq!(times, [1, 1, 3, 5]);
        assert_eq!(merged[0], a.frames()[0]);
        assert_eq!(merged[1], b.frames()[0]);
    }
}
