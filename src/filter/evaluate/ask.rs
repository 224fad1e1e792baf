//! Looks into the exchanges themselves, a group at a time. An exchange is several blocks of memory, and over a million of
//! them none is in the processor's cache: what a term will read is touched for the whole group first, so that the loads wait
//! for memory side by side and not one after the other.

use std::hint::black_box;

use crate::filter::term::{Side, Term};
use crate::history::Record;
use crate::history::store::columns::{Bitmap, Chunk, WORDS, ones, set};
use crate::model::{Body, Fields};

/// Exchanges whose memory is touched together.
const GROUP: usize = 32;
/// Bytes that come from memory at once.
const LINE: usize = 64;
/// Bytes of a body that are touched ahead: the processor finds out by itself that more is read.
const AHEAD: usize = 256;

/// What a test reads of an exchange besides its record.
#[derive(Clone, Copy)]
pub(crate) enum Reach {
    /// Nothing.
    Record(Side),
    /// The request's start line.
    Target,
    /// Heads.
    Heads(Side),
}

impl Reach {
    pub(crate) fn of(term: &Term) -> Self {
        match term {
            Term::Target(_) | Term::Path(_) | Term::Query(_) | Term::Host(_) => Self::Target,
            Term::Field(side, _) | Term::Body(side, _) => Self::Heads(*side),
            Term::Cookie(_) => Self::Heads(Side::Request),
            Term::Size(side, _) => Self::Record(*side),
            _ => Self::Record(Side::Request),
        }
    }
}

/// The candidates that pass `test`, which reads of an exchange what `reach` says.
pub(crate) fn ask(
    chunk: &Chunk,
    candidates: &Bitmap,
    reach: Reach,
    test: impl Fn(&Record) -> bool,
) -> Bitmap {
    let mut found = [0; WORDS];
    groups(chunk, candidates, |group| {
        touch(group, reach);
        for (at, record) in group {
            if test(record) {
                set(&mut found, *at);
            }
        }
    });
    found
}

/// The candidates of which one piece passes `test`. `collect` adds the pieces of an exchange, without a look at more than its
/// record; `find` tells where the bytes of a piece are.
pub(crate) fn ask_pieces<'a, P>(
    chunk: &'a Chunk,
    candidates: &Bitmap,
    collect: impl Fn(usize, &'a Record, &mut Vec<(usize, P)>),
    find: impl Fn(&P) -> &'a [u8],
    test: impl Fn(&P, &[u8]) -> bool,
) -> Bitmap {
    let mut found = [0; WORDS];
    let (mut pieces, mut bytes) = (Vec::with_capacity(2 * GROUP), Vec::with_capacity(2 * GROUP));
    groups(chunk, candidates, |group| {
        pieces.clear();
        for (at, record) in group {
            collect(*at, record, &mut pieces);
        }
        bytes.clear();
        bytes.extend(pieces.iter().map(|(_, piece)| find(piece)));
        prefetch(bytes.iter().map(|bytes| lines(bytes, AHEAD)));
        for ((at, piece), bytes) in pieces.iter().zip(&bytes) {
            if test(piece, bytes) {
                set(&mut found, *at);
            }
        }
    });
    found
}

/// Hands the candidates over with their rows, a group at a time.
fn groups<'a>(chunk: &'a Chunk, candidates: &Bitmap, mut take: impl FnMut(&[(usize, &'a Record)])) {
    let mut rows = ones(candidates).filter_map(|at| Some((at, chunk.record(at)?)));
    let mut group: Vec<(usize, &Record)> = Vec::with_capacity(GROUP);
    loop {
        group.clear();
        group.extend(rows.by_ref().take(GROUP));
        if group.is_empty() {
            return;
        }
        take(&group);
    }
}

/// Reads everything that `touched` reads, side by side, so that it is at hand afterwards.
fn prefetch(touched: impl Iterator<Item = usize>) {
    black_box(touched.fold(0, usize::wrapping_add));
}

fn touch(group: &[(usize, &Record)], reach: Reach) {
    let records = || group.iter().map(|(_, record)| *record);
    match reach {
        Reach::Record(side) => prefetch(records().map(|record| {
            let port = usize::from(record.exchange.server.port());
            messages(record, side).map(|(_, body)| body.len as usize).fold(port, usize::wrapping_add)
        })),
        Reach::Target => {
            prefetch(records().map(|record| raw(record).len()));
            prefetch(records().map(|record| lines(raw(record), 2 * LINE)));
        }
        Reach::Heads(side) => {
            let heads = || records().flat_map(|record| messages(record, side)).map(|(fields, _)| fields);
            prefetch(heads().map(Fields::heap_bytes));
            prefetch(heads().map(head));
        }
    }
}

/// The messages of a side.
pub(crate) fn messages(record: &Record, side: Side) -> impl Iterator<Item = (&Fields, &Body)> {
    let request = record.exchange.request.iter().filter(move |_| side != Side::Response);
    let response = record.exchange.response.iter().filter(move |_| side != Side::Request);
    request
        .map(|request| (request.head.fields(), &request.body))
        .chain(response.map(|response| (response.head.fields(), &response.body)))
}

/// The list of fields, eight of them in a line, and the bytes.
fn head(fields: &Fields) -> usize {
    let spans: usize = fields.spans().step_by(8).map(|span| span.name.len as usize).sum();
    spans + lines(fields.raw(), usize::MAX)
}

/// The request's head.
fn raw(record: &Record) -> &[u8] {
    record.exchange.request.as_ref().map_or(&[][..], |request| request.head.fields().raw())
}

/// One byte of each line of memory.
fn lines(bytes: &[u8], most: usize) -> usize {
    bytes.iter().take(most).step_by(LINE).map(|byte| usize::from(*byte)).sum()
}
