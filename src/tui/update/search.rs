//! Search: within a document, or over the heads and bodies of what the stream lists.

use super::{command, movement};
use crate::features::coding::MAX_DECODED;
use crate::features::content;
use crate::filter::Needle;
use crate::history::Record;
use crate::model::{Body, ExchangeId, Fields};
use crate::tui::keys::Command;
use crate::tui::state::detail::Tab;
use crate::tui::state::find::Find;
use crate::tui::state::{State, View};

/// Bytes of heads and bodies that are looked through in one go, about.
const BYTES: usize = 4 << 20;

/// Searches for `query`: in the document that is open, else from the selected exchange on.
pub(super) fn start(state: &mut State, query: &str) {
    if query.is_empty() {
        return;
    }
    if movement::page(state).is_some() {
        in_page(state, query);
        return;
    }
    let needle = Needle::new(query.to_ascii_lowercase().into_bytes());
    let from = state.stream.current().map_or(0, |id| state.stream.position(id));
    let left = state.stream.len();
    let find = Find { query: query.to_owned(), needle, next: Some(from), left, forward: true };
    state.find = Some(find);
    state.say(format!("searching for '{}'", crate::edge::sanitize::short(query.as_bytes(), 40)));
    scan(state);
}

fn in_page(state: &mut State, query: &str) {
    let key = state.keys.key(Command::NextHit);
    let Some(page) = movement::page(state) else { return };
    page.search(query);
    let hits = page.hits.len();
    if page.first_hit().is_none() {
        state.complain(format!("'{}' is not in this tab", crate::edge::sanitize::text(query)));
    } else {
        state.say(format!("{}; {key} for the next", crate::tui::text::plural(hits as u64, "hit", "hits")));
    }
}

/// The next hit, or the one before: in the document that is open, else in the stream.
pub(super) fn next(state: &mut State, forward: bool) {
    if let Some(page) = movement::page(state) {
        let (total, found) = (page.hits.len(), page.hit(forward));
        let query = page.query.clone();
        match found {
            Some(number) => state.say(format!("hit {number} of {total}")),
            None if query.is_empty() => state.say("search first"),
            None => state.complain(format!("'{}' is not in this tab", crate::edge::sanitize::text(&query))),
        }
        return;
    }
    let len = state.stream.len();
    let at = state.stream.current().map_or(0, |id| state.stream.position(id));
    let Some(find) = state.find.as_mut().filter(|_| len > 0) else {
        let key = state.keys.key(Command::Search);
        state.say(format!("{key} searches heads and bodies"));
        return;
    };
    find.forward = forward;
    find.next = Some(if forward { (at + 1) % len } else { at.checked_sub(1).unwrap_or(len - 1) });
    find.left = len;
    scan(state);
}

/// Whether a hit is still searched for.
pub(super) fn is_searching(state: &State) -> bool {
    state.find.as_ref().is_some_and(|find| find.next.is_some())
}

/// Looks through some more exchanges.
pub(super) fn scan(state: &mut State) {
    let Some(mut find) = state.find.take() else { return };
    let len = state.stream.len();
    let mut bytes = 0;
    let mut hit: Option<(ExchangeId, Tab)> = None;
    while let Some(at) = find.next {
        if find.left == 0 || at >= len {
            find.next = None;
            state.complain(format!(
                "'{}' is in no head and no body here",
                crate::edge::sanitize::short(find.query.as_bytes(), 40)
            ));
            break;
        }
        if bytes >= BYTES {
            break;
        }
        let record = state.stream.at(at).and_then(|id| state.inspector.history().get(id));
        if let Some(record) = record {
            let (found, looked) = look(record, &find.needle);
            bytes += looked;
            hit = found.map(|tab| (record.exchange.id, tab));
        }
        find.left -= 1;
        find.next = Some(if find.forward { (at + 1) % len } else { at.checked_sub(1).unwrap_or(len - 1) });
        if hit.is_some() {
            find.next = None;
        }
    }
    // Small letters match both cases in a document, as they did here.
    let query = find.query.to_ascii_lowercase();
    state.find = Some(find);
    if let Some((id, tab)) = hit {
        show(state, id, tab, query);
    }
}

/// Selects the exchange; its tab opens at the hit.
fn show(state: &mut State, id: ExchangeId, tab: Tab, query: String) {
    if state.view != View::Stream {
        command::show(state, View::Stream);
    }
    state.stream.select_id(id);
    state.detail.leave();
    state.detail.tab = tab;
    state.detail.page.query = query;
    let where_ = if tab == Tab::Request { "request" } else { "response" };
    let (open, next) = (state.keys.key(Command::Open), state.keys.key(Command::NextHit));
    state.say(format!("in the {where_} of #{}; {open} opens it, {next} for the next", id.0));
}

/// In which message of `record` the text is, and the bytes that were looked through.
fn look(record: &Record, needle: &Needle) -> (Option<Tab>, usize) {
    let exchange = &record.exchange;
    let mut looked = 64;
    if let Some(request) = &exchange.request {
        let (found, bytes) = message(request.head.fields(), &request.body, needle);
        looked += bytes;
        if found {
            return (Some(Tab::Request), looked);
        }
    }
    if let Some(response) = &exchange.response {
        let (found, bytes) = message(response.head.fields(), &response.body, needle);
        looked += bytes;
        if found {
            return (Some(Tab::Response), looked);
        }
    }
    (None, looked)
}

fn message(fields: &Fields, body: &Body, needle: &Needle) -> (bool, usize) {
    let raw = fields.raw();
    let size = raw.len() + body.kept.len();
    if needle.is_in(raw) || needle.is_in(&body.kept) {
        return (true, size);
    }
    if !fields.has("content-encoding") && !fields.has("transfer-encoding") {
        return (false, size);
    }
    let decoded = content::read(fields, &body.kept, MAX_DECODED);
    (needle.is_in(&decoded.bytes), size + decoded.bytes.len())
}
