//! Where things are on the screen, from its size and from what is open. `update` needs it for page sizes, `render` to draw.

use ratatui::layout::Rect;

use super::state::detail::Tab;
use super::state::input::Input;
use super::state::{Focus, State, View};
use super::views::Kind;

/// From this width on list and exchange stand side by side: the list then has room for every column.
const WIDE: u16 = 170;
/// From this height on a narrower screen shows both, one below the other.
const TALL: u16 = 37;
/// From this height on a small screen has room for what is refused below the stream.
const STRIP: u16 = 16;

/// From this height on the time line stands above lists.
const TIMELINE: u16 = 30;

/// Rows of an endpoint's card, at least.
const CARD: u16 = 9;

/// Areas of the screen. An area of no height is not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    /// The bar at the top.
    pub header: Rect,
    /// Refusals and successes over time.
    pub timeline: Rect,
    /// The list with its heading.
    pub list: Rect,
    /// The exchange with its tabs, or what is refused now while nothing is selected.
    pub detail: Rect,
    /// Between the two: a column when they are side by side, a row when one is below the other.
    pub divider: Rect,
    /// A page that fills everything between the bars.
    pub page: Rect,
    /// The status line.
    pub status: Rect,
    /// Hints, or the line that is edited.
    pub hints: Rect,
}

/// Rows of a list's or an exchange's heading.
pub const HEADING: u16 = 1;

/// Lays out `state`'s screen.
pub fn areas(state: &State) -> Areas {
    let (width, height) = state.size;
    let row = |y: u16| Rect::new(0, y, width, u16::from(y < height));
    let body = Rect::new(0, 1.min(height), width, height.saturating_sub(3));
    let mut areas = Areas {
        header: row(0),
        status: row(height.saturating_sub(2).max(1)),
        hints: row(height.saturating_sub(1).max(2)),
        ..Areas::default()
    };
    let selecting = matches!(state.input, Some(Input::Timeline(_)));
    let has_room = height >= TIMELINE && !state.zoom && state.traffic.exchanges > 0;
    let body = if state.view.screen().kind() == Kind::List && (has_room || selecting) && body.height > 8 {
        areas.timeline = Rect { height: 2, ..body };
        Rect { y: body.y + 2, height: body.height - 2, ..body }
    } else {
        body
    };
    state.view.screen().lay_out(state, body, &mut areas);
    areas
}

/// Whether there is room for one pane only, or one is wanted only.
pub fn is_single(state: &State) -> bool {
    let (width, height) = state.size;
    state.zoom || (width < WIDE && height < TALL)
}

/// The header's name of the program, in columns.
pub const NAME: u16 = 8;

/// The views that the header names: each with its name, the column it begins at and its width.
pub fn headings(state: &State) -> impl Iterator<Item = (View, &'static str, u16, u16)> {
    let open = state.view;
    let named = View::ALL.iter().filter(move |view| **view == open || view.screen().is_in_header());
    named.scan(NAME, |x, view| {
        let (view, name) = (*view, view.screen().name());
        let (start, width) = (*x, name.len() as u16 + 2);
        *x += width;
        Some((view, name, start, width))
    })
}

/// The tabs of an exchange: each with the column it begins at, counted from the pane's, and its width.
pub fn tabs() -> impl Iterator<Item = (Tab, u16, u16)> {
    Tab::ALL.into_iter().scan(0, |x, tab| {
        let (start, width) = (*x, tab.title().len() as u16 + 2);
        *x += width;
        Some((tab, start, width))
    })
}

/// A list with a card of what is selected below it, where there is room. The card has a third of the screen, and what `rows` leave.
pub fn list_and_card(state: &State, body: Rect, areas: &mut Areas, rows: Option<usize>) {
    if state.zoom || body.height < STRIP {
        areas.list = body;
    } else {
        let most = body.height - (body.height / 3).max(CARD) - 1;
        let wanted = rows.map_or(most, |rows| u16::try_from(rows + 2).unwrap_or(most));
        split_rows(body, wanted.clamp(most.min(4), most), areas);
    }
}

/// The stream, with the exchange that is open or what is refused.
pub fn stream(state: &State, body: Rect, areas: &mut Areas) {
    let reads = state.focus == Focus::Detail;
    if is_single(state) {
        if reads {
            areas.detail = body;
        } else if !state.zoom && body.height >= STRIP {
            let strip = (state.stream.refusing().len().min(100) as u16 + 1).min(body.height / 3);
            let strip = if strip > 1 { strip } else { 0 };
            let list = body.height - strip - u16::from(strip > 0);
            split_rows(body, list, areas);
        } else {
            areas.list = body;
        }
    } else if body.width >= WIDE {
        let list = (body.width * 11 / 20).clamp(100, 130);
        areas.list = Rect { width: list, ..body };
        areas.divider = Rect { x: list, width: 1, ..body };
        areas.detail = Rect { x: list + 1, width: body.width - list - 1, ..body };
    } else {
        let share = if reads { 4 } else { 2 };
        split_rows(body, (body.height / share).max(6), areas);
    }
}

fn split_rows(body: Rect, list: u16, areas: &mut Areas) {
    areas.list = Rect { height: list.min(body.height), ..body };
    if list < body.height {
        areas.divider = Rect { y: body.y + list, height: 1, ..body };
        areas.detail = Rect { y: body.y + list + 1, height: body.height - list - 1, ..body };
    }
}

impl Areas {
    /// Whether list and exchange stand side by side.
    pub fn side_by_side(&self) -> bool {
        self.divider.width == 1 && self.divider.height > 1
    }
}
