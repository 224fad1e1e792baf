//! Signs that are not letters, in Unicode and in ASCII.

/// One set of signs. Every one is a single column wide.
#[derive(Clone, Copy, Debug)]
pub struct Glyphs {
    /// Horizontal line.
    pub horizontal: &'static str,
    /// Vertical line.
    pub vertical: &'static str,
    /// Corners of a box: top left, top right, bottom left, bottom right.
    pub corners: [&'static str; 4],
    /// Where a vertical line leaves a horizontal one downwards, and where it meets one from above.
    pub tees: [&'static str; 2],
    /// Cut text.
    pub ellipsis: &'static str,
    /// The selected row.
    pub cursor: &'static str,
    /// Confidence: sure, likely, perhaps.
    pub confidence: [&'static str; 3],
    /// A row marked for comparison.
    pub marked: &'static str,
    /// More above, more below.
    pub more: [&'static str; 2],
    /// A list item.
    pub bullet: &'static str,
    /// The next step.
    pub arrow: &'static str,
    /// Recording, paused, ended.
    pub states: [&'static str; 3],
    /// From nothing to full, for sparklines.
    pub levels: [&'static str; 9],
    /// Tree branches: middle, last, through.
    pub tree: [&'static str; 3],
    /// Folded, unfolded.
    pub folds: [&'static str; 2],
    /// A tick, a cross.
    pub verdicts: [&'static str; 2],
    /// Between two things that are one line: `·`.
    pub dot: &'static str,
    /// The scroll bar's thumb.
    pub thumb: &'static str,
    /// The sign of a wrapped line's continuation.
    pub wrapped: &'static str,
}

impl Glyphs {
    /// The sign for a probability.
    pub fn confidence_of(&self, confidence: f32) -> &'static str {
        let [sure, likely, perhaps] = self.confidence;
        match confidence {
            0.8.. => sure,
            0.5.. => likely,
            _ => perhaps,
        }
    }
}

/// For terminals with a Unicode font.
pub(super) const UNICODE: Glyphs = Glyphs {
    horizontal: "─",
    vertical: "│",
    corners: ["╭", "╮", "╰", "╯"],
    tees: ["┬", "┴"],
    ellipsis: "…",
    cursor: "▌",
    confidence: ["●", "◐", "○"],
    marked: "◆",
    more: ["▲", "▼"],
    bullet: "•",
    arrow: "→",
    states: ["●", "‖", "■"],
    levels: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    tree: ["├", "└", "│"],
    folds: ["▸", "▾"],
    verdicts: ["✓", "✗"],
    dot: "·",
    thumb: "┃",
    wrapped: "↪",
};

/// For terminals without.
pub(super) const ASCII: Glyphs = Glyphs {
    horizontal: "-",
    vertical: "|",
    corners: ["+", "+", "+", "+"],
    tees: ["+", "+"],
    ellipsis: "~",
    cursor: ">",
    confidence: ["#", "+", "?"],
    marked: "*",
    more: ["^", "v"],
    bullet: "*",
    arrow: ">",
    states: ["*", "=", "#"],
    levels: [" ", ".", ":", "-", "=", "+", "*", "%", "@"],
    tree: ["|", "`", "|"],
    folds: ["+", "-"],
    verdicts: ["y", "x"],
    dot: "-",
    thumb: "#",
    wrapped: "\\",
};
