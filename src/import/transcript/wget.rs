//! `wget -d`: heads between marks, contents in brackets.

use std::ops::ControlFlow;

use super::Reader;
use super::assemble::{Assembler, Side};
use super::lines::trim;
use crate::import::address;

/// Reads it.
#[derive(Debug, Default)]
pub(super) struct Debug {
    side: Option<Side>,
}

impl Reader for Debug {
    fn line(&mut self, line: &[u8], to: &mut Assembler<'_>) -> ControlFlow<()> {
        let text = trim(line);
        match text {
            b"---request begin---" => self.side = Some(Side::Client),
            b"---response begin---" => self.side = Some(Side::Server),
            b"---request end---" | b"---response end---" => {
                if let Some(side) = self.side.take().filter(|side| to.is_in_head(*side)) {
                    return to.head(side, b"\r\n");
                }
            }
            _ => {
                if let Some(side) = self.side {
                    return to.head(side, line);
                }
                content(text, to);
            }
        }
        ControlFlow::Continue(())
    }
}

/// What stands between the heads.
fn content(text: &[u8], to: &mut Assembler<'_>) {
    let within =
        |prefix: &[u8], end: &[u8]| text.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(end));
    if let Some(body) = within(b"[BODY data: ", b"]").or_else(|| within(b"[POST data: ", b"]")) {
        to.content(Side::Client, body);
    } else if text.starts_with(b"Skipping ") {
        let start = memchr::memmem::find(text, b"[").map(|at| at + 1);
        let end = memchr::memmem::rfind(text, b"]");
        if let (Some(start), Some(end)) = (start, end) {
            to.content(Side::Server, text.get(start..end).unwrap_or_default());
        }
    } else if let Some(rest) = text.strip_prefix(b"Connecting to ") {
        // `host (host)|192.0.2.1|:443... connected.`, or the address alone.
        let rest = String::from_utf8_lossy(rest).into_owned();
        let place = rest.split("...").next().unwrap_or_default();
        let (ip, port) = match place.split('|').collect::<Vec<_>>().as_slice() {
            [_, ip, port] => ((*ip).to_owned(), port.trim_start_matches(':').to_owned()),
            _ => place.rsplit_once(':').map_or_else(
                || (place.to_owned(), String::new()),
                |(ip, port)| (ip.to_owned(), port.to_owned()),
            ),
        };
        let port = port.parse().unwrap_or(80);
        if port == 443 {
            to.speaks_tls();
        }
        to.connected(None, address::socket(&ip, port));
    }
}
