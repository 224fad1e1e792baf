//! The top causes of very many refusals at once, on all cores.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::thread;

use crate::explain::diagnoser::Diagnoser;
use crate::explain::top_cause::likeness;
use crate::history::{History, Record};
use crate::model::Cause;

/// Fewer items than this are not worth a thread.
const WORTH: usize = 64;

impl Diagnoser {
    /// The top causes of `these` with their confidence, in their order: what [`Diagnoser::top`] gives one after the other,
    /// whatever the number of `workers`.
    pub fn tops(&self, history: &History, these: &[&Record], workers: usize) -> Vec<(Cause, f32)> {
        let keys = spread(these, workers, |record| likeness(record, history));
        let mut places: HashMap<u64, usize, ahash::RandomState> = HashMap::default();
        let mut asked: Vec<&Record> = Vec::new();
        for (key, record) in keys.iter().zip(these) {
            places.entry(*key).or_insert_with(|| {
                asked.push(record);
                asked.len() - 1
            });
        }
        let answers = spread(&asked, workers, |record| self.top(history, record));
        let answer = |key: &u64| answers.get(*places.get(key)?).copied();
        keys.iter().map(|key| answer(key).unwrap_or((Cause::Unknown, 0.0))).collect()
    }
}

/// `of` each item, in order, with the items shared out among `workers`.
fn spread<T: Sync, R: Send>(items: &[T], workers: usize, of: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let share = items.len().div_ceil(workers.max(1)).max(WORTH);
    let of = &of;
    let mut done = Vec::with_capacity(items.len());
    thread::scope(|scope| {
        let mut shares = items.chunks(share);
        let own = shares.next().unwrap_or_default();
        let others: Vec<_> =
            shares.map(|share| scope.spawn(move || share.iter().map(of).collect::<Vec<R>>())).collect();
        done.extend(own.iter().map(of));
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => resume_unwind(panic),
            }
        }
    });
    done
}

#[cfg(test)]
mod tests {
    use super::Diagnoser;
    use crate::explain::fixture::exchanges;
    use crate::history::{History, Record};

    #[test]
    fn the_number_of_workers_changes_nothing() {
        let ask = "@ 10.2.0.{5|6|7}\nPOST /v1/users/{#}/{cart|orders|items|pages|files}\nHost: h\n\
                   Authorization: Bearer key-{a|b|c|d|e|f|g|h|i|j|k}\n";
        let said = "{missing csrf token|token expired|access denied|role editor required}";
        let text = format!("{ask}--- 201 x99\n\n{{}}\n+++\n--- 403 x300\n\n{said}\n+++\n--- 201 x20\n");
        let mut history = History::new(64 << 20);
        let mut diagnoser = Diagnoser::new();
        let ids: Vec<_> = exchanges(&text).into_iter().map(|exchange| history.insert(exchange)).collect();
        let records: Vec<&Record> = ids.iter().filter_map(|id| history.get(*id)).collect();
        for record in &records {
            diagnoser.observe(record, &history);
        }
        let refusals: Vec<&Record> = records.into_iter().filter(|r| r.exchange.is_refusal()).collect();
        assert!(refusals.len() > 200, "{}", refusals.len());
        let one_by_one: Vec<_> = refusals.iter().map(|record| diagnoser.top(&history, record)).collect();
        let again = || {
            let mut diagnoser = Diagnoser::new();
            history.iter().for_each(|record| diagnoser.observe(record, &history));
            diagnoser
        };
        for workers in [1, 2, 3, 8] {
            assert_eq!(again().tops(&history, &refusals, workers), one_by_one, "{workers} workers");
        }
    }
}
