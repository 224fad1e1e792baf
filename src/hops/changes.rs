//! What a proxy changed of a request and of its response.

use crate::model::{Difference, DifferenceKind, Exchange, Fields, Part, Significance};

/// Fields that belong to a connection and not to the request (RFC 9110 §7.6.1).
const CONNECTION: [&str; 6] = ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];
/// Fields without which a server may refuse.
const SUSPECTS: [&str; 12] = [
    "authorization",
    "cookie",
    "host",
    "origin",
    "referer",
    "content-type",
    "x-api-key",
    "x-csrf-token",
    "x-csrftoken",
    "x-xsrf-token",
    "date",
    "digest",
];
/// Changes that are listed, at most.
const MAX: usize = 48;

/// What became of the request of `outer` in that of `inner`, and of the response of `inner` in that of `outer`. `baseline` is what
/// came to the proxy, `this` what left it.
pub fn changes(outer: &Exchange, inner: &Exchange) -> Vec<Difference> {
    let mut found = Vec::new();
    if let (Some(asked), Some(passed)) = (&outer.request, &inner.request) {
        let (from, to) = (asked.head.method().as_bytes(), passed.head.method().as_bytes());
        value(&mut found, Part::RequestLine, "method", Some(from), Some(to), Significance::Suspect);
        let (from, to) = (asked.head.target(), passed.head.target());
        value(&mut found, Part::Path, "", Some(from), Some(to), Significance::Context);
        fields(&mut found, Part::RequestHeader, asked.head.fields(), passed.head.fields());
        if asked.body.len != passed.body.len || asked.body.kept != passed.body.kept {
            let (from, to) = (Some(&*asked.body.kept), Some(&*passed.body.kept));
            value(&mut found, Part::RequestBody, "", from, to, Significance::Suspect);
        }
    }
    if let (Some(answer), Some(given)) = (&inner.response, &outer.response) {
        let (from, to) = (answer.head.status().to_string(), given.head.status().to_string());
        let (from, to) = (Some(from.as_bytes()), Some(to.as_bytes()));
        value(&mut found, Part::StatusLine, "status", from, to, Significance::Suspect);
        fields(&mut found, Part::ResponseHeader, answer.head.fields(), given.head.fields());
    }
    found.sort_by_key(|one| one.significance != Significance::Suspect);
    found.truncate(MAX);
    found
}

fn fields(found: &mut Vec<Difference>, part: Part, from: &Fields, to: &Fields) {
    let names = from.iter().chain(to.iter()).map(|field| field.name_text().to_ascii_lowercase());
    let mut seen: Vec<String> = Vec::new();
    for name in names.take(256) {
        if CONNECTION.contains(&name.as_str()) || seen.contains(&name) {
            continue;
        }
        let is_suspect = part == Part::RequestHeader && SUSPECTS.contains(&name.as_str());
        let significance = if is_suspect { Significance::Suspect } else { Significance::Context };
        value(found, part, &name, from.value(&name), to.value(&name), significance);
        seen.push(name);
    }
}

fn value(
    found: &mut Vec<Difference>,
    part: Part,
    name: &str,
    from: Option<&[u8]>,
    to: Option<&[u8]>,
    significance: Significance,
) {
    let kind = match (from, to) {
        (from, to) if from == to => return,
        (None, _) => DifferenceKind::Added,
        (_, None) => DifferenceKind::Removed,
        _ => DifferenceKind::Changed,
    };
    let (baseline, this) = (from.map(<[u8]>::to_vec), to.map(<[u8]>::to_vec));
    found.push(Difference { part, name: name.to_owned(), kind, significance, baseline, this, note: None });
}
