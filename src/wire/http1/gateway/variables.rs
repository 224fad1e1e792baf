//! The variables of a request (RFC 3875 §4.1) as a head of HTTP/1.1, and the answer of a CGI program as one.

use super::{Content, HEAD, Message};

/// The variables of a request, in their order.
#[derive(Debug, Default)]
pub(super) struct Variables(Vec<(Vec<u8>, Vec<u8>)>);

impl Variables {
    pub(super) fn push(&mut self, name: &[u8], value: &[u8]) {
        self.0.push((name.to_vec(), value.to_vec()));
    }

    fn get(&self, name: &str) -> Option<&[u8]> {
        let found = self.0.iter().find(|(known, _)| known == name.as_bytes());
        found.map(|(_, value)| value.as_slice()).filter(|value| !value.is_empty())
    }

    /// Bytes of content that the request announces.
    pub(super) fn length(&self) -> u64 {
        let digits = self.get("CONTENT_LENGTH").and_then(|digits| std::str::from_utf8(digits).ok());
        digits.and_then(|digits| digits.trim().parse().ok()).unwrap_or_default()
    }

    /// The head, if there is a method.
    pub(super) fn head(&self) -> Option<Vec<u8>> {
        let method = self.get("REQUEST_METHOD")?;
        let target = match self.get("REQUEST_URI") {
            Some(target) => target.to_vec(),
            None => {
                let parts = [self.get("SCRIPT_NAME"), self.get("PATH_INFO")];
                let path = parts.into_iter().flatten().collect::<Vec<_>>().concat();
                let path = if path.is_empty() { b"/".to_vec() } else { path };
                match self.get("QUERY_STRING") {
                    Some(query) => [&path, &b"?"[..], query].concat(),
                    None => path,
                }
            }
        };
        let protocol = self.get("SERVER_PROTOCOL").filter(|protocol| protocol.starts_with(b"HTTP/1."));
        let mut head = Vec::with_capacity(512);
        for piece in [method, b" ", &target, b" ", protocol.unwrap_or(b"HTTP/1.1")] {
            append(&mut head, piece);
        }
        head.extend_from_slice(b"\r\n");
        for (name, value) in &self.0 {
            let field = match name.as_slice() {
                b"CONTENT_TYPE" | b"CONTENT_LENGTH" => Some(name.as_slice()),
                name => name.strip_prefix(b"HTTP_"),
            };
            if let Some(field) = field.filter(|field| !field.is_empty() && !value.is_empty()) {
                super::variables::field(&mut head, &field_name(field), value);
            }
        }
        head.extend_from_slice(b"\r\n");
        (head.len() <= HEAD).then_some(head)
    }
}

/// `CONTENT_TYPE` → `Content-Type`.
fn field_name(variable: &[u8]) -> Vec<u8> {
    let mut name = variable.to_ascii_lowercase();
    let mut begins = true;
    for byte in &mut name {
        if *byte == b'_' {
            *byte = b'-';
        } else if begins {
            byte.make_ascii_uppercase();
        }
        begins = *byte == b'-';
    }
    name
}

/// A field line.
pub(super) fn field(head: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    append(head, name);
    head.extend_from_slice(b": ");
    append(head, value);
    head.extend_from_slice(b"\r\n");
}

/// A part of a line; what would end the line becomes a space.
pub(super) fn append(head: &mut Vec<u8>, piece: &[u8]) {
    head.extend(piece.iter().map(|byte| if matches!(byte, b'\r' | b'\n' | 0) { b' ' } else { *byte }));
}

/// What a CGI program wrote (RFC 3875 §6): fields, of which `Status` makes the status line, and content.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// Bytes of the head, until its end has come. Bound: [`HEAD`].
    head: Vec<u8>,
    /// How much of it was searched.
    searched: usize,
    is_whole: bool,
    content: Content,
}

impl Output {
    pub(super) fn push(&mut self, data: &[u8]) {
        if self.is_whole {
            self.content.push(data);
            return;
        }
        self.head.extend_from_slice(data);
        let from = self.searched.saturating_sub(3);
        let rest = self.head.get(from..).unwrap_or_default();
        let crlf = memchr::memmem::find(rest, b"\r\n\r\n").map(|at| (from + at + 2, from + at + 4));
        let lf = memchr::memmem::find(rest, b"\n\n").map(|at| (from + at + 1, from + at + 2));
        self.searched = self.head.len();
        let end = [crlf, lf].into_iter().flatten().min();
        if let Some((head, content)) = end {
            self.is_whole = true;
            self.content.push(self.head.get(content..).unwrap_or_default());
            self.head.truncate(head);
        } else if self.head.len() > HEAD {
            self.is_whole = true;
        }
    }

    pub(super) fn cost(&self) -> usize {
        self.head.capacity() + self.content.kept.capacity()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.head.is_empty()
    }

    /// The whole of it as a response of HTTP/1.1.
    pub(super) fn message(self) -> Message {
        let lines =
            self.head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
        let lines: Vec<&[u8]> = lines.collect();
        let value = |line: &&[u8], name: &str| {
            let (field, value) = line.split_at_checked(name.len())?;
            field.eq_ignore_ascii_case(name.as_bytes()).then(|| value.trim_ascii().to_vec())
        };
        let status = lines.iter().find_map(|line| value(line, "status:"));
        let is_redirect = lines.iter().any(|line| value(line, "location:").is_some());
        let status =
            status.unwrap_or_else(|| if is_redirect { b"302 Found".to_vec() } else { b"200 OK".to_vec() });
        let mut head = b"HTTP/1.1 ".to_vec();
        append(&mut head, &status);
        head.extend_from_slice(b"\r\n");
        for line in lines.iter().filter(|line| value(line, "status:").is_none()) {
            append(&mut head, line);
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        Message { head, content: self.content }
    }
}

#[cfg(test)]
mod tests {
    use super::{Output, Variables};

    #[test]
    fn variables_are_written_as_a_head() {
        let mut variables = Variables::default();
        for (name, value) in [
            ("SCRIPT_NAME", "/app"),
            ("PATH_INFO", "/x"),
            ("QUERY_STRING", "a=1"),
            ("REQUEST_METHOD", "POST"),
            ("CONTENT_LENGTH", "5"),
            ("HTTP_X_EVIL", "a\r\nb"),
            ("HTTP_HOST", "api"),
            ("HTTP_", "x"),
        ] {
            variables.push(name.as_bytes(), value.as_bytes());
        }
        let head = String::from_utf8(variables.head().unwrap()).unwrap();
        assert_eq!(
            head,
            "POST /app/x?a=1 HTTP/1.1\r\nContent-Length: 5\r\nX-Evil: a  b\r\nHost: api\r\n\r\n"
        );
        assert_eq!((variables.length(), Variables::default().head()), (5, None));
    }

    #[test]
    fn the_output_of_a_program_has_a_status_or_none() {
        for (output, status) in [
            ("Status: 403 Forbidden\r\nContent-Type: a/b\r\n\r\nno", "HTTP/1.1 403 Forbidden\r\n"),
            ("Content-Type: a/b\n\nno", "HTTP/1.1 200 OK\r\n"),
            ("Location: /x\r\n\r\nno", "HTTP/1.1 302 Found\r\n"),
        ] {
            let mut pieces = Output::default();
            output.bytes().for_each(|byte| pieces.push(&[byte]));
            let message = pieces.message();
            assert!(message.head.starts_with(status.as_bytes()), "{output}");
            assert_eq!((message.content.kept.as_slice(), message.content.len), (&b"no"[..], 2));
        }
    }
}
