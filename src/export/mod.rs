//! What a person or a program takes away: NDJSON, curl, HAR, Markdown, raw bytes. Everything passes `edge` on its way.

pub mod curl;
pub mod pcapng;
#[cfg(test)]
mod sample;
