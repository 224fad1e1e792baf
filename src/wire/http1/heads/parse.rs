//! Heads through httparse, in place: one pass over the bytes and one copy of them.

use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig, Request as Parsed, Response as ParsedResponse, Status};

use crate::model::{Anomaly, AnomalySet, FieldSpan, Fields, RequestHead, ResponseHead, Span, Version};
use crate::wire::http1::heads::cache::Model;
use crate::wire::http1::heads::facts::Facts;
use crate::wire::http1::heads::lenient;

/// Field lines that httparse is asked to take; heads with more go to the lenient reader.
const FIELDS: usize = 128;

/// What a look at the beginning of a message gave.
#[derive(Debug)]
pub(crate) enum Outcome<T> {
    /// The head, how many bytes it takes, and what its fields say.
    Complete(T, usize, Facts),
    /// More bytes are needed.
    Partial,
    /// httparse does not take it.
    Invalid,
}

/// A request head at the start of `data`.
pub(crate) fn request(data: &[u8]) -> Outcome<RequestHead> {
    let mut fields = [const { MaybeUninit::<Header<'_>>::uninit() }; FIELDS];
    let mut parsed = Parsed::new(&mut []);
    let used = match parsed.parse_with_uninit_headers(data, &mut fields) {
        Ok(Status::Complete(used)) => used,
        Ok(Status::Partial) => return Outcome::Partial,
        Err(_) => return Outcome::Invalid,
    };
    let (Some(method), Some(target), Some(minor)) = (parsed.method, parsed.path, parsed.version) else {
        return Outcome::Invalid;
    };
    let version = version(minor);
    let (fields, mut facts) = collect(data, used, parsed.headers);
    facts.conclude_request(version);
    let method = span(data, method.as_bytes());
    let target = span(data, target.as_bytes());
    Outcome::Complete(RequestHead::new(fields, method, target, version), used, facts)
}

/// A response head at the start of `data`.
pub(crate) fn response(data: &[u8]) -> Outcome<ResponseHead> {
    let mut fields = [const { MaybeUninit::<Header<'_>>::uninit() }; FIELDS];
    let mut parsed = ParsedResponse::new(&mut []);
    let config = ParserConfig::default();
    let used = match config.parse_response_with_uninit_headers(&mut parsed, data, &mut fields) {
        Ok(Status::Complete(used)) => used,
        Ok(Status::Partial) => return Outcome::Partial,
        Err(_) => return Outcome::Invalid,
    };
    let (Some(status @ 100..), Some(minor)) = (parsed.code, parsed.version) else { return Outcome::Invalid };
    let version = version(minor);
    let reason = reason(data);
    let (fields, mut facts) = collect(data, used, parsed.headers);
    facts.conclude(version);
    Outcome::Complete(ResponseHead::new(fields, status, reason, version), used, facts)
}

/// The same, quickly where it is like the last one that `model` saw.
pub(crate) fn request_like(model: &mut Model, data: &[u8]) -> Outcome<RequestHead> {
    if let Some((head, used, facts)) = model.request(data) {
        return Outcome::Complete(head, used, facts);
    }
    let outcome = request(data);
    if let Outcome::Complete(head, ..) = &outcome {
        model.learn(head.fields());
    }
    outcome
}

/// The same, quickly where it is like the last one that `model` saw.
pub(crate) fn response_like(model: &mut Model, data: &[u8]) -> Outcome<ResponseHead> {
    if let Some((head, used, facts)) = model.response(data) {
        return Outcome::Complete(head, used, facts);
    }
    let outcome = response(data);
    if let Outcome::Complete(head, ..) = &outcome {
        model.learn(head.fields());
    }
    outcome
}

/// The request head that `raw` is, whole: as httparse takes it, or else as the lenient reader does.
pub(in crate::wire::http1) fn any_request(raw: &[u8]) -> Option<(RequestHead, Facts)> {
    match request(raw) {
        Outcome::Complete(head, _, facts) => Some((head, facts)),
        Outcome::Partial | Outcome::Invalid => lenient::request(raw),
    }
}

/// The response head that `raw` is, read like [`any_request`].
pub(in crate::wire::http1) fn any_response(raw: &[u8]) -> Option<(ResponseHead, Facts)> {
    match response(raw) {
        Outcome::Complete(head, _, facts) => Some((head, facts)),
        Outcome::Partial | Outcome::Invalid => lenient::response(raw),
    }
}

fn version(minor: u8) -> Version {
    if minor == 0 { Version::Http10 } else { Version::Http11 }
}

/// The reason phrase: what follows the status code, which ends at byte 12 of a status line that httparse took.
fn reason(data: &[u8]) -> Span {
    const START: usize = 13;
    let line = data.get(START..).unwrap_or_default();
    let end = memchr::memchr(b'\n', line).unwrap_or(0);
    let text = line.get(..end).unwrap_or_default();
    Span { start: START as u32, len: text.strip_suffix(b"\r").unwrap_or(text).len() as u32 }
}

fn collect(data: &[u8], used: usize, headers: &[Header<'_>]) -> (Fields, Facts) {
    let raw = data.get(..used).unwrap_or_default();
    let mut facts = Facts::default();
    // A value is nearly always followed by the CR of its line's end; only otherwise is every line looked at.
    let mut ends_in_cr = true;
    let spans = headers.iter().map(|header| {
        facts.field(header.name.as_bytes(), header.value);
        let value = span(raw, header.value);
        ends_in_cr &= raw.get((value.start + value.len) as usize) == Some(&b'\r');
        FieldSpan { name: span(raw, header.name.as_bytes()), value }
    });
    let fields = Fields::new(raw, spans);
    let first = headers.first().map_or(raw.len(), |header| span(raw, header.name.as_bytes()).start as usize);
    let start_line = raw.get(..first).is_some_and(|line| line.ends_with(b"\r\n"));
    let plain = ends_in_cr && start_line && raw.ends_with(b"\r\n\r\n");
    inspect(raw, plain, &mut facts.anomalies);
    (fields, facts)
}

/// What httparse takes without a word: bare LF, unless all lines are `plain`, and bytes above 0x7F. Looks at the captured
/// bytes, which are at hand; their copy is not yet.
fn inspect(raw: &[u8], plain: bool, anomalies: &mut AnomalySet) {
    if !raw.is_ascii() {
        anomalies.insert(Anomaly::NonAsciiValue);
    }
    if !plain && memchr::memchr_iter(b'\n', raw).any(|at| at == 0 || raw.get(at - 1) != Some(&b'\r')) {
        anomalies.insert(Anomaly::BareLf);
    }
}

fn span(whole: &[u8], part: &[u8]) -> Span {
    Span::within(whole, part).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Outcome, request, response};
    use crate::model::Anomaly;

    #[test]
    fn parts_are_where_they_were_on_the_wire() {
        let wire = b"POST /a?b=c HTTP/1.1\r\nHost: x \r\nX-Empty:\r\n\r\nbody";
        let Outcome::Complete(head, used, facts) = request(wire) else { panic!("complete") };
        assert_eq!((head.method(), head.target(), used), ("POST", &b"/a?b=c"[..], wire.len() - 4));
        assert_eq!(head.fields().raw(), &wire[..used]);
        let fields: Vec<_> = head.fields().iter().map(|field| (field.name, field.value)).collect();
        assert_eq!(fields, [(&b"Host"[..], &b"x"[..]), (b"X-Empty", b"")]);
        assert!(facts.anomalies.is_empty());
    }

    #[test]
    fn reason_phrases_of_all_kinds() {
        for (line, reason) in [
            ("HTTP/1.1 403 Forbidden\r\n", &b"Forbidden"[..]),
            ("HTTP/1.1 403 \r\n", b""),
            ("HTTP/1.1 403\r\n", b""),
            ("HTTP/1.0 403 Verboten f\u{fc}r Sie\n", "Verboten f\u{fc}r Sie".as_bytes()),
        ] {
            let wire = [line.as_bytes(), b"A: b\r\n\r\n"].concat();
            let Outcome::Complete(head, ..) = response(&wire) else { panic!("{line:?}") };
            assert_eq!((head.status(), head.reason()), (403, reason), "{line:?}");
        }
    }

    #[test]
    fn bare_lf_and_non_ascii_values_are_noted() {
        let Outcome::Complete(_, _, facts) = request("GET / HTTP/1.1\nHost: \u{e4}\r\n\r\n".as_bytes())
        else {
            panic!("complete")
        };
        assert!(facts.anomalies.contains(Anomaly::BareLf));
        assert!(facts.anomalies.contains(Anomaly::NonAsciiValue));
    }
}
