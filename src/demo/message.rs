//! Requests and responses as the staging box's two sides write and read them. Both sides are ours: what they do not
//! write they need not read.

use std::fmt::Write as _;
use std::io;

use memchr::memmem;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest message either side takes.
const LIMIT: usize = 64 << 10;

/// A message: start line, fields, content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// Without its line break.
    pub(super) start: String,
    /// In order.
    pub(super) fields: Vec<(String, String)>,
    /// The content.
    pub(super) body: String,
}

impl Message {
    pub(super) fn new(start: impl Into<String>) -> Self {
        Self { start: start.into(), ..Self::default() }
    }

    #[must_use]
    pub(super) fn field(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    /// With content and its length.
    #[must_use]
    pub(super) fn body(self, media: &str, body: impl Into<String>) -> Self {
        let body = body.into();
        let typed = if media.is_empty() { self } else { self.field("Content-Type", media) };
        Self { body: body.clone(), ..typed.field("Content-Length", body.len().to_string()) }
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.start);
        for (name, value) in &self.fields {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("\r\n");
        text.push_str(&self.body);
        text.into_bytes()
    }

    /// Method, path and query of a request.
    pub(super) fn target(&self) -> (&str, &str) {
        let mut words = self.start.split(' ');
        (words.next().unwrap_or_default(), words.next().unwrap_or_default())
    }

    fn parse(head: &str) -> Self {
        let mut lines = head.split("\r\n");
        let mut message = Self::new(lines.next().unwrap_or_default());
        let pairs = lines.filter_map(|line| line.split_once(": "));
        message.fields = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        message
    }
}

/// Reads one message; `None` at the end of the connection. The bytes that were read are appended to `raw`.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    raw: &mut Vec<u8>,
) -> io::Result<Option<Message>> {
    let from = raw.len();
    loop {
        let seen = raw.get(from..).unwrap_or_default();
        if let Some(end) = memmem::find(seen, b"\r\n\r\n") {
            let mut message = Message::parse(&String::from_utf8_lossy(seen.get(..end).unwrap_or_default()));
            let length: usize = message.get("content-length").parse().unwrap_or_default();
            if let Some(body) = seen.get(end + 4..end + 4 + length.min(LIMIT)) {
                message.body = String::from_utf8_lossy(body).into_owned();
                return Ok(Some(message));
            }
        }
        if seen.len() > 2 * LIMIT || stream.read_buf(raw).await? == 0 {
            return Ok(None);
        }
    }
}
