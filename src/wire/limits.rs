//! What bounds the pipeline.

/// What bounds the pipeline. Every field is a hard bound.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes kept of each body (`--body-limit`).
    pub body: u32,
    /// Bytes of a head; what is longer is cut and marked.
    pub head: u32,
    /// Connections tracked at once.
    pub flows: u32,
    /// Bytes of everything unfinished together: out-of-order data, fragments, heads and bodies in the making.
    /// One connection may take an eighth of it.
    pub memory: u64,
    /// Nanoseconds of capture time after which an idle connection is given up.
    pub idle: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 64 << 10, head: 256 << 10, flows: 1 << 18, memory: 24 << 20, idle: 300 * 1_000_000_000 }
    }
}

impl Limits {
    /// Bytes that fragments may take.
    pub(super) const fn of_fragments(&self) -> u64 {
        self.memory / 16
    }

    /// Bytes that connections may take, and how many there may be; at least one.
    pub(super) const fn of_flows(&self) -> (u64, usize) {
        (self.memory - self.of_fragments(), if self.flows == 0 { 1 } else { self.flows as usize })
    }
}
