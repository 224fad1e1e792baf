//! What things look like. The rest of the screen speaks of roles; colours live here.

mod glyphs;
mod palette;

use ratatui::style::{Color, Modifier, Style};

pub use glyphs::Glyphs;
use palette::Tone;

use super::settings::{Colours, Environment, Settings, ThemeName};

/// What a piece of text is, as far as its looks are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// Ordinary text.
    #[default]
    Text,
    /// Less important.
    Dim,
    /// Lines and separators.
    Line,
    /// Headings.
    Title,
    /// What is active: the tab, the source.
    Accent,
    /// A success.
    Good,
    /// A refusal.
    Bad,
    /// A loss, a doubt.
    Warn,
    /// A field's or member's name.
    Name,
    /// A string.
    Literal,
    /// A number, `true`, `null`.
    Number,
    /// Only the refusal has it.
    Added,
    /// Only the baseline has it.
    Removed,
    /// The changed part within an added value.
    AddedPart,
    /// The changed part within a removed value.
    RemovedPart,
    /// A key in hints.
    Key,
    /// A secret in the open.
    Secret,
    /// The bars at top and bottom.
    Bar,
    /// The selected row.
    Selected,
    /// The selected row of a pane that has not the focus.
    SelectedBlur,
    /// A search hit.
    Hit,
    /// Evidence that was jumped to.
    Spot,
}

/// A theme, for as many colours as the terminal takes.
#[derive(Clone, Debug)]
pub struct Theme {
    /// Which one.
    pub name: ThemeName,
    /// Signs and borders.
    pub glyphs: &'static Glyphs,
    colours: Colours,
}

impl Theme {
    /// As the settings and the terminal say.
    pub fn new(settings: &Settings, environment: &Environment) -> Self {
        let colours = match settings.colours {
            Colours::Auto => environment.colours(),
            chosen => chosen,
        };
        let plain = settings.ascii || !environment.utf8;
        Self { name: settings.theme, glyphs: if plain { &glyphs::ASCII } else { &glyphs::UNICODE }, colours }
    }

    /// The next theme with the same signs and number of colours.
    #[must_use]
    pub fn next(&self) -> Self {
        let at = ThemeName::ALL.iter().position(|name| *name == self.name).unwrap_or_default();
        let name = ThemeName::ALL.iter().cycle().nth(at + 1).copied().unwrap_or_default();
        Self { name, ..self.clone() }
    }

    /// What ordinary text is written in on a background of ours: the terminal's own colour may not be readable there.
    pub fn ink(&self) -> Option<Color> {
        let (rgb, ansi) =
            if self.name == ThemeName::Light { (0x1E_2227, Color::Black) } else { (0xE8_EAED, Color::White) };
        match self.colours {
            Colours::None => None,
            Colours::Sixteen => Some(ansi),
            Colours::Indexed => Some(Color::Indexed(palette::indexed(rgb))),
            Colours::True | Colours::Auto => Some(Color::Rgb((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8)),
        }
    }

    /// How `role` looks.
    pub fn style(&self, role: Role) -> Style {
        let tone = palette::tone(self.name, role);
        let style = Style::new().add_modifier(tone.modifiers);
        match self.colours {
            Colours::None => Style::new().add_modifier(tone.without_colour),
            Colours::Sixteen => with(style, tone, |_, ansi| ansi),
            Colours::Indexed => with(style, tone, |rgb, _| Color::Indexed(palette::indexed(rgb))),
            Colours::True | Colours::Auto => {
                with(style, tone, |rgb, _| Color::Rgb((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8))
            }
        }
    }
}

fn with(style: Style, tone: Tone, colour: fn(u32, Color) -> Color) -> Style {
    let mut style = style;
    if let Some((rgb, ansi)) = tone.fg {
        style = style.fg(colour(rgb, ansi));
    }
    if let Some((rgb, ansi)) = tone.bg {
        style = style.bg(colour(rgb, ansi));
    }
    style
}

impl Tone {
    const PLAIN: Self =
        Self { fg: None, bg: None, modifiers: Modifier::empty(), without_colour: Modifier::empty() };
}

#[cfg(test)]
mod tests {
    use ratatui::style::{Color, Modifier};

    use super::{Role, Theme};
    use crate::tui::settings::{Colours, Environment, Settings, ThemeName};

    fn theme(name: ThemeName, colours: Colours) -> Theme {
        let settings = Settings { theme: name, colours, ..Settings::default() };
        Theme::new(&settings, &Environment { utf8: true, ..Environment::default() })
    }

    #[test]
    fn no_colour_means_no_colour_but_the_selection_is_still_seen() {
        for name in ThemeName::ALL {
            let theme = theme(name, Colours::None);
            for role in [Role::Bad, Role::Added, Role::Selected, Role::Bar, Role::Hit] {
                assert_eq!((theme.style(role).fg, theme.style(role).bg), (None, None));
            }
            assert!(theme.style(Role::Selected).add_modifier.contains(Modifier::REVERSED));
            assert!(theme.style(Role::AddedPart).add_modifier.contains(Modifier::UNDERLINED));
        }
    }

    #[test]
    fn depth_limits_the_colours() {
        assert!(matches!(theme(ThemeName::Dark, Colours::True).style(Role::Bad).fg, Some(Color::Rgb(..))));
        assert!(matches!(
            theme(ThemeName::Dark, Colours::Indexed).style(Role::Bad).fg,
            Some(Color::Indexed(_))
        ));
        assert_eq!(theme(ThemeName::Dark, Colours::Sixteen).style(Role::Bad).fg, Some(Color::LightRed));
        assert_eq!(
            theme(ThemeName::ColourBlind, Colours::Sixteen).style(Role::Good).fg,
            Some(Color::LightBlue)
        );
    }

    #[test]
    fn the_theme_key_goes_through_all_and_returns() {
        let start = theme(ThemeName::Dark, Colours::True);
        let names: Vec<_> =
            std::iter::successors(Some(start), |theme| Some(theme.next())).take(5).map(|t| t.name).collect();
        assert_eq!(names.first(), names.last());
        assert_eq!(names.get(..4), Some(&ThemeName::ALL[..]));
    }
}
