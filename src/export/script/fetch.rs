//! `JavaScript` with fetch, for Node.js (a browser would not let a page set some of the fields).

use std::fmt::Write as _;

use super::{Call, Content, Part, WITHHELD, characters, quoted, sum};
use crate::edge::sanitize;

/// A string literal. `</` is broken up, so that it is safe within a page as well.
fn literal(text: &str) -> String {
    quoted(text, |letter| match letter {
        '<' => Some("\\u003c".to_owned()),
        _ => sanitize::is_unsafe(letter).then(|| format!("\\u{{{:x}}}", letter as u32)),
    })
}

fn joined(parts: &[Part], text: impl Fn(&[u8]) -> String) -> String {
    let variable = |name: &str| format!("process.env[{}]", literal(name));
    sum(parts, |bytes| literal(&text(bytes)), variable).unwrap_or_else(|| literal(""))
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
