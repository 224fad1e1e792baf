//! `JavaScript` with fetch, for Node.js (a browser would not let a page set some of the fields).

use std::fmt::Write as _;

use super::{Call, Content, Part, WITHHELD, characters};
use crate::edge::sanitize;

/// A string literal. `</` is broken up, so that it is safe within a page as well.
fn literal(text: &str) -> String {
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
            '<' => out.push_str("\\u003c"),
            _ if sanitize::is_unsafe(letter)
                || matches!(letter, '\u{80}'..'\u{a0}' | '\u{2028}' | '\u{2029}') =>
            {
                let _ = write!(out, "\\u{{{:x}}}", letter as u32);
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
    out
}

fn joined(parts: &[Part], text: impl Fn(&[u8]) -> String) -> String {
    let each = parts.iter().map(|part| match part {
        Part::Text(bytes) => literal(&text(bytes)),
        Part::Variable(name) => format!("process.env[{}]", literal(name)),
    });
    let each: Vec<String> = each.collect();
    if each.is_empty() { "\"\"".to_owned() } else { each.join(" + ") }
}

/// The program.
pub(super) fn write(call: &Call) -> String {
    let mut out = format!("const response = await fetch({}, {{\n", joined(&call.url, characters));
    let _ = writeln!(out, "  method: {},", literal(&call.method));
    out.push_str("  headers: [\n");
    for (name, value) in &call.fields {
        let _ = writeln!(out, "    [{}, {}],", literal(name), joined(value, characters));
    }
    out.push_str("  ],\n");
    match &call.content {
        Content::None => {}
        Content::Text(parts) => {
            let text = joined(parts, |bytes| String::from_utf8_lossy(bytes).into_owned());
            let _ = writeln!(out, "  body: {text},");
        }
        Content::Binary(base64) => {
            let _ = writeln!(out, "  body: Buffer.from({}, \"base64\"),", literal(base64));
        }
        Content::Withheld => {
            let _ = writeln!(out, "  body: Buffer.from(process.env[{}], \"base64\"),", literal(WITHHELD));
        }
    }
    out.push_str("  redirect: \"manual\",\n});\nconsole.log(response.status, [...response.headers], await response.text());\n");
    out
}
