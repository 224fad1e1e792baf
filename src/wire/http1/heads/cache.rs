//! Heads like an earlier one: the same names in the same order, some left out, with values of their own. Nearly all heads of a
//! connection are, and such a head is read by comparing names instead of by looking at every byte of them.
//!
//! What is taken here, httparse takes in the same way (a property test says so); whatever is unusual is left to it: other
//! versions, bare LF, empty values, white space around values, bytes outside of printable ASCII.

use smallvec::SmallVec;

use crate::model::{FieldSpan, Fields, FlowId, RequestHead, ResponseHead, Span, Version};
use crate::wire::http1::heads::facts::Facts;

/// Field lines of a head that is remembered, at most.
const LINES: usize = 64;
/// Bytes of their names, at most.
const BYTES: usize = 2 << 10;

/// What the field lines of an earlier head began with: name, colon, white space.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    /// The beginnings, one after the other. Bound: [`BYTES`].
    text: Vec<u8>,
    /// Where in `text` each beginning ends, and the length of its name. Bound: [`LINES`].
    lines: Vec<(u32, u32)>,
}

impl Model {
    /// Remembers how the lines of a head begin.
    pub(in crate::wire::http1) fn learn(&mut self, fields: &Fields) {
        self.text.clear();
        self.lines.clear();
        for span in fields.spans() {
            let line = Span { start: span.name.start, len: span.value.start.saturating_sub(span.name.start) };
            let begins = line.of(fields.raw());
            if begins.is_empty() || self.text.len() + begins.len() > BYTES || self.lines.len() >= LINES {
                continue;
            }
            self.text.extend_from_slice(begins);
            self.lines.push((self.text.len() as u32, span.name.len));
        }
    }

    /// The request head that `data` begins with, if it is like the one remembered.
    pub(in crate::wire::http1) fn request(&self, data: &[u8]) -> Option<(RequestHead, usize, Facts)> {
        if self.lines.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', data)?;
        let line = data.get(..end)?.strip_suffix(b" HTTP/1.1\r")?;
        let space = memchr::memchr(b' ', line)?;
        let (method, target) = (line.get(..space)?, line.get(space + 1..)?);
        let is_method = !method.is_empty() && method.iter().all(u8::is_ascii_uppercase);
        if !is_method || target.is_empty() || memchr::memchr(b' ', target).is_some() {
            return None;
        }
        let (fields, used, mut facts) = self.fields(data, end + 1)?;
        facts.conclude_request(Version::Http11);
        let method = Span { start: 0, len: space as u32 };
        let target = Span { start: space as u32 + 1, len: target.len() as u32 };
        Some((RequestHead::new(fields, method, target, Version::Http11), used, facts))
    }

    /// The response head that `data` begins with, if it is like the one remembered.
    pub(in crate::wire::http1) fn response(&self, data: &[u8]) -> Option<(ResponseHead, usize, Facts)> {
        let (code, rest) = data.strip_prefix(b"HTTP/1.1 ")?.split_first_chunk::<3>()?;
        let &[hundreds @ b'1'..=b'9', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = code else { return None };
        let end = memchr::memchr(b'\n', rest)?;
        let reason = rest.get(..end)?.strip_prefix(b" ")?.strip_suffix(b"\r")?;
        if self.lines.is_empty() {
            return None;
        }
        let digit = |byte: u8| u16::from(byte - b'0');
        let status = digit(hundreds) * 100 + digit(tens) * 10 + digit(ones);
        let line = data.len() - rest.len();
        let (fields, used, mut facts) = self.fields(data, line + end + 1)?;
        facts.conclude(Version::Http11);
        let reason = Span { start: line as u32 + 1, len: reason.len() as u32 };
        Some((ResponseHead::new(fields, status, reason, Version::Http11), used, facts))
    }

    /// The field lines from `at` on, up to and with the empty line.
    fn fields(&self, data: &[u8], mut at: usize) -> Option<(Fields, usize, Facts)> {
        let mut facts = Facts::default();
        let mut spans: SmallVec<[FieldSpan; 24]> = SmallVec::new();
        let mut begin = 0;
        let mut lines = self.lines.iter().map(|(end, name)| {
            let line = self.text.get(begin..*end as usize).unwrap_or_default();
            begin = *end as usize;
            (line, *name)
        });
        loop {
            let rest = data.get(at..)?;
            if rest.starts_with(b"\r\n") {
                break;
            }
            let (line, name) = lines.find(|(line, _)| rest.starts_with(line))?;
            let after = rest.get(line.len()..)?;
            let end = memchr::memchr(b'\n', after)?;
            let value = after.get(..end)?.strip_suffix(b"\r")?;
            let trimmed = value.first()?.is_ascii_graphic() && value.last()?.is_ascii_graphic();
            if !trimmed {
                return None;
            }
            facts.field(rest.get(..name as usize)?, value);
            spans.push(FieldSpan {
                name: Span { start: at as u32, len: name },
                value: Span { start: (at + line.len()) as u32, len: value.len() as u32 },
            });
            at += line.len() + end + 1;
        }
        let (used, lines) = (at + 2, spans.len() + 2);
        let raw = data.get(..used)?;
        // Every line ends in CR LF; nothing else is outside of printable ASCII. Asked once for all lines, which is half the work.
        (unprintable(raw) == 2 * lines).then(|| (Fields::new(raw, spans), used, facts))
    }
}

/// How many bytes are not printable ASCII. In blocks that a byte can count, without a branch a byte, so that the compiler can
/// take many at once.
fn unprintable(bytes: &[u8]) -> usize {
    let count =
        |block: &[u8]| -> u8 { block.iter().map(|byte| u8::from(!(b' '..=b'~').contains(byte))).sum() };
    let (blocks, rest) = bytes.as_chunks::<64>();
    blocks.iter().map(|block| usize::from(count(block))).sum::<usize>() + usize::from(count(rest))
}

/// Models for requests and for responses, each for a few connections: those of one client or server look alike anyway.
#[derive(Debug, Default)]
pub(crate) struct Models {
    requests: [Model; Self::COUNT],
    responses: [Model; Self::COUNT],
}

impl Models {
    const COUNT: usize = 8;

    /// The one for the requests of `flow`.
    pub(in crate::wire::http1) const fn request(&mut self, flow: FlowId) -> &mut Model {
        &mut self.requests[flow.0 as usize % Self::COUNT]
    }

    /// The one for the responses of `flow`.
    pub(in crate::wire::http1) const fn response(&mut self, flow: FlowId) -> &mut Model {
        &mut self.responses[flow.0 as usize % Self::COUNT]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Model;
    use crate::wire::http1::heads::parse;
    use crate::wire::http1::heads::parse::Outcome;

    const REQUEST: &str = "POST /a?b=c HTTP/1.1\r\nHost: h.example\r\nUser-Agent: x/1 (y; z)\r\nContent-Length: 12\r\n\
                           Cookie: a=b; c=d\r\n\r\n";
    const RESPONSE: &str =
        "HTTP/1.1 403 Forbidden\r\nServer: nginx\r\nTransfer-Encoding: chunked\r\nX-A:  b c\r\n\r\n";

    fn model(text: &str) -> Model {
        let mut model = Model::default();
        match (parse::request(text.as_bytes()), parse::response(text.as_bytes())) {
            (Outcome::Complete(head, ..), _) => model.learn(head.fields()),
            (_, Outcome::Complete(head, ..)) => model.learn(head.fields()),
            _ => panic!("{text}"),
        }
        model
    }

    #[test]
    fn heads_that_differ_in_values_and_lack_lines_are_taken() {
        for text in
            [REQUEST, &REQUEST.replace("h.example", "other"), &REQUEST.replace("Host: h.example\r\n", "")]
        {
            assert!(model(REQUEST).request(text.as_bytes()).is_some(), "{text}");
        }
        for text in [RESPONSE, &RESPONSE.replace("403 Forbidden", "201 "), "HTTP/1.1 200 OK\r\n\r\n"] {
            assert!(model(RESPONSE).response(text.as_bytes()).is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_unusual_is_left_to_the_other_reader() {
        for text in [
            "POST / HTTP/1.0\r\nHost: h\r\n\r\n",
            "POST / HTTP/1.1\nHost: h\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\n\r\n",
            "POST / HTTP/1.1\r\nHost:  h\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h \r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\n x\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: \r\n\r\n",
            "POST / HTTP/1.1\r\nHost: \u{e4}\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: h\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\n",
        ] {
            assert!(model(REQUEST).request(text.as_bytes()).is_none(), "{text:?}");
        }
    }

    proptest! {
        /// Whatever is taken here is taken in the same way there.
        #[test]
        fn both_readers_agree(
            at in 0_usize..140,
            cut in 0_usize..6,
            put in prop::collection::vec(prop::sample::select(b"\r\n :\t1aZ\x00\x7f\xe4,/".to_vec()), 0..4),
        ) {
            for text in [REQUEST, RESPONSE] {
                let mut data = text.as_bytes().to_vec();
                let at = at.min(data.len());
                let end = (at + cut).min(data.len());
                data.splice(at..end, put.iter().copied());
                if let Some((head, used, facts)) = model(REQUEST).request(&data) {
                    let Outcome::Complete(other, length, said) = parse::request(&data) else { panic!("{data:?}") };
                    prop_assert_eq!((&head, used, format!("{facts:?}")), (&other, length, format!("{said:?}")));
                }
                if let Some((head, used, facts)) = model(RESPONSE).response(&data) {
                    let Outcome::Complete(other, length, said) = parse::response(&data) else { panic!("{data:?}") };
                    prop_assert_eq!((&head, used, format!("{facts:?}")), (&other, length, format!("{said:?}")));
                }
            }
        }
    }
}
