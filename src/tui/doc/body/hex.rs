//! Bytes as offset, hexadecimal and ASCII.

use std::fmt::Write;

use crate::model::Part;
use crate::tui::doc::{Doc, Line};
use crate::tui::theme::Role;

/// Bytes a line.
const WIDTH: usize = 16;

/// Appends `body` to `doc`.
pub(super) fn show(doc: &mut Doc, body: &[u8], part: Part) {
    for (number, chunk) in body.chunks(WIDTH).enumerate() {
        let mut hex = String::with_capacity(WIDTH * 3 + 1);
        for (column, byte) in chunk.iter().enumerate() {
            if column == WIDTH / 2 {
                hex.push(' ');
            }
            let _ = write!(hex, "{byte:02x} ");
        }
        let ascii: String = chunk
            .iter()
            .map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' })
            .collect();
        let line = Line::of(Role::Dim, &format!("{:06x}  ", number * WIDTH))
            .add(Role::Number, &hex)
            .pad(8 + WIDTH * 3 + 2)
            .add(Role::Text, &ascii);
        doc.push(line.anchor(part, ""));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;

    #[test]
    fn shows_offset_bytes_and_ascii() {
        let lines = shown("image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0");
        assert_eq!(lines[0], "000000  89 50 4e 47 0d 0a 1a 0a  00 00 00 0d 49 48 44 52  .PNG........IHDR");
        assert_eq!(lines[1], "000010  00                                                .");
    }
}
