//! The readers of heads apart from each other, for `benches/pipeline.rs`. Each says how many bytes the head takes.

use crate::wire::http1::heads::cache::Model;
use crate::wire::http1::heads::lenient;
use crate::wire::http1::heads::parse;
use crate::wire::http1::heads::parse::Outcome;

/// The reader of heads like an earlier one, which has learned one head.
#[derive(Debug, Default)]
pub struct Like(Model);

impl Like {
    /// Learns the request or response head that `text` begins with.
    #[must_use]
    pub fn learned_from(text: &[u8]) -> Self {
        let mut model = Model::default();
        match (parse::request(text), parse::response(text)) {
            (Outcome::Complete(head, ..), _) => model.learn(head.fields()),
            (_, Outcome::Complete(head, ..)) => model.learn(head.fields()),
            _ => {}
        }
        Self(model)
    }

    /// A request head like it.
    pub fn request(&self, data: &[u8]) -> Option<usize> {
        self.0.request(data).map(|(_, used, _)| used)
    }

    /// A response head like it.
    pub fn response(&self, data: &[u8]) -> Option<usize> {
        self.0.response(data).map(|(_, used, _)| used)
    }
}

/// A request head, by httparse.
pub fn request(data: &[u8]) -> Option<usize> {
    match parse::request(data) {
        Outcome::Complete(_, used, _) => Some(used),
        Outcome::Partial | Outcome::Invalid => None,
    }
}

/// A response head, by httparse.
pub fn response(data: &[u8]) -> Option<usize> {
    match parse::response(data) {
        Outcome::Complete(_, used, _) => Some(used),
        Outcome::Partial | Outcome::Invalid => None,
    }
}

/// A whole request head, by the reader for what httparse does not take.
pub fn lenient_request(head: &[u8]) -> Option<usize> {
    lenient::request(head).map(|(head, _)| head.fields().raw().len())
}

/// A whole response head, by the reader for what httparse does not take.
pub fn lenient_response(head: &[u8]) -> Option<usize> {
    lenient::response(head).map(|(head, _)| head.fields().raw().len())
}

#[cfg(test)]
mod tests {
    use super::{Like, lenient_request, lenient_response, request, response};

    #[test]
    fn every_reader_takes_the_same() {
        let ask = b"POST / HTTP/1.1\r\nHost: x\r\n\r\n";
        let answer = b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n";
        let readers = [request(ask), lenient_request(ask), Like::learned_from(ask).request(ask)];
        assert_eq!(readers, [Some(ask.len()); 3]);
        let readers =
            [response(answer), lenient_response(answer), Like::learned_from(answer).response(answer)];
        assert_eq!(readers, [Some(answer.len()); 3]);
    }
}
