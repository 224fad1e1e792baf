//! Explains and writes many matches at once, on all cores, in order.
//!
//! Threads take short pieces of the list one after the other, so that one that has to share its core with the capture takes
//! fewer. Nothing changes in the history meanwhile, so that every line is what one thread would have written.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::signals::Headway;
use crate::edge::redact::Redactor;
use crate::explain::inspector::Inspector;
use crate::export::Item;
use crate::export::ndjson::Lines;
use crate::model::{BaselineChoice, ExchangeId};

/// Matches of a piece.
const PIECE: usize = 16;

/// Makes lines of NDJSON.
#[derive(Debug)]
pub(super) struct LineMakers {
    /// What each thread remembers.
    makers: Vec<Lines>,
}

/// Lines that were made.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// In order.
    pub pieces: Vec<Vec<u8>>,
    /// For how many of the exchanges, from the first on: fewer than all when the time was up.
    pub exchanges: usize,
}

/// What lines are made from.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub inspector: &'a Inspector,
    pub redactor: &'a Redactor,
    pub headway: &'a Headway,
}

impl LineMakers {
    /// On so many threads.
    pub(super) fn new(threads: usize) -> Self {
        Self { makers: (0..threads.max(1)).map(|_| Lines::default()).collect() }
    }

    /// The lines of these exchanges, in their order.
    pub(super) fn make(&mut self, scene: Scene<'_>, ids: &[ExchangeId]) -> Made {
        let pieces: Vec<&[ExchangeId]> = ids.chunks(PIECE).collect();
        let next = AtomicUsize::new(0);
        let work = |lines: &mut Lines| {
            let mut done = Vec::new();
            while let Some((at, piece)) = take(&pieces, &next) {
                let Some(text) = make_piece(lines, scene, piece) else { break };
                done.push((at, text));
            }
            done
        };
        let Some((own, others)) = self.makers.split_first_mut() else { return Made::default() };
        let mut made = thread::scope(|scope| {
            // A thread for a few lines costs more than it saves.
            let worth = pieces.len() / 4;
            let others: Vec<_> =
                others.iter_mut().take(worth).map(|lines| scope.spawn(|| work(lines))).collect();
            let mut made = work(own);
            for other in others {
                match other.join() {
                    Ok(more) => made.extend(more),
                    Err(panic) => resume_unwind(panic),
                }
            }
            made
        });
        made.sort_unstable_by_key(|(at, _)| *at);
        let in_order = made.iter().enumerate().take_while(|(at, (number, _))| at == number).count();
        let pieces = made.into_iter().take(in_order).map(|(_, text)| text).collect();
        Made { pieces, exchanges: ids.len().min(in_order * PIECE) }
    }
}

fn take<'a>(pieces: &[&'a [ExchangeId]], next: &AtomicUsize) -> Option<(usize, &'a [ExchangeId])> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    pieces.get(at).map(|piece| (at, *piece))
}

/// The lines of a piece; none when the time is up.
fn make_piece(lines: &mut Lines, scene: Scene<'_>, ids: &[ExchangeId]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(4096 * ids.len());
    for id in ids {
        if scene.headway.is_overdue() {
            return None;
        }
        let Some(record) = scene.inspector.history().get(*id) else { continue };
        let Some(report) = scene.inspector.report(*id, BaselineChoice::LastSuccess) else { continue };
        lines.append(&mut out, &Item::new(scene.inspector, record, &report), scene.redactor);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{LineMakers, PIECE, Scene};
    use crate::app::signals::Headway;
    use crate::edge::redact::Redactor;
    use crate::explain::diagnoser::Diagnoser;
    use crate::explain::fixture::exchanges;
    use crate::explain::inspector::Inspector;
    use crate::history::History;
    use crate::model::ExchangeId;

    fn inspector() -> (Inspector, Vec<ExchangeId>) {
        let ask = "@ 10.2.0.{5|6|7}\nPOST /v1/users/{#}/{cart|orders|items}\nHost: h\n\
                   Authorization: Bearer key-{a|b|c|d|e}\nContent-Type: application/json\n\n{\"password\":\"s{#}\"}\n";
        let said = "{missing csrf token|token expired|access denied}";
        let text = format!("{ask}--- 201 x60\n\n{{}}\n+++\n--- 403 x300\n\n{said}\n");
        let mut inspector = Inspector::new(History::new(64 << 20), Diagnoser::new());
        let ids = exchanges(&text).into_iter().map(|exchange| inspector.push(exchange)).collect();
        (inspector, ids)
    }

    #[test]
    fn lines_are_the_same_on_any_number_of_threads() {
        let (inspector, ids) = inspector();
        assert!(ids.len() > 8 * PIECE, "{}", ids.len());
        let (redactor, headway) = (Redactor::for_tests(false), Headway::default());
        let scene = Scene { inspector: &inspector, redactor: &redactor, headway: &headway };
        let one_by_one: Vec<u8> = ids
            .iter()
            .flat_map(|id| {
                let mut line = Vec::new();
                crate::export::with_item(&inspector, *id, |item| {
                    crate::export::ndjson::write(&mut line, item, &redactor).unwrap();
                })
                .unwrap();
                line
            })
            .collect();
        for threads in [1, 2, 5] {
            let mut makers = LineMakers::new(threads);
            for _ in 0..3 {
                let made = makers.make(scene, &ids);
                assert_eq!(made.exchanges, ids.len());
                assert_eq!(made.pieces.concat(), one_by_one, "{threads} threads");
            }
        }
    }

    #[test]
    fn nothing_is_made_when_the_time_is_up() {
        let (inspector, ids) = inspector();
        let (redactor, headway) = (Redactor::for_tests(false), Headway::default());
        headway.set_overdue();
        let scene = Scene { inspector: &inspector, redactor: &redactor, headway: &headway };
        let made = LineMakers::new(2).make(scene, &ids);
        assert_eq!((made.exchanges, made.pieces.len()), (0, 0));
    }
}
