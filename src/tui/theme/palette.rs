//! The colours of each theme: one 24-bit value and the nearest of the sixteen, a role at a time.

use ratatui::style::{Color, Modifier};

use super::{Role, ThemeName};

/// A colour as 0xRRGGBB with the one of sixteen that stands in for it.
pub(super) type Paint = (u32, Color);

/// The looks of a role.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tone {
    /// Letters.
    pub(super) fg: Option<Paint>,
    /// Ground; `None` keeps the terminal's own, which costs nothing to draw.
    pub(super) bg: Option<Paint>,
    /// With colours.
    pub(super) modifiers: Modifier,
    /// Instead of colours.
    pub(super) without_colour: Modifier,
}

/// The colours a theme is made of.
struct Palette {
    dim: Paint,
    line: Paint,
    accent: Paint,
    good: Paint,
    bad: Paint,
    warn: Paint,
    name: Paint,
    literal: Paint,
    number: Paint,
    bar: Paint,
    bar_text: Paint,
    selected: Paint,
    blur: Paint,
    hit: Paint,
    on_hit: Paint,
    text: Option<Paint>,
}

const DARK: Palette = Palette {
    dim: (0x8a_8f_98, Color::DarkGray),
    line: (0x4a_50_5a, Color::DarkGray),
    accent: (0x7a_b8_ff, Color::LightBlue),
    good: (0x8c_c9_7b, Color::LightGreen),
    bad: (0xf2_7a_7a, Color::LightRed),
    warn: (0xe8_b8_6a, Color::LightYellow),
    name: (0x8f_c7_d6, Color::LightCyan),
    literal: (0xa9_c9_8a, Color::Green),
    number: (0xc5_a5_e8, Color::LightMagenta),
    bar: (0x23_27_2e, Color::Black),
    bar_text: (0xb8_be_c8, Color::Gray),
    selected: (0x2e_3f_58, Color::Blue),
    blur: (0x2a_2e_36, Color::DarkGray),
    hit: (0xe8_b8_6a, Color::Yellow),
    on_hit: (0x18_18_18, Color::Black),
    text: None,
};

const LIGHT: Palette = Palette {
    dim: (0x6a_70_7a, Color::DarkGray),
    line: (0xb8_bc_c4, Color::Gray),
    accent: (0x0b_57_b8, Color::Blue),
    good: (0x2f_75_2a, Color::Green),
    bad: (0xb3_26_1e, Color::Red),
    warn: (0x8f_5a_00, Color::Yellow),
    name: (0x0b_6a_80, Color::Cyan),
    literal: (0x4a_6f_1c, Color::Green),
    number: (0x76_3a_b0, Color::Magenta),
    bar: (0xe6_e8_ec, Color::Gray),
    bar_text: (0x30_34_3a, Color::Black),
    selected: (0xcf_e0_f8, Color::LightCyan),
    blur: (0xe6_e8_ec, Color::Gray),
    hit: (0xff_d8_6a, Color::LightYellow),
    on_hit: (0x18_18_18, Color::Black),
    text: None,
};

const CONTRAST: Palette = Palette {
    dim: (0xd0_d0_d0, Color::Gray),
    line: (0xff_ff_ff, Color::White),
    accent: (0x00_ff_ff, Color::LightCyan),
    good: (0x00_ff_5f, Color::LightGreen),
    bad: (0xff_6f_6f, Color::LightRed),
    warn: (0xff_ff_00, Color::LightYellow),
    name: (0x00_ff_ff, Color::LightCyan),
    literal: (0x87_ff_87, Color::LightGreen),
    number: (0xff_af_ff, Color::LightMagenta),
    bar: (0xff_ff_ff, Color::White),
    bar_text: (0x00_00_00, Color::Black),
    selected: (0x00_00_d7, Color::Blue),
    blur: (0x30_30_30, Color::DarkGray),
    hit: (0xff_ff_00, Color::LightYellow),
    on_hit: (0x00_00_00, Color::Black),
    text: Some((0xff_ff_ff, Color::White)),
};

/// Okabe and Ito's colours, told apart with any of the common deficiencies.
const BLIND: Palette = Palette {
    good: (0x56_b4_e9, Color::LightBlue),
    bad: (0xe6_9f_00, Color::LightYellow),
    warn: (0xf0_e4_42, Color::Yellow),
    accent: (0xcc_79_a7, Color::LightMagenta),
    name: (0x9a_d0_f5, Color::LightCyan),
    literal: (0xd0_d0_d0, Color::Gray),
    number: (0xcc_79_a7, Color::LightMagenta),
    ..DARK
};

/// How `role` looks in `theme`.
pub(super) fn tone(theme: ThemeName, role: Role) -> Tone {
    let p = match theme {
        ThemeName::Dark => &DARK,
        ThemeName::Light => &LIGHT,
        ThemeName::HighContrast => &CONTRAST,
        ThemeName::ColourBlind => &BLIND,
    };
    let ink = |fg: Paint| Tone { fg: Some(fg), ..Tone::PLAIN };
    let strong = |fg: Paint| Tone { modifiers: Modifier::BOLD, without_colour: Modifier::BOLD, ..ink(fg) };
    let ground = |bg: Paint, without_colour| Tone { fg: p.text, bg: Some(bg), without_colour, ..Tone::PLAIN };
    match role {
        Role::Text => Tone { fg: p.text, ..Tone::PLAIN },
        Role::Dim => Tone { without_colour: Modifier::DIM, ..ink(p.dim) },
        Role::Line => Tone { without_colour: Modifier::DIM, ..ink(p.line) },
        Role::Title => {
            Tone { fg: p.text, modifiers: Modifier::BOLD, without_colour: Modifier::BOLD, ..Tone::PLAIN }
        }
        Role::Accent | Role::Key => strong(p.accent),
        Role::Good | Role::Removed => ink(p.good),
        Role::Bad => strong(p.bad),
        Role::Warn => Tone { without_colour: Modifier::BOLD, ..ink(p.warn) },
        Role::Name => ink(p.name),
        Role::Literal => ink(p.literal),
        Role::Number => ink(p.number),
        Role::Added => ink(p.bad),
        Role::AddedPart => Tone {
            modifiers: Modifier::BOLD | Modifier::UNDERLINED,
            without_colour: Modifier::BOLD | Modifier::UNDERLINED,
            ..ink(p.bad)
        },
        Role::RemovedPart => {
            Tone { modifiers: Modifier::UNDERLINED, without_colour: Modifier::UNDERLINED, ..ink(p.good) }
        }
        Role::Secret => {
            Tone { modifiers: Modifier::UNDERLINED, without_colour: Modifier::UNDERLINED, ..ink(p.warn) }
        }
        Role::Bar => Tone {
            fg: Some(p.bar_text),
            without_colour: Modifier::REVERSED,
            ..ground(p.bar, Modifier::REVERSED)
        },
        Role::Selected => Tone { modifiers: Modifier::BOLD, ..ground(p.selected, Modifier::REVERSED) },
        Role::SelectedBlur => ground(p.blur, Modifier::UNDERLINED),
        Role::Hit => Tone { fg: Some(p.on_hit), ..ground(p.hit, Modifier::REVERSED) },
        Role::Spot => Tone {
            fg: Some(p.on_hit),
            modifiers: Modifier::BOLD,
            ..ground(p.warn, Modifier::REVERSED.union(Modifier::BOLD))
        },
    }
}

/// The nearest of the 240 fixed colours of 256.
pub(super) fn indexed(rgb: u32) -> u8 {
    const STEPS: [u32; 6] = [0, 95, 135, 175, 215, 255];
    let parts = [(rgb >> 16) & 255, (rgb >> 8) & 255, rgb & 255];
    let nearest = |value: u32| {
        STEPS
            .iter()
            .enumerate()
            .min_by_key(|(_, step)| step.abs_diff(value))
            .map_or(0, |(index, _)| index as u32)
    };
    let cube = parts.map(nearest);
    let away =
        |candidate: [u32; 3]| -> u32 { candidate.iter().zip(parts).map(|(a, b)| a.abs_diff(b).pow(2)).sum() };
    let [r, g, b] = cube;
    let on_cube = cube.map(|index| STEPS.get(index as usize).copied().unwrap_or_default());
    let level = (parts.iter().sum::<u32>() / 3).saturating_sub(3) / 10;
    let level = level.min(23);
    if away([8 + level * 10; 3]) < away(on_cube) {
        (232 + level) as u8
    } else {
        (16 + 36 * r + 6 * g + b) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::indexed;

    #[test]
    fn picks_the_nearest_of_256() {
        assert_eq!(indexed(0x00_00_00), 16);
        assert_eq!(indexed(0xff_ff_ff), 231);
        assert_eq!(indexed(0xff_00_00), 196);
        assert_eq!(indexed(0x80_80_80), 244);
    }
}
