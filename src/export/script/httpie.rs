//! `HTTPie`: `http --ignore-stdin POST 'http://…' 'Name: value' --raw '…'`, for a POSIX shell.

use super::shell::{Word, word};
use super::{Call, Content, Part, WITHHELD};

/// Longest text given as an argument: Linux allows 128 KiB for one.
const ARGUMENT: usize = 64 << 10;

fn text(parts: &[Part]) -> Word {
    let mut word = Word::default();
    for part in parts {
        match part {
            Part::Text(bytes) => word.literal(bytes),
            Part::Variable(name) => word.variable(name),
        };
    }
    word
}

/// The command.
pub(super) fn write(call: &Call) -> String {
    let size: usize = match &call.content {
        Content::Text(parts) => {
            parts.iter().map(|part| if let Part::Text(text) = part { text.len() } else { 0 }).sum()
        }
        _ => 0,
    };
    let (pipe, raw) = match &call.content {
        Content::None => (String::new(), None),
        Content::Text(parts) if size <= ARGUMENT => (String::new(), Some(text(parts).finish())),
        Content::Text(parts) => (format!("printf %s {} | ", text(parts).finish()), None),
        Content::Binary(base64) => (format!("printf %s '{base64}' | base64 -d | "), None),
        Content::Withheld => (format!("printf %s \"${WITHHELD}\" | base64 -d | "), None),
    };
    let mut options = vec![format!("http --verbose{}", if pipe.is_empty() { " --ignore-stdin" } else { "" })];
    let method = word(call.method.as_bytes());
    options.push(format!("{method} {}", text(&call.url).finish()));
    for (name, value) in &call.fields {
        let mut item = Word::default();
        item.literal(name.as_bytes());
        if value.is_empty() {
            item.literal(b";");
        } else {
            // The blank keeps a value that begins with @ or = from being read as a file or as JSON.
            item.literal(b": ");
            for part in value {
                match part {
                    Part::Text(bytes) => item.literal(bytes),
                    Part::Variable(name) => item.variable(name),
                };
            }
        }
        options.push(item.finish());
    }
    options.extend(raw.map(|raw| format!("--raw {raw}")));
    format!("{pipe}{}\n", options.join(" \\\n  "))
}
