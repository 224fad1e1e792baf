//! The history on disk of this run: opened before the sandbox is entered, fed back before the capture begins, written by a
//! thread of its own.

mod known;
mod playback;
mod quota;
#[cfg(test)]
mod tests;
mod time;
mod writer;

use std::path::{Path, PathBuf};

use tokio::sync::mpsc::WeakSender;

use super::{AppError, Plan, say};
use crate::archive::{Bounds, Opened, Period, Reader, StoreKey, Writer};
use crate::edge::redact::{Mask, Redactor};
use crate::explain::inspector::Inspector;
use crate::features::request::attribute_hash;
use crate::feed::Message;
use crate::history::principal::Principals;
use crate::model::ExchangeId;

pub(super) use known::Known;
pub(super) use playback::Playback;
pub(super) use time::instant;
pub(super) use writer::DiskHistory;

/// Exchanges of earlier runs that are fed back, at most: the newest, and the last success of each endpoint and identity.
const FED_BACK: u64 = 200_000;

/// A history on disk that is open.
pub(super) struct History {
    opened: Opened,
    reader: Reader,
    key: StoreKey,
    mask: Option<Mask>,
    bounds: Bounds,
}

/// The directory in which a database and what SQLite makes beside it lie.
pub(super) fn directory(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Opens what `--history` names; `None` without it. Whatever a person has to know is said.
pub(super) fn open(plan: &mut Plan) -> Result<Option<History>, AppError> {
    let Some(wanted) = plan.history.clone() else { return Ok(None) };
    let file = wanted.file;
    let key = StoreKey::open(&file)?;
    attribute_hash::use_seeds(key.seeds("attributes"));
    let opened = Writer::open(&file, &key, &plan.source.listening, !plan.reveal)?;
    let reader = Reader::open(&file, Period::default())?;
    let mut notes = Vec::new();
    if plan.reveal {
        notes.push(format!("{} keeps passwords, tokens and cookies (--with-secrets)", file.display()));
    }
    if opened.key_changed {
        notes.push(format!(
            "the key beside {} is another one: secrets of earlier runs compare as different",
            file.display()
        ));
    }
    for note in &notes {
        say(note);
    }
    if !plan.reveal {
        notes.push(format!(
            "secrets are replaced by pseudonyms before they are kept in {}; --with-secrets keeps them",
            file.display()
        ));
    }
    plan.source.notes.extend(notes);
    let mask = (!plan.reveal).then(|| Mask::new(key.bytes()));
    Ok(Some(History { opened, reader, key, mask, bounds: wanted.bounds }))
}

/// Feeds back what earlier runs kept, starts to keep what comes, and gives what takes secrets out.
pub(super) fn start(
    history: Option<History>,
    inspector: &mut Inspector,
    plan: &Plan,
    sender: WeakSender<Message>,
) -> Result<Redactor, AppError> {
    let Some(history) = history else { return Ok(Redactor::new(plan.reveal)) };
    let redactor = Redactor::with_key(plan.reveal, history.key.bytes());
    history.start(inspector, plan.input.can_wait(), sender)?;
    Ok(redactor)
}

impl History {
    /// Feeds `inspector` what earlier runs kept, and keeps what comes from now on. `wait` says whether the capture can wait
    /// for the disk; what fails later is said over `sender`.
    fn start(
        mut self,
        inspector: &mut Inspector,
        wait: bool,
        sender: WeakSender<Message>,
    ) -> Result<(), AppError> {
        self.reader.recent(FED_BACK)?;
        feed_back(&mut self.reader, inspector, self.mask.as_ref())?;
        if let Some(damage) = &self.reader.damage {
            let count = self.reader.damaged;
            say(&format!("history: {count} exchanges or pages cannot be read ({damage}); the rest is used"));
        }
        let (run, last, seeds) = (self.opened.run, self.opened.last, self.key.seeds("identities"));
        let tell = move |text: &str| match sender.upgrade() {
            Some(sender) if sender.try_send(Message::Warning(text.to_owned())).is_ok() => {}
            _ => say(text),
        };
        let writer = self
            .opened
            .start(self.bounds, wait, tell)
            .map_err(|reason| AppError::System { what: "cannot start a thread", reason })?;
        let disk = DiskHistory::new(writer, run, self.mask, Principals::with_seeds(seeds), self.key);
        inspector.set_writer(Box::new(disk), ExchangeId(last));
        Ok(())
    }
}

/// Lets `inspector` learn from everything that `reader` has. Secrets that an earlier run kept as they were are masked.
fn feed_back(reader: &mut Reader, inspector: &mut Inspector, mask: Option<&Mask>) -> Result<(), AppError> {
    loop {
        let exchanges = reader.page()?;
        if exchanges.is_empty() {
            return Ok(());
        }
        for read in exchanges {
            let mut exchange = read.exchange;
            if let Some(mask) = mask.filter(|_| !read.masked) {
                mask.apply(&mut exchange);
            }
            inspector.replay(exchange);
        }
    }
}
