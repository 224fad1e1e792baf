//! The content: text as an argument, anything else through a pipe.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::shell::{Piece, Variables, Word, pieces};
use crate::edge::redact::{Redactor, Secret};
use crate::edge::sanitize;
use crate::features::coding::MAX_DECODED;
use crate::features::content;
use crate::model::Request;

/// Longest text given as an argument: Linux allows 128 KiB for one.
const ARGUMENT: usize = 64 << 10;
/// curl asks for `100 (Continue)` above this (older versions; 1 MiB since 7.83).
const EXPECT: usize = 1024;

/// Writes a body that was withheld.
pub(in crate::export) const WITHHELD: &str = "printf %s \"$REQUEST_BODY_BASE64\" | base64 -d";
/// Why it was.
pub(in crate::export) const WITHHELD_NOTE: &str =
    "the body is compressed and may hold secrets, set REQUEST_BODY_BASE64 or use --with-secrets";

/// How the content reaches curl.
#[derive(Debug, Default)]
pub(in crate::export) struct Content {
    /// What stands before `curl`, up to and with the pipe.
    pub(in crate::export) pipe: Option<String>,
    /// `--data-raw …` or `--data-binary @-`.
    pub(in crate::export) option: Option<String>,
    /// Whether curl would add `Expect: 100-continue` of its own.
    pub(in crate::export) expects: bool,
    /// What is not as it was on the wire.
    pub(in crate::export) warnings: Vec<String>,
}

impl Content {
    pub(in crate::export) fn new(request: &Request, redactor: &Redactor, variables: &mut Variables) -> Self {
        let fields = request.head.fields();
        let body = &request.body;
        let mut content = Self { warnings: losses(request), ..Self::default() };
        if body.trailers().is_some() {
            content.warnings.push("the trailer section is left out".to_owned());
        }
        if body.kept.is_empty() {
            let announced = fields.value("content-length") == Some(b"0") || fields.has("transfer-encoding");
            content.option = announced.then(|| "--data-raw ''".to_owned());
            return content;
        }
        content.expects = body.kept.len() > EXPECT;
        match secrets(request, redactor) {
            Some(secrets) => content.write(&body.kept, &secrets, variables),
            None => content.withhold(),
        }
        content
    }

    fn write(&mut self, body: &[u8], secrets: &[Secret], variables: &mut Variables) {
        let text = sanitize::is_plain(body);
        if text && body.len() <= ARGUMENT {
            let mut word = Word::default();
            word.mixed(body, secrets, variables);
            self.option = Some(format!("--data-raw {}", word.finish()));
            return;
        }
        self.option = Some("--data-binary @-".to_owned());
        if text {
            let mut word = Word::default();
            word.mixed(body, secrets, variables);
            self.pipe = Some(format!("printf %s {} | ", word.finish()));
            return;
        }
        let commands = binary(body, secrets, variables);
        self.pipe = Some(match commands.as_slice() {
            [one] => format!("{one} | "),
            several => format!("{{ {}; }} | ", several.join("; ")),
        });
    }

    /// A compressed body holds secrets, or cannot be looked into.
    fn withhold(&mut self) {
        self.pipe = Some(format!("{WITHHELD} | "));
        self.option = Some("--data-binary @-".to_owned());
        self.warnings.push(WITHHELD_NOTE.to_owned());
    }
}

/// The secrets in the content, in order; `None` when it is compressed and holds secrets or cannot be looked into.
pub(in crate::export) fn secrets(request: &Request, redactor: &Redactor) -> Option<Vec<Secret>> {
    if redactor.reveals() {
        return Some(Vec::new());
    }
    let fields = request.head.fields();
    let read = content::read(fields, &request.body.kept, MAX_DECODED);
    let secrets = redactor.body_secrets(fields.value("content-type").unwrap_or_default(), &read.bytes);
    let coded = read.problem.is_some() || !read.undone.is_empty() || read.charset.is_some();
    let withheld = coded && (read.problem.is_some() || !secrets.is_empty());
    (!withheld).then_some(secrets)
}

/// Commands that together write `body`, with variables in place of `secrets`.
pub(in crate::export) fn binary(body: &[u8], secrets: &[Secret], variables: &mut Variables) -> Vec<String> {
    let command = |piece| match piece {
        Piece::Shown(shown) => format!("printf %s '{}' | base64 -d", STANDARD.encode(shown)),
        Piece::Hidden(hidden, secret) => format!("printf %s \"${}\"", variables.name(hidden, &secret.name)),
    };
    pieces(body, secrets).into_iter().map(command).collect()
}

/// What is known to be missing from the content.
pub(in crate::export) fn losses(request: &Request) -> Vec<String> {
    let body = &request.body;
    let mut warnings = Vec::new();
    if body.is_truncated() {
        warnings.push(format!(
            "only the first {} of {} bytes of the body were kept, see --body-limit",
            body.kept.len(),
            body.len
        ));
    }
    if body.missing() > 0 {
        warnings.push(format!("the capture lost {} bytes of the body", body.missing()));
    }
    if !body.end.is_whole() {
        warnings.push("the end of the body was not seen".to_owned());
    }
    warnings
}
