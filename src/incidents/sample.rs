//! Requests of both sides of an incident: its refusals, and what its endpoints accepted since it began.

use crate::explain::inspector::Inspector;
use crate::explain::response_fingerprint;
use crate::history::Record;
use crate::history::store::columns::{Chunk, flag};
use crate::incidents::Incident;

/// Requests of each side that are looked at, the latest.
const SAMPLED: usize = 160;
/// Chunks of the history that are searched for them, from the newest back.
const SEARCHED: usize = 64;
/// Accepted requests since the onset with which those before need not be asked.
const FEW: usize = 3;

/// Refused and accepted requests of `incident`, the latest of each. Accepted are those since the onset; where there are hardly any,
/// those before as well.
pub(super) fn sample<'a>(
    incident: &Incident,
    inspector: &'a Inspector,
) -> (Vec<&'a Record>, Vec<&'a Record>) {
    let history = inspector.history();
    let onset = incident.onset_time();
    let (mut refused, mut accepted, mut before): (Vec<&Record>, Vec<&Record>, Vec<&Record>) =
        Default::default();
    for chunk in history.chunks().rev().take(SEARCHED) {
        let columns = chunk.columns();
        for (row, endpoint) in columns.endpoint.iter().enumerate().rev() {
            if !incident.endpoints.contains(&history.canonical(*endpoint)) {
                continue;
            }
            let flags = columns.flags.get(row).copied().unwrap_or_default();
            let since = onset.is_none_or(|onset| columns.started.get(row).is_some_and(|at| *at >= onset));
            if flags & flag::SUCCESS != 0 {
                let side = if since { &mut accepted } else { &mut before };
                push(side, chunk, row);
            } else if flags & flag::REFUSAL != 0 && refused.len() < SAMPLED {
                let record = chunk.record(row).filter(|record| is_of(record, incident, inspector));
                refused.extend(record);
            }
        }
        if refused.len() >= SAMPLED && accepted.len() >= SAMPLED {
            break;
        }
    }
    if accepted.len() < FEW {
        accepted.extend(before);
    }
    (refused, accepted)
}

fn push<'a>(side: &mut Vec<&'a Record>, chunk: &'a Chunk, row: usize) {
    if side.len() < SAMPLED {
        side.extend(chunk.record(row));
    }
}

/// Whether a refusal belongs to `incident`.
pub(super) fn is_of(record: &Record, incident: &Incident, inspector: &Inspector) -> bool {
    let response = record.exchange.response.as_ref().map_or(0, response_fingerprint::stable);
    incident.responses.contains(&response)
        && inspector.top_cause(record.exchange.id).is_some_and(|(cause, _)| cause == incident.cause)
}
