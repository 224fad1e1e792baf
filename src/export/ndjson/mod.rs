//! One JSON object a line: the contract with scripts. Its stable core is in README; fields may be added, none renamed.
//!
//! Lines are written straight into a buffer. What is remembered of values (`ValueMemory`) changes how long that takes, and
//! never what is written.

mod legs;
mod message;
#[cfg(test)]
mod tests;
mod value_memory;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{Item, json};
use crate::edge::redact::Redactor;
use crate::explain::incident_id::IncidentId;
use crate::features::forwarded_client;
use crate::model::{
    self, Anomaly, Difference, Exchange, Finding, Imported, LogMatch, Pointer, Preface, Separates,
};
use value_memory::ValueMemory;

/// Writes lines one after the other and remembers what values look like. For use with one redactor: labels in remembered
/// values are its own.
#[derive(Debug, Default)]
pub struct Lines {
    values: ValueMemory,
}

impl Lines {
    /// Appends the line of one exchange, with its line break.
    pub fn append(&mut self, out: &mut Vec<u8>, item: &Item<'_>, redactor: &Redactor) {
        let redactor = &item.redactor(redactor);
        Line { out, redactor, values: &mut self.values }.item(item);
        out.push(b'\n');
    }
}

/// Writes one exchange and a line break.
pub fn write<W: Write>(out: &mut W, item: &Item<'_>, redactor: &Redactor) -> io::Result<()> {
    let mut line = Vec::with_capacity(4096);
    Lines::default().append(&mut line, item, redactor);
    out.write_all(&line)
}

/// One exchange over several lines, for people.
pub fn pretty(item: &Item<'_>, redactor: &Redactor) -> String {
    let mut line = Vec::with_capacity(4096);
    let redactor = &item.redactor(redactor);
    Line { out: &mut line, redactor, values: &mut ValueMemory::default() }.item(item);
    let mut out = json::indented(&line);
    out.push(b'\n');
    String::from_utf8(out).unwrap_or_default()
}

/// How the text of a value is made; a part of the key under which it is remembered.
#[derive(Clone, Copy)]
enum Kind {
    Sentence,
    Target,
    Field,
    Body,
    CodedBody,
    /// A value of a difference, by its part.
    Value(model::Part),
}

impl Kind {
    /// A number for each kind, and whether secrets are let through.
    const fn key(self, reveals: bool) -> u8 {
        let number = match self {
            Self::Sentence => 0,
            Self::Target => 1,
            Self::Field => 2,
            Self::Body => 3,
            Self::CodedBody => 4,
            Self::Value(part) => 16 + part as u8,
        };
        number | (reveals as u8) << 7
    }
}

/// A line in the making.
struct Line<'a> {
    out: &'a mut Vec<u8>,
    redactor: &'a Redactor,
    values: &'a mut ValueMemory,
}

impl Line<'_> {
    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
    /// Text of our own that needs no escape, in quotes.
    fn plain(&mut self, text: &str) {
        self.out.push(b'"');
        self.raw(text);
        self.out.push(b'"');
    }
    /// What `value` writes, in quotes; it needs no escape.
    fn shown(&mut self, value: impl std::fmt::Display) {
        // Writing to memory does not fail.
        let _ = write!(self.out, "\"{value}\"");
    }
    fn number(&mut self, number: impl serde::Serialize) {
        json::number(self.out, number);
    }
    fn bool(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }
    /// A list with a comma between two.
    fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        self.out.push(b'[');
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            each(self, item);
        }
        self.out.push(b']');
    }
    /// The text of a value, made by `make` if it is not remembered.
    fn remembered(
        &mut self,
        kind: Kind,
        name: &[u8],
        value: &[u8],
        make: impl FnOnce(&mut Vec<u8>, &Redactor),
    ) {
        // What a secret of this exchange comes again in looks so here only; a coded body does not tell.
        let coded = matches!(kind, Kind::CodedBody) && !self.redactor.reveals();
        if coded || self.redactor.repeats(value) {
            make(self.out, self.redactor);
            return;
        }
        let (key, redactor) = (kind.key(self.redactor.reveals()), self.redactor);
        self.values.append(self.out, (key, name, value), |out| make(out, redactor));
    }
    /// A sentence of ours that may quote the wire.
    fn sentence(&mut self, sentence: &str) {
        let bytes = sentence.as_bytes();
        self.remembered(Kind::Sentence, b"", bytes, |out, redactor| json::string(out, &redactor.text(bytes)));
    }

    fn item(&mut self, item: &Item<'_>) {
        let (exchange, report) = (&item.record.exchange, item.report);
        self.beginning(exchange, &item.endpoint);
        self.raw(",\"request\":");
        match &exchange.request {
            Some(request) => self.request(request),
            None => self.raw("null"),
        }
        self.raw(",\"response\":");
        match &exchange.response {
            Some(response) => self.response(response),
            None => self.raw("null"),
        }
        self.raw(",\"outcome\":");
        self.plain(exchange.outcome.as_str());
        if let Some(imported) = &exchange.imported {
            self.imported(imported);
        }
        if let Some(bytes) = &exchange.not_http {
            self.raw(",\"not_http\":");
            json::string(self.out, &self.redactor.text(bytes));
        }
        self.raw(",\"latency_ms\":");
        match exchange.latency() {
            Some(latency) => self.number(milliseconds(latency)),
            None => self.raw("null"),
        }
        self.raw(",\"baseline\":");
        match &report.baseline {
            Some(baseline) => {
                self.raw("{\"id\":");
                self.number(baseline.id.0);
                self.raw(",\"why\":");
                self.sentence(&baseline.why);
                self.out.push(b'}');
            }
            None => self.raw("null"),
        }
        self.raw(",\"differences\":");
        self.list(&report.differences, Self::difference);
        self.diagnosis(report.diagnosis.as_ref(), exchange);
        if !report.log.is_empty() {
            self.raw(",\"log\":");
            self.list(&report.log, Self::log_line);
        }
        self.path(&report.path);
        if let Some(process) = &item.record.process {
            self.server_process(process);
        }
        self.ending(item);
    }

    fn beginning(&mut self, exchange: &Exchange, endpoint: &str) {
        self.raw("{\"v\":1,\"id\":");
        self.number(exchange.id.0);
        self.raw(",\"started\":");
        self.shown(exchange.started());
        self.raw(",\"client\":");
        self.shown(exchange.client);
        if exchange.peer() != exchange.client {
            self.raw(",\"peer\":");
            self.shown(exchange.peer());
        }
        if let Some(client) = forwarded_client(exchange) {
            self.raw(",\"forwarded_client\":");
            self.shown(client);
        }
        if let Some(preface) = &exchange.preface {
            self.preface(preface);
        }
        self.raw(",\"server\":");
        self.shown(exchange.server);
        self.raw(",\"endpoint\":");
        self.sentence(endpoint);
    }

    /// What stood on the connection before HTTP.
    fn preface(&mut self, preface: &Preface) {
        self.raw(",\"preface\":{\"protocol\":");
        self.plain(preface.kind.as_str());
        if let Some(destination) = &preface.destination {
            self.raw(",\"destination\":");
            self.sentence(destination);
        }
        if let Some(authority) = &preface.authority {
            self.raw(",\"authority\":");
            self.sentence(authority);
        }
        self.out.push(b'}');
    }

    /// Where an exchange was read that was not captured.
    fn imported(&mut self, imported: &Imported) {
        self.raw(",\"source\":{\"format\":");
        self.plain(imported.format);
        if !imported.recorder.is_empty() {
            self.raw(",\"recorder\":");
            self.sentence(&imported.recorder);
        }
        self.raw(",\"entry\":");
        self.number(imported.entry);
        if let Some(reason) = &imported.reason {
            self.raw(",\"reason\":");
            self.sentence(reason);
        }
        self.raw(",\"absent\":{");
        for (at, (what, why)) in imported.absent.iter().enumerate() {
            self.raw(if at > 0 { "," } else { "" });
            self.plain(what);
            self.out.push(b':');
            self.sentence(why);
        }
        self.raw("}}");
    }

    fn difference(&mut self, one: &Difference) {
        self.compared(one, ["baseline", "this"]);
        if let Some(note) = &one.note {
            self.raw(",\"note\":");
            self.sentence(note);
        }
        self.out.push(b'}');
    }

    /// An object, still open: what differs, and the value of each side under its name.
    fn compared(&mut self, one: &Difference, sides: [&'static str; 2]) {
        self.raw("{\"where\":");
        self.plain(one.part.as_str());
        self.raw(",\"name\":");
        json::string(self.out, one.name.as_bytes());
        self.raw(",\"kind\":");
        self.plain(one.kind.as_str());
        self.raw(",\"significance\":");
        self.plain(one.significance.as_str());
        for (side, value) in sides.into_iter().zip([&one.baseline, &one.this]) {
            self.out.push(b',');
            self.plain(side);
            self.out.push(b':');
            self.value(one, value.as_deref());
        }
    }

    fn value(&mut self, one: &Difference, value: Option<&[u8]>) {
        let Some(value) = value else { return self.raw("null") };
        self.remembered(Kind::Value(one.part), one.name.as_bytes(), value, |out, redactor| {
            json::string(out, &redactor.value(one.part, &one.name, value));
        });
    }

    /// From the findings to what was ruled out.
    fn diagnosis(&mut self, diagnosis: Option<&model::Diagnosis>, exchange: &Exchange) {
        self.raw(",\"diagnosis\":");
        self.list(diagnosis.iter().flat_map(|diagnosis| &diagnosis.findings), Self::finding);
        self.raw(",\"anomalies\":");
        self.list(exchange.anomalies.iter(), |line, one: Anomaly| line.plain(one.name()));
        let Some(diagnosis) = diagnosis else { return };
        self.raw(",\"refuser\":");
        self.plain(diagnosis.refuser.as_str());
        if let Some(incident) = IncidentId::of(exchange, diagnosis) {
            self.raw(",\"incident\":");
            self.shown(incident);
        }
        if !diagnosis.ruled_out.is_empty() {
            self.raw(",\"ruled_out\":");
            self.list(&diagnosis.ruled_out, |line, (cause, why)| {
                line.raw("{\"cause\":");
                line.plain(cause.id());
                line.raw(",\"why\":");
                line.sentence(why);
                line.out.push(b'}');
            });
        }
    }

    fn finding(&mut self, one: &Finding) {
        self.raw("{\"cause\":");
        self.plain(one.cause.id());
        self.confidence(one.confidence);
        self.raw(",\"evidence\":");
        self.list(&one.evidence, |line, evidence| line.sentence(&evidence.text));
        self.raw(",\"at\":");
        self.list(&one.evidence, |line, evidence| match evidence.pointers.first() {
            Some(pointer) => line.spot(pointer),
            None => line.raw("null"),
        });
        self.raw(",\"next\":");
        self.list(&one.next, |line, next| line.sentence(next));
        if let Some(separates) = &one.separates {
            self.separates(separates);
        }
        self.out.push(b'}');
    }

    /// The attribute that separates refusals from successes.
    fn separates(&mut self, one: &Separates) {
        self.raw(",\"separates\":{\"where\":");
        self.plain(one.part.as_str());
        self.raw(",\"name\":");
        json::string(self.out, one.name.as_bytes());
        for (name, counts) in [(",\"refused\":", one.refused), (",\"accepted\":", one.accepted)] {
            self.raw(name);
            self.list([counts.0, counts.1], Line::number);
        }
        for (name, value) in [(",\"this\":", &one.this), (",\"accepted_value\":", &one.accepted_value)] {
            self.raw(name);
            match value {
                Some(value) => self.sentence(value),
                None => self.raw("null"),
            }
        }
        self.out.push(b'}');
    }

    fn confidence(&mut self, confidence: f32) {
        self.raw(",\"confidence\":");
        self.number((f64::from(confidence) * 1000.0).round() / 1000.0);
    }

    /// A record of the server's log.
    fn log_line(&mut self, one: &LogMatch) {
        self.raw("{\"file\":");
        json::string(self.out, one.file.as_bytes());
        self.raw(",\"line\":");
        self.number(one.line);
        if let Some(at) = one.at {
            self.raw(",\"at\":");
            self.shown(at);
        }
        self.raw(",\"text\":");
        self.sentence(&one.text);
        self.raw(",\"match\":");
        self.plain(one.kind.as_str());
        self.confidence(one.confidence);
        if let Some(says) = &one.says {
            let mut named: BTreeMap<&str, &str> =
                says.values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            named.extend(says.cause.map(|cause| ("cause", cause.id())));
            named.insert("system", &says.system);
            self.raw(",\"says\":{");
            for (at, (name, value)) in named.into_iter().enumerate() {
                if at > 0 {
                    self.out.push(b',');
                }
                json::string(self.out, name.as_bytes());
                self.out.push(b':');
                self.sentence(value);
            }
            self.out.push(b'}');
        }
        self.out.push(b'}');
    }

    /// Where a piece of evidence can be seen.
    fn spot(&mut self, pointer: &Pointer) {
        self.raw("{\"where\":");
        self.plain(pointer.part.as_str());
        if !pointer.name.is_empty() {
            self.raw(",\"name\":");
            json::string(self.out, pointer.name.as_bytes());
        }
        if let Some((from, to)) = pointer.range {
            self.raw(",\"range\":");
            self.list([from, to], Line::number);
        }
        self.out.push(b'}');
    }

    /// What comes after the diagnosis.
    fn ending(&mut self, item: &Item<'_>) {
        let exchange = &item.record.exchange;
        if !exchange.interim.is_empty() {
            self.raw(",\"interim\":");
            self.list(&*exchange.interim, |line, head| line.number(head.status()));
        }
        if let Some(principal) = item.record.principal {
            self.raw(",\"principal\":");
            self.shown(format_args!("{:08x}", principal as u32));
        }
        self.raw(",\"connection\":{\"id\":");
        self.number(exchange.connection.flow.0);
        self.raw(",\"index\":");
        self.number(exchange.connection.index);
        self.raw(",\"handshake\":");
        self.bool(exchange.connection.handshake);
        self.raw("}}");
    }
}

/// Nanoseconds as milliseconds with microseconds as decimals.
fn milliseconds(nanos: i64) -> f64 {
    (nanos as f64 / 1000.0).round() / 1000.0
}
