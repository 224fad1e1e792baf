//! Prepares what the next frame shows: which rows, which causes, which document. After this, rendering only reads.

use super::layout::{HEADING, areas, is_single};
use super::state::detail::Tab;
use super::state::{Focus, State, View};
use crate::model::ExchangeId;

/// Causes found out for one frame; what is missing then is shown as still to come, and comes with the next frame.
const DIAGNOSES: usize = 40;

/// Prepares the next frame; returns whether something is left for the one after.
pub fn prepare_frame(state: &mut State) -> bool {
    let overview = state.view == View::Endpoints || (state.view == View::Stream && !shows_exchange(state));
    if overview {
        let height = areas(state).list.height.saturating_sub(HEADING);
        state.endpoints.prepare(state.inspector.history(), usize::from(height));
        state.stream.rank(state.inspector.history());
    }
    if state.view == View::Incidents {
        let height = areas(state).list.height.saturating_sub(HEADING);
        let now = state.now();
        state.incidents.prepare(&state.inspector, now, usize::from(height));
    }
    let areas = areas(state);
    state.stream.prepare(usize::from(areas.list.height.saturating_sub(HEADING)));
    let wanted = wanted(state, overview, areas.detail.height);
    let mut left = DIAGNOSES;
    for id in wanted {
        if left == 0 {
            return true;
        }
        left -= usize::from(state.causes.learn(id, &state.inspector));
    }
    match state.view {
        View::Stream if shows_exchange(state) && areas.detail.height > HEADING => {
            let current = state.current();
            let size = (areas.detail.width.saturating_sub(2), areas.detail.height - HEADING);
            let tools = (&state.inspector, &state.redactor, &state.exports);
            let known = (&mut state.causes, state.stream.is_paused());
            state.detail.prepare(current, tools, known, state.theme.glyphs, size);
        }
        View::Compare | View::Help | View::Health => {
            super::pages::prepare(
                state,
                (areas.page.width.saturating_sub(2), areas.page.height.saturating_sub(HEADING)),
            );
        }
        View::Endpoints | View::Incidents => {
            super::pages::prepare(state, (areas.detail.width.saturating_sub(2), areas.detail.height));
        }
        View::Stream => {}
    }
    false
}

/// Whether the detail pane shows an exchange rather than what is refused now.
pub fn shows_exchange(state: &State) -> bool {
    state.view == View::Stream
        && (state.focus == Focus::Detail || (!state.stream.follows() && !is_single(state)))
}

/// Exchanges whose top cause the frame shows.
fn wanted(state: &State, overview: bool, detail: u16) -> Vec<ExchangeId> {
    let mut wanted: Vec<ExchangeId> = Vec::new();
    match state.view {
        View::Stream => wanted.extend(state.stream.visible().1),
        View::Endpoints => wanted.extend(state.endpoints.visible().1.filter_map(|(_, row)| row.last_refusal)),
        View::Incidents | View::Compare | View::Help | View::Health => {}
    }
    if overview && state.view == View::Stream {
        let rows = state.stream.refusing().iter().take(usize::from(detail));
        wanted.extend(rows.map(|(_, tally)| tally.last));
    }
    wanted
}

/// The tab that keys of the detail pane act on.
pub fn tab(state: &State) -> Option<Tab> {
    shows_exchange(state).then_some(state.detail.tab)
}
