//! Connections of which every frame has 64 bytes: ten bytes of payload, or padding behind the IP packet.

use std::fmt::Write as _;

use why403::synth::{FlowWriter, Side};

/// Bytes of every frame, without its checksum.
pub(crate) const FRAME: usize = 64;
/// What is left of them for payload.
const PAYLOAD: usize = FRAME - 14 - 20 - 20;
/// Exchanges of one connection.
pub(crate) const EXCHANGES: u64 = 4;

/// One connection, from SYN to the last ACK; one in ten of its requests is refused. Segments are acknowledged in pairs, and the
/// client asks once whether the server is still there.
pub(crate) fn connection(flow: FlowWriter, numbers: std::ops::Range<u64>, mut emit: impl FnMut(&[u8])) {
    let mut flow = flow.with_mss(PAYLOAD);
    let mut padded = [0; FRAME];
    let mut emit = |frame: &[u8]| {
        padded.fill(0);
        if let Some(begin) = padded.get_mut(..frame.len()) {
            begin.copy_from_slice(frame);
        }
        emit(&padded);
    };
    flow.handshake(&mut emit);
    let mut text = String::new();
    for number in numbers {
        let (status, body) =
            if number % 10 == 9 { ("403 Forbidden", r#"{"e":1}"#) } else { ("200 OK", "{}") };
        text.clear();
        let _ = write!(
            text,
            "POST /v1/{} HTTP/1.1\r\nHost: a.b\r\nContent-Length: 7\r\n\r\n{{\"a\":1}}",
            number % 100
        );
        say(&mut flow, Side::Client, text.as_bytes(), &mut emit);
        text.clear();
        let _ = write!(text, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        say(&mut flow, Side::Server, text.as_bytes(), &mut emit);
    }
    flow.skip(Side::Client, u32::MAX);
    flow.ack(Side::Client, &mut emit);
    flow.skip(Side::Client, 1);
    flow.ack(Side::Server, &mut emit);
    flow.fin(Side::Server, &mut emit);
    flow.ack(Side::Client, &mut emit);
    flow.fin(Side::Client, &mut emit);
    flow.ack(Side::Server, &mut emit);
}

fn say(flow: &mut FlowWriter, side: Side, text: &[u8], emit: &mut impl FnMut(&[u8])) {
    for pair in text.chunks(2 * PAYLOAD) {
        flow.send(side, pair, &mut *emit);
        flow.ack(side.other(), &mut *emit);
    }
}
