//! Exchanges that another program recorded, read in place of a capture.

use std::ops::ControlFlow;

use super::savefile::{ForeignRecord, is_stopped};
use super::{Sink, SourceError};
use crate::import::{ImportError, Recipient};
use crate::model::Exchange;

/// A record that is open.
pub(super) struct Recorded {
    record: ForeignRecord,
    body_limit: usize,
    /// Whether a capture filter was given, which picks frames.
    has_filter: bool,
}

impl Recorded {
    pub(super) const fn new(record: ForeignRecord, body_limit: usize, has_filter: bool) -> Self {
        Self { record, body_limit, has_filter }
    }

    /// Hands its exchanges to the sink.
    pub(super) fn run(self, name: &str, sink: &mut dyn Sink) -> Result<(), SourceError> {
        if self.has_filter {
            sink.warning(format!(
                "{name}: a capture filter picks frames, and this file has messages; -Y filters exchanges"
            ));
        }
        let ForeignRecord { format, bytes } = self.record;
        match format.read(bytes, self.body_limit, &mut Taker { name, sink }) {
            Ok(()) => Ok(()),
            Err(error) if error.io().is_some_and(is_stopped) => Ok(()),
            Err(error @ (ImportError::NoEntries | ImportError::NoExchange)) => {
                Err(SourceError::Record { name: name.to_owned(), reason: error.to_string() })
            }
            Err(error) => {
                sink.damage(format!("{name}: {error}"));
                Ok(())
            }
        }
    }
}

/// Hands on to the sink.
struct Taker<'a> {
    name: &'a str,
    sink: &'a mut dyn Sink,
}

impl Recipient for Taker<'_> {
    fn exchange(&mut self, exchange: Exchange) -> ControlFlow<()> {
        self.sink.exchange(exchange)
    }
    fn warning(&mut self, text: String) {
        self.sink.warning(format!("{}: {text}", self.name));
    }
}
