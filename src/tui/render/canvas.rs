//! Writes text with roles into cells, cut where it must be and with a sign that it was.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::edge::sanitize;
use crate::tui::text;
use crate::tui::theme::{Glyphs, Role, Theme};

/// Cells with a theme.
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    theme: &'a Theme,
}

impl<'a> Canvas<'a> {
    /// Over all of `buffer`.
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme) -> Self {
        let style = theme.style(Role::Text);
        if style != Style::new() {
            let area = buffer.area;
            buffer.set_style(area, style);
        }
        Self { buffer, theme }
    }

    /// Signs.
    pub fn glyphs(&self) -> &'static Glyphs {
        self.theme.glyphs
    }

    /// Writes `text` at a place, at most `columns` of it; cut with a sign. Returns the columns that it took.
    pub fn put(&mut self, x: u16, y: u16, columns: u16, text: &str, role: Role) -> u16 {
        let max = usize::from(columns);
        if text.len() <= max || text::width(text) <= max {
            return self.raw(x, y, columns, text, role);
        }
        let sign = self.glyphs().ellipsis;
        let cut = text::fit(text, max, sign);
        self.raw(x, y, columns, &cut, role)
    }

    /// As [`Canvas::put`], cut in the middle.
    pub fn put_middle(&mut self, x: u16, y: u16, columns: u16, text: &str, role: Role) -> u16 {
        let cut = text::fit_middle(text, usize::from(columns), self.glyphs().ellipsis);
        self.raw(x, y, columns, &cut, role)
    }

    /// As [`Canvas::put`], at the right end of the columns.
    pub fn put_right(&mut self, x: u16, y: u16, columns: u16, text: &str, role: Role) {
        let missing = usize::from(columns).saturating_sub(text::width(text)) as u16;
        self.put(x + missing, y, columns - missing, text, role);
    }

    /// Pieces one after the other within `columns`. Returns the columns that they took.
    pub fn pieces(&mut self, x: u16, y: u16, columns: u16, pieces: &[(&str, Role)]) -> u16 {
        let mut used = 0;
        for (text, role) in pieces {
            used += self.put(x + used, y, columns.saturating_sub(used), text, *role);
        }
        used
    }

    /// Without a sign where it is cut. Every text goes this way; one that came here unescaped is escaped at last.
    pub fn raw(&mut self, x: u16, y: u16, columns: u16, text: &str, role: Role) -> u16 {
        let area = self.buffer.area;
        if y >= area.bottom() || x >= area.right() || columns == 0 {
            return 0;
        }
        let style = self.theme.style(role);
        let fresh = Modifier::all().difference(style.add_modifier);
        let ink = style.bg.and_then(|_| self.theme.ink());
        let style = style.fg(style.fg.or(ink).unwrap_or(Color::Reset)).remove_modifier(fresh);
        let text = sanitize::text(text);
        let (end, _) = self.buffer.set_stringn(x, y, &text, usize::from(columns), style);
        end - x
    }

    /// Gives an area a role's looks, keeping the text. Letters that its ground would swallow take the plain ink: those of the
    /// terminal's own colour, of the ground's, and the dim ones.
    pub fn tint(&mut self, area: Rect, role: Role) {
        let style = self.theme.style(role);
        self.buffer.set_style(area, style);
        let Some(ink) = self.theme.ink().filter(|_| style.bg.is_some() && style.fg.is_none()) else { return };
        let swallowed = [Some(Color::Reset), style.bg, self.theme.style(Role::Dim).fg];
        let area = area.intersection(self.buffer.area);
        for position in area.positions() {
            if let Some(cell) =
                self.buffer.cell_mut(position).filter(|cell| swallowed.contains(&Some(cell.fg)))
            {
                cell.fg = ink;
            }
        }
    }

    /// Blanks an area in a role's looks.
    pub fn fill(&mut self, area: Rect, role: Role) {
        let style = self.theme.style(role);
        let area = area.intersection(self.buffer.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                    cell.set_style(style);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    use super::Canvas;
    use crate::tui::settings::{Colours, Environment, Settings, ThemeName};
    use crate::tui::theme::{Role, Theme};

    #[test]
    fn dim_letters_stay_readable_on_a_tint_and_coloured_ones_keep_their_colour() {
        let themes = [ThemeName::Dark, ThemeName::Light, ThemeName::ColourBlind];
        for (theme, colours) in themes
            .map(|theme| (theme, Colours::Sixteen))
            .into_iter()
            .chain(themes.map(|theme| (theme, Colours::Indexed)))
        {
            let settings = Settings { theme, colours, ..Settings::default() };
            let theme = Theme::new(&settings, &Environment { utf8: true, ..Environment::default() });
            let area = Rect::new(0, 0, 2, 1);
            let mut buffer = Buffer::empty(area);
            let mut canvas = Canvas::new(&mut buffer, &theme);
            canvas.raw(0, 0, 1, "d", Role::Dim);
            canvas.raw(1, 0, 1, "b", Role::Bad);
            canvas.tint(area, Role::Selected);
            assert_eq!(Some(buffer[(0, 0)].fg), theme.ink(), "{theme:?}");
            assert_eq!(Some(buffer[(1, 0)].fg), theme.style(Role::Bad).fg, "{theme:?}");
        }
    }
}
