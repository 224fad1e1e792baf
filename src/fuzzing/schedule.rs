//! An arbitrary schedule of segments on a few connections.

use std::net::SocketAddr;

use super::input::Input;
use super::{check, check_end};
use crate::model::{InterfaceId, Segment, TcpFlags, Timestamp};
use crate::wire::pipeline::{Limits, Pipeline};

/// What is said, mostly.
const PHRASES: [&[u8]; 28] = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\n",
    b"HEAD / HTTP/1.1\r\n",
    b"CONNECT a:1 HTTP/1.1\r\n\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 9999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: h2c\r\n",
    b"A : b\r\n c\r\n",
    b"\r\n",
    b"hello",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"0\r\nA: b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 X\r\n\r\n",
    b"HTTP/1.1 204 X\r\n\r\n",
    b"HTTP/1.0 2xx\n\n",
    b"\x16\x03\x01\x00",
    b"PRI * HTTP/2.0\r\n\r\n",
    b"\x05\x01\x00",
    b" HTTP/1.1",
    b"\n",
    b"cruft",
    b"G",
];

/// Flags, the usual ones often.
const FLAGS: [u8; 12] = [
    TcpFlags::ACK,
    TcpFlags::ACK,
    TcpFlags::ACK,
    TcpFlags::ACK,
    TcpFlags::ACK,
    TcpFlags::SYN,
    TcpFlags::SYN | TcpFlags::ACK,
    TcpFlags::ACK | TcpFlags::FIN,
    TcpFlags::RST,
    TcpFlags::RST | TcpFlags::ACK,
    0,
    TcpFlags::ACK | TcpFlags::URG,
];

/// Where one connection's two sides stand.
#[derive(Clone, Copy, Default)]
struct Sides {
    next: [u32; 2],
}

/// Runs the schedule and checks what must hold.
pub fn schedule(data: &[u8]) {
    let mut input = Input::new(data);
    let limits = Limits {
        body: u32::from(input.u8()),
        head: 64 + u32::from(input.u16() % 4096),
        flows: 2 + u32::from(input.u8() % 8),
        memory: 4096 + u64::from(input.u16()) * 4,
        idle: 5_000_000_000,
    };
    let mut pipeline = Pipeline::new(limits);
    let mut out = Vec::new();
    let mut flows = [Sides { next: [u32::MAX - 20, 100] }; 4];
    let mut time = 0i64;
    while !input.is_empty() {
        let choice = input.u8();
        time += match choice >> 6 {
            0 | 1 => 1_000_000,
            2 => 700_000_000,
            _ => i64::from(input.u8() as i8) * 100_000_000,
        };
        let (number, side) = (usize::from(choice & 3), usize::from(choice >> 2 & 1));
        let segment_of = &mut flows[number];
        step(&mut input, segment_of, number as u16, side, time, |segment| {
            pipeline.segment(segment, &mut out);
        });
        if choice & 0x38 == 0x38 {
            pipeline.tick(Timestamp(time), &mut out);
        }
        check(&pipeline, &limits);
    }
    pipeline.finish(&mut out);
    check_end(&pipeline, &out, &limits);
}

/// Makes the next segment of one side.
fn step(
    input: &mut Input<'_>,
    sides: &mut Sides,
    port: u16,
    side: usize,
    time: i64,
    take: impl FnOnce(&Segment<'_>),
) {
    let flags = *input.pick(&FLAGS);
    let how = input.u8();
    let raw = input.bytes(usize::from(how & 3));
    let phrase = input.pick(&PHRASES);
    let payload = if how & 4 == 0 { *phrase } else { raw };
    let delta = if how & 8 == 0 { 0 } else { i32::from(input.u8() as i8) };
    let seq = sides.next[side].wrapping_add_signed(delta);
    let ack_delta = if how & 16 == 0 { 0 } else { i32::from(input.u8() as i8) };
    let ack = sides.next[1 - side].wrapping_add_signed(ack_delta);
    let cut = if how & 0xE0 == 0xE0 { u32::from(input.u8()) } else { 0 };
    let (client, server) = (SocketAddr::from(([10, 0, 0, 1], port)), SocketAddr::from(([10, 0, 0, 2], 80)));
    let (src, dst) = if side == 0 { (client, server) } else { (server, client) };
    let len = payload.len() as u32 + cut;
    if delta >= 0 {
        let extra = u32::from(flags & (TcpFlags::SYN | TcpFlags::FIN) != 0);
        sides.next[side] = seq.wrapping_add(len + extra);
    }
    take(&Segment {
        time: Timestamp(time),
        interface: InterfaceId(0),
        src,
        dst,
        tag: 0,
        seq,
        ack,
        flags: TcpFlags(flags),
        urgent: u16::from(how),
        payload,
        payload_len: len,
    });
}
