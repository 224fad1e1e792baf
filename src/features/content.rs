//! The content of a message as a reader sees it: content codings undone (RFC 9110 §8.4), text in UTF-8 whatever its charset.
//! Output, filter, difference and diagnosis read messages through this module, so that they agree on what was sent.

use std::borrow::Cow;

use crate::features::MediaType;
use crate::features::coding::{self, Problem};
use crate::model::Fields;

/// Content without its codings.
#[derive(Clone, Debug)]
pub struct Content<'a> {
    /// The bytes; text is in UTF-8 where its charset is known. Bound: the limit given to [`read`], times three for text in
    /// another charset.
    pub bytes: Cow<'a, [u8]>,
    /// The codings that were undone, in the order they were.
    pub undone: Vec<&'static str>,
    /// Why `bytes` is less than everything, when it is.
    pub problem: Option<Problem>,
    /// The charset that `bytes` were in, when that was not UTF-8.
    pub charset: Option<&'static str>,
}

impl Content<'_> {
    /// Whether the bytes are still coded: they may hold anything.
    pub fn is_opaque(&self) -> bool {
        match self.problem {
            None | Some(Problem::TooLarge(_)) => false,
            Some(Problem::Broken(_)) => self.undone.is_empty(),
            Some(Problem::Unknown(_) | Problem::TooMany) => true,
        }
    }
}

/// The content of the message with `fields` whose body is `body`; at most `limit` bytes come out of a content coding.
pub fn read<'a>(fields: &Fields, body: &'a [u8], limit: usize) -> Content<'a> {
    let undone = coding::undo_at_most(fields, body, limit);
    let mut content =
        Content { bytes: undone.bytes, undone: undone.undone, problem: undone.problem, charset: None };
    if content.is_opaque() {
        return content;
    }
    let media = fields.value("content-type").and_then(MediaType::parse);
    if let Some((text, charset)) = to_utf8(media, &content.bytes) {
        content.bytes = Cow::Owned(text.into_bytes());
        content.charset = Some(charset);
    }
    content
}

/// Text of another charset in UTF-8, and the charset's name: the one that the media type names, else UTF-16 or UTF-32 by a
/// byte order mark or, for JSON, by its NUL bytes (RFC 4627 §3). `None` where nothing is to be done or the bytes are not of it.
pub fn to_utf8(media: Option<MediaType<'_>>, bytes: &[u8]) -> Option<(String, &'static str)> {
    if media.as_ref().is_some_and(MediaType::is_multipart) {
        return None;
    }
    let label = media.as_ref().and_then(MediaType::charset);
    if let Some(encoding) = label.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()))
        && encoding != encoding_rs::UTF_8
    {
        let (text, _, malformed) = encoding.decode(bytes);
        return (!malformed).then(|| (text.into_owned(), encoding.name()));
    }
    let (charset, start) = unicode(bytes)?;
    let bytes = bytes.get(start..)?;
    let text = match charset {
        "UTF-16LE" => utf16(bytes, u16::from_le_bytes)?,
        "UTF-16BE" => utf16(bytes, u16::from_be_bytes)?,
        "UTF-32LE" => utf32(bytes, u32::from_le_bytes)?,
        _ => utf32(bytes, u32::from_be_bytes)?,
    };
    let control =
        |letter: char| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r' | '\x0c' | '\x1b');
    (!text.contains(control)).then_some((text, charset))
}

/// Which of the wide encodings `bytes` look like, and how long their byte order mark is.
fn unicode(bytes: &[u8]) -> Option<(&'static str, usize)> {
    let json = |first: u8| matches!(first, b'{' | b'[' | b'"');
    match bytes {
        [0xFF, 0xFE, 0, 0, ..] => Some(("UTF-32LE", 4)),
        [0, 0, 0xFE, 0xFF, ..] => Some(("UTF-32BE", 4)),
        [0xFF, 0xFE, ..] => Some(("UTF-16LE", 2)),
        [0xFE, 0xFF, ..] => Some(("UTF-16BE", 2)),
        [0, 0, 0, first, ..] if json(*first) => Some(("UTF-32BE", 0)),
        [first, 0, 0, 0, ..] if json(*first) => Some(("UTF-32LE", 0)),
        [0, first, 0, ..] if json(*first) => Some(("UTF-16BE", 0)),
        [first, 0, second, 0, ..] if json(*first) && *second != 0 => Some(("UTF-16LE", 0)),
        _ => None,
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let mut units: Vec<u16> =
        bytes.chunks_exact(2).filter_map(|two| Some(unit(two.try_into().ok()?))).collect();
    // The first half of a letter whose second half a cut took away.
    units.pop_if(|last| matches!(last, 0xD800..=0xDBFF));
    String::from_utf16(&units).ok()
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Option<String> {
    // A last letter of which the end is missing is left out, as in a cut body.
    bytes.chunks_exact(4).map(|four| char::from_u32(unit(four.try_into().ok()?))).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::{read, to_utf8};
    use crate::features::MediaType;
    use crate::features::tests::fields;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// A meta-block of uncompressed bytes (RFC 7932 §9.2); `bytes` has at most 64 KiB.
    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(bytes.len() - 1).unwrap();
        // WBITS 16, not the last block, four nibbles of length, uncompressed.
        let header = (length << 4) | (1 << 20);
        let mut out = header.to_le_bytes()[..3].to_vec();
        out.extend_from_slice(bytes);
        out.push(3);
        out
    }

    /// `bytes` in each way of Content-Encoding that senders use.
    pub(crate) fn coded(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(bytes).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(bytes).unwrap();
        let zstd = ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest);
        vec![
            ("gzip", gzip(bytes)),
            ("x-gzip", gzip(bytes)),
            ("GZIP, gzip", gzip(&gzip(bytes))),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
            ("br", brotli(bytes)),
            ("zstd", zstd.clone()),
            ("zstd, gzip", gzip(&zstd)),
            ("identity", bytes.to_vec()),
        ]
    }

    /// `text` in UTF-16 and UTF-32, either byte order, with and without a byte order mark.
    pub(crate) fn wide(text: &str) -> Vec<Vec<u8>> {
        let marked = format!("\u{feff}{text}");
        [text, &marked]
            .into_iter()
            .flat_map(|text| {
                [
                    text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
                    text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
                    text.chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect(),
                    text.chars().flat_map(|letter| u32::from(letter).to_be_bytes()).collect(),
                ]
            })
            .collect()
    }

    #[test]
    fn every_coding_gives_the_content() {
        let text = br#"{"message":"insufficient scope"}"#;
        for (coding, bytes) in coded(text) {
            let content = read(&fields(&[("Content-Encoding", coding)]), &bytes, 1 << 16);
            assert_eq!(&*content.bytes, text, "{coding}");
            assert!(!content.is_opaque() && content.problem.is_none(), "{coding}");
        }
    }

    #[test]
    fn json_in_wide_encodings_is_read_without_a_charset() {
        let text = "{\"name\":\"caf\u{e9} \u{1f512}\"}";
        for bytes in wide(text) {
            let content = read(&fields(&[("Content-Type", "application/json")]), &bytes, 1 << 16);
            assert_eq!(String::from_utf8_lossy(&content.bytes), text, "{bytes:x?}");
            let (coding, coded) = coded(&bytes).swap_remove(0);
            let both = [("Content-Type", "application/json"), ("Content-Encoding", coding)];
            assert_eq!(String::from_utf8_lossy(&read(&fields(&both), &coded, 1 << 16).bytes), text);
        }
    }

    #[test]
    fn named_charsets_are_undone_and_other_bytes_stay() {
        let latin = MediaType::parse(b"text/plain; charset=iso-8859-1");
        assert_eq!(to_utf8(latin, b"caf\xe9").unwrap().0, "caf\u{e9}");
        let json = MediaType::parse(b"application/json");
        for bytes in [
            &b"{\"a\":1}"[..],
            b"",
            b"\0",
            b"{\0",
            b"{\0\0\0\x01\0\0\0",
            b"\x89PNG\0\0\0",
            b"{\0\x01\0\x02\0",
            b"\xff\xfe\x00\xd8\x00\x00",
        ] {
            assert_eq!(to_utf8(json, bytes), None, "{bytes:x?}");
        }
    }
}
