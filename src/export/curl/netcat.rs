//! A request byte for byte: `printf` writes it, `nc` or `openssl s_client` sends it. For what curl cannot send.
//!
//! The bytes stand in the format of `printf`, in single quotes, with everything that `printf`, a shell or a terminal acts on
//! written as an escape. Secrets are its arguments.

use std::fmt::Write as _;

use super::body::{self, WITHHELD, WITHHELD_NOTE};
use super::shell::{Piece, Variables, pieces};
use super::target::{self, bracketed};
use super::{Command, comments, framing};
use crate::edge::redact::{Redactor, Secret};
use crate::edge::sanitize;
use crate::export::raw::secrets_in_head;
use crate::model::{Anomaly, Exchange, Request};

/// Anomalies that say that not all of a request's head is there.
const CUT: [Anomaly; 2] = [Anomaly::HeadTooLarge, Anomaly::GapInRequestHead];

/// The request of `exchange` as a command; `None` for an orphan response.
pub fn command(exchange: &Exchange, redactor: &Redactor) -> Option<Command> {
    let request = exchange.request.as_ref()?;
    let redactor = &redactor.knowing(&[exchange]);
    let mut variables = Variables::default();
    let mut warnings = body::losses(request);
    if CUT.iter().any(|anomaly| exchange.anomalies.contains(*anomaly)) {
        warnings.push("not all of the head is in the capture".to_owned());
    }
    let mut commands = head(request, redactor, &mut variables);
    content(request, redactor, &mut variables, &mut warnings, &mut commands);
    if !variables.names().is_empty() {
        warnings.push("a secret of another length needs another Content-Length or chunk size".to_owned());
    }
    let mut text = comments(&warnings, variables.names());
    let _ = writeln!(text, "{{\n{}\n}} | {}", commands.join("\n"), connect(exchange, request));
    Some(Command { text, warnings })
}

/// One `printf` for each line of the head.
fn head(request: &Request, redactor: &Redactor, variables: &mut Variables) -> Vec<String> {
    let fields = request.head.fields();
    let raw = fields.raw();
    let target = request.head.target();
    let at = crate::model::Span::within(raw, target).map_or(0, |span| span.start as usize);
    let secrets = secrets_in_head(fields, Some((at, target)), redactor);
    let mut secrets = secrets.as_slice();
    let (mut commands, mut start) = (Vec::with_capacity(fields.len() + 2), 0);
    while start < raw.len() {
        let rest = raw.get(start..).unwrap_or_default();
        let mut end = start + memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        // A secret is never cut: the line goes on to its end.
        let inside = secrets.partition_point(|secret| secret.range.start < end);
        let (of_line, later) = secrets.split_at(inside);
        end = of_line.last().map_or(end, |secret| secret.range.end.max(end)).min(raw.len());
        let of_line: Vec<Secret> = of_line
            .iter()
            .cloned()
            .map(|mut secret| {
                secret.range = secret.range.start - start..secret.range.end - start;
                secret
            })
            .collect();
        commands.push(printf(raw.get(start..end).unwrap_or_default(), &of_line, variables));
        (start, secrets) = (end, later);
    }
    commands
}

fn content(
    request: &Request,
    redactor: &Redactor,
    variables: &mut Variables,
    warnings: &mut Vec<String>,
    commands: &mut Vec<String>,
) {
    let body = &request.body;
    let chunked = framing::is_chunked(request);
    if chunked {
        warnings.push("the sizes of the chunks are not kept, the content is sent as one".to_owned());
    }
    if !body.kept.is_empty() {
        if chunked {
            commands.push(format!("printf '{:x}\\r\\n'", body.kept.len()));
        }
        match body::secrets(request, redactor) {
            None => {
                commands.push(WITHHELD.to_owned());
                warnings.push(WITHHELD_NOTE.to_owned());
            }
            Some(secrets) if is_text(&body.kept) => commands.push(printf(&body.kept, &secrets, variables)),
            Some(secrets) => commands.extend(body::binary(&body.kept, &secrets, variables)),
        }
        if chunked {
            commands.push("printf '\\r\\n'".to_owned());
        }
    }
    if chunked {
        commands.push("printf '0\\r\\n'".to_owned());
        let trailers = body.trailers();
        for field in trailers.iter().flat_map(|fields| fields.iter()) {
            let secrets = field_secrets(field.name, field.value, redactor);
            let line = [field.name, b": ", field.value, b"\r\n"].concat();
            commands.push(printf(&line, &secrets, variables));
        }
        commands.push("printf '\\r\\n'".to_owned());
    }
}

fn field_secrets(name: &[u8], value: &[u8], redactor: &Redactor) -> Vec<Secret> {
    let mut secrets = redactor.field_secrets(name, value);
    for secret in &mut secrets {
        let before = name.len() + 2;
        secret.range = secret.range.start + before..secret.range.end + before;
    }
    secrets
}

/// Whether escapes would be few.
fn is_text(bytes: &[u8]) -> bool {
    let odd = bytes.utf8_chunks().map(|chunk| {
        chunk.invalid().len() + chunk.valid().chars().filter(|c| sanitize::is_unsafe(*c)).count()
    });
    odd.sum::<usize>() * 8 <= bytes.len()
}

/// `printf 'FORMAT' "$SECRET"…`.
fn printf(bytes: &[u8], secrets: &[Secret], variables: &mut Variables) -> String {
    let (mut format, mut arguments) = (String::new(), String::new());
    for piece in pieces(bytes, secrets) {
        match piece {
            Piece::Shown(shown) => escape(shown, &mut format),
            Piece::Hidden(hidden, secret) => {
                format.push_str("%s");
                let _ = write!(arguments, " \"${}\"", variables.name(hidden, &secret.name));
            }
        }
    }
    format!("printf '{format}'{arguments}")
}

fn escape(bytes: &[u8], format: &mut String) {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\r' => format.push_str("\\r"),
                '\n' => format.push_str("\\n"),
                '\\' => format.push_str("\\\\"),
                '%' => format.push_str("%%"),
                '\'' => format.push_str("'\\''"),
                // At the start it would be an option.
                '-' if format.is_empty() => format.push_str("\\055"),
                c if sanitize::is_unsafe(c) => octal(c.encode_utf8(&mut [0; 4]).as_bytes(), format),
                c => format.push(c),
            }
        }
        octal(chunk.invalid(), format);
    }
}

fn octal(bytes: &[u8], format: &mut String) {
    for byte in bytes {
        let _ = write!(format, "\\{byte:03o}");
    }
}

/// What sends standard input to the server and shows what comes back.
fn connect(exchange: &Exchange, request: &Request) -> String {
    let server = exchange.server;
    if !target::is_tls(server) {
        return format!("nc -w 5 {} {}", server.ip(), server.port());
    }
    let address = format!("{}:{}", bracketed(server.ip()), server.port());
    match target::name(&request.head) {
        Some(name) => format!("openssl s_client -quiet -connect {address} -servername {name}"),
        None => format!("openssl s_client -quiet -connect {address}"),
    }
}
