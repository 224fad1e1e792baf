//! What is damaged about the content of a message that was captured as a whole.

use crate::features::coding::{self, Problem};
use crate::features::{MediaType, multipart};
use crate::model::{Anomaly, AnomalySet, Body, Exchange, Fields};

/// What is odd about the content of both messages. Bodies of which the capture lacks a part say nothing.
pub fn content_anomalies(exchange: &Exchange) -> AnomalySet {
    let mut odd = AnomalySet::default();
    if let Some(request) = &exchange.request {
        look(request.head.fields(), &request.body, &mut odd);
    }
    if let Some(response) = &exchange.response {
        look(response.head.fields(), &response.body, &mut odd);
    }
    odd
}

fn look(fields: &Fields, body: &Body, odd: &mut AnomalySet) {
    if body.kept.is_empty() || !body.is_whole() {
        return;
    }
    let media = fields.value("content-type").and_then(MediaType::parse);
    let boundary = media.filter(MediaType::is_multipart).and_then(|media| media.boundary());
    let coded = fields.has("content-encoding");
    if boundary.is_none() && !coded {
        return;
    }
    let undone = coding::undo(fields, &body.kept);
    match undone.problem {
        Some(Problem::Broken(_)) => odd.insert(Anomaly::ContentCodingDamaged),
        None if boundary.is_some_and(|boundary| !multipart::is_closed(&undone.bytes, boundary)) => {
            odd.insert(Anomaly::MultipartUnclosed);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::look;
    use crate::features::tests::fields;
    use crate::model::{Anomaly, AnomalySet, Body, BodyEnd};

    fn odd(lines: &[(&str, &str)], bytes: &[u8]) -> Vec<Anomaly> {
        let mut odd = AnomalySet::default();
        let body = Body { kept: bytes.into(), len: bytes.len() as u64, end: BodyEnd::Complete, rare: None };
        look(&fields(lines), &body, &mut odd);
        odd.iter().collect()
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn codings_that_are_cut_or_corrupt() {
        let br = [0x8b, 0x01, 0x80, b'a', b'b', b'c', b'd', 0x03];
        let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x04, 0x21, 0x00, 0x00, b'a', b'b', b'c', b'd'];
        for (name, whole) in [
            ("gzip", gzip(b"refused")),
            ("deflate", zlib(b"refused")),
            ("br", br.to_vec()),
            ("zstd", zstd.to_vec()),
        ] {
            let lines = [("Content-Encoding", name)];
            assert_eq!(odd(&lines, &whole), [], "{name}");
            for cut in 1..whole.len() {
                assert_eq!(
                    odd(&lines, &whole[..cut]),
                    [Anomaly::ContentCodingDamaged],
                    "{name} cut at {cut}"
                );
            }
        }
        for (name, mut bad) in [("gzip", gzip(b"refused")), ("deflate", zlib(b"refused"))] {
            let crc = bad.len() - if name == "gzip" { 6 } else { 2 };
            bad[crc] ^= 1;
            assert_eq!(odd(&[("Content-Encoding", name)], &bad), [Anomaly::ContentCodingDamaged], "{name}");
        }
        assert_eq!(odd(&[("Content-Encoding", "x-own")], b"abc"), []);
        assert_eq!(
            odd(&[("Content-Encoding", "gzip")], b"plain text all the same"),
            [Anomaly::ContentCodingDamaged]
        );
    }

    #[test]
    fn multipart_without_its_closing_boundary() {
        let lines = [("Content-Type", "multipart/form-data; boundary=B")];
        let open = b"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
        assert_eq!(odd(&lines, open), [Anomaly::MultipartUnclosed]);
        assert_eq!(odd(&lines, &[open.as_slice(), b"--B--\r\n"].concat()), []);
        let both = [lines[0], ("Content-Encoding", "gzip")];
        assert_eq!(odd(&both, &gzip(open)), [Anomaly::MultipartUnclosed]);
    }
}
