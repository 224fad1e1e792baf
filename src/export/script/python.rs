//! Python with the requests library.

use std::fmt::Write as _;

use super::{Call, Content, Part, WITHHELD, characters, quoted, sum};
use crate::edge::sanitize;

/// A string literal in ASCII but for letters that a terminal shows as they are.
fn literal(text: &str) -> String {
    quoted(text, |letter| sanitize::is_unsafe(letter).then(|| format!("\\U{:08x}", letter as u32)))
}

fn joined(parts: &[Part], text: impl Fn(&[u8]) -> String) -> String {
    let variable = |name: &str| format!("os.environ[{}]", literal(name));
    sum(parts, |bytes| literal(&text(bytes)), variable).unwrap_or_else(|| literal(""))
}

/// The program.
pub(super) fn write(call: &Call) -> String {
    let mut out = String::from("import os\n");
    if matches!(call.content, Content::Binary(_) | Content::Withheld) {
        out.push_str("import base64\n");
    }
    out.push_str("import requests\n\n");
    let method = literal(&call.method);
    let _ =
        writeln!(out, "response = requests.request(\n    {method},\n    {},", joined(&call.url, characters));
    out.push_str("    headers={\n");
    for (name, value) in combined(call) {
        let _ = writeln!(out, "        {}: {value},", literal(&name));
    }
    out.push_str("    },\n");
    match &call.content {
        Content::None => {}
        Content::Text(parts) => {
            let text = joined(parts, |bytes| String::from_utf8_lossy(bytes).into_owned());
            let _ = writeln!(out, "    data=({text}).encode(),");
        }
        Content::Binary(base64) => {
            let _ = writeln!(out, "    data=base64.b64decode({}),", literal(base64));
        }
        Content::Withheld => {
            let _ = writeln!(out, "    data=base64.b64decode(os.environ[{}]),", literal(WITHHELD));
        }
    }
    out.push_str(
        "    allow_redirects=False,\n)\nprint(response.status_code, response.headers, response.text)\n",
    );
    out
}

/// Fields by name: a dictionary holds a name once, so repeated ones are joined as RFC 9110 §5.3 allows.
fn combined(call: &Call) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for (name, value) in &call.fields {
        let value = joined(value, characters);
        match found.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((known, joined)) => {
                let between = if known.eq_ignore_ascii_case("cookie") { "; " } else { ", " };
                let _ = write!(joined, " + \"{between}\" + {value}");
            }
            None => found.push((name.clone(), value)),
        }
    }
    found
}
