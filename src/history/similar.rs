//! How far two requests of one endpoint are apart, without saying in what.

use super::{History, Record};
use crate::features::request::parsed_request::ParsedRequest;
use crate::features::{Item, request_items};
use crate::model::Part;

type Values = Vec<(Part, String, Vec<u8>)>;

/// Number of items that differ and do not vary between successes anyway, client address included; then of all that differ.
pub(crate) fn distance(history: &History, this: &Record, other: &Record) -> (usize, usize) {
    let (one, two) = (values(this), values(other));
    let mut differing: Vec<(Part, &str)> = Vec::new();
    for (from, of) in [(&one, &two), (&two, &one)] {
        differing.extend(
            from.iter().filter(|item| of.binary_search(item).is_err()).map(|item| (item.0, &*item.1)),
        );
    }
    if this.exchange.client.ip() != other.exchange.client.ip() {
        differing.push((Part::Client, ""));
    }
    let steady = |(part, name): &&(Part, &str)| !history.variation(this.endpoint, *part, name).varies();
    (differing.iter().filter(steady).count(), differing.len())
}

fn values(record: &Record) -> Values {
    let Some(request) = &record.exchange.request else { return Values::new() };
    let value = |Item { part, name, value, .. }| (part, name.into_owned(), value.into_owned());
    let mut values: Values = request_items(&ParsedRequest::of(request)).into_iter().map(value).collect();
    values.sort_unstable();
    values
}
