//! Runs a query over many chunks, on several processors where that is worth it.

use std::sync::OnceLock;
use std::thread;

use crate::filter::evaluate::{Prepared, rows};
use crate::filter::{Context, Filter};
use crate::history::store::columns::{Bitmap, Chunk};

/// Threads at most: the capture wants a processor as well.
const MAX_THREADS: usize = 4;
/// Chunks that are worth a thread.
const WORTH: usize = 4;
/// Terms that cost less are answered by the columns, faster than a thread starts.
const CHEAP: u8 = 2;

/// For each of `chunks` the rows that match, in their order.
pub(crate) fn run(
    filter: &Filter,
    chunks: &[&Chunk],
    prepared: &Prepared,
    context: &Context<'_>,
) -> Vec<Bitmap> {
    let all = |chunks: &[&Chunk], context: &Context<'_>| -> Vec<Bitmap> {
        chunks.iter().map(|chunk| rows(&filter.node, chunk, chunk.alive(), prepared, context)).collect()
    };
    let threads = processors().min(chunks.len() / WORTH);
    // A diagnosis belongs to the thread that owns the history.
    if threads < 2 || filter.cost < CHEAP || filter.asks_causes() {
        return all(chunks, context);
    }
    let (history, now) = (context.history, context.now);
    let share = chunks.len().div_ceil(threads);
    let (mine, others) = chunks.split_at_checked(share).unwrap_or((chunks, &[]));
    thread::scope(|scope| {
        let helpers: Vec<_> = others
            .chunks(share)
            .map(|chunks| {
                let work = move || all(chunks, &Context { history, now, cause: &|_| None });
                (chunks, thread::Builder::new().spawn_scoped(scope, work))
            })
            .collect();
        let mut found = all(mine, context);
        for (chunks, helper) in helpers {
            // A thread that could not start, or was lost, leaves its share to this one.
            let share = helper.ok().and_then(|helper| helper.join().ok());
            found.extend(share.unwrap_or_else(|| all(chunks, context)));
        }
        found
    })
}

fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS))
}
