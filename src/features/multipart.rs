//! The parts of a multipart body (RFC 2046 §5.1, RFC 7578).

use memchr::memmem;

/// Most parts that are listed.
pub const MAX_PARTS: usize = 64;

/// One part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MultipartField<'a> {
    /// `name` of Content-Disposition, without quotes; empty when there is none.
    pub name: &'a [u8],
    /// `filename` of Content-Disposition.
    pub filename: Option<&'a [u8]>,
    /// The part's Content-Type.
    pub media_type: Option<&'a [u8]>,
    /// The part's content, as far as it was captured.
    pub value: &'a [u8],
}

/// The parts of `body` between lines of `--boundary`, at most [`MAX_PARTS`]; a part cut at the end is listed too.
pub fn fields<'a>(body: &'a [u8], boundary: &str) -> Vec<MultipartField<'a>> {
    let mut fields = Vec::new();
    if boundary.is_empty() || boundary.len() > 200 {
        return fields;
    }
    let delimiter = format!("--{boundary}");
    let finder = memmem::Finder::new(delimiter.as_bytes());
    let Some(first) = finder.find(body) else { return fields };
    let mut rest = body.get(first + delimiter.len()..).unwrap_or_default();
    while fields.len() < MAX_PARTS && !rest.is_empty() && !rest.starts_with(b"--") {
        let end = finder.find(rest).unwrap_or(rest.len());
        let (part, tail) = rest.split_at(end);
        fields.push(part_of(part));
        rest = tail.get(delimiter.len()..).unwrap_or_default();
    }
    fields
}

/// Whether `body` ends with the closing delimiter, `--boundary--`, as far as white space and an epilogue allow.
pub fn is_closed(body: &[u8], boundary: &str) -> bool {
    memmem::rfind(body, format!("--{boundary}--").as_bytes()).is_some()
}

/// `part` begins after the delimiter and ends before the next one.
fn part_of(part: &[u8]) -> MultipartField<'_> {
    let part = part.strip_prefix(b"\r\n").or_else(|| part.strip_prefix(b"\n")).unwrap_or(part);
    let (head, value) = match (memmem::find(part, b"\r\n\r\n"), memmem::find(part, b"\n\n")) {
        (Some(at), lf) if lf.is_none_or(|lf| at < lf) => (part.get(..at), part.get(at + 4..)),
        (_, Some(at)) => (part.get(..at), part.get(at + 2..)),
        _ => (Some(part), None),
    };
    let value = value.unwrap_or_default();
    let value = value.strip_suffix(b"\r\n").or_else(|| value.strip_suffix(b"\n")).unwrap_or(value);
    let mut field = MultipartField { value, ..MultipartField::default() };
    for line in head.unwrap_or_default().split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        if let Some(rest) = named(line, b"content-disposition:") {
            field.name = parameter(rest, b"name").unwrap_or_default();
            field.filename = parameter(rest, b"filename");
        } else if let Some(rest) = named(line, b"content-type:") {
            field.media_type = Some(rest.trim_ascii());
        }
    }
    field
}

fn named<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = line.split_at_checked(name.len())?;
    head.eq_ignore_ascii_case(name).then_some(rest)
}

fn parameter<'a>(disposition: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    disposition.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).find_map(|part| {
        let value = named(part, name)?.strip_prefix(b"=")?;
        Some(value.strip_prefix(b"\"").map_or(value, |value| value.strip_suffix(b"\"").unwrap_or(value)))
    })
}

#[cfg(test)]
mod tests {
    use super::{MAX_PARTS, fields, is_closed};

    #[test]
    fn lists_parts() {
        let body = b"preamble\r\n--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--B\r\n\
            content-disposition: form-data; name=f; filename=\"x.php\"\r\nContent-Type: text/plain\r\n\r\n\r\nhi\r\n--B--\r\n";
        let all = fields(body, "B");
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].name, all[0].value), (&b"a"[..], &b"1"[..]));
        assert_eq!((all[1].name, all[1].filename), (&b"f"[..], Some(&b"x.php"[..])));
        assert_eq!((all[1].media_type, all[1].value), (Some(&b"text/plain"[..]), &b"\r\nhi"[..]));
    }

    #[test]
    fn the_closing_delimiter() {
        assert!(is_closed(b"--B\r\n\r\nx\r\n--B--\r\n", "B") && is_closed(b"--B--epilogue", "B"));
        assert!(!is_closed(b"--B\r\n\r\nx\r\n--B\r\n", "B") && !is_closed(b"--B-", "B"));
    }

    #[test]
    fn bounds_hold() {
        let many = "--B\r\n\r\nx\r\n".repeat(MAX_PARTS * 2);
        assert_eq!(fields(many.as_bytes(), "B").len(), MAX_PARTS);
        assert!(fields(b"--\r\n", "").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn never_panics(body in "[-B\r\n:;=a\"]{0,80}") {
            let _ = fields(body.as_bytes(), "B");
        }
    }
}
