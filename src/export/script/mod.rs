//! A request as a call in another language: `HTTPie`, fetch, Python requests, `PowerShell`.
//!
//! As with curl, the text is made of bytes that strangers sent and is run by people who trust it: every such byte stands in a string
//! literal of the language, secrets are read from variables of the environment, and comments hold no character with a meaning.

mod fetch;
mod httpie;
mod powershell;
mod python;
#[cfg(test)]
mod tests;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::curl::{Command, body, comments, is_token, shell, target};
use crate::edge::redact::{Redactor, Secret};
use crate::edge::sanitize;
use crate::model::Exchange;
use shell::{Piece, Variables};

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// A shell command with `HTTPie`'s `http`.
    Httpie,
    /// `JavaScript` with fetch.
    Fetch,
    /// Python with requests.
    Python,
    /// `PowerShell`'s Invoke-WebRequest.
    PowerShell,
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Bytes from the wire.
    Text(Vec<u8>),
    /// A variable of the environment that holds a secret.
    Variable(String),
}

/// The content of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    None,
    /// Text, with variables in place of secrets.
    Text(Vec<Part>),
    /// Anything else, in base64.
    Binary(String),
    /// Compressed and perhaps secret: a variable holds it in base64.
    Withheld,
}

/// The variable for [`Content::Withheld`].
const WITHHELD: &str = "REQUEST_BODY_BASE64";

/// A request taken apart for a call.
struct Call {
    method: String,
    /// URL, percent-encoded where it must be.
    url: Vec<Part>,
    fields: Vec<(String, Vec<Part>)>,
    content: Content,
    /// What the call does not send as the request did.
    warnings: Vec<String>,
    variables: Vec<String>,
}

/// The request of `exchange` in `language`; `None` for an orphan response.
pub fn command(exchange: &Exchange, language: Language, redactor: &Redactor) -> Option<Command> {
    let call = Call::new(exchange, redactor)?;
    let text = match language {
        Language::Httpie => httpie::write(&call),
        Language::Fetch => fetch::write(&call),
        Language::Python => python::write(&call),
        Language::PowerShell => powershell::write(&call),
    };
    let mark = if language == Language::Fetch { "//" } else { "#" };
    let mut head = String::new();
    for line in comments(&call.warnings, &call.variables).lines() {
        head.push_str(mark);
        head.push_str(line.trim_start_matches('#'));
        head.push('\n');
    }
    Some(Command { text: head + &text, warnings: call.warnings })
}

impl Call {
    fn new(exchange: &Exchange, redactor: &Redactor) -> Option<Self> {
        let request = exchange.request.as_ref()?;
        let redactor = &redactor.knowing(&[exchange]);
        let mut variables = Variables::default();
        let target = target::Target::new(&request.head, exchange.server);
        let mut warnings = body::losses(request);
        let raw = target.raw;
        let mut url = vec![Part::Text(target.base.clone().into_bytes())];
        if target.path.is_none() {
            warnings.push("the target cannot stand in a URL as it was, see --export curl or nc".to_owned());
            if raw.first() != Some(&b'/') {
                url.push(Part::Text(b"/".to_vec()));
            }
        }
        for part in parts(raw, &redactor.target_secrets(raw), &mut variables) {
            url.push(match part {
                Part::Text(text) => Part::Text(encoded(&text)),
                variable @ Part::Variable(_) => variable,
            });
        }
        if target.route.is_some() {
            warnings.push(format!("the request went to {}, which the name may not lead to", exchange.server));
        }
        let fields = fields(exchange, &target, redactor, &mut variables, &mut warnings);
        let content = content(exchange, redactor, &mut variables, &mut warnings);
        let mut variables = variables.names().to_vec();
        if content == Content::Withheld {
            variables.push(WITHHELD.to_owned());
        }
        Some(Self { method: request.head.method().to_owned(), url, fields, content, warnings, variables })
    }
}

/// The fields to send; what the libraries write themselves is left out.
fn fields(
    exchange: &Exchange,
    target: &target::Target<'_>,
    redactor: &Redactor,
    variables: &mut Variables,
    warnings: &mut Vec<String>,
) -> Vec<(String, Vec<Part>)> {
    let Some(request) = &exchange.request else { return Vec::new() };
    let mut fields = Vec::new();
    for field in request.head.fields().iter() {
        let is = |name: &str| field.name.eq_ignore_ascii_case(name.as_bytes());
        if is("content-length")
            || is("transfer-encoding")
            || is("connection")
            || (is("host") && !target.explicit_host)
        {
            continue;
        }
        let name = std::str::from_utf8(field.name).ok().filter(|name| !name.is_empty());
        let name = name.filter(|name| name.bytes().all(is_token));
        let broken = field.value.iter().any(|byte| matches!(byte, b'\0' | b'\r' | b'\n'));
        match name.filter(|_| !broken) {
            Some(name) => {
                let secrets = redactor.field_secrets(field.name, field.value);
                fields.push((name.to_owned(), parts(field.value, &secrets, variables)));
            }
            None => warnings.push("a malformed field is left out, see --export nc".to_owned()),
        }
    }
    fields
}

fn content(
    exchange: &Exchange,
    redactor: &Redactor,
    variables: &mut Variables,
    warnings: &mut Vec<String>,
) -> Content {
    let Some(request) = &exchange.request else { return Content::None };
    let kept = &request.body.kept;
    if kept.is_empty() {
        return Content::None;
    }
    match body::secrets(request, redactor) {
        None => {
            warnings.push(body::WITHHELD_NOTE.to_owned());
            Content::Withheld
        }
        Some(secrets) if sanitize::is_plain(kept) => Content::Text(parts(kept, &secrets, variables)),
        Some(secrets) if secrets.is_empty() => Content::Binary(STANDARD.encode(kept)),
        Some(_) => {
            warnings.push(
                "the body is binary and may hold secrets, set REQUEST_BODY_BASE64 or use --with-secrets"
                    .to_owned(),
            );
            Content::Withheld
        }
    }
}

fn parts(bytes: &[u8], secrets: &[Secret], variables: &mut Variables) -> Vec<Part> {
    let part = |piece: Piece<'_, '_>| match piece {
        Piece::Shown(shown) => Part::Text(shown.to_vec()),
        Piece::Hidden(hidden, secret) => Part::Variable(variables.name(hidden, &secret.name)),
    };
    shell::pieces(bytes, secrets).into_iter().map(part).collect()
}

/// A part of a target with everything percent-encoded that no URL may hold.
fn encoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(byte) {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    out
}

/// A string literal in double quotes; `escape` gives what stands for a character that must not be shown as it is.
fn quoted(text: &str, escape: impl Fn(char) -> Option<String>) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            _ => match escape(letter) {
                Some(escaped) => out.push_str(&escaped),
                None => out.push(letter),
            },
        }
    }
    out.push('"');
    out
}

/// The parts as one expression: what `literal` makes of each text and `variable` of each name, added up.
fn sum(
    parts: &[Part],
    literal: impl Fn(&[u8]) -> String,
    variable: impl Fn(&str) -> String,
) -> Option<String> {
    let each = parts.iter().map(|part| match part {
        Part::Text(bytes) => literal(bytes),
        Part::Variable(name) => variable(name),
    });
    let each: Vec<String> = each.collect();
    (!each.is_empty()).then(|| each.join(" + "))
}

/// One character for each byte where a text is not UTF-8, as header values are: ISO 8859-1.
fn characters(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => text.to_owned(),
        _ => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}
