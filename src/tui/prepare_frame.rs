//! Prepares what the next frame shows: which rows, which causes, which document. After this, rendering only reads.

use super::layout::{HEADING, areas, is_single};
use super::state::{Focus, State, View};

/// Causes found out for one frame; what is missing then is shown as still to come, and comes with the next frame.
const DIAGNOSES: usize = 40;

/// Prepares the next frame; returns whether something is left for the one after.
pub fn prepare_frame(state: &mut State) -> bool {
    let view = state.view.screen();
    let height = |state: &State| usize::from(areas(state).list.height.saturating_sub(HEADING));
    let more = view.prepare(state, height(state));
    state.stream.prepare(height(state));
    let areas = areas(state);
    let mut left = DIAGNOSES;
    for id in view.shown_causes(state, &areas) {
        if left == 0 {
            return true;
        }
        left -= usize::from(state.causes.learn(id, &state.inspector));
    }
    view.prepare_document(state, &areas);
    more
}

/// Whether the detail pane shows an exchange rather than what is refused now.
pub fn shows_exchange(state: &State) -> bool {
    state.view == View::Stream
        && (state.focus == Focus::Detail || (!state.stream.follows() && !is_single(state)))
}
