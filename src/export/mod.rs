//! Output formats: NDJSON, curl, nc, calls in other languages, HAR, Markdown, raw bytes. All of them redact and escape through `edge`.

mod content;
pub mod curl;
mod har;
mod json;
pub mod markdown;
pub mod ndjson;
pub mod pcapng;
mod raw;
#[cfg(test)]
pub(crate) mod sample;
pub mod script;

use std::io::{self, Write};

use script::Language;

use crate::cli::Format;
use crate::edge::redact::Redactor;
use crate::explain::inspector::{Inspector, Report};
use crate::history::Record;
use crate::model::{BaselineChoice, Exchange, ExchangeId};

/// An exchange with everything known about it, as the formats take it.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// The exchange.
    pub record: &'a Record,
    /// Baseline, differences, diagnosis.
    pub report: &'a Report,
    /// Its endpoint for people.
    pub endpoint: String,
    /// The exchange it is compared with, if it is still there.
    pub baseline: Option<&'a Record>,
}

impl<'a> Item<'a> {
    /// What `inspector` knows of `record`.
    pub fn new(inspector: &'a Inspector, record: &'a Record, report: &'a Report) -> Self {
        let history = inspector.history();
        let endpoint = history.endpoint(record.endpoint).map(ToString::to_string).unwrap_or_default();
        let baseline = report.baseline.as_ref().and_then(|baseline| history.get(baseline.id));
        Self { record, report, endpoint, baseline }
    }

    /// `redactor` with what is secret in this exchange and in the one it is compared with, so that both are hidden wherever
    /// they come again.
    fn redactor(&self, redactor: &Redactor) -> Redactor {
        redactor.knowing(&exchanges(self.record, self.baseline))
    }
}

/// The exchanges whose secrets an output of `record` may hold.
pub(crate) fn exchanges<'a>(record: &'a Record, baseline: Option<&'a Record>) -> Vec<&'a Exchange> {
    std::iter::once(record).chain(baseline).map(|record| &record.exchange).collect()
}

/// Calls `each` with exchange `id`, compared with its last success; `None` when it is not there any more.
pub fn with_item<T>(inspector: &Inspector, id: ExchangeId, each: impl FnOnce(&Item<'_>) -> T) -> Option<T> {
    let record = inspector.history().get(id)?;
    let report = inspector.report(id, BaselineChoice::LastSuccess)?;
    Some(each(&Item::new(inspector, record, &report)))
}

/// Writes exchanges one after the other in one format.
#[derive(Debug)]
pub struct Writer {
    format: Format,
    items: u64,
}

impl Writer {
    /// Nothing is written yet.
    pub fn new(format: Format) -> Self {
        Self { format, items: 0 }
    }

    /// Whether this is NDJSON, whose lines need nothing before, between or after them.
    pub(crate) const fn is_json(&self) -> bool {
        matches!(self.format, Format::Json)
    }

    /// Writes one exchange; returns a warning for each thing that the format cannot express.
    pub fn item<W: Write>(
        &mut self,
        out: &mut W,
        item: &Item<'_>,
        redactor: &Redactor,
    ) -> io::Result<Vec<String>> {
        let first = self.items == 0;
        self.items += 1;
        match self.format {
            Format::Json => ndjson::write(out, item, redactor)?,
            Format::Har => har::entry(out, item, redactor, first)?,
            Format::Raw => raw::write(out, item, redactor)?,
            Format::Markdown => {
                let rule = if first { "" } else { "\n---\n\n" };
                write!(out, "{rule}{}", markdown::report(item, redactor))?;
            }
            Format::Curl
            | Format::Nc
            | Format::Httpie
            | Format::Fetch
            | Format::Python
            | Format::Powershell => {
                let exchange = &item.record.exchange;
                let command = match self.format {
                    Format::Nc => curl::netcat(exchange, redactor),
                    Format::Httpie => script::command(exchange, Language::Httpie, redactor),
                    Format::Fetch => script::command(exchange, Language::Fetch, redactor),
                    Format::Python => script::command(exchange, Language::Python, redactor),
                    Format::Powershell => script::command(exchange, Language::PowerShell, redactor),
                    _ => curl::command(exchange, redactor),
                };
                let Some(command) = command else {
                    return Ok(vec!["there is no request to write as a command".to_owned()]);
                };
                let gap = if first { "" } else { "\n" };
                write!(out, "{gap}{}", command.text)?;
                return Ok(command.warnings);
            }
        }
        Ok(Vec::new())
    }

    /// Writes what comes after the last exchange.
    pub fn end<W: Write>(&mut self, out: &mut W) -> io::Result<()> {
        match self.format {
            Format::Har => har::end(out, self.items == 0),
            _ => Ok(()),
        }
    }
}

/// `value` on one line with a line break, harmless to a terminal.
pub(crate) fn json_line(value: &impl serde::Serialize) -> String {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = json::compact(&mut out, value);
    out.push(b'\n');
    String::from_utf8(out).unwrap_or_default()
}
