//! Everything in a refusal that is meant to be read, each piece with the place where it stands.

use crate::explain::knowledge::words;
use crate::explain::rules::response_text::body;
use crate::model::{Part, Response};

/// Most utterances taken from one response.
pub const MAX: usize = 48;

/// What sort of place an utterance stands in; a code in a field of its own beats prose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A machine's word: one token without spaces in a member, element or field that names the error.
    Code,
    /// A sentence.
    Prose,
    /// A page's title or heading.
    Title,
    /// A response field.
    Field,
}

/// One thing that the response says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Utterance {
    /// Where it stands.
    pub place: Place,
    /// Which part of the response.
    pub part: Part,
    /// Member, element or field name; empty for bare text.
    pub name: String,
    /// As written, entities undone.
    pub text: String,
    /// Its words, see [`words::fold`].
    pub words: String,
}

impl Utterance {
    /// Folds `text`.
    pub fn new(place: Place, part: Part, name: &str, text: &str) -> Self {
        let text = text.trim();
        Self { place, part, name: name.to_owned(), text: text.to_owned(), words: words::fold(text) }
    }
}

/// The utterances of a response whose content, codings undone, is `content`.
pub fn utterances(response: &Response, content: &[u8]) -> Vec<Utterance> {
    let mut out = Vec::new();
    reason(response, &mut out);
    fields(response, &mut out);
    body::read(response.head.fields().text("content-type").unwrap_or_default(), content, &mut out);
    out.truncate(MAX);
    out
}

fn reason(response: &Response, out: &mut Vec<Utterance>) {
    let text = String::from_utf8_lossy(response.head.reason());
    let folded = words::fold(&text);
    let plain = [
        " ",
        " forbidden ",
        " unauthorized ",
        " not found ",
        " method not allowed ",
        " bad request ",
        " too many requests ",
        " ok ",
        " unprocessable entity ",
        " unprocessable content ",
        " not acceptable ",
    ];
    if !plain.contains(&folded.as_str()) {
        out.push(Utterance::new(Place::Title, Part::StatusLine, "", &text));
    }
}

/// Field names that carry an error's name or reason.
fn tells(name: &str) -> bool {
    let parts = [
        "error",
        "reason",
        "denied",
        "deny",
        "block",
        "forbidden",
        "mitigated",
        "fault",
        "login-reason",
        "loginreason",
        "missing",
        "rejected",
    ];
    if name.starts_with("content-security")
        || name == "x-xss-protection"
        || name.contains("report")
        || name.contains("nel")
    {
        return false;
    }
    parts.iter().any(|part| name.contains(part)) || name == "x-cache"
}

fn fields(response: &Response, out: &mut Vec<Utterance>) {
    for field in response.head.fields().iter() {
        let name = field.name_text().to_ascii_lowercase();
        if out.len() < MAX && tells(&name) && field.value.len() <= 1024 {
            out.push(Utterance::new(Place::Field, Part::ResponseHeader, &name, &field.value_text()));
        }
    }
}
