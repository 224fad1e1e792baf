//! Messages as they were on the wire, each after a `###` line: head verbatim, content without its transfer coding.

use std::io::{self, Write};

use super::Item;
use crate::edge::redact::{Redactor, Secret, settle};
use crate::features::coding::MAX_DECODED;
use crate::features::{content, forwarded_client};
use crate::model::{Body, Exchange, Fields, Span};

/// Writes both messages of an exchange.
pub(super) fn write<W: Write>(out: &mut W, item: &Item<'_>, redactor: &Redactor) -> io::Result<()> {
    let exchange = &item.record.exchange;
    let id = exchange.id.0;
    let redactor = &item.redactor(redactor);
    if let Some(request) = &exchange.request {
        let via = via(exchange);
        writeln!(
            out,
            "### {id} request {} {} -> {}{via}",
            request.started, exchange.client, exchange.server
        )?;
        let target = request.head.target();
        let at = Span::within(request.head.fields().raw(), target).map_or(0, |span| span.start as usize);
        head(out, request.head.fields(), Some((at, target)), redactor)?;
        body(out, request.head.fields(), &request.body, redactor)?;
    }
    if let Some(response) = &exchange.response {
        writeln!(out, "### {id} response {} {} -> {}", response.started, exchange.server, exchange.client)?;
        head(out, response.head.fields(), None, redactor)?;
        body(out, response.head.fields(), &response.body, redactor)?;
    }
    Ok(())
}

/// Who opened the connection, where that is not the client, and the client that a proxy forwarded.
fn via(exchange: &Exchange) -> String {
    let peer = exchange.peer();
    let peer = if peer == exchange.client { String::new() } else { format!(" by {peer}") };
    let client = forwarded_client(exchange).map(|client| format!(" for {client}")).unwrap_or_default();
    peer + &client
}

/// The head's bytes with its secrets replaced. `target` is where the request target is.
fn head<W: Write>(
    out: &mut W,
    fields: &Fields,
    target: Option<(usize, &[u8])>,
    redactor: &Redactor,
) -> io::Result<()> {
    out.write_all(&redactor.replace(fields.raw(), &secrets_in_head(fields, target, redactor)))
}

/// The secrets in a head's bytes, in order; none when `redactor` reveals them. `target` is where the request target is.
pub(super) fn secrets_in_head(
    fields: &Fields,
    target: Option<(usize, &[u8])>,
    redactor: &Redactor,
) -> Vec<Secret> {
    let raw = fields.raw();
    let mut secrets: Vec<Secret> = Vec::new();
    let mut done = 0;
    if let Some((at, target)) = target {
        found(&mut secrets, at, redactor.target_secrets(target));
        done = at + target.len();
    }
    for span in fields.spans() {
        let (name, value) = (span.name.of(raw), span.value.of(raw));
        // What stands between the fields is no field: a broken line, or the reason phrase.
        let (before, start) =
            (raw.get(done..span.name.start as usize).unwrap_or_default(), span.value.start as usize);
        found(&mut secrets, done, redactor.text_secrets(before));
        found(&mut secrets, start, redactor.field_secrets(name, value));
        done = start + value.len();
    }
    found(&mut secrets, done, redactor.text_secrets(raw.get(done..).unwrap_or_default()));
    settle(secrets)
}

/// Adds what was found in a part of the bytes that begins at `at`.
fn found(secrets: &mut Vec<Secret>, at: usize, found: Vec<Secret>) {
    secrets.extend(found.into_iter().map(|mut secret| {
        secret.range = secret.range.start + at..secret.range.end + at;
        secret
    }));
}

fn body<W: Write>(out: &mut W, fields: &Fields, body: &Body, redactor: &Redactor) -> io::Result<()> {
    if redactor.reveals() {
        out.write_all(&body.kept)?;
    } else {
        let media = fields.value("content-type").unwrap_or_default();
        let content = content::read(fields, &body.kept, MAX_DECODED);
        let hidden = redactor.body(media, &content.bytes);
        if content.is_opaque() {
            write!(out, "[{} bytes withheld: the content coding cannot be undone]", body.kept.len())?;
        } else if content.problem.is_none() && *hidden == *content.bytes {
            out.write_all(&body.kept)?;
        } else {
            out.write_all(&hidden)?;
        }
    }
    if body.is_truncated() {
        write!(out, "\n[{} of {} bytes kept]", body.kept.len(), body.len)?;
    }
    out.write_all(b"\n")
}
