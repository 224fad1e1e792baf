//! Where all relays put their frames.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::Notify;

use crate::model::{LinkType, Timestamp};
use crate::synth::pcap::{Precision, record_header};

/// The link type of the mirror: raw IP, since there is no Ethernet.
pub(in crate::tap) const LINK: LinkType = LinkType::RAW;
/// The mirror's unit of time.
pub(in crate::tap) const PRECISION: Precision = Precision::Nanos;
/// A batch of this many bytes is fetched at once.
const FULL: usize = 256 << 10;
/// A batch never holds more than this; what comes then is lost and counted.
const LIMIT: usize = 8 << 20;

/// Frames that are to go to all readers.
#[derive(Default)]
pub(in crate::tap) struct Batch {
    /// pcap records.
    pub(super) bytes: Vec<u8>,
    /// How many.
    pub(super) frames: u64,
    /// Frames for which there was no room.
    pub(super) lost: u64,
}

/// The shared batch.
#[derive(Default)]
pub(in crate::tap) struct Hub {
    readers: AtomicUsize,
    sequence: AtomicU32,
    batch: Mutex<Batch>,
    /// The batch is no longer empty.
    pub(super) started: Notify,
    /// The batch should be fetched now.
    pub(super) full: Notify,
    /// Frames written since the start.
    pub(in crate::tap) frames: AtomicU64,
    /// Frames that a reader did not get, summed over readers.
    pub(in crate::tap) lost: AtomicU64,
}

impl Hub {
    /// Whether anybody reads.
    pub(super) fn watched(&self) -> bool {
        self.readers.load(Ordering::Relaxed) != 0
    }
    pub(super) fn set_readers(&self, count: usize) {
        self.readers.store(count, Ordering::Relaxed);
    }
    pub(in crate::tap) fn reader_count(&self) -> usize {
        self.readers.load(Ordering::Relaxed)
    }

    /// A frame that belongs to no connection.
    pub(in crate::tap) fn write_frame(&self, frame: &[u8]) {
        if self.watched() {
            self.write(|emit| emit(frame));
        }
    }
    /// Where the sequence numbers of a new connection begin: far from those of the connections before it, which may have
    /// had the same addresses and ports.
    pub(super) fn initial_sequence(&self) -> (u32, u32) {
        let client = self.sequence.fetch_add(0x0139_8e3b, Ordering::Relaxed);
        (client, client ^ 0x5555_5555)
    }

    /// Writes the frames that `make` hands over, all with the time of this call.
    pub(super) fn write(&self, make: impl FnOnce(&mut dyn FnMut(&[u8]))) {
        let mut batch = self.lock();
        let time = now();
        let before = batch.bytes.len();
        make(&mut |frame| batch.push(time, frame));
        let after = batch.bytes.len();
        drop(batch);
        if before == 0 {
            self.started.notify_one();
        } else if before < FULL && after >= FULL {
            self.full.notify_one();
        }
    }
    /// Takes the batch, leaving `empty` in its place.
    pub(super) fn take(&self, empty: Vec<u8>) -> Batch {
        let taken = std::mem::replace(&mut *self.lock(), Batch { bytes: empty, frames: 0, lost: 0 });
        self.frames.fetch_add(taken.frames, Ordering::Relaxed);
        taken
    }
    fn lock(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    fn push(&mut self, time: Timestamp, frame: &[u8]) {
        if self.bytes.len() + frame.len() > LIMIT {
            self.lost += 1;
            return;
        }
        let length = frame.len() as u32;
        self.bytes.extend_from_slice(&record_header(PRECISION, time, length, length));
        self.bytes.extend_from_slice(frame);
        self.frames += 1;
    }
}

/// The time of day.
pub(in crate::tap) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
