//! `PowerShell` 7: Invoke-WebRequest.

use std::fmt::Write as _;

use super::{Call, Content, Part, WITHHELD, characters, sum};
use crate::edge::sanitize;

/// Characters that `PowerShell` takes for a single quote.
const QUOTES: [char; 5] = ['\'', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}'];

/// An expression for a text: quoted runs, and characters by their number where they must not be shown.
fn literal(text: &str) -> String {
    let mut pieces: Vec<String> = Vec::new();
    let mut run = String::new();
    for letter in text.chars() {
        if sanitize::is_unsafe(letter) || letter.is_control() || ('\u{80}'..'\u{a0}').contains(&letter) {
            if !run.is_empty() {
                pieces.push(format!("'{}'", std::mem::take(&mut run)));
            }
            pieces.push(format!("[char]::ConvertFromUtf32({})", letter as u32));
            continue;
        }
        if QUOTES.contains(&letter) {
            run.push(letter);
        }
        run.push(letter);
    }
    if !run.is_empty() || pieces.is_empty() {
        pieces.push(format!("'{run}'"));
    }
    // The first operand decides what + means: it is always a string.
    pieces.join(" + ")
}

fn joined(parts: &[Part], text: impl Fn(&[u8]) -> String) -> String {
    let sum = sum(parts, |bytes| literal(&text(bytes)), |name| format!("$env:{name}"));
    sum.map_or_else(|| literal(""), |sum| format!("({sum})"))
}

/// The command.
pub(super) fn write(call: &Call) -> String {
    let mut out = String::from("$headers = @{}\n");
    let mut known: Vec<String> = Vec::new();
    let mut media = None;
    for (name, value) in &call.fields {
        let text = joined(value, characters);
        if name.eq_ignore_ascii_case("content-type") {
            media = Some(text);
            continue;
        }
        let lower = name.to_ascii_lowercase();
        let key = literal(name);
        if known.contains(&lower) {
            let between = if lower == "cookie" { "; " } else { ", " };
            let _ = writeln!(out, "$headers[{key}] += '{between}' + {text}");
        } else {
            let _ = writeln!(out, "$headers[{key}] = {text}");
            known.push(lower);
        }
    }
    let url = joined(&call.url, characters);
    let mut options = vec![
        "Invoke-WebRequest".to_owned(),
        format!("-Uri {url}"),
        format!("-CustomMethod {}", joined(&[Part::Text(call.method.clone().into_bytes())], characters)),
        "-Headers $headers -SkipHeaderValidation -SkipHttpErrorCheck -MaximumRedirection 0".to_owned(),
    ];
    options.extend(media.map(|media| format!("-ContentType {media}")));
    match &call.content {
        Content::None => {}
        Content::Text(parts) => {
            let text = joined(parts, |bytes| String::from_utf8_lossy(bytes).into_owned());
            options.push(format!("-Body ([Text.Encoding]::UTF8.GetBytes({text}))"));
        }
        Content::Binary(base64) => options.push(format!("-Body ([Convert]::FromBase64String('{base64}'))")),
        Content::Withheld => options.push(format!("-Body ([Convert]::FromBase64String($env:{WITHHELD}))")),
    }
    out.push_str(&options.join(" `\n  "));
    out.push('\n');
    out
}
