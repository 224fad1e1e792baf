//! Steps of work on hostile bytes, counted in tests: what grows with the input must not grow faster than it.
//!
//! A step is a byte looked at or copied, or an item passed in a search, wherever an input could make one byte cost many.
//! Outside tests nothing is counted.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// So many steps more on this thread.
#[cfg(test)]
pub(crate) fn steps(count: usize) {
    STEPS.with(|steps| steps.set(steps.get() + count as u64));
}

/// Nothing is counted.
#[cfg(not(test))]
#[inline]
pub(crate) const fn steps(_count: usize) {}

/// Steps of this thread so far.
#[cfg(test)]
pub(crate) fn done() -> u64 {
    STEPS.with(Cell::get)
}
