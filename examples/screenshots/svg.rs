//! A terminal's screen as SVG; several frames are shown one after the other, for ever.

use std::fmt::Write;

use vt100::{Cell, Color, Screen};

/// A cell in pixels.
const CELL: (f32, f32) = (8.4, 18.0);
/// Around the screen.
const MARGIN: f32 = 12.0;
const GROUND: &str = "#14161a";
const INK: &str = "#d4d7dd";

/// A screen that stands for some time.
pub(crate) struct Frame {
    body: String,
    millis: u64,
}

/// How a run of cells looks.
#[derive(Clone, PartialEq)]
struct Looks {
    ink: String,
    ground: Option<String>,
    bold: bool,
    underline: bool,
}

impl Frame {
    pub(crate) fn of(screen: &Screen, millis: u64) -> Self {
        let (rows, columns) = screen.size();
        let mut body = String::new();
        for y in 0..rows {
            row(&mut body, screen, y, columns);
        }
        Self { body, millis }
    }
}

/// The whole picture.
pub(crate) fn document(frames: &[Frame], (columns, rows): (u16, u16)) -> String {
    let width = f32::from(columns) * CELL.0 + 2.0 * MARGIN;
    let height = f32::from(rows) * CELL.1 + 2.0 * MARGIN;
    let mut out = String::new();
    let _ = writeln!(
        out,
        r#"<svg xml:space="preserve" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}">"#
    );
    out.push_str(
        "<style>text{font:14px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre}",
    );
    out.push_str(".b{font-weight:bold}.u{text-decoration:underline}");
    animation(&mut out, frames);
    out.push_str("</style>\n");
    let _ = writeln!(out, r#"<rect width="{width:.0}" height="{height:.0}" rx="8" fill="{GROUND}"/>"#);
    for (number, frame) in frames.iter().enumerate() {
        let class = if frames.len() > 1 { format!(r#" class="f f{number}""#) } else { String::new() };
        let _ = writeln!(out, r#"<g{class} transform="translate({MARGIN} {MARGIN})">"#);
        out.push_str(&frame.body);
        out.push_str("</g>\n");
    }
    out.push_str("</svg>\n");
    out
}

/// Each frame is visible for its share of the time.
fn animation(out: &mut String, frames: &[Frame]) {
    if frames.len() < 2 {
        return;
    }
    let whole: u64 = frames.iter().map(|frame| frame.millis).sum::<u64>().max(1);
    let percent = |millis: u64| millis as f64 * 100.0 / whole as f64;
    let _ = write!(
        out,
        ".f{{visibility:hidden;animation-duration:{whole}ms;animation-iteration-count:infinite;animation-timing-function:step-end}}"
    );
    let mut start = 0;
    for (number, frame) in frames.iter().enumerate() {
        let (from, to) = (percent(start), percent(start + frame.millis));
        let _ = write!(
            out,
            ".f{number}{{animation-name:a{number}}}@keyframes a{number}{{0%{{visibility:{}}}{from:.2}%{{visibility:visible}}{to:.2}%{{visibility:hidden}}}}",
            if number == 0 { "visible" } else { "hidden" }
        );
        start += frame.millis;
    }
}

fn row(out: &mut String, screen: &Screen, y: u16, columns: u16) {
    let (mut x, mut run, mut start) = (0, String::new(), 0);
    let mut looks: Option<Looks> = None;
    while x < columns {
        let Some(cell) = screen.cell(y, x) else { break };
        let now = looks_of(cell);
        if looks.as_ref() != Some(&now) {
            flush(out, looks.as_ref(), &run, (start, x), y);
            run.clear();
            (start, looks) = (x, Some(now));
        }
        run.push_str(if cell.has_contents() { cell.contents() } else { " " });
        x += if cell.is_wide() { 2 } else { 1 };
    }
    flush(out, looks.as_ref(), &run, (start, columns), y);
}

fn flush(out: &mut String, looks: Option<&Looks>, run: &str, (start, end): (u16, u16), y: u16) {
    let Some(looks) = looks else { return };
    let (x, top) = (f32::from(start) * CELL.0, f32::from(y) * CELL.1);
    let width = f32::from(end - start) * CELL.0;
    if let Some(ground) = &looks.ground {
        let _ = writeln!(
            out,
            r#"<rect x="{x:.1}" y="{top:.1}" width="{width:.1}" height="{:.1}" fill="{ground}"/>"#,
            CELL.1
        );
    }
    let text = run.trim_end();
    if text.is_empty() {
        return;
    }
    let blank = run.len() - text.len();
    let length = width - blank as f32 * CELL.0;
    let class = match (looks.bold, looks.underline) {
        (true, true) => r#" class="b u""#,
        (true, false) => r#" class="b""#,
        (false, true) => r#" class="u""#,
        (false, false) => "",
    };
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let base = top + CELL.1 * 0.75;
    let _ = writeln!(
        out,
        r#"<text x="{x:.1}" y="{base:.1}" textLength="{length:.1}" lengthAdjust="spacingAndGlyphs" fill="{}"{class}>{text}</text>"#,
        looks.ink
    );
}

fn looks_of(cell: &Cell) -> Looks {
    let ink = colour(cell.fgcolor());
    let ground = colour(cell.bgcolor());
    let (ink, ground) = if cell.inverse() {
        (ground.unwrap_or_else(|| GROUND.to_owned()), Some(ink.unwrap_or_else(|| INK.to_owned())))
    } else {
        (ink.unwrap_or_else(|| INK.to_owned()), ground)
    };
    Looks { ink, ground, bold: cell.bold(), underline: cell.underline() }
}

fn colour(colour: Color) -> Option<String> {
    match colour {
        Color::Default => None,
        Color::Rgb(r, g, b) => Some(format!("#{r:02x}{g:02x}{b:02x}")),
        Color::Idx(index) => Some(indexed(index)),
    }
}

/// xterm's colours.
fn indexed(index: u8) -> String {
    const SIXTEEN: [&str; 16] = [
        "#1c1c1c", "#d75f5f", "#87af5f", "#d7af5f", "#5f87d7", "#af87d7", "#5fafaf", "#c6c6c6", "#767676",
        "#ff8787", "#afd787", "#ffd787", "#87afff", "#d7afff", "#87d7d7", "#ffffff",
    ];
    let index = usize::from(index);
    if let Some(known) = SIXTEEN.get(index) {
        return (*known).to_owned();
    }
    if index >= 232 {
        let level = 8 + (index - 232) * 10;
        return format!("#{level:02x}{level:02x}{level:02x}");
    }
    let step = |value: usize| if value == 0 { 0 } else { 55 + value * 40 };
    let cube = index - 16;
    format!("#{:02x}{:02x}{:02x}", step(cube / 36), step(cube / 6 % 6), step(cube % 6))
}
