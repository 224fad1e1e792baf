//! Messages as they were on the wire, each after a `###` line: head verbatim, content without its transfer coding.

use std::io::{self, Write};

use super::Item;
use crate::edge::redact::{Redactor, Secret, secrets_in_field, secrets_in_target, settle};
use crate::features::coding::MAX_DECODED;
use crate::features::content;
use crate::model::{Body, Fields};

/// Writes both messages of an exchange.
pub(super) fn write<W: Write>(out: &mut W, item: &Item<'_>, redactor: &Redactor) -> io::Result<()> {
    let exchange = &item.record.exchange;
    let id = exchange.id.0;
    if let Some(request) = &exchange.request {
        writeln!(out, "### {id} request {} {} -> {}", request.started, exchange.client, exchange.server)?;
        let target = request.head.method().len() + 1;
        head(out, request.head.fields(), Some((target, request.head.target())), redactor)?;
        body(out, request.head.fields(), &request.body, redactor)?;
    }
    if let Some(response) = &exchange.response {
        writeln!(out, "### {id} response {} {} -> {}", response.started, exchange.server, exchange.client)?;
        head(out, response.head.fields(), None, redactor)?;
        body(out, response.head.fields(), &response.body, redactor)?;
    }
    Ok(())
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
    if !redactor.reveals() {
        if let Some((at, target)) = target {
            found(&mut secrets, at, |out| secrets_in_target(target, out));
        }
        for span in fields.spans() {
            let (name, value) = (span.name.of(raw), span.value.of(raw));
            found(&mut secrets, span.value.start as usize, |out| secrets_in_field(name, value, out));
        }
    }
    settle(secrets)
}

/// Adds what `find` finds in a part of the bytes that begins at `at`.
fn found(secrets: &mut Vec<Secret>, at: usize, find: impl FnOnce(&mut Vec<Secret>)) {
    let before = secrets.len();
    find(secrets);
    for secret in secrets.iter_mut().skip(before) {
        secret.range = secret.range.start + at..secret.range.end + at;
    }
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
