//! What a person or a program takes away: NDJSON, curl, HAR, Markdown, raw bytes. Everything passes `edge` on its way.

pub mod curl;
#[cfg(test)]
mod sample;
