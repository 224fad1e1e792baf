//! uwsgi: a packet of variables with their lengths, then the content. The application answers in HTTP.

use super::variables::Variables;
use super::{Content, Event, Message, Records};

/// The requests of one connection.
#[derive(Debug, Default)]
pub(super) struct Uwsgi {
    /// Bytes of the packet that is not whole yet. Bound: a packet, 64 KiB.
    partial: Vec<u8>,
    /// The head of the request whose content is being read, the content, and how much of it is to come.
    reading: Option<(Vec<u8>, Content, u64)>,
}

impl Records for Uwsgi {
    fn request(&mut self, data: &[u8], out: &mut Vec<Event>) -> bool {
        let mut bytes = std::mem::take(&mut self.partial);
        bytes.extend_from_slice(data);
        let mut rest = bytes.as_slice();
        loop {
            if let Some((head, mut content, left)) = self.reading.take() {
                let take = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let (data, after) = rest.split_at_checked(take).unwrap_or((rest, &[]));
                content.push(data);
                rest = after;
                if (take as u64) < left {
                    self.reading = Some((head, content, left - take as u64));
                    return true;
                }
                out.push(Event::Request(Message { head, content }));
            }
            let Some(&[_, l0, l1, _]) = rest.first_chunk::<4>() else { break };
            let len = usize::from(u16::from_le_bytes([l0, l1]));
            let Some(packet) = rest.get(4..4 + len) else { break };
            let variables = variables(packet);
            let Some(head) = variables.head() else { return false };
            self.reading = Some((head, Content::default(), variables.length()));
            rest = rest.get(4 + len..).unwrap_or_default();
        }
        let used = bytes.len() - rest.len();
        bytes.drain(..used);
        self.partial = bytes;
        true
    }
    fn response(&mut self, _data: &[u8], _out: &mut Vec<Event>) -> bool {
        true
    }
    fn reads_responses(&self) -> bool {
        false
    }
    fn cost(&self) -> usize {
        let reading =
            self.reading.as_ref().map_or(0, |(head, content, _)| head.capacity() + content.kept.capacity());
        self.partial.capacity() + reading
    }
}

/// Names and values, each after its length in little-endian order.
fn variables(mut packet: &[u8]) -> Variables {
    let mut variables = Variables::default();
    while let Some((name, rest)) = string(packet)
        && let Some((value, rest)) = string(rest)
    {
        variables.push(name, value);
        packet = rest;
    }
    variables
}

fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_le_bytes(length)))
}
