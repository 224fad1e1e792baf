//! One JSON object a line: the contract with scripts. Its stable core is in README; fields may be added, none renamed.

#[cfg(test)]
mod tests;
mod wire;

use std::borrow::Cow;
use std::io::{self, Write};

use super::Item;
use super::content::{Shown, content};
use super::json;
use crate::edge::redact::Redactor;
use crate::model::{self, Fields};

/// Writes one exchange and a line break.
pub fn write<W: Write>(out: &mut W, item: &Item<'_>, redactor: &Redactor) -> io::Result<()> {
    json::compact(&mut *out, &line(item, redactor))?;
    out.write_all(b"\n")
}

/// One exchange over several lines, for people.
pub fn pretty(item: &Item<'_>, redactor: &Redactor) -> String {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = json::pretty(&mut out, &line(item, redactor));
    out.push(b'\n');
    String::from_utf8(out).unwrap_or_default()
}

fn line<'a>(item: &'a Item<'_>, redactor: &Redactor) -> wire::Line<'a> {
    let exchange = &item.record.exchange;
    let report = item.report;
    let diagnosis = report.diagnosis.as_ref();
    wire::Line {
        v: 1,
        id: exchange.id.0,
        started: exchange.started().to_string(),
        client: exchange.client.to_string(),
        server: exchange.server.to_string(),
        endpoint: redacted_text(redactor, item.endpoint.as_bytes()),
        request: exchange.request.as_ref().map(|request| self::request(request, redactor)),
        response: exchange.response.as_ref().map(|response| self::response(response, redactor)),
        outcome: exchange.outcome.as_str(),
        not_http: exchange.not_http.as_ref().map(|bytes| redacted_text(redactor, bytes)),
        latency_ms: exchange.latency().map(milliseconds),
        baseline: report
            .baseline
            .as_ref()
            .map(|baseline| wire::Baseline { id: baseline.id.0, why: said(redactor, &baseline.why) }),
        differences: report.differences.iter().map(|one| difference(one, redactor)).collect(),
        diagnosis: diagnosis
            .iter()
            .flat_map(|diagnosis| &diagnosis.findings)
            .map(|one| finding(one, redactor))
            .collect(),
        anomalies: exchange.anomalies.iter().map(model::Anomaly::name).collect(),
        refuser: diagnosis.map(|diagnosis| diagnosis.refuser.as_str()),
        ruled_out: diagnosis
            .iter()
            .flat_map(|diagnosis| &diagnosis.ruled_out)
            .map(|(cause, why)| wire::RuledOut { cause: cause.id(), why: said(redactor, why) })
            .collect(),
        log: report.log.iter().map(|one| log_line(one, redactor)).collect(),
        interim: exchange.interim.iter().map(model::ResponseHead::status).collect(),
        principal: item.record.principal.map(|principal| format!("{:08x}", principal as u32)),
        connection: wire::Connection {
            id: exchange.connection.flow.0,
            index: exchange.connection.index,
            handshake: exchange.connection.handshake,
        },
    }
}

fn request<'a>(request: &'a model::Request, redactor: &Redactor) -> wire::Request<'a> {
    let head = &request.head;
    wire::Request {
        method: Cow::Borrowed(head.method()),
        target: redacted(redactor.target(head.target())),
        version: head.version().as_str(),
        headers: headers(head.fields(), redactor),
        body: body(head.fields(), &request.body, redactor),
    }
}

fn response<'a>(response: &'a model::Response, redactor: &Redactor) -> wire::Response<'a> {
    let head = &response.head;
    wire::Response {
        status: head.status(),
        reason: text(head.reason()),
        version: head.version().as_str(),
        headers: headers(head.fields(), redactor),
        body: body(head.fields(), &response.body, redactor),
    }
}

fn headers<'a>(fields: &'a Fields, redactor: &Redactor) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
    fields.iter().map(|field| (text(field.name), redacted(redactor.field(field.name, field.value)))).collect()
}

fn body<'a>(fields: &Fields, body: &'a model::Body, redactor: &Redactor) -> wire::Body<'a> {
    let mut wire = wire::Body {
        bytes: body.len,
        captured: body.kept.len() as u64,
        truncated: body.is_truncated() || !body.end.is_whole(),
        text: None,
        base64: None,
        withheld: None,
        decoded: None,
        missing: body.missing(),
        trailers: body.trailers().map(|trailers| headers(trailers, redactor)).unwrap_or_default(),
    };
    if body.kept.is_empty() {
        return wire;
    }
    let content = content(fields, body, redactor);
    wire.decoded = content.decoded;
    match content.shown {
        Shown::Text(text) => wire.text = Some(text),
        Shown::Base64(text) => wire.base64 = Some(text),
        Shown::Withheld(why) => wire.withheld = Some(why),
    }
    wire
}

fn difference<'a>(one: &'a model::Difference, redactor: &Redactor) -> wire::Difference<'a> {
    let value = |value: &Option<Vec<u8>>| {
        value.as_ref().map(|value| redacted(redactor.value(one.part, &one.name, value)).into_owned())
    };
    wire::Difference {
        part: one.part.as_str(),
        name: Cow::Borrowed(&one.name),
        kind: one.kind.as_str(),
        significance: one.significance.as_str(),
        baseline: value(&one.baseline),
        this: value(&one.this),
        note: one.note.as_deref().map(|note| said(redactor, note)),
    }
}

fn finding<'a>(one: &'a model::Finding, redactor: &Redactor) -> wire::Finding<'a> {
    wire::Finding {
        cause: one.cause.id(),
        confidence: (f64::from(one.confidence) * 1000.0).round() / 1000.0,
        evidence: one.evidence.iter().map(|evidence| said(redactor, &evidence.text)).collect(),
        at: one.evidence.iter().map(|evidence| evidence.pointers.first().map(spot)).collect(),
        next: one.next.iter().map(|next| said(redactor, next)).collect(),
    }
}

fn log_line<'a>(one: &'a model::LogMatch, redactor: &Redactor) -> wire::LogLine<'a> {
    let says = one.says.as_ref().map(|says| {
        let named = says.values.iter().map(|(name, value)| (name.as_str(), said(redactor, value)));
        let cause = says.cause.map(|cause| ("cause", Cow::Borrowed(cause.id())));
        named.chain(cause).chain([("system", Cow::Borrowed(says.system.as_str()))]).collect()
    });
    wire::LogLine {
        file: &one.file,
        line: one.line,
        at: one.at.map(|at| at.to_string()),
        text: said(redactor, &one.text),
        kind: one.kind.as_str(),
        confidence: (f64::from(one.confidence) * 1000.0).round() / 1000.0,
        says,
    }
}

fn spot(pointer: &model::Pointer) -> wire::Spot<'_> {
    wire::Spot { part: pointer.part.as_str(), name: &pointer.name, range: pointer.range }
}

/// Nanoseconds as milliseconds with microseconds as decimals.
fn milliseconds(nanos: i64) -> f64 {
    (nanos as f64 / 1000.0).round() / 1000.0
}

/// A sentence of ours that may quote the wire.
fn said<'a>(redactor: &Redactor, sentence: &'a str) -> Cow<'a, str> {
    redacted(redactor.text(sentence.as_bytes()))
}

fn redacted_text(redactor: &Redactor, bytes: &[u8]) -> String {
    redacted(redactor.text(bytes)).into_owned()
}

/// Bytes as text; those that are no UTF-8 as `\x9b`. JSON has its own escapes for the rest.
fn redacted(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => text(bytes),
        Cow::Owned(bytes) => Cow::Owned(text(&bytes).into_owned()),
    }
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    crate::edge::sanitize::utf8(bytes)
}
