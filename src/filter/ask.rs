//! Looks into the exchanges themselves, a group at a time. An exchange is several blocks of memory, and over a million of
//! them none is in the processor's cache: what a term will read is touched for the whole group first, so that the loads wait
//! for memory side by side and not one after the other.

use std::hint::black_box;

use super::term::{Side, Term};
use crate::history::Record;
use crate::history::columns::{Bitmap, Chunk, WORDS, ones, set};
use crate::model::{Body, Fields};

/// Exchanges whose memory is touched together.
const GROUP: usize = 32;
/// Bytes that come from memory at once.
const LINE: usize = 64;
/// Bytes of a body that are touched ahead: the processor finds out by itself that more is read.
const AHEAD: usize = 256;

/// What a test reads of an exchange besides its record.
#[derive(Clone, Copy)]
pub(super) enum Reach {
    /// Nothing.
    Record(Side),
    /// The request's start line.
    Target,
    /// Heads.
    Heads(Side),
    /// Bodies.
    Bodies(Side),
}

impl Reach {
    pub(super) fn of(term: &Term) -> Self {
        match term {
            Term::Target(_) | Term::Path(_) | Term::Query(_) | Term::Host(_) => Self::Target,
            Term::Field(side, _) => Self::Heads(*side),
            Term::Cookie(_) => Self::Heads(Side::Request),
            Term::Body(side, _) => Self::Bodies(*side),
            Term::Size(side, _) => Self::Record(*side),
            _ => Self::Record(Side::Request),
        }
    }
}

/// The candidates that pass `test`, which reads of an exchange what `reach` says.
pub(super) fn ask(
    chunk: &Chunk,
    candidates: &Bitmap,
    reach: Reach,
    test: impl Fn(&Record) -> bool,
) -> Bitmap {
    let mut found = [0; WORDS];
    let mut rows = ones(candidates);
    let mut group: Vec<(usize, &Record)> = Vec::with_capacity(GROUP);
    loop {
        group.clear();
        group.extend(rows.by_ref().filter_map(|at| Some((at, chunk.record(at)?))).take(GROUP));
        if group.is_empty() {
            return found;
        }
        touch(&group, reach);
        for (at, record) in &group {
            if test(record) {
                set(&mut found, *at);
            }
        }
    }
}

fn touch(group: &[(usize, &Record)], reach: Reach) {
    let side = match reach {
        Reach::Record(side) | Reach::Heads(side) | Reach::Bodies(side) => side,
        Reach::Target => Side::Request,
    };
    let records = || group.iter().map(|(_, record)| *record);
    let messages = || records().flat_map(|record| messages(record, side));
    black_box(records().map(|record| first(record, side)).sum::<usize>());
    black_box(match reach {
        Reach::Record(_) => 0,
        Reach::Target => records().map(target).sum::<usize>(),
        Reach::Heads(_) => messages().map(|(fields, _)| head(fields)).sum(),
        Reach::Bodies(_) => messages().map(|(_, kept)| body(kept)).sum(),
    });
}

/// The messages of a side.
pub(super) fn messages(record: &Record, side: Side) -> impl Iterator<Item = (&Fields, &Body)> {
    let request = record.exchange.request.iter().filter(move |_| side != Side::Response);
    let response = record.exchange.response.iter().filter(move |_| side != Side::Request);
    request
        .map(|request| (request.head.fields(), &request.body))
        .chain(response.map(|response| (response.head.fields(), &response.body)))
}

fn first(record: &Record, side: Side) -> usize {
    let port = usize::from(record.exchange.server.port());
    messages(record, side).map(|(fields, body)| fields.heap_bytes() + body.kept.len()).sum::<usize>() + port
}

/// The list of fields, four of them in a line, and the bytes.
fn head(fields: &Fields) -> usize {
    let spans: usize = fields.spans().step_by(4).map(|span| span.name.len as usize).sum();
    spans + fields.raw().iter().step_by(LINE).map(|byte| usize::from(*byte)).sum::<usize>()
}

fn target(record: &Record) -> usize {
    let raw = record.exchange.request.as_ref().map_or(&[][..], |request| request.head.fields().raw());
    raw.iter().take(2 * LINE).step_by(LINE).map(|byte| usize::from(*byte)).sum()
}

fn body(body: &Body) -> usize {
    body.kept.iter().take(AHEAD).step_by(LINE).map(|byte| usize::from(*byte)).sum()
}
