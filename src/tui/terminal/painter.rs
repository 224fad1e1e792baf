//! Turns the difference between two screens into few bytes.
//!
//! A slow line is the bottleneck of a terminal program over SSH, so this sends only cells that changed, only the
//! attributes that changed between them, erases blank tails with one sequence, and prefers rewriting a short gap to moving.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// Cells between two changes that are cheaper to send again than to jump over (a jump is four bytes or more).
const GAP: u16 = 4;

/// Remembers what the terminal shows.
#[derive(Debug)]
pub struct Painter {
    shown: Buffer,
    pen: Pen,
    cursor: Option<(u16, u16)>,
    cursor_visible: bool,
    /// What the terminal shows is unknown.
    stale: bool,
}

impl Default for Painter {
    fn default() -> Self {
        Self {
            shown: Buffer::empty(Rect::ZERO),
            pen: Pen::default(),
            cursor: None,
            cursor_visible: false,
            stale: true,
        }
    }
}

/// The attributes the terminal writes with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Pen {
    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }
    /// Whether a blank of this pen is what erasing leaves (its background colour is the pen's).
    fn erases(self) -> bool {
        self.bg == Color::Reset && !self.modifier.intersects(Modifier::REVERSED.union(Modifier::UNDERLINED))
    }
}

impl Painter {
    /// Forgets what the terminal shows: the next frame clears it and sends everything.
    pub fn forget(&mut self) {
        self.stale = true;
    }

    /// Appends to `out` what makes the terminal show `next`, with its cursor at `cursor` or hidden; nothing when it does already.
    pub fn paint(&mut self, next: &Buffer, cursor: Option<(u16, u16)>, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(b"\x1b[?2026h");
        let body = out.len();
        if self.stale || self.shown.area != next.area {
            out.extend_from_slice(b"\x1b[0m\x1b[?25l\x1b[2J");
            self.shown = Buffer::empty(next.area);
            (self.pen, self.cursor, self.cursor_visible, self.stale) = (Pen::default(), None, false, false);
        }
        let drawn = out.len();
        for y in next.area.top()..next.area.bottom() {
            self.row(next, y, out);
        }
        let visible = cursor.is_some();
        if let Some((x, y)) = cursor
            && (self.cursor != cursor || out.len() != drawn)
        {
            self.jump(x, y, out);
        }
        if visible != self.cursor_visible {
            out.extend_from_slice(if visible { b"\x1b[?25h" } else { b"\x1b[?25l" });
            self.cursor_visible = visible;
        }
        if out.len() == body {
            out.truncate(start);
            return;
        }
        out.extend_from_slice(b"\x1b[?2026l");
        self.shown.clone_from(next);
    }

    fn row(&mut self, next: &Buffer, y: u16, out: &mut Vec<u8>) {
        let width = usize::from(next.area.width);
        let start = usize::from(y - next.area.y) * width;
        let Some(new) = next.content.get(start..start + width) else { return };
        let shown = std::mem::take(&mut self.shown.content);
        if let Some(old) = shown.get(start..start + width)
            && old != new
        {
            self.changed_row(old, new, y, out);
        }
        self.shown.content = shown;
    }

    fn changed_row(&mut self, old: &[Cell], new: &[Cell], y: u16, out: &mut Vec<u8>) {
        let tail = new.iter().rposition(|cell| !is_blank(cell)).map_or(0, |last| last + 1);
        let mut x = 0;
        while x < new.len() {
            let (Some(was), Some(is)) = (old.get(x), new.get(x)) else { return };
            let wide = is.symbol().width().max(1);
            if was == is && !overwritten(old, x) {
                x += wide;
                continue;
            }
            if x >= tail {
                self.jump(x as u16, y, out);
                self.set(Pen::default(), out);
                out.extend_from_slice(b"\x1b[K");
                return;
            }
            self.reach(new, x as u16, y, out);
            self.put(is, wide as u16, out);
            x += wide;
        }
    }

    /// Moves to column `x`, by writing the unchanged cells in between again when that is cheaper.
    fn reach(&mut self, new: &[Cell], x: u16, y: u16, out: &mut Vec<u8>) {
        if let Some((at, line)) = self.cursor
            && line == y
            && at < x
            && x - at <= GAP
        {
            let between = new.get(usize::from(at)..usize::from(x)).unwrap_or_default();
            if between.iter().all(|cell| cell.symbol().len() == 1 && Pen::of(cell) == self.pen) {
                for cell in between {
                    self.put(cell, 1, out);
                }
                return;
            }
        }
        self.jump(x, y, out);
    }

    fn put(&mut self, cell: &Cell, width: u16, out: &mut Vec<u8>) {
        self.set(Pen::of(cell), out);
        out.extend_from_slice(cell.symbol().as_bytes());
        // After the last column terminals disagree about where the cursor is, so it is forgotten.
        self.cursor = self.cursor.map(|(x, y)| (x + width, y)).filter(|(x, _)| *x < self.shown.area.width);
        if cell.symbol().len() > 1 && cell.symbol().chars().nth(1).is_some() {
            // Terminals disagree about the width of sequences.
            self.cursor = None;
        }
    }

    fn jump(&mut self, x: u16, y: u16, out: &mut Vec<u8>) {
        match self.cursor {
            Some(at) if at == (x, y) => return,
            Some((from, line)) if line == y && from < x => {
                sequence(out, &[x - from], b'C');
            }
            Some((_, line)) if line + 1 == y && x == 0 => out.extend_from_slice(b"\r\n"),
            _ => sequence(out, &[y + 1, x + 1], b'H'),
        }
        self.cursor = Some((x, y));
    }

    fn set(&mut self, pen: Pen, out: &mut Vec<u8>) {
        if pen == self.pen {
            return;
        }
        let lost = self.pen.modifier.difference(pen.modifier);
        out.extend_from_slice(b"\x1b[");
        if !lost.is_empty() || pen == Pen::default() {
            self.pen = Pen::default();
            if pen == self.pen {
                out.push(b'm');
                return;
            }
            out.extend_from_slice(b"0;");
        }
        for (modifier, code) in MODIFIERS {
            if pen.modifier.contains(modifier) && !self.pen.modifier.contains(modifier) {
                out.extend_from_slice(&[code, b';']);
            }
        }
        if pen.fg != self.pen.fg {
            colour(out, pen.fg, 30);
        }
        if pen.bg != self.pen.bg {
            colour(out, pen.bg, 40);
        }
        if let Some(last) = out.last_mut() {
            *last = b'm';
        }
        self.pen = pen;
    }
}

const MODIFIERS: [(Modifier, u8); 5] = [
    (Modifier::BOLD, b'1'),
    (Modifier::DIM, b'2'),
    (Modifier::ITALIC, b'3'),
    (Modifier::UNDERLINED, b'4'),
    (Modifier::REVERSED, b'7'),
];

/// Whether erasing leaves this cell.
fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && Pen::of(cell).erases()
}

/// Whether the wide character that was left of column `x` covered it, so that its remains must be painted over.
fn overwritten(old: &[Cell], x: usize) -> bool {
    x.checked_sub(1).and_then(|left| old.get(left)).is_some_and(|left| left.symbol().width() > 1)
}

fn sequence(out: &mut Vec<u8>, numbers: &[u16], end: u8) {
    out.extend_from_slice(b"\x1b[");
    for (index, number) in numbers.iter().enumerate() {
        if index > 0 {
            out.push(b';');
        }
        if *number != 1 || numbers.len() > 1 {
            decimal(out, *number);
        }
    }
    out.push(end);
}

fn decimal(out: &mut Vec<u8>, number: u16) {
    let mut digits = [0; 5];
    let (mut at, mut rest) = (digits.len(), number);
    loop {
        at -= 1;
        if let Some(digit) = digits.get_mut(at) {
            *digit = b'0' + (rest % 10) as u8;
        }
        rest /= 10;
        if rest == 0 || at == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

/// Writes a colour's parameters with a trailing `;`; `base` is 30 or 40.
fn colour(out: &mut Vec<u8>, colour: Color, base: u16) {
    let mut numbers = |list: &[u16]| {
        for number in list {
            decimal(out, *number);
            out.push(b';');
        }
    };
    let bright = base + 60;
    match colour {
        Color::Reset => numbers(&[base + 9]),
        Color::Black => numbers(&[base]),
        Color::Red => numbers(&[base + 1]),
        Color::Green => numbers(&[base + 2]),
        Color::Yellow => numbers(&[base + 3]),
        Color::Blue => numbers(&[base + 4]),
        Color::Magenta => numbers(&[base + 5]),
        Color::Cyan => numbers(&[base + 6]),
        Color::Gray => numbers(&[base + 7]),
        Color::DarkGray => numbers(&[bright]),
        Color::LightRed => numbers(&[bright + 1]),
        Color::LightGreen => numbers(&[bright + 2]),
        Color::LightYellow => numbers(&[bright + 3]),
        Color::LightBlue => numbers(&[bright + 4]),
        Color::LightMagenta => numbers(&[bright + 5]),
        Color::LightCyan => numbers(&[bright + 6]),
        Color::White => numbers(&[bright + 7]),
        Color::Indexed(index) => numbers(&[base + 8, 5, u16::from(index)]),
        Color::Rgb(r, g, b) => numbers(&[base + 8, 2, u16::from(r), u16::from(g), u16::from(b)]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::{Color, Modifier, Style};

    use super::Painter;

    fn screen(words: &[(u16, u16, String, u8)]) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 24, 5));
        for (x, y, text, style) in words {
            let mut with = Style::new();
            if style & 1 > 0 {
                with = with.fg(Color::Indexed(*style));
            }
            if style & 2 > 0 {
                with = with.bg(Color::Blue);
            }
            if style & 4 > 0 {
                with = with.add_modifier(Modifier::BOLD);
            }
            if style & 8 > 0 {
                with = with.add_modifier(Modifier::REVERSED);
            }
            buffer.set_string(*x, *y, text, with);
        }
        buffer
    }

    fn seen(parser: &vt100::Parser) -> Vec<String> {
        let cell = |y, x| -> String {
            let cell = parser.screen().cell(y, x).unwrap();
            let text = if cell.has_contents() { cell.contents() } else { " " };
            if text == " " && !cell.inverse() {
                // Nobody sees a blank's own colour and weight.
                return format!(" {:?}", cell.bgcolor());
            }
            format!("{text}{:?}{:?}{}{}", cell.fgcolor(), cell.bgcolor(), cell.bold(), cell.inverse())
        };
        (0..5).flat_map(|y| (0..24).map(move |x| cell(y, x))).collect()
    }

    fn words() -> impl Strategy<Value = Vec<(u16, u16, String, u8)>> {
        prop::collection::vec((0..24u16, 0..5u16, "[a-z 日本🦀é]{0,20}", 0..16u8), 0..8)
    }

    proptest! {
        #[test]
        fn a_terminal_shows_what_was_painted(first in words(), second in words(), third in words()) {
            let (mut painter, mut terminal) = (Painter::default(), vt100::Parser::new(5, 24, 0));
            for frame in [&first, &second, &third] {
                let buffer = screen(frame);
                let mut bytes = Vec::new();
                painter.paint(&buffer, None, &mut bytes);
                terminal.process(&bytes);
                let (mut fresh, mut whole) = (Painter::default(), Vec::new());
                fresh.paint(&buffer, None, &mut whole);
                let mut expected = vt100::Parser::new(5, 24, 0);
                expected.process(&whole);
                prop_assert_eq!(seen(&terminal), seen(&expected));
            }
        }
    }

    #[test]
    fn an_unchanged_screen_sends_nothing() {
        let (mut painter, mut bytes) = (Painter::default(), Vec::new());
        let buffer = screen(&[(0, 0, "refused".into(), 1)]);
        painter.paint(&buffer, Some((1, 1)), &mut bytes);
        bytes.clear();
        painter.paint(&buffer, Some((1, 1)), &mut bytes);
        assert_eq!(bytes, b"");
    }

    #[test]
    fn a_small_change_costs_few_bytes() {
        let (mut painter, mut bytes) = (Painter::default(), Vec::new());
        painter.paint(&screen(&[(0, 2, "12 refused".into(), 0)]), None, &mut bytes);
        bytes.clear();
        painter.paint(&screen(&[(0, 2, "13 refused".into(), 0)]), None, &mut bytes);
        assert!(bytes.len() <= 24, "{}", String::from_utf8_lossy(&bytes));
    }
}
