//! AJP 1.3: packets whose frequent methods and field names are numbers.

use super::variables::{append, field};
use super::{Content, Event, HEAD, Message, Records};

const FORWARD_REQUEST: u8 = 2;
const SEND_BODY_CHUNK: u8 = 3;
const SEND_HEADERS: u8 = 4;
const END_RESPONSE: u8 = 5;
const QUERY: u8 = 5;
const END_OF_ATTRIBUTES: u8 = 0xff;
const STORED_METHOD: u8 = 13;
const METHODS: [&str; 27] = [
    "OPTIONS",
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "TRACE",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "ACL",
    "REPORT",
    "VERSION-CONTROL",
    "CHECKIN",
    "CHECKOUT",
    "UNCHECKOUT",
    "SEARCH",
    "MKWORKSPACE",
    "UPDATE",
    "LABEL",
    "MERGE",
    "BASELINE-CONTROL",
    "MKACTIVITY",
];
const REQUEST_FIELDS: [&str; 14] = [
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Connection",
    "Content-Type",
    "Content-Length",
    "Cookie",
    "Cookie2",
    "Host",
    "Pragma",
    "Referer",
    "User-Agent",
];
const RESPONSE_FIELDS: [&str; 11] = [
    "Content-Type",
    "Content-Language",
    "Content-Length",
    "Date",
    "Last-Modified",
    "Location",
    "Set-Cookie",
    "Set-Cookie2",
    "Servlet-Engine",
    "Status",
    "WWW-Authenticate",
];

/// The packets of one connection.
#[derive(Debug, Default)]
pub(super) struct Ajp {
    /// Bytes of the packet that is not whole yet, in each direction. Bound: a packet, 64 KiB.
    partial: [Vec<u8>; 2],
    /// The head of the request whose content is being read, the content, and how much of it is to come.
    reading: Option<(Vec<u8>, Content, u64)>,
    /// The response in the making.
    answer: Option<Message>,
    /// Requests that were handed on.
    count: u32,
}

/// Reads numbers and strings of a packet.
struct Packet<'a>(&'a [u8]);

impl<'a> Packet<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u16> {
        let (&number, rest) = self.0.split_first_chunk::<2>()?;
        self.0 = rest;
        Some(u16::from_be_bytes(number))
    }

    /// Bytes after their length, with a zero behind them; of length 0xffff for none.
    fn string(&mut self) -> Option<&'a [u8]> {
        match self.number()? {
            u16::MAX => Some(&[]),
            length => {
                let (string, rest) = self.0.split_at_checked(usize::from(length))?;
                self.0 = rest.get(1..)?;
                Some(string)
            }
        }
    }

    /// Adds the fields; says how long the content is.
    fn fields(&mut self, names: &[&str], head: &mut Vec<u8>) -> Option<u64> {
        let mut length = 0;
        for _ in 0..self.number()? {
            let name = match self.0 {
                [0xa0, code, ..] => {
                    let name = names.get(usize::from(code.checked_sub(1)?))?;
                    self.number()?;
                    name.as_bytes()
                }
                _ => self.string()?,
            };
            let value = self.string()?;
            if name.eq_ignore_ascii_case(b"content-length") {
                length = std::str::from_utf8(value).ok()?.trim().parse().ok()?;
            }
            field(head, name, value);
        }
        Some(length)
    }
}

/// The head of a request, and how long its content is.
fn request(payload: &[u8]) -> Option<(Vec<u8>, u64)> {
    let mut packet = Packet(payload);
    packet.byte()?;
    let mut method = METHODS.get(usize::from(packet.byte()?.checked_sub(1)?)).map(|name| name.as_bytes());
    let (protocol, path) = (packet.string()?, packet.string()?);
    for _ in 0..3 {
        packet.string()?;
    }
    packet.number()?;
    packet.byte()?;
    let mut fields = Vec::new();
    let length = packet.fields(&REQUEST_FIELDS, &mut fields)?;
    let mut query: &[u8] = &[];
    while let Some(code) = packet.byte().filter(|code| *code != END_OF_ATTRIBUTES) {
        match code {
            // The key's size is a number, other attributes have a name and a value.
            0x0a => {
                packet.string()?;
                packet.string()?;
            }
            0x0b => drop(packet.number()?),
            QUERY => query = packet.string()?,
            STORED_METHOD => method = Some(packet.string()?),
            _ => drop(packet.string()?),
        }
    }
    let mut head = Vec::with_capacity(256);
    let sign: &[u8] = if query.is_empty() { b"" } else { b"?" };
    for piece in [method?, b" ", path, sign, query, b" ", protocol] {
        append(&mut head, piece);
    }
    head.extend_from_slice(b"\r\n");
    head.extend_from_slice(&fields);
    head.extend_from_slice(b"\r\n");
    Some((head, length)).filter(|(head, _)| head.len() <= 2 * HEAD)
}

/// The head of a response.
fn response(payload: &[u8]) -> Option<Vec<u8>> {
    let mut packet = Packet(payload.get(1..)?);
    let status = packet.number()?;
    let reason = packet.string()?;
    let mut head = format!("HTTP/1.1 {status} ").into_bytes();
    append(&mut head, reason);
    head.extend_from_slice(b"\r\n");
    packet.fields(&RESPONSE_FIELDS, &mut head)?;
    head.extend_from_slice(b"\r\n");
    Some(head)
}

impl Ajp {
    fn hand_on(&mut self, out: &mut Vec<Event>) {
        if let Some((head, content, _)) = self.reading.take() {
            self.count += 1;
            out.push(Event::Request(Message { head, content }));
        }
    }

    fn packets(&mut self, side: usize, magic: [u8; 2], data: &[u8], out: &mut Vec<Event>) -> bool {
        let mut bytes = self.partial.get_mut(side).map(std::mem::take).unwrap_or_default();
        bytes.extend_from_slice(data);
        let mut rest = bytes.as_slice();
        while let Some(&[m0, m1, l0, l1]) = rest.first_chunk::<4>() {
            if [m0, m1] != magic {
                return false;
            }
            let len = usize::from(u16::from_be_bytes([l0, l1]));
            let Some(payload) = rest.get(4..4 + len) else { break };
            rest = rest.get(4 + len..).unwrap_or_default();
            if !(if side == 0 { self.sent(payload, out) } else { self.answered(payload, out) }) {
                return false;
            }
        }
        let used = bytes.len() - rest.len();
        bytes.drain(..used);
        if let Some(partial) = self.partial.get_mut(side) {
            *partial = bytes;
        }
        true
    }

    fn sent(&mut self, payload: &[u8], out: &mut Vec<Event>) -> bool {
        if let Some((_, content, left)) = &mut self.reading {
            let data = Packet(payload).number().map_or(0, usize::from);
            let data = payload.get(2..2 + data).unwrap_or_default();
            content.push(data);
            *left = left.saturating_sub(data.len() as u64);
            if *left == 0 || data.is_empty() {
                self.hand_on(out);
            }
            return true;
        }
        if payload.first() != Some(&FORWARD_REQUEST) {
            return true;
        }
        let Some((head, length)) = request(payload) else { return false };
        self.reading = Some((head, Content::default(), length));
        if length == 0 {
            self.hand_on(out);
        }
        true
    }

    fn answered(&mut self, payload: &[u8], out: &mut Vec<Event>) -> bool {
        match payload.first() {
            Some(&SEND_HEADERS) => {
                self.hand_on(out);
                let Some(head) = response(payload) else { return false };
                self.answer = Some(Message { head, content: Content::default() });
            }
            Some(&SEND_BODY_CHUNK) => {
                let len = payload.get(1..).and_then(|rest| Packet(rest).number()).map_or(0, usize::from);
                if let Some(answer) = &mut self.answer {
                    answer.content.push(payload.get(3..3 + len).unwrap_or_default());
                }
            }
            Some(&END_RESPONSE) => {
                if let (Some(answer), Some(number)) = (self.answer.take(), self.count.checked_sub(1)) {
                    out.push(Event::Response(number, answer));
                }
            }
            _ => {}
        }
        true
    }
}

impl Records for Ajp {
    fn request(&mut self, data: &[u8], out: &mut Vec<Event>) -> bool {
        self.packets(0, [0x12, 0x34], data, out)
    }
    fn response(&mut self, data: &[u8], out: &mut Vec<Event>) -> bool {
        self.packets(1, *b"AB", data, out)
    }
    fn cost(&self) -> usize {
        let reading =
            self.reading.as_ref().map_or(0, |(head, content, _)| head.capacity() + content.kept.capacity());
        let answer =
            self.answer.as_ref().map_or(0, |answer| answer.head.capacity() + answer.content.kept.capacity());
        reading + answer + self.partial.iter().map(Vec::capacity).sum::<usize>()
    }
}
