//! What the fuzz target of this module runs.

use std::ops::ControlFlow;

use super::{Format, Recipient};
use crate::model::Exchange;

/// Bytes kept of a body.
const LIMIT: usize = 64;

#[derive(Default)]
struct Checked {
    exchanges: usize,
}

impl Recipient for Checked {
    fn exchange(&mut self, exchange: Exchange) -> ControlFlow<()> {
        self.exchanges += 1;
        let bodies = [
            exchange.request.as_ref().map(|request| (&request.body, request.head.fields())),
            exchange.response.as_ref().map(|response| (&response.body, response.head.fields())),
        ];
        for (body, fields) in bodies.into_iter().flatten() {
            assert!(body.kept.len() <= LIMIT && body.kept.len() as u64 <= body.len, "bodies are bounded");
            assert!(fields.raw().ends_with(b"\r\n\r\n"), "a head ends with an empty line");
            let lines = fields.raw().split(|byte| *byte == b'\n').count();
            assert!(lines <= fields.len() + 3, "no value begins a line of its own");
        }
        assert!(exchange.imported.is_some_and(|imported| imported.absent.len() <= 16));
        ControlFlow::Continue(())
    }
    fn warning(&mut self, text: String) {
        assert!(!text.is_empty());
    }
}

/// A record: whatever its bytes, what is handed over is bounded.
pub(crate) fn record(data: &[u8]) {
    let Some(format) = Format::sniff(data) else { return };
    let mut checked = Checked::default();
    // Damage is an error, and what was read before it stays.
    let _ = format.read(data, LIMIT, &mut checked);
    assert!(checked.exchanges <= data.len());
}
