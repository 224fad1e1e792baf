//! A history that is only looked at: `why403 check`.

use std::path::Path;

use super::feed_back;
use crate::app::AppError;
use crate::archive::{Period, Reader, StoreKey};
use crate::edge::redact::Mask;
use crate::explain::inspector::{HistoryWriter, Inspector};
use crate::explain::top_cause::Top;
use crate::history::{History, Record};
use crate::model::{Exchange, ExchangeId};

/// What earlier runs kept.
pub(in crate::app) struct Known {
    reader: Reader,
    mask: Option<Mask>,
}

impl Known {
    /// Opens the database at `file`; with its key, where that is there, secrets of both sides can be compared.
    pub(in crate::app) fn open(file: &Path) -> Result<Self, AppError> {
        let reader = Reader::open(file, Period::default())?;
        Ok(Self { reader, mask: StoreKey::read(file)?.as_ref().map(Mask::new) })
    }
    /// Feeds it to `inspector`; what comes from now on has ids above the one that is returned.
    pub(in crate::app) fn learn(mut self, inspector: &mut Inspector) -> Result<ExchangeId, AppError> {
        feed_back(&mut self.reader, inspector, self.mask.as_ref())?;
        let last = inspector.history().last_id();
        if let Some(mask) = self.mask {
            inspector.set_writer(Box::new(Masking(mask)), last);
        }
        Ok(last)
    }
}

/// Masks and keeps nothing.
#[derive(Debug)]
struct Masking(Mask);

impl HistoryWriter for Masking {
    fn prepare(&mut self, exchange: &mut Exchange) {
        self.0.apply(exchange);
    }
    fn noted(&mut self, _record: &Record, _history: &History) {}
    fn due(&mut self, _ended: bool) -> Vec<ExchangeId> {
        Vec::new()
    }
    fn explained(&mut self, _id: ExchangeId, _top: &Top) {}
}
