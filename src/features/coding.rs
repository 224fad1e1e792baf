//! Content codings undone (RFC 9110 §8.4): gzip, deflate, br and zstd, as far as the kept bytes go.

use std::borrow::Cow;
use std::io::{self, Read};

use crate::model::Fields;

/// Bytes that a body may grow to; a bomb is cut here.
pub const MAX_DECODED: usize = 1 << 20;

/// Codings that are undone, one after the other.
pub const MAX_CODINGS: usize = 4;

/// Content without its codings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone<'a> {
    /// What came out; the input where there was nothing to undo.
    pub bytes: Cow<'a, [u8]>,
    /// The codings that were undone, in the order they were.
    pub undone: Vec<&'static str>,
    /// Why `bytes` is less than everything, when it is.
    pub problem: Option<Problem>,
}

/// Why not everything came out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The coding has no decoder here.
    #[error("the content coding '{0}' is not known")]
    Unknown(String),
    /// The input ends early or is malformed.
    #[error("{0}: cut or malformed, shown as far as it goes")]
    Broken(&'static str),
    /// The limit, [`MAX_DECODED`] where none was asked for, was reached.
    #[error("{0}: more than 1 MiB when decoded, cut there")]
    TooLarge(&'static str),
    /// More codings than [`MAX_CODINGS`].
    #[error("more than 4 content codings")]
    TooMany,
}

/// Undoes what Content-Encoding in `fields` says was done to `body`.
pub fn undo<'a>(fields: &Fields, body: &'a [u8]) -> Undone<'a> {
    undo_at_most(fields, body, MAX_DECODED)
}

/// The same where no coding yields more than `limit` bytes.
pub fn undo_at_most<'a>(fields: &Fields, body: &'a [u8], limit: usize) -> Undone<'a> {
    let mut result = Undone { bytes: Cow::Borrowed(body), undone: Vec::new(), problem: None };
    let values: Vec<&[u8]> = fields.values("content-encoding").collect();
    let codings = values.iter().flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    let mut codings: Vec<&[u8]> =
        codings.filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity")).collect();
    if codings.len() > MAX_CODINGS {
        result.problem = Some(Problem::TooMany);
        return result;
    }
    while let Some(coding) = codings.pop() {
        let Some((name, decoder)) = decoder(coding) else {
            let shown = String::from_utf8_lossy(coding.get(..40).unwrap_or(coding)).into_owned();
            result.problem = Some(Problem::Unknown(shown));
            return result;
        };
        let (bytes, problem) = decoder(&result.bytes, limit.min(MAX_DECODED));
        if bytes.is_empty() && !result.bytes.is_empty() && problem.is_some() {
            result.problem = Some(Problem::Broken(name));
            return result;
        }
        result.bytes = Cow::Owned(bytes);
        result.undone.push(name);
        if let Some(problem) = problem {
            result.problem = Some(problem(name));
            return result;
        }
    }
    result
}

type Trouble = fn(&'static str) -> Problem;
type Decoder = fn(&[u8], usize) -> (Vec<u8>, Option<Trouble>);

fn decoder(coding: &[u8]) -> Option<(&'static str, Decoder)> {
    let known: [(&'static str, Decoder); 5] = [
        ("gzip", |bytes, limit| drain(flate2::read::MultiGzDecoder::new(bytes), limit)),
        ("x-gzip", |bytes, limit| drain(flate2::read::MultiGzDecoder::new(bytes), limit)),
        ("deflate", deflate),
        ("br", |bytes, limit| drain(brotli_decompressor::Decompressor::new(bytes, 4096), limit)),
        ("zstd", zstd),
    ];
    known.into_iter().find(|(name, _)| coding.eq_ignore_ascii_case(name.as_bytes()))
}

/// `deflate` means zlib (RFC 9110 §8.4.1.2); some senders leave its wrapper out.
fn deflate(bytes: &[u8], limit: usize) -> (Vec<u8>, Option<Trouble>) {
    match drain(flate2::read::ZlibDecoder::new(bytes), limit) {
        (out, Some(_)) if out.is_empty() => drain(flate2::read::DeflateDecoder::new(bytes), limit),
        decoded => decoded,
    }
}

fn zstd(bytes: &[u8], limit: usize) -> (Vec<u8>, Option<Trouble>) {
    match ruzstd::decoding::StreamingDecoder::new(bytes) {
        Ok(decoder) => drain(decoder, limit),
        Err(_) => (Vec::new(), Some(Problem::Broken)),
    }
}

fn drain(mut source: impl Read, limit: usize) -> (Vec<u8>, Option<Trouble>) {
    let (mut out, mut chunk) = (Vec::new(), [0; 8192]);
    loop {
        match source.read(&mut chunk) {
            Ok(0) => return (out, None),
            Ok(read) => out.extend_from_slice(chunk.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return (out, Some(Problem::Broken)),
        }
        if out.len() >= limit {
            out.truncate(limit);
            return (out, Some(Problem::TooLarge));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::{MAX_DECODED, Problem, undo};
    use crate::features::tests::fields;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn undoes_codings_last_first() {
        let coded = gzip(&gzip(b"refused"));
        let undone = undo(&fields(&[("Content-Encoding", "gzip, GZIP")]), &coded);
        assert_eq!((&*undone.bytes, undone.undone.len(), undone.problem), (&b"refused"[..], 2, None));
        let undone = undo(&fields(&[("Content-Encoding", "identity")]), b"plain");
        assert_eq!((&*undone.bytes, undone.undone.len()), (&b"plain"[..], 0));
    }

    #[test]
    fn deflate_with_and_without_its_wrapper() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(b"refused").unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(b"refused").unwrap();
        for coded in [zlib.finish().unwrap(), raw.finish().unwrap()] {
            assert_eq!(&*undo(&fields(&[("content-encoding", "deflate")]), &coded).bytes, b"refused");
        }
    }

    #[test]
    fn what_is_cut_is_shown_as_far_as_it_goes() {
        let text: Vec<u8> = (0..60_000_u32).flat_map(u32::to_le_bytes).collect();
        let coded = gzip(&text);
        let undone = undo(&fields(&[("content-encoding", "gzip")]), &coded[..coded.len() / 2]);
        assert_eq!(undone.problem, Some(Problem::Broken("gzip")));
        assert!(!undone.bytes.is_empty() && text.starts_with(&undone.bytes));
    }

    #[test]
    fn bombs_and_unknown_codings_end_well() {
        let coded = gzip(&vec![0; MAX_DECODED * 3]);
        let undone = undo(&fields(&[("content-encoding", "gzip")]), &coded);
        assert_eq!((undone.bytes.len(), undone.problem), (MAX_DECODED, Some(Problem::TooLarge("gzip"))));
        let undone = undo(&fields(&[("content-encoding", "aes128gcm")]), b"x");
        assert_eq!(undone.problem, Some(Problem::Unknown("aes128gcm".into())));
        for name in ["gzip", "deflate", "br", "zstd"] {
            let undone = undo(&fields(&[("content-encoding", name)]), b"no such thing");
            assert!(undone.problem.is_some(), "{name}");
        }
    }

    #[test]
    fn brotli_and_zstd() {
        let br = [0x8b, 0x01, 0x80, b'a', b'b', b'c', b'd', 0x03];
        assert_eq!(&*undo(&fields(&[("content-encoding", "br")]), &br).bytes, b"abcd");
        let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x04, 0x21, 0x00, 0x00, b'a', b'b', b'c', b'd'];
        assert_eq!(&*undo(&fields(&[("content-encoding", "zstd")]), &zstd).bytes, b"abcd");
    }
}
