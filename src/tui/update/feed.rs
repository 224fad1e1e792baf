//! What the source has to say.

use crate::feed::{Ended, Message};
use crate::model::Exchange;
use crate::tui::action::Effect;
use crate::tui::state::State;
use crate::tui::state::stream::matches;

/// Takes a message in.
pub(super) fn take(state: &mut State, message: Message) -> Vec<Effect> {
    match message {
        Message::Exchanges(batch) => return exchanges(state, batch),
        Message::Counters(counters) => state.traffic.counters = *counters,
        Message::Source(counters) => state.traffic.source = counters,
        Message::Progress(progress) => state.traffic.progress = Some(progress),
        Message::Warning(text) => {
            let text = crate::edge::sanitize::text(&text).into_owned();
            state.complain(text.clone());
            state.traffic.warn(text);
        }
        Message::Ended(ended) => {
            if let Ended::Failed(reason) = &ended {
                state.complain(crate::edge::sanitize::text(reason).into_owned());
            }
            if state.inspector.join_logs() {
                state.causes.forget();
            }
            state.traffic.progress = None;
            state.traffic.ended = Some(ended);
        }
    }
    Vec::new()
}

fn exchanges(state: &mut State, batch: Vec<Exchange>) -> Vec<Effect> {
    state.arrived = state.clock;
    let mut rang = false;
    let mut launched = Vec::new();
    // Incidents keep the values that they count, also after secrets are hidden again.
    let mut hiding = state.redactor.clone();
    hiding.set_reveal(false);
    for exchange in batch {
        state.traffic.count(&exchange, state.clock);
        let id = state.inspector.push(exchange);
        if let Some(record) = state.inspector.history().get(id) {
            state.endpoints.count(record, state.inspector.history());
            state.incidents.found.count(record, &state.inspector, &hiding);
        }
        let matched = state.stream.push(id, &state.inspector);
        rang |= matched;
        let started_with = match &state.launched {
            Some(filter) => matches(filter, id, &state.inspector),
            None => matched,
        };
        if started_with {
            state.matched += 1;
            launched.push(id);
        }
    }
    state.stream.prune(state.inspector.history());
    let mut effects = Vec::new();
    if rang && state.bell {
        effects.push(Effect::Bell);
    }
    if !launched.is_empty() {
        effects.push(Effect::Matched(launched));
    }
    effects
}
