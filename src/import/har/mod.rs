//! HTTP Archive 1.2, as browsers, proxies and test tools write it.
//!
//! Entries become exchanges one by one, while the file is read. Of each entry only the strings that matter are kept, each up
//! to a bound, so memory does not grow with the file.

mod entry;
mod exchange;
mod reason;

use std::io::BufRead;
use std::ops::ControlFlow;

use super::json::{Json, JsonError, Result};
use super::{ImportError, Recipient};
use entry::Entry;
use exchange::Maker;

/// Bytes kept of a name or another short text.
const SHORT: usize = 1 << 10;

/// Hands over the exchanges of an archive.
pub(super) fn read<R: BufRead>(
    input: R,
    body_limit: usize,
    recipient: &mut dyn Recipient,
) -> std::result::Result<(), ImportError> {
    let mut archive = Archive {
        maker: Maker::new(body_limit),
        recipient,
        found: false,
        broken: false,
        entries: 0,
        skipped: 0,
    };
    let mut json = Json::new(input);
    let outcome = archive.document(&mut json);
    let Archive { maker, recipient, found, broken, entries, skipped } = archive;
    if skipped > 0 {
        recipient
            .warning(format!("{skipped} entries are left out: they are no HTTP requests (data:, blob:, …)"));
    }
    if let Some(text) = maker.lacks_credentials() {
        recipient.warning(text);
    }
    match outcome {
        Err(_) if broken => Ok(()),
        Err(error) => Err(ImportError::Json { error, entries }),
        Ok(()) if !found => Err(ImportError::NoEntries),
        Ok(()) => Ok(()),
    }
}

struct Archive<'a> {
    maker: Maker,
    recipient: &'a mut dyn Recipient,
    /// Whether there is a list of entries.
    found: bool,
    /// The recipient wants no more.
    broken: bool,
    /// Entries read.
    entries: u64,
    /// Entries that are no HTTP.
    skipped: u64,
}

impl Archive<'_> {
    fn document<R: BufRead>(&mut self, json: &mut Json<R>) -> Result<()> {
        json.object(|json, key| match key {
            b"log" => json.object(|json, key| self.log(json, key)).map(drop),
            b"entries" => self.list(json),
            _ => json.skip(),
        })?;
        json.end()
    }

    fn log<R: BufRead>(&mut self, json: &mut Json<R>, key: &[u8]) -> Result<()> {
        match key {
            b"entries" => self.list(json),
            b"creator" => self.creator(json),
            b"browser" if !self.maker.has_recorder() => self.creator(json),
            _ => json.skip(),
        }
    }

    fn creator<R: BufRead>(&mut self, json: &mut Json<R>) -> Result<()> {
        let (mut name, mut version) = (String::new(), String::new());
        json.object(|json, key| {
            let place = match key {
                b"name" => &mut name,
                b"version" => &mut version,
                _ => return json.skip(),
            };
            *place = json.text(SHORT)?.map(|text| text.to_text()).unwrap_or_default();
            Ok(())
        })?;
        self.maker.set_recorder(&name, &version);
        Ok(())
    }

    fn list<R: BufRead>(&mut self, json: &mut Json<R>) -> Result<()> {
        let listed = json.array(|json| {
            let entry = Entry::read(json, self.maker.text_limit())?;
            self.entries += 1;
            let flow = match self.maker.exchange(entry, self.entries) {
                Some(exchange) => self.recipient.exchange(exchange),
                None => {
                    self.skipped += 1;
                    ControlFlow::Continue(())
                }
            };
            match flow {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => {
                    self.broken = true;
                    Err(JsonError::Io(std::io::ErrorKind::Interrupted.into()))
                }
            }
        })?;
        self.found |= listed;
        Ok(())
    }
}
