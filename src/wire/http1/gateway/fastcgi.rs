//! FastCGI 1.0: records of a type, a request's number, a length and padding.

use super::variables::{Output, Variables};
use super::{Content, Event, HEAD, Message, Records};

const BEGIN: u8 = 1;
const ABORT: u8 = 2;
const END: u8 = 3;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;
/// Requests that are open together at most.
const OPEN: usize = 16;
const HEADER: usize = 8;

/// The records of one connection.
#[derive(Debug, Default)]
pub(super) struct FastCgi {
    /// Bytes of the record that is not whole yet, in each direction. Bound: a record, 64 KiB.
    partial: [Vec<u8>; 2],
    open: Vec<Open>,
    /// Requests that were handed on.
    count: u32,
}

/// A request in the making.
#[derive(Debug, Default)]
struct Open {
    id: u16,
    params: Vec<u8>,
    content: Content,
    /// Its number on the connection, once it was handed on.
    number: Option<u32>,
    output: Output,
}

impl FastCgi {
    /// Calls `each` with type, number and content of every whole record.
    fn records(&mut self, side: usize, data: &[u8], out: &mut Vec<Event>) -> bool {
        let mut bytes = self.partial.get_mut(side).map(std::mem::take).unwrap_or_default();
        bytes.extend_from_slice(data);
        let mut rest = bytes.as_slice();
        while let Some(&[version, kind, i0, i1, l0, l1, padding, _]) = rest.first_chunk::<HEADER>() {
            if version != 1 {
                return false;
            }
            let len = usize::from(u16::from_be_bytes([l0, l1]));
            let Some(after) = rest.get(HEADER + len + usize::from(padding)..) else { break };
            let content = rest.get(HEADER..HEADER + len).unwrap_or_default();
            if !self.record(kind, u16::from_be_bytes([i0, i1]), content, out) {
                return false;
            }
            rest = after;
        }
        let used = bytes.len() - rest.len();
        bytes.drain(..used);
        if let Some(partial) = self.partial.get_mut(side) {
            *partial = bytes;
        }
        true
    }

    fn record(&mut self, kind: u8, id: u16, content: &[u8], out: &mut Vec<Event>) -> bool {
        if kind == BEGIN {
            self.open.retain(|open| open.id != id);
            self.open.push(Open { id, ..Open::default() });
            return self.open.len() <= OPEN;
        }
        let count = &mut self.count;
        let Some(at) = self.open.iter().position(|open| open.id == id) else { return true };
        let Some(open) = self.open.get_mut(at) else { return true };
        match kind {
            PARAMS => {
                open.params.extend_from_slice(content);
                return open.params.len() <= HEAD;
            }
            STDIN if content.is_empty() => open.hand_on(count, out),
            STDIN => open.content.push(content),
            STDOUT => {
                open.hand_on(count, out);
                open.output.push(content);
            }
            END | ABORT => {
                open.hand_on(count, out);
                let done = self.open.remove(at);
                if let Some(number) = done.number.filter(|_| kind == END && !done.output.is_empty()) {
                    out.push(Event::Response(number, done.output.message()));
                }
            }
            _ => {}
        }
        true
    }
}

impl Open {
    /// Hands the request on, once.
    fn hand_on(&mut self, count: &mut u32, out: &mut Vec<Event>) {
        if self.number.is_some() {
            return;
        }
        let variables = variables(&self.params);
        if let Some(head) = variables.head() {
            self.number = Some(*count);
            *count += 1;
            out.push(Event::Request(Message { head, content: std::mem::take(&mut self.content) }));
        }
    }
}

/// Pairs of names and values with their lengths before them.
fn variables(mut params: &[u8]) -> Variables {
    let mut variables = Variables::default();
    while let Some((name, rest)) = length(params)
        && let Some((value, rest)) = length(rest)
        && let Some((name, rest)) = rest.split_at_checked(name)
        && let Some((value, rest)) = rest.split_at_checked(value)
    {
        variables.push(name, value);
        params = rest;
    }
    variables
}

/// A length of one byte, or of four with the top bit set.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match *bytes {
        [a @ 0x80..=0xff, b, c, d, ref rest @ ..] => {
            Some((u32::from_be_bytes([a & 0x7f, b, c, d]) as usize, rest))
        }
        [short @ 0..=0x7f, ref rest @ ..] => Some((usize::from(short), rest)),
        _ => None,
    }
}

impl Records for FastCgi {
    fn request(&mut self, data: &[u8], out: &mut Vec<Event>) -> bool {
        self.records(0, data, out)
    }
    fn response(&mut self, data: &[u8], out: &mut Vec<Event>) -> bool {
        self.records(1, data, out)
    }
    fn cost(&self) -> usize {
        let open: usize = self
            .open
            .iter()
            .map(|open| open.params.capacity() + open.content.kept.capacity() + open.output.cost())
            .sum();
        open + self.partial.iter().map(Vec::capacity).sum::<usize>()
            + self.open.capacity() * size_of::<Open>()
    }
}
