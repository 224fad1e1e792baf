//! How many bytes of memory an exchange takes up.

use super::Record;
use crate::model::{Body, Exchange, Fields};

/// What the allocator adds to a block, and rounds it to.
const BLOCK: usize = 16;

/// Bytes of `exchange` in the history: the record, its heap blocks and what the allocator adds to them.
pub(super) fn of(exchange: &Exchange) -> u64 {
    let mut bytes = block(size_of::<Record>());
    if let Some(request) = &exchange.request {
        bytes += fields(request.head.fields()) + body(&request.body);
    }
    if let Some(response) = &exchange.response {
        bytes += fields(response.head.fields()) + body(&response.body);
    }
    bytes += block(size_of_val(&*exchange.interim));
    bytes += exchange.interim.iter().map(|head| fields(head.fields())).sum::<usize>();
    bytes as u64
}

fn block(len: usize) -> usize {
    if len == 0 { 0 } else { (len + BLOCK / 2).next_multiple_of(BLOCK) }
}

fn fields(fields: &Fields) -> usize {
    block(fields.heap_bytes())
}

fn body(body: &Body) -> usize {
    let rare = body.rare.as_ref().map_or(0, |rare| {
        block(size_of_val(&**rare))
            + block(rare.gaps.capacity() * size_of::<crate::model::Gap>())
            + fields(&rare.trailers)
    });
    block(body.kept.len()) + rare
}
