//! What the source has to say.

use crate::explain::inspector::Observation;
use crate::feed::{Ended, Message};
use crate::filter::Filter;
use crate::model::Exchange;
use crate::tui::action::Effect;
use crate::tui::state::stream::matches;
use crate::tui::state::{State, View};

/// Takes a message in.
pub(super) fn take(state: &mut State, message: Message) -> Vec<Effect> {
    match message {
        Message::Exchanges(batch) => return exchanges(state, batch),
        Message::Logs(batch) => {
            state.inspector.observe(Observation::Logs(batch), state.clock);
            join_logs(state);
        }
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
            let effects = arrivals(state, true);
            if state.inspector.join_logs() {
                state.causes.forget();
            }
            state.traffic.progress = None;
            state.traffic.ended = Some(ended);
            return effects;
        }
    }
    Vec::new()
}

/// Ties log records that came lately to refusals; what is known of their causes is asked for again.
pub(super) fn join_logs(state: &mut State) {
    if state.inspector.join_recent(state.clock) {
        state.causes.forget();
    }
}

fn exchanges(state: &mut State, batch: Vec<Exchange>) -> Vec<Effect> {
    state.arrived = state.clock;
    for exchange in batch {
        state.traffic.count(&exchange, state.clock);
        state.inspector.arrive(exchange, state.clock);
    }
    arrivals(state, false)
}

/// Takes in the exchanges that need not be held back any more; with `flush` all of them.
pub(super) fn arrivals(state: &mut State, flush: bool) -> Vec<Effect> {
    let mut rang = false;
    let mut launched = Vec::new();
    // Incidents keep the values that they count, also after secrets are hidden again.
    let hiding = state.masking();
    while let Some(arrival) = state.inspector.next_arrival(state.clock, flush) {
        let is_leg = arrival.place.outer.is_some();
        let Some(id) = state.inspector.observe(Observation::Exchange(Box::new(arrival)), state.clock) else {
            continue;
        };
        if is_leg {
            continue;
        }
        if let Some(record) = state.inspector.history().get(id) {
            state.time_axis.count(&record.exchange);
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
    open_incidents(state);
    let mut effects = Vec::new();
    if rang && state.bell {
        effects.push(Effect::Bell);
    }
    if !launched.is_empty() {
        effects.push(Effect::Matched(launched));
    }
    effects
}

/// Refusals from which on the incidents are the first thing on the screen.
const HANDFUL: u64 = 10;

/// Opens the incidents when there is more than a handful of refusals, unless the user has pressed a key or asked for something else.
fn open_incidents(state: &mut State) {
    let asked = ![Filter::DEFAULT, ""].contains(&state.stream.filter.text());
    if !state.touched && !asked && state.view == View::Stream && state.incidents.found.refusals() >= HANDFUL {
        super::show(state, View::Incidents);
    }
}
