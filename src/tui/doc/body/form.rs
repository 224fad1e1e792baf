//! Forms as tables: one line a field, names aligned.

use crate::edge::sanitize;
use crate::features::{MediaType, multipart_fields, parameters};
use crate::model::Part;
use crate::tui::doc::{Doc, Line};
use crate::tui::text;
use crate::tui::theme::Role;

/// The widest column that names may take.
const MAX_NAME: usize = 32;

/// Appends a table of `rows` to `doc`, anchored at their names.
pub(in crate::tui::doc) fn table(doc: &mut Doc, rows: &[(String, String)], part: Part, indent: usize) {
    let column = rows.iter().map(|(name, _)| text::width(name)).max().unwrap_or_default().min(MAX_NAME);
    for (name, value) in rows {
        let line = Line::of(Role::Text, &" ".repeat(indent)).add(Role::Name, name).pad(indent + column);
        let line = line.add(Role::Dim, " = ").value(Role::Text, value);
        doc.push(line.hang(indent + column + 3).anchor(part, name));
    }
}

/// Appends an `application/x-www-form-urlencoded` body.
pub(super) fn urlencoded(doc: &mut Doc, body: &[u8], part: Part) {
    let rows: Vec<(String, String)> = parameters(body)
        .map(|parameter| {
            let name = sanitize::line(parameter.name().as_bytes()).into_owned();
            (name, sanitize::line(&parameter.value()).into_owned())
        })
        .collect();
    table(doc, &rows, part, 2);
}

/// Appends a multipart body part by part; as text when it has none.
pub(super) fn multipart(doc: &mut Doc, body: &[u8], media: &[u8], part: Part) {
    let boundary = MediaType::parse(media).and_then(|media| media.boundary().map(str::to_owned));
    let parts = boundary.map(|boundary| multipart_fields(body, &boundary)).unwrap_or_default();
    if parts.is_empty() {
        doc.push(Line::of(Role::Warn, "(no part found between the boundaries)"));
        super::plain(doc, body, media, part);
    }
    for field in parts {
        super::part_of_multipart(doc, &field, part);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;

    #[test]
    fn forms_are_decoded_and_aligned() {
        let lines = shown("application/x-www-form-urlencoded", b"name=J%C3%BCrgen+M&csrf_token=ab%20c&flag");
        assert_eq!(lines, ["  name       = Jürgen M", "  csrf_token = ab c", "  flag       = "]);
    }

    #[test]
    fn multipart_shows_each_part_by_its_kind() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{\"a\":1}\r\n\
            --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.bin\"\r\n\r\n\x00\x01\r\n--b--\r\n";
        let lines = shown("multipart/form-data; boundary=b", body);
        assert!(lines.iter().any(|line| line.contains("meta")), "{lines:?}");
        assert!(lines.iter().any(|line| line == "  \"a\": 1"), "{lines:?}");
        assert!(lines.iter().any(|line| line.contains("x.bin")), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("000000  00 01")), "{lines:?}");
    }
}
