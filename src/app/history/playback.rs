//! A database as the source of a run: `why403 -r FILE`.

use std::path::Path;
use std::time::Duration;

use crate::app::AppError;
use crate::app::capture::Feeder;
use crate::archive::{Period, Reader};
use crate::source::{Sink, Stop};

/// Time between two looks for what a recorder has added.
const LOOK: Duration = Duration::from_millis(250);

/// A database that is read from its beginning.
pub(in crate::app) struct Playback {
    reader: Reader,
    follow: bool,
}

impl Playback {
    /// Opens `file`; with `follow` it waits for more at the end.
    pub(in crate::app) fn open(file: &Path, period: Period, follow: bool) -> Result<Self, AppError> {
        Ok(Self { reader: Reader::open(file, period)?, follow })
    }

    /// Feeds everything to `feeder`.
    pub(in crate::app) fn run(mut self, feeder: &mut Feeder, stop: &Stop) {
        let mut said = 0;
        while !stop.is_set() {
            let exchanges = match self.reader.page() {
                Ok(exchanges) => exchanges,
                Err(error) => return feeder.damage(error.to_string()),
            };
            if self.reader.damaged > said {
                said = self.reader.damaged;
                let first = self.reader.damage.clone().unwrap_or_default();
                feeder.warning(format!(
                    "{said} exchanges or pages cannot be read ({first}); the rest is shown"
                ));
            }
            if exchanges.is_empty() {
                if !self.follow || self.reader.is_finished() || stop.wait(LOOK) {
                    return;
                }
                continue;
            }
            for read in exchanges {
                if feeder.exchange(read.exchange).is_break() {
                    return;
                }
            }
            feeder.pause();
        }
    }
}
