//! How many bytes of memory an exchange takes up.

use crate::history::Record;
use crate::model::{Body, Exchange, Fields};

/// One part in so many comes on top: pages of the allocator that are not full. Measured, see BENCHMARKS.md.
const SLACK: usize = 16;

/// Bytes of `exchange` in the history: the record, its heap blocks and what the allocator adds to them.
pub(crate) fn of(exchange: &Exchange) -> u64 {
    let mut bytes = block(size_of::<Record>());
    if let Some(request) = &exchange.request {
        bytes += fields(request.head.fields()) + body(&request.body);
    }
    if let Some(response) = &exchange.response {
        bytes += fields(response.head.fields()) + body(&response.body);
    }
    bytes += block(size_of_val(&*exchange.interim));
    bytes += exchange.interim.iter().map(|head| fields(head.fields())).sum::<usize>();
    (bytes + bytes / SLACK) as u64
}

/// What a block takes up: the allocator has blocks of four sizes between one power of two and the next.
fn block(len: usize) -> usize {
    const SMALL: usize = 64;
    if len <= SMALL {
        return len.next_multiple_of(16);
    }
    len.next_multiple_of(1 << (usize::BITS - 3 - (len - 1).leading_zeros()))
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

#[cfg(test)]
mod tests {
    use super::block;

    #[test]
    fn blocks_come_in_the_allocators_sizes() {
        for (len, size) in
            [(0, 0), (1, 16), (64, 64), (65, 80), (81, 96), (129, 160), (1024, 1024), (1025, 1280)]
        {
            assert_eq!(block(len), size, "{len}");
        }
    }
}
