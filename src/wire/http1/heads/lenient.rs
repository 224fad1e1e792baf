//! Heads that httparse refuses, read line by line as far as they go; what is odd about them becomes an anomaly.

use crate::model::{Anomaly, AnomalySet, FieldSpan, Fields, RequestHead, ResponseHead, Span, Version};
use crate::wire::http1::heads::facts::Facts;
use crate::wire::http1::heads::sniff::METHODS;

/// A request head from the bytes in `raw`, whole or cut; `None` without a readable request line.
pub(crate) fn request(raw: &[u8]) -> Option<(RequestHead, Facts)> {
    let (line, rest) = first_line(raw);
    let text = trim_end(line);
    let Line { method_len, target, version, exact } = request_line(text)?;
    let (fields, mut facts) = fields(raw, rest);
    let target_bytes = target.of(raw);
    let is_method = raw.get(..method_len).is_some_and(|method| method.iter().all(|byte| is_token(*byte)));
    if !exact
        || !is_method
        || target_bytes.is_empty()
        || target_bytes.iter().any(|byte| *byte <= b' ' || *byte == 0x7F)
    {
        facts.anomalies.insert(Anomaly::MalformedHead);
    }
    note_line_end(line, &mut facts.anomalies);
    if !line.is_ascii() {
        facts.anomalies.insert(Anomaly::NonAsciiValue);
    }
    facts.conclude_request(version);
    let method = Span { start: 0, len: method_len as u32 };
    Some((RequestHead::new(fields, method, target, version), facts))
}

/// The parts of a request line.
struct Line {
    method_len: usize,
    target: Span,
    version: Version,
    exact: bool,
}

/// Splits a request line at blanks, or where they were forgotten.
fn request_line(text: &[u8]) -> Option<Line> {
    let span = |start: usize, end: usize| Span { start: start as u32, len: end.saturating_sub(start) as u32 };
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let forgotten = |method_len: usize| {
        let cut = text
            .iter()
            .rposition(blank)
            .filter(|at| b"HTTP/1.1".starts_with(text.get(at + 1..).unwrap_or(b"-")));
        let end = memchr::memmem::find(text, b"HTTP/1.").or(cut).unwrap_or(text.len());
        let start = method_len + leading_blanks(text.get(method_len..).unwrap_or_default());
        let target = span(start, start + trim_end(text.get(start..end).unwrap_or_default()).len());
        Line { method_len, target, version: Version::Http10, exact: false }
    };
    let Some(method_len) = text.iter().position(blank) else {
        let token = text.iter().take_while(|byte| is_token(**byte)).count();
        let known = METHODS.iter().filter(|method| text.starts_with(method)).map(|method| method.len()).max();
        let is_cut = METHODS.contains(&text);
        if !is_cut && memchr::memmem::find(text, b"HTTP/1.").is_none() {
            return None;
        }
        return Some(forgotten(known.unwrap_or(token)));
    };
    let after = method_len + leading_blanks(text.get(method_len..)?);
    let last = text.iter().rposition(blank)?;
    match version(text.get(last + 1..)?) {
        (Some(version), exact) if last >= after => {
            let target = trim_end(text.get(after..last)?);
            let has_tab = text.get(method_len..after).is_some_and(|blanks| blanks.contains(&b'\t'))
                || text.get(after + target.len()..=last).is_some_and(|blanks| blanks.contains(&b'\t'));
            let exact = exact && !has_tab;
            Some(Line { method_len, target: span(after, after + target.len()), version, exact })
        }
        _ => Some(forgotten(method_len)),
    }
}

/// A response head from the bytes in `raw`, whole or cut; `None` without a readable status line.
pub(crate) fn response(raw: &[u8]) -> Option<(ResponseHead, Facts)> {
    let (line, rest) = first_line(raw);
    let text = trim_end(line);
    let version_len = text.iter().position(|byte| *byte == b' ' || *byte == b'\t')?;
    let (version, exact) = version(text.get(..version_len)?);
    let version = version?;
    let code_at = version_len + leading_blanks(text.get(version_len..)?);
    let code = text.get(code_at..)?;
    let word = code.iter().take_while(|byte| !matches!(byte, b' ' | b'\t')).count();
    let (status, plain) = status(code.get(..word)?);
    let reason_at = code_at + word + leading_blanks(code.get(word..)?).min(1);
    let reason = Span { start: reason_at as u32, len: text.len().saturating_sub(reason_at) as u32 };
    let (fields, mut facts) = fields(raw, rest);
    if !exact || code_at != version_len + 1 || !plain {
        facts.anomalies.insert(Anomaly::MalformedHead);
    }
    note_line_end(line, &mut facts.anomalies);
    facts.conclude(version);
    Some((ResponseHead::new(fields, status, reason, version), facts))
}

/// The status code, 0 when there is none to be read, and whether it is written as three digits of which the first is not 0.
fn status(word: &[u8]) -> (u16, bool) {
    let digits =
        word.iter().skip_while(|byte| **byte == b'0').take(3).take_while(|byte| byte.is_ascii_digit());
    let code = digits.fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    let is_three_digits = word.len() == 3 && word.iter().all(u8::is_ascii_digit);
    let plain = is_three_digits && code >= 100;
    (if code >= 100 || is_three_digits { code } else { 0 }, plain)
}

/// The field lines of a trailer section.
pub(crate) fn trailers(raw: &[u8]) -> (Fields, AnomalySet) {
    let (fields, facts) = fields(raw, 0);
    (fields, facts.anomalies)
}

/// The protocol version, and whether it is spelled as it must be.
fn version(text: &[u8]) -> (Option<Version>, bool) {
    match text {
        b"HTTP/1.1" => (Some(Version::Http11), true),
        b"HTTP/1.0" => (Some(Version::Http10), true),
        _ if text.len() > 5 && text.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"HTTP/")) => {
            let old = text.starts_with(b"HTTP/0") || text.ends_with(b"1.0");
            (Some(if old { Version::Http10 } else { Version::Http11 }), false)
        }
        _ => (None, false),
    }
}

/// The first line with its end, and where the next begins.
fn first_line(raw: &[u8]) -> (&[u8], usize) {
    let end = memchr::memchr(b'\n', raw).map_or(raw.len(), |at| at + 1);
    (raw.get(..end).unwrap_or_default(), end)
}

/// All field lines of `raw` from `at` on.
fn fields(raw: &[u8], mut at: usize) -> (Fields, Facts) {
    let mut facts = Facts::default();
    let mut spans: Vec<FieldSpan> = Vec::new();
    while at < raw.len() {
        let (line, len) = first_line(raw.get(at..).unwrap_or_default());
        let text = trim_eol(line);
        note_line_end(line, &mut facts.anomalies);
        if text.first().is_some_and(|byte| *byte == b' ' || *byte == b'\t') && !spans.is_empty() {
            facts.anomalies.insert(Anomaly::ObsFold);
            if let Some(last) = spans.last_mut() {
                last.value.len = (at + trim_end(text).len()) as u32 - last.value.start;
            }
        } else if !text.is_empty() {
            spans.push(field(text, at, &mut facts.anomalies));
        }
        at += len;
    }
    for field in &spans {
        let (name, value) = (field.name.of(raw), field.value.of(raw));
        note_value(value, &mut facts.anomalies);
        let after_name = (field.name.start + field.name.len) as usize;
        if is_framing(name) && (raw.get(after_name) != Some(&b':') || memchr::memchr(b'\n', value).is_some())
        {
            facts.anomalies.insert(Anomaly::AmbiguousFraming);
        }
        facts.field(name, value);
    }
    (Fields::new(raw, spans), facts)
}

/// Whether a field says where the message ends. One that is folded or has white space before its colon is read by some
/// receivers and not by others.
fn is_framing(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"transfer-encoding")
}

/// One field line that begins at `at`.
fn field(text: &[u8], at: usize, anomalies: &mut AnomalySet) -> FieldSpan {
    let Some(colon) = memchr::memchr(b':', text) else {
        anomalies.insert(Anomaly::InvalidFieldName);
        let name = trim_end(text);
        return FieldSpan { name: Span { start: at as u32, len: name.len() as u32 }, value: Span::default() };
    };
    let name = text.get(..colon).unwrap_or_default();
    let lead = leading_blanks(name);
    let bare = trim_end(name.get(lead..).unwrap_or_default());
    if bare.is_empty() {
        anomalies.insert(Anomaly::EmptyFieldName);
    } else if lead + bare.len() < name.len() {
        anomalies.insert(Anomaly::SpaceBeforeColon);
    }
    if lead > 0 || bare.iter().any(|byte| !is_token(*byte)) {
        anomalies.insert(Anomaly::InvalidFieldName);
    }
    let value = text.get(colon + 1..).unwrap_or_default();
    let skip = leading_blanks(value);
    let value = trim_end(value.get(skip..).unwrap_or_default());
    FieldSpan {
        name: Span { start: (at + lead) as u32, len: bare.len() as u32 },
        value: Span { start: (at + colon + 1 + skip) as u32, len: value.len() as u32 },
    }
}

fn note_value(value: &[u8], anomalies: &mut AnomalySet) {
    if !value.is_ascii() {
        anomalies.insert(Anomaly::NonAsciiValue);
    }
    if memchr::memchr(b'\r', value).is_some_and(|at| value.get(at + 1) != Some(&b'\n')) {
        anomalies.insert(Anomaly::BareCr);
    }
    if value.iter().any(|byte| (*byte < b' ' && !matches!(byte, b'\t' | b'\r' | b'\n')) || *byte == 0x7F) {
        anomalies.insert(Anomaly::InvalidFieldValue);
    }
}

fn note_line_end(line: &[u8], anomalies: &mut AnomalySet) {
    if line.ends_with(b"\n") && !line.ends_with(b"\r\n") {
        anomalies.insert(Anomaly::BareLf);
    }
    let text = trim_eol(line);
    if memchr::memchr(b'\r', text).is_some() {
        anomalies.insert(Anomaly::BareCr);
    }
}

fn trim_eol(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Without the line end and the blanks before it.
fn trim_end(text: &[u8]) -> &[u8] {
    let text = trim_eol(text);
    let blanks = text.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    text.get(..text.len() - blanks).unwrap_or_default()
}

fn leading_blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Whether `byte` may be in a token (RFC 9110 §5.6.2).
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::{request, response, trailers};
    use crate::model::{Anomaly, Field};

    fn lines(wire: &str) -> (Vec<(String, String)>, Vec<Anomaly>) {
        let (fields, anomalies) = trailers(wire.as_bytes());
        let text = |field: Field<'_>| (field.name_text().into_owned(), field.value_text().into_owned());
        (fields.iter().map(text).collect(), anomalies.iter().collect())
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn odd_field_lines() {
        for (wire, expected, anomaly) in [
            ("A : b\r\n\r\n", &[("A", "b")][..], Anomaly::SpaceBeforeColon),
            (": b\r\n\r\n", &[("", "b")], Anomaly::EmptyFieldName),
            ("A: b\r\n  c\r\nD: e\r\n\r\n", &[("A", "b\r\n  c"), ("D", "e")], Anomaly::ObsFold),
            ("A: b\nC: d\n\n", &[("A", "b"), ("C", "d")], Anomaly::BareLf),
            ("A: b\rC: d\r\n\r\n", &[("A", "b\rC: d")], Anomaly::BareCr),
            ("A: b\0c\r\n\r\n", &[("A", "b\0c")], Anomaly::InvalidFieldValue),
            ("A b\r\n\r\n", &[("A b", "")], Anomaly::InvalidFieldName),
            ("A@: b\r\n\r\n", &[("A@", "b")], Anomaly::InvalidFieldName),
        ] {
            let (fields, anomalies) = lines(wire);
            assert_eq!(fields, pairs(expected), "{wire:?}");
            assert!(anomalies.contains(&anomaly), "{wire:?} {anomalies:?}");
        }
    }

    #[test]
    fn framing_that_only_some_receivers_read_is_ambiguous() {
        for (wire, ambiguous) in [
            ("Transfer-Encoding:\r\n chunked\r\n\r\n", true),
            ("Transfer-Encoding : chunked\r\n\r\n", true),
            ("content-length:\r\n\t5\r\n\r\n", true),
            ("Content-Length : 5\r\n\r\n", true),
            ("X: a\r\n b\r\nContent-Length: 5\r\n\r\n", false),
            ("X : a\r\nTransfer-Encoding:chunked\r\n\r\n", false),
        ] {
            assert_eq!(lines(wire).1.contains(&Anomaly::AmbiguousFraming), ambiguous, "{wire:?}");
        }
    }

    #[test]
    fn odd_request_lines() {
        for (wire, method, target) in [
            ("GET /a b HTTP/1.1\r\n\r\n", "GET", "/a b"),
            ("GET  /a  HTTP/1.1\r\n\r\n", "GET", "/a"),
            ("GET /a HTTP/1.2\r\n\r\n", "GET", "/a"),
            ("GET /a\r\n\r\n", "GET", "/a"),
            ("GET /a HT", "GET", "/a"),
            ("GET /aHTTP/1.1\r\n\r\n", "GET", "/a"),
            ("GET/ HTTP/1.0\r\n\r\n", "GET/", ""),
            ("GET/aHTTP/1.1\r\n\r\n", "GET", "/a"),
        ] {
            let (head, facts) = request(wire.as_bytes()).expect(wire);
            assert_eq!((head.method(), head.target()), (method, target.as_bytes()), "{wire:?}");
            let plain = target == "/a" && wire.ends_with(" HTTP/1.1\r\n\r\n");
            assert_eq!(facts.anomalies.contains(Anomaly::MalformedHead), !plain, "{wire:?}");
        }
        assert!(request(b"nonsense\r\n\r\n").is_none());
    }

    #[test]
    fn odd_status_lines() {
        for (wire, status, reason) in [
            ("HTTP/1.1  403 No\r\n\r\n", 403, "No"),
            ("HTTP/1.2 403 No\r\n\r\n", 403, "No"),
            ("HTTP/1.1 403\tNo\r\n\r\n", 403, "No"),
        ] {
            let (head, _) = response(wire.as_bytes()).expect(wire);
            assert_eq!((head.status(), head.reason()), (status, reason.as_bytes()), "{wire:?}");
        }
        for (code, status) in [
            ("4x3", 0),
            ("2xx", 0),
            ("0204", 204),
            ("2040", 204),
            ("", 0),
            ("099", 99),
            ("001", 1),
            ("000", 0),
            ("0x9", 0),
        ] {
            let (head, facts) = response(format!("HTTP/1.1 {code} No\r\n\r\n").as_bytes()).expect(code);
            assert_eq!(head.status(), status, "{code:?}");
            assert!(facts.anomalies.contains(Anomaly::MalformedHead), "{code:?}");
        }
    }
}
