//! What the fuzz targets of this module run.

use crate::model::Fields;
use crate::wire::http1::framing::chunked::{Chunked, Step};
use crate::wire::http1::heads::cache::Model;
use crate::wire::http1::heads::lenient;
use crate::wire::http1::heads::parse;
use crate::wire::http1::heads::parse::Outcome;
use crate::wire::http1::heads::scan::Scan;
use crate::wire::http1::heads::sniff;
use crate::wire::http1::heads::sniff::Sniff;

/// All readers on a request head; what httparse takes, the lenient reader reads alike.
pub(crate) fn request_head(data: &[u8]) {
    quick_request(data);
    let end = Scan::default().find(data);
    let whole = data.get(..end.unwrap_or(data.len())).unwrap_or_default();
    let lenient = lenient::request(whole);
    if let Outcome::Complete(strict, used, _) = parse::request(data) {
        if data.starts_with(b"\r") || data.starts_with(b"\n") {
            return;
        }
        assert_eq!(Some(used), end, "both see the same end");
        assert!(lenient.is_some(), "what httparse takes can be read");
        let Some((lenient, _)) = lenient else { return };
        assert_eq!((strict.method(), strict.target()), (lenient.method(), lenient.target()));
        let pairs = strict.fields().iter().zip(lenient.fields().iter());
        assert!(strict.fields().len() == lenient.fields().len() && pairs.into_iter().all(|(a, b)| a == b));
    }
}

/// All readers on a response head.
pub(crate) fn response_head(data: &[u8]) {
    quick_response(data);
    let end = Scan::default().find(data);
    let whole = data.get(..end.unwrap_or(data.len())).unwrap_or_default();
    let lenient = lenient::response(whole);
    if let Outcome::Complete(strict, used, _) = parse::response(data) {
        if data.starts_with(b"\r") || data.starts_with(b"\n") {
            return;
        }
        assert_eq!(Some(used), end, "both see the same end");
        assert!(lenient.is_some(), "what httparse takes can be read");
        let Some((lenient, _)) = lenient else { return };
        assert_eq!(strict.status(), lenient.status());
        let pairs = strict.fields().iter().zip(lenient.fields().iter());
        assert!(strict.fields().len() == lenient.fields().len() && pairs.into_iter().all(|(a, b)| a == b));
    }
}

/// Names that many heads have, in the order of `curl` and `nginx`.
const COMMON: &[u8] = b"HTTP/1.1 200 OK\r\nServer: a\r\nHost: a\r\nDate: a\r\nUser-Agent: a\r\nAuthorization: a\r\nCookie: a\r\n\
    Content-Type: a\r\nContent-Length: 1\r\nTransfer-Encoding: a\r\nConnection: a\r\nExpect: a\r\nUpgrade: a\r\n\r\n";

/// What the names of `fields` teach, and what common names do.
fn models(fields: Option<&Fields>) -> [Model; 2] {
    let [mut own, mut common] = <[Model; 2]>::default();
    if let Some(fields) = fields {
        own.learn(fields);
    }
    if let Outcome::Complete(head, ..) = parse::response(COMMON) {
        common.learn(head.fields());
    }
    [own, common]
}

/// What is read as a head like an earlier one, httparse reads in the same way: here, and behind the first head.
fn quick_request(data: &[u8]) {
    let first = parse::request(data);
    let (fields, used) = match &first {
        Outcome::Complete(head, used, _) => (Some(head.fields()), *used),
        Outcome::Partial | Outcome::Invalid => (None, 0),
    };
    for (model, at) in models(fields).iter().flat_map(|model| [(model, 0), (model, used)]) {
        let data = data.get(at..).unwrap_or_default();
        let Some((head, used, facts)) = model.request(data) else { continue };
        let quick = format!("{:?}", Outcome::Complete(head, used, facts));
        assert_eq!(quick, format!("{:?}", parse::request(data)), "both readers agree");
    }
}

/// The same for responses.
fn quick_response(data: &[u8]) {
    let first = parse::response(data);
    let (fields, used) = match &first {
        Outcome::Complete(head, used, _) => (Some(head.fields()), *used),
        Outcome::Partial | Outcome::Invalid => (None, 0),
    };
    for (model, at) in models(fields).iter().flat_map(|model| [(model, 0), (model, used)]) {
        let data = data.get(at..).unwrap_or_default();
        let Some((head, used, facts)) = model.response(data) else { continue };
        let quick = format!("{:?}", Outcome::Complete(head, used, facts));
        assert_eq!(quick, format!("{:?}", parse::response(data)), "both readers agree");
    }
}

/// A chunked body: the same content however it is cut.
pub(crate) fn chunked(data: &[u8]) {
    let whole = content(data, data.len());
    for cut in 0..data.len().min(40) {
        assert_eq!(content(data, cut), whole, "cut at {cut}");
    }
}

fn content(data: &[u8], cut: usize) -> (Vec<u8>, bool, usize) {
    let (mut chunked, mut content, mut at) = (Chunked::new(), Vec::new(), 0);
    while at < data.len() {
        let end = if at < cut { cut } else { data.len() };
        let piece = data.get(at..end).unwrap_or_default();
        match chunked.step(piece) {
            Step::Frame(used) => at += used,
            Step::Data(used) => {
                content.extend_from_slice(piece.get(..used).unwrap_or_default());
                at += used;
            }
            Step::Last(used) => return (content, true, at + used),
            Step::Broken => return (content, false, 0),
        }
    }
    (content, false, at)
}

/// What is said of a beginning stays true when more comes.
pub(crate) fn sniff(data: &[u8]) {
    for sniff in [sniff::request, sniff::response, sniff::known_request] {
        let mut said = Sniff::More;
        for len in 0..=data.len().min(200) {
            let now = sniff(data.get(..len).unwrap_or_default());
            assert!(
                said == Sniff::More || (said == Sniff::Http) == (now == Sniff::Http),
                "{said:?} {now:?} at {len}"
            );
            said = now;
        }
    }
}
