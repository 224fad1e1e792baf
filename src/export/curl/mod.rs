//! A request as a curl command that sends the same method, target, fields and content, with a note on everything that
//! curl sends in another way.
//!
//! The command is pasted into shells by people who trust it, and made of bytes that strangers sent. So every such byte is
//! inside single quotes or made by `printf`; no value can be taken for an option or a file name (`--data-raw`, never
//! `--data`; no field whose name begins with `@`); comments hold no character that means anything to a shell, not even to
//! an interactive one that does not know comments. Secrets become variables, outside the quotes.

pub(super) mod body;
mod framing;
mod netcat;
pub(super) mod shell;
pub(super) mod target;
#[cfg(test)]
mod tests;

use crate::edge::redact::Redactor;
use crate::model::{Exchange, Field, Request, Version};

use body::Content;
use framing::Framing;
use shell::{Variables, Word};
use target::Target;

pub use netcat::command as netcat;

/// A command with what it cannot reproduce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Shell text: comment lines, then one command over several lines, with a final line break.
    pub text: String,
    /// What the request had and the command has not; also in the comments.
    pub warnings: Vec<String>,
}

/// The request of `exchange` as a command; `None` for an orphan response.
pub fn command(exchange: &Exchange, redactor: &Redactor) -> Option<Command> {
    let request = exchange.request.as_ref()?;
    let redactor = &redactor.knowing(&[exchange]);
    let mut variables = Variables::default();
    let target = Target::new(&request.head, exchange.server);
    let content = Content::new(request, redactor, &mut variables);
    let mut warnings = framing::notes(exchange, request);
    let framed = warnings.len();
    warnings.extend(content.warnings.iter().cloned());
    if target.raw.contains(&0) {
        warnings.push("the target holds NUL, written as a space".to_owned());
    }
    let mut options = vec![method(request, &content)];
    options.extend(version(request, &target));
    let (url, request_target) = url(&target, redactor, &mut variables);
    options.push(url);
    options.extend(request_target);
    options.extend(target.route.clone());
    options.extend(fields(request, &target, &content, redactor, &mut variables, &mut warnings));
    options.extend(content.option.clone());
    if framed > 0 {
        warnings.push("--export nc writes a command that sends the head as it was".to_owned());
    }

    let mut text = comments(&warnings, variables.names());
    text.push_str(content.pipe.as_deref().unwrap_or_default());
    let options: Vec<String> = options.into_iter().filter(|option| !option.is_empty()).collect();
    text.push_str("curl ");
    text.push_str(&options.join(" \\\n  "));
    text.push('\n');
    Some(Command { text, warnings })
}

/// `-X` only where curl would take another method. `-i` shows the status and fields of the answer.
fn method(request: &Request, content: &Content) -> String {
    let implied = if content.option.is_some() { "POST" } else { "GET" };
    match request.head.method() {
        "HEAD" if content.option.is_none() => "-I".to_owned(),
        method if method == implied => "-i".to_owned(),
        method => format!("-i -X {}", shell::word(method.as_bytes())),
    }
}

fn version(request: &Request, target: &Target<'_>) -> Option<String> {
    match request.head.version() {
        Version::Http10 => Some("--http1.0".to_owned()),
        Version::Http11 => target.base.starts_with("https:").then(|| "--http1.1".to_owned()),
        Version::Http2 => Some("--http2".to_owned()),
        Version::Http3 => Some("--http3".to_owned()),
    }
}

/// The URL with the options that keep curl from changing it, and `--request-target` where no URL can say it.
fn url(target: &Target<'_>, redactor: &Redactor, variables: &mut Variables) -> (String, Option<String>) {
    let secrets = redactor.target_secrets(target.raw);
    let mut word = Word::default();
    word.literal(target.base.as_bytes());
    if target.path.is_none() {
        word.literal(b"/");
        let mut raw = Word::default();
        raw.mixed(&without_nul(target.raw), &secrets, variables);
        return (word.finish(), Some(format!("--request-target {}", raw.finish())));
    }
    word.mixed(target.raw, &secrets, variables);
    let mut options = String::new();
    if target.raw.iter().any(|byte| b"[]{}".contains(byte)) {
        options.push_str("--globoff ");
    }
    let lower = target.raw.to_ascii_lowercase();
    if [&b"/."[..], b"/%2e"].iter().any(|dots| memchr::memmem::find(&lower, dots).is_some()) {
        options.push_str("--path-as-is ");
    }
    (options + &word.finish(), None)
}

fn fields(
    request: &Request,
    target: &Target<'_>,
    content: &Content,
    redactor: &Redactor,
    variables: &mut Variables,
    warnings: &mut Vec<String>,
) -> Vec<String> {
    let all = request.head.fields();
    let framing = Framing::new(request);
    let mut options = Vec::with_capacity(all.len() + 3);
    for (field, span) in all.iter().zip(all.spans()) {
        let is = |name: &str| field.name.eq_ignore_ascii_case(name.as_bytes());
        let separator = framing::separator(all.raw(), span).unwrap_or(b": ");
        let written_by_curl = is("content-length")
            || (is("transfer-encoding") && framing != Framing::Chunked)
            || (is("host") && !target.explicit_host && separator == b": ");
        if written_by_curl {
            continue;
        }
        match self::field(field, separator, redactor, variables) {
            Ok(option) => options.push(option),
            Err(why) => warnings.push(why.to_owned()),
        }
    }
    let defaults = [
        ("Host", true),
        ("User-Agent", true),
        ("Accept", true),
        ("Content-Type", content.option.is_some()),
        ("Expect", content.expects),
    ];
    for (name, sent_by_curl) in defaults {
        if sent_by_curl && !all.has(name) {
            options.push(format!("-H '{name}:'"));
        }
    }
    if all.has("accept-encoding") {
        options.push("--compressed".to_owned());
    }
    options
}

/// `-H 'Name: value'`, or why this field cannot be sent with curl.
fn field(
    field: Field<'_>,
    separator: &[u8],
    redactor: &Redactor,
    variables: &mut Variables,
) -> Result<String, &'static str> {
    if field.name.is_empty() || !field.name.iter().all(|byte| is_token(*byte)) {
        return Err("a field with a malformed name is left out, see --export nc");
    }
    if field.value.iter().any(|byte| matches!(byte, b'\0' | b'\r' | b'\n')) {
        return Err("a field whose value holds a line break or NUL is left out, see --export nc");
    }
    let mut word = Word::default();
    word.literal(field.name);
    if field.value.is_empty() {
        word.literal(b";");
    } else {
        word.literal(separator);
        word.mixed(field.value, &redactor.field_secrets(field.name, field.value), variables);
    }
    Ok(format!("-H {}", word.finish()))
}

/// Comment lines that hold no character with a meaning for a shell.
pub(super) fn comments(warnings: &[String], variables: &[String]) -> String {
    let mut text = String::new();
    for warning in warnings {
        text.push_str("# Note: ");
        text.extend(warning.chars().map(|c| if is_harmless(c) { c } else { ' ' }));
        text.push('\n');
    }
    if !variables.is_empty() {
        text.push_str("# Secrets are left out. Set these first: ");
        text.push_str(&variables.join(" "));
        text.push('\n');
    }
    text
}

fn is_harmless(c: char) -> bool {
    c.is_ascii_alphanumeric() || " .,:_-".contains(c)
}

/// No argument of a program can hold NUL.
fn without_nul(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect()
}

/// A token character (RFC 9110 §5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
