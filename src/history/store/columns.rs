//! Columns of up to 4,096 exchanges: what filters and lists ask for most often, beside the exchanges and not in them, so
//! that a question over a million of them touches a few megabytes.

use crate::history::Record;
use crate::history::store::shapes::ShapeId;
use crate::history::store::texts::{Text, Texts};
use crate::model::{AnomalySet, EndpointId, Outcome, Timestamp};

/// Rows a chunk holds at most.
pub const CHUNK: usize = 4096;
/// Words of a chunk's bitmap.
pub const WORDS: usize = CHUNK / 64;

/// One bit a row of a chunk.
pub type Bitmap = [u64; WORDS];

/// Bits of [`Row::flags`].
pub mod flag {
    /// [`crate::model::Exchange::is_success`].
    pub const SUCCESS: u8 = 1;
    /// [`crate::model::Exchange::is_refusal`].
    pub const REFUSAL: u8 = 2;
    /// The last success of its endpoint.
    pub(crate) const LAST: u8 = 4;
    /// The last success of its endpoint from its client, while that is remembered.
    pub(crate) const CLIENT: u8 = 8;
    /// The last success of its endpoint of its principal, while that is remembered.
    pub(crate) const PRINCIPAL: u8 = 16;
    /// A content coding was applied to a body of it.
    pub const CODED: u8 = 32;
    /// An inner leg of another exchange.
    pub const LEG: u8 = 64;
    /// A baseline of any of the three kinds, evicted last.
    pub(crate) const KEPT: u8 = LAST | CLIENT | PRINCIPAL;
}

/// What the columns hold of one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub id: u64,
    /// [`crate::model::Exchange::started`].
    pub started: Timestamp,
    /// [`crate::model::Exchange::latency`]; `i64::MIN` when unknown.
    pub latency: i64,
    /// Its endpoint.
    pub endpoint: EndpointId,
    /// The client's address as [`address_bits`].
    pub client: u128,
    /// Keyed hash of the principal; 0 for nobody.
    pub principal: u64,
    /// Its anomalies.
    pub anomalies: AnomalySet,
    /// Status code; 0 without a response.
    pub status: u16,
    /// Number of its method in [`crate::history::History::methods`].
    pub method: u8,
    /// What became of it.
    pub outcome: Outcome,
    /// Bits of [`flag`].
    pub flags: u8,
    /// Bytes it takes up in memory.
    pub size: u32,
}

/// Rows in the order of their ids, as columns of equal length.
#[derive(Debug, Default)]
pub struct Columns {
    /// [`Row::id`], ascending.
    pub id: Vec<u64>,
    /// [`Row::started`].
    pub started: Vec<Timestamp>,
    /// [`Row::latency`].
    pub latency: Vec<i64>,
    /// [`Row::endpoint`].
    pub endpoint: Vec<EndpointId>,
    /// [`Row::client`].
    pub client: Vec<u128>,
    /// [`Row::principal`].
    pub principal: Vec<u64>,
    /// [`Row::anomalies`].
    pub anomalies: Vec<AnomalySet>,
    /// [`Row::status`].
    pub status: Vec<u16>,
    /// [`Row::method`].
    pub method: Vec<u8>,
    /// [`Row::outcome`].
    pub outcome: Vec<Outcome>,
    /// [`Row::flags`].
    pub flags: Vec<u8>,
    /// [`Row::size`].
    pub size: Vec<u32>,
}

/// Applies one expression to every column.
macro_rules! every_column {
    ($of:expr, $column:ident => $what:expr) => {{
        let columns = $of;
        macro_rules! one {
            ($name:ident) => {{
                let $column = &mut columns.$name;
                $what
            }};
        }
        one!(id);
        one!(started);
        one!(latency);
        one!(endpoint);
        one!(client);
        one!(principal);
        one!(anomalies);
        one!(status);
        one!(method);
        one!(outcome);
        one!(flags);
        one!(size);
    }};
}

impl Columns {
    fn reserve(&mut self) {
        every_column!(self, column => column.reserve_exact(CHUNK));
    }

    fn push(&mut self, row: Row) {
        self.id.push(row.id);
        self.started.push(row.started);
        self.latency.push(row.latency);
        self.endpoint.push(row.endpoint);
        self.client.push(row.client);
        self.principal.push(row.principal);
        self.anomalies.push(row.anomalies);
        self.status.push(row.status);
        self.method.push(row.method);
        self.outcome.push(row.outcome);
        self.flags.push(row.flags);
        self.size.push(row.size);
    }

    /// Row `at`.
    pub fn row(&self, at: usize) -> Option<Row> {
        Some(Row {
            id: *self.id.get(at)?,
            started: *self.started.get(at)?,
            latency: *self.latency.get(at)?,
            endpoint: *self.endpoint.get(at)?,
            client: *self.client.get(at)?,
            principal: *self.principal.get(at)?,
            anomalies: *self.anomalies.get(at)?,
            status: *self.status.get(at)?,
            method: *self.method.get(at)?,
            outcome: *self.outcome.get(at)?,
            flags: *self.flags.get(at)?,
            size: *self.size.get(at)?,
        })
    }
}

/// Up to [`CHUNK`] exchanges with their columns. Evicted ones leave a hole until the chunk is half empty.
#[derive(Debug)]
pub struct Chunk {
    columns: Columns,
    texts: Texts,
    records: Vec<Option<Box<Record>>>,
    alive: Bitmap,
    holes: usize,
}

impl Chunk {
    /// Bytes that a chunk takes up besides its targets.
    const BYTES: u64 = (size_of::<Row>() + Texts::ROW + size_of::<usize>()) as u64 * CHUNK as u64 + 1024;

    pub(crate) fn new() -> Self {
        let mut columns = Columns::default();
        columns.reserve();
        let records = Vec::with_capacity(CHUNK);
        Self { columns, texts: Texts::new(), records, alive: [0; WORDS], holes: 0 }
    }
    /// Bytes in use besides the exchanges.
    pub(crate) fn memory(&self) -> u64 {
        Self::BYTES + self.texts.memory()
    }
    /// The columns, holes included.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }
    /// Their texts, holes included.
    pub fn texts(&self) -> &Texts {
        &self.texts
    }
    /// Which rows are not holes.
    pub fn alive(&self) -> &Bitmap {
        &self.alive
    }
    /// Number of rows, holes included.
    pub fn len(&self) -> usize {
        self.records.len()
    }
    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
    /// The exchange at row `at`, unless that is a hole.
    pub fn record(&self, at: usize) -> Option<&Record> {
        self.records.get(at)?.as_deref()
    }
    /// The exchanges, oldest first.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.records.iter().filter_map(Option::as_deref)
    }
    /// Where `id` is.
    pub fn find(&self, id: u64) -> Option<usize> {
        let first = *self.columns.id.first()?;
        let guess = id.checked_sub(first)? as usize;
        if self.columns.id.get(guess) == Some(&id) {
            return Some(guess);
        }
        self.columns.id.binary_search(&id).ok()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() >= CHUNK
    }
    pub(crate) fn living(&self) -> usize {
        self.len() - self.holes
    }
    pub(crate) fn push(&mut self, row: Row, shapes: [ShapeId; 2], record: Box<Record>) {
        self.push_row(row, Text::of(&record.exchange, shapes));
        self.records.push(Some(record));
    }
    fn push_row(&mut self, row: Row, text: Text<'_>) {
        set(&mut self.alive, self.records.len());
        self.columns.push(row);
        self.texts.push(text);
    }
    pub(crate) fn flags_mut(&mut self, at: usize) -> Option<&mut u8> {
        self.columns.flags.get_mut(at)
    }
    /// Makes row `at` a hole.
    pub(crate) fn remove(&mut self, at: usize) -> Option<Box<Record>> {
        let record = self.records.get_mut(at)?.take()?;
        if let Some(word) = self.alive.get_mut(at / 64) {
            *word &= !(1 << (at % 64));
        }
        self.holes += 1;
        Some(record)
    }
    /// Gives every row of an endpoint in `moved` its new endpoint.
    pub(crate) fn move_endpoints(&mut self, moved: impl Fn(EndpointId) -> EndpointId) {
        for (endpoint, record) in self.columns.endpoint.iter_mut().zip(&mut self.records) {
            let to = moved(*endpoint);
            if to != *endpoint {
                *endpoint = to;
                if let Some(record) = record {
                    record.endpoint = to;
                }
            }
        }
    }
    /// Closes the holes.
    pub(crate) fn compact(&mut self) {
        let old = std::mem::replace(self, Self::new());
        self.append(old);
    }
    /// Takes in the living rows of `other`, which come after its own; they must fit. No exchange is touched.
    pub(crate) fn append(&mut self, other: Self) {
        for (at, record) in other.records.into_iter().enumerate() {
            if let (Some(record), Some(row), Some(text)) =
                (record, other.columns.row(at), other.texts.row(at))
            {
                self.push_row(row, text);
                self.records.push(Some(record));
            }
        }
    }
}

/// An address as a number: IPv4 in its IPv4-mapped form, so that networks of both kinds are ranges.
pub fn address_bits(address: std::net::IpAddr) -> u128 {
    match address {
        std::net::IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        std::net::IpAddr::V6(address) => address.to_bits(),
    }
}

/// Sets bit `at`.
pub fn set(bitmap: &mut Bitmap, at: usize) {
    if let Some(word) = bitmap.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}

/// The set bits, ascending.
pub fn ones(bitmap: &Bitmap) -> impl Iterator<Item = usize> + '_ {
    bitmap.iter().enumerate().flat_map(|(at, word)| {
        let mut rest = *word;
        std::iter::from_fn(move || {
            if rest == 0 {
                return None;
            }
            let bit = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            Some(at * 64 + bit)
        })
    })
}
