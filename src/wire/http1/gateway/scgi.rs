//! SCGI: a netstring of variables, then the content; one request a connection. The answer ends with it.

use super::variables::{Output, Variables};
use super::{Content, Event, HEAD, Message, Records};

/// The request of one connection.
#[derive(Debug, Default)]
pub(super) struct Scgi {
    /// Bytes until the variables are whole. Bound: [`HEAD`].
    partial: Vec<u8>,
    /// The head, the content, and how much of it is to come.
    reading: Option<(Vec<u8>, Content, u64)>,
    is_handed_on: bool,
    output: Output,
}

impl Scgi {
    fn hand_on(&mut self, out: &mut Vec<Event>) {
        if let Some((head, content, _)) = self.reading.take() {
            self.is_handed_on = true;
            out.push(Event::Request(Message { head, content }));
        }
    }

    fn content(&mut self, data: &[u8], out: &mut Vec<Event>) {
        let Some((_, content, left)) = &mut self.reading else { return };
        let take = data.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
        content.push(data.get(..take).unwrap_or_default());
        *left -= take as u64;
        if *left == 0 {
            self.hand_on(out);
        }
    }
}

impl Records for Scgi {
    fn request(&mut self, data: &[u8], out: &mut Vec<Event>) -> bool {
        if self.is_handed_on {
            return true;
        }
        if self.reading.is_some() {
            self.content(data, out);
            return true;
        }
        self.partial.extend_from_slice(data);
        let bytes = std::mem::take(&mut self.partial);
        let digits = bytes.iter().take(7).take_while(|byte| byte.is_ascii_digit()).count();
        let len =
            bytes.get(..digits).and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<usize>().ok());
        let Some(len) = len.filter(|len| *len <= HEAD) else { return false };
        // A colon before it and a comma behind it.
        let (Some(netstring), Some(_)) =
            (bytes.get(digits + 1..digits + 1 + len), bytes.get(digits + 1 + len))
        else {
            self.partial = bytes;
            return true;
        };
        let mut variables = Variables::default();
        let mut strings = netstring.split(|byte| *byte == 0);
        while let (Some(name), Some(value)) = (strings.next(), strings.next()) {
            variables.push(name, value);
        }
        let Some(head) = variables.head() else { return false };
        self.reading = Some((head, Content::default(), variables.length()));
        self.content(bytes.get(digits + 2 + len..).unwrap_or_default(), out);
        true
    }
    fn response(&mut self, data: &[u8], out: &mut Vec<Event>) -> bool {
        self.hand_on(out);
        self.output.push(data);
        true
    }
    fn end(&mut self, out: &mut Vec<Event>) {
        if self.is_handed_on && !self.output.is_empty() {
            out.push(Event::Response(0, std::mem::take(&mut self.output).message()));
        }
    }
    fn cost(&self) -> usize {
        let reading =
            self.reading.as_ref().map_or(0, |(head, content, _)| head.capacity() + content.kept.capacity());
        self.partial.capacity() + reading + self.output.cost()
    }
}
