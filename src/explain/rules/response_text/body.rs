//! Error bodies of any shape taken apart: JSON members, XML elements, the text of an HTML page, plain text.

use crate::explain::rules::response_text::utterance::{MAX, Place, Utterance};
use crate::features::html;
use crate::features::json;
use crate::features::json::{JsonEnd, JsonKind};
use crate::features::parameters;
use crate::model::Part;

/// Bytes of a body that are read.
pub const WINDOW: usize = 64 << 10;

/// Strings that hold JSON themselves are read so deep.
const DEEP: u8 = 2;

/// Members that hold no reason: addresses of documents, identifiers, echoes of the request.
const SILENT: [&str; 26] = [
    "path",
    "timestamp",
    "instance",
    "documentation_url",
    "doc_url",
    "more_info",
    "moreinfo",
    "help",
    "request_id",
    "requestid",
    "trace",
    "traceid",
    "trace_id",
    "correlation_id",
    "href",
    "url",
    "links",
    "status",
    "statuscode",
    "status_code",
    "hostid",
    "resource",
    "method",
    "id",
    "stack",
    "awsaccesskeyid",
];

/// Adds what `content` of the media type `media` says.
pub fn read(media: &str, content: &[u8], out: &mut Vec<Utterance>) {
    let content = content.get(..WINDOW).unwrap_or(content);
    let text = String::from_utf8_lossy(content);
    let trimmed = text.trim_start_matches('\u{feff}').trim();
    if trimmed.is_empty() {
        return;
    }
    let media = media.to_ascii_lowercase();
    if trimmed.starts_with(['{', '[', '"']) {
        from_json(trimmed, out);
    } else if trimmed.starts_with('<') && (media.contains("html") || is_html(trimmed)) {
        from_html(trimmed, out);
    } else if trimmed.starts_with('<') {
        from_xml(trimmed, out);
    } else if media.contains("form-urlencoded") {
        for parameter in parameters(trimmed.as_bytes()).take(MAX) {
            sentences(Place::Prose, parameter.name().as_ref(), &parameter.text(), out);
        }
    } else {
        sentences(Place::Prose, "", trimmed, out);
    }
}

fn is_html(text: &str) -> bool {
    let head: String = text.chars().take(400).collect::<String>().to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body", "<h1", "<center", "<pre"]
        .iter()
        .any(|tag| head.contains(tag))
}

/// The members of `content`; where it is cut or no JSON after all, the rest is prose.
fn from_json(content: &str, out: &mut Vec<Utterance>) {
    nested_json(content, 0, out);
}

fn nested_json(content: &str, depth: u8, out: &mut Vec<Utterance>) {
    let document = json::flatten(content.as_bytes());
    let read = document.leaves.last().map_or(0, |leaf| leaf.at + leaf.raw.len());
    let rest = match document.end {
        JsonEnd::Cut | JsonEnd::Invalid(_) => content.get(read..).unwrap_or_default(),
        JsonEnd::Complete | JsonEnd::Limit => "",
    };
    for leaf in document.leaves {
        let name = json::last_name(&leaf.path).unwrap_or_default().split('[').next().unwrap_or_default();
        let quiet = SILENT.iter().any(|silent| name.eq_ignore_ascii_case(silent));
        match leaf.kind {
            JsonKind::String if !quiet || name.eq_ignore_ascii_case("status") => {
                let text = leaf.text();
                // JSON or a page inside a string, which gateways make of what stands behind them.
                match text.trim_start().as_bytes() {
                    [b'{' | b'[', ..] if depth < DEEP => nested_json(&text, depth + 1, out),
                    [b'<', ..] if depth < DEEP && is_html(&text) => from_html(&text, out),
                    [b'<', ..] if depth < DEEP && text.contains("</") => from_xml(&text, out),
                    _ => sentences(Place::Prose, name, &text, out),
                }
            }
            JsonKind::Number if name.to_ascii_lowercase().contains("code") => {
                push(Utterance::new(Place::Code, Part::ResponseBody, name, &leaf.text()), out);
            }
            JsonKind::Bool if leaf.raw == b"true" => {
                push(Utterance::new(Place::Code, Part::ResponseBody, name, name), out);
            }
            _ => {}
        }
    }
    sentences(Place::Prose, "", rest, out);
}

fn from_xml(text: &str, out: &mut Vec<Utterance>) {
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let tail = rest.get(open + 1..).unwrap_or_default();
        let Some(close) = tail.find('>') else { break };
        let (tag, after) = (tail.get(..close).unwrap_or_default(), tail.get(close + 1..).unwrap_or_default());
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        let name = name.rsplit(':').next().unwrap_or_default();
        let end = after.find('<').unwrap_or(after.len());
        let content = after.get(..end).unwrap_or_default().trim();
        let echo = [
            "stringtosign",
            "canonicalrequest",
            "stringtosignbytes",
            "canonicalrequestbytes",
            "signatureprovided",
        ];
        let quiet = SILENT.contains(&name.to_ascii_lowercase().as_str())
            || echo.contains(&name.to_ascii_lowercase().as_str());
        if !tag.starts_with(['/', '?', '!']) {
            attributes(tag, out);
            if let Some((text, end)) = cdata(after) {
                sentences(Place::Prose, name, text, out);
                rest = after.get(end..).unwrap_or_default();
                continue;
            }
            if !content.is_empty() && !quiet {
                sentences(Place::Prose, name, &html::unescape(content), out);
            }
        }
        rest = after;
    }
}

/// The text of a CDATA section at the beginning, and where it ends.
fn cdata(text: &str) -> Option<(&str, usize)> {
    let inner = text.trim_start().strip_prefix("<![CDATA[")?;
    let start = text.len() - inner.len();
    let end = inner.find("]]>")?;
    Some((inner.get(..end)?, start + end + 3))
}

/// Attributes that name an error: `<err code="4" msg="…"/>`.
fn attributes(tag: &str, out: &mut Vec<Utterance>) {
    let mut rest = tag;
    while let Some((before, tail)) = rest.split_once("=\"") {
        let name = before.rsplit([' ', '\n', '\t', ':']).next().unwrap_or_default();
        let Some((value, after)) = tail.split_once('"') else { return };
        let lower = name.to_ascii_lowercase();
        if ["msg", "message", "reason", "error", "description", "code", "detail", "title"]
            .iter()
            .any(|known| lower.contains(known))
        {
            sentences(Place::Prose, name, &html::unescape(value), out);
        }
        rest = after;
    }
}

/// Text of a page, titles and headings apart.
fn from_html(text: &str, out: &mut Vec<Utterance>) {
    for block in html::blocks(text, MAX) {
        sentences(if block.heading { Place::Title } else { Place::Prose }, "", &block.text, out);
    }
}

/// One utterance a sentence; a single word in a named member is a code.
fn sentences(place: Place, name: &str, text: &str, out: &mut Vec<Utterance>) {
    let text = text.trim();
    let code =
        !text.is_empty() && !name.is_empty() && text.len() <= 120 && !text.contains(char::is_whitespace);
    if code {
        return push(Utterance::new(Place::Code, Part::ResponseBody, name, text), out);
    }
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest
            .match_indices(['.', '!', '?', ';', '\n', ':', '。', '！', '？', '；'])
            .find(|(at, found)| {
                let tail = rest.get(at + found.len()..).unwrap_or_default();
                *found == "\n"
                    || found.len() > 1
                    || tail.starts_with([' ', '\n', '\r'])
                    || glued(rest.get(..*at).unwrap_or_default(), tail)
            })
            .map_or(rest.len(), |(at, found)| at + found.len());
        let (one, tail) = rest.split_at(end);
        if one.bytes().any(|byte| byte.is_ascii_alphanumeric() || byte >= 0x80) {
            push(Utterance::new(place, Part::ResponseBody, name, one), out);
        }
        rest = tail;
    }
}

/// Whether a sentence ends here although no space follows: "has expired.Please sign in".
fn glued(before: &str, after: &str) -> bool {
    let mut next = after.chars();
    let begins = next.next().is_some_and(char::is_uppercase) && next.next().is_some_and(char::is_lowercase);
    let mut last = before.chars().rev();
    let word = last.next().is_some_and(char::is_lowercase) && last.next().is_some_and(char::is_lowercase);
    begins && word && before.contains(' ')
}

fn push(utterance: Utterance, out: &mut Vec<Utterance>) {
    if out.len() < MAX {
        out.push(utterance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(media: &str, body: &str) -> Vec<(Place, String, String)> {
        let mut out = Vec::new();
        read(media, body.as_bytes(), &mut out);
        out.into_iter().map(|one| (one.place, one.name, one.text)).collect()
    }

    #[test]
    fn json_members_keep_their_names_and_codes_stand_out() {
        let found = said(
            "application/json",
            r#"{"error":{"code":"quotaExceeded","message":"Used up. Wait."},"path":"/x","request_id":"ab"}"#,
        );
        assert_eq!(found.len(), 3);
        assert_eq!(found[0], (Place::Code, "code".into(), "quotaExceeded".into()));
        assert_eq!(found[1].2, "Used up.");
    }

    #[test]
    fn pages_lose_scripts_and_comments_and_keep_headings() {
        let found = said(
            "text/html",
            "<html><head><title>Sorry</title><script>var csrf=1</script><!-- csrf --></head><body><h1>Access&#32;restricted</h1>a <b>bold</b> word</body>",
        );
        assert_eq!(found[0], (Place::Title, String::new(), "Sorry".into()));
        assert_eq!(found[1], (Place::Title, String::new(), "Access restricted".into()));
        assert_eq!(found[2].2, "a bold word");
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn xml_elements_give_their_text() {
        let found = said(
            "application/xml",
            "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>No. Never</Message><RequestId>x</RequestId></Error>",
        );
        assert_eq!(found[0], (Place::Code, "Code".into(), "AccessDenied".into()));
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn what_is_cut_or_no_json_after_all_is_prose() {
        let found = said("application/json", r#"{"statusCode":403,"message":"Insufficient sco"#);
        assert!(found.iter().any(|one| one.2.contains("Insufficient sco")));
        let found = said("text/plain", "[denied] no key was sent");
        assert!(found.iter().any(|one| one.2.contains("no key was sent")));
    }

    #[test]
    fn broken_input_does_no_harm() {
        for body in ["<", "<a", "<!--", "{\"a", "\u{feff}", "<script>", "&#", "."] {
            said("text/html", body);
        }
    }
}
