//! An exchange in the making.

use crate::model::{Anomaly, BodyEnd, Exchange, Outcome};
use crate::wire::http1::framing::body;
use crate::wire::http1::framing::reader::Began;
use crate::wire::protocol::Ending;

/// One request on its way to a response, or a response that has none.
#[derive(Debug)]
pub(crate) struct Entry {
    /// What leaves in the end.
    pub exchange: Exchange,
    /// Where the request began.
    pub began: Began,
    /// Whether the request was read to its end.
    pub requested: bool,
    /// Stream offset of the request's end, once it is known.
    pub request_end: u64,
    /// Whether the final response has begun.
    pub answered: bool,
    /// Whether the final response was read to its end.
    pub responded: bool,
    /// How far the server had received the client's bytes when the final response began.
    pub response_ack: Option<u64>,
    /// Whether the request waits for `100 (Continue)`.
    pub expects: bool,
    /// Number of interim responses.
    pub interims: u32,
    /// Bytes of memory in use.
    pub cost: usize,
}

impl Entry {
    /// Whether nothing more is to come.
    pub(crate) fn is_done(&self) -> bool {
        self.requested && self.responded
    }

    /// Whether `data` from stream offset `offset` on differs from the request's head.
    pub(crate) fn head_differs(&self, data: &[u8], offset: u64) -> bool {
        let head = self.exchange.request.as_ref().map(|request| request.head.fields().raw());
        let holes = [Anomaly::UrgentData, Anomaly::GapInRequestHead];
        let exact = holes.iter().all(|hole| !self.exchange.anomalies.contains(*hole));
        exact && head.is_some_and(|head| body::differs(head, self.began.offset, data, offset))
    }

    /// Sets the outcome from what was seen and why it ended.
    pub(crate) fn conclude(&mut self, ending: Ending, missing: Option<Outcome>) {
        let done = self.is_done();
        let exchange = &mut self.exchange;
        if let Some(request) = &exchange.request
            && self.answered
            && is_early(self.response_ack, self.request_end, request.body.end)
        {
            exchange.anomalies.insert(Anomaly::EarlyResponse);
        }
        if exchange.outcome == Outcome::Switched {
            return;
        }
        exchange.outcome = match (&exchange.request, &exchange.response) {
            (None, _) => Outcome::Orphan,
            (Some(_), None) => missing.unwrap_or(ending.of_request()),
            (Some(request), Some(response)) => {
                let sent = request.body.end.is_whole() || request.body.end == BodyEnd::NotSent;
                let whole = sent && response.body.end.is_whole() && done;
                if whole { Outcome::Complete } else { Outcome::Partial }
            }
        };
    }
}

/// Whether a response that acknowledged the request up to `ack` began before the request's end.
fn is_early(ack: Option<u64>, request_end: u64, body: BodyEnd) -> bool {
    match body {
        BodyEnd::NotSent | BodyEnd::Lost => false,
        BodyEnd::ClosedEarly | BodyEnd::Reset | BodyEnd::Abandoned => true,
        _ => ack.is_some_and(|ack| ack < request_end),
    }
}
