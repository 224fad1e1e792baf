//! Who may come in: how many connections are open, and how many are still shaking hands.
//!
//! Connections that never finish their handshake must not keep others out, so they have a room of their own, and when
//! that is full the one that has been in it longest is put out.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

const WAITING: u8 = 0;
const DONE: u8 = 1;
const EVICTED: u8 = 2;

/// The two rooms.
pub(in crate::tap) struct Admission {
    rooms: Mutex<Rooms>,
    max_open: u32,
    max_handshakes: u32,
    /// Connections refused because too many were open.
    pub(in crate::tap) refused: AtomicU64,
    /// Connections put out because too many were shaking hands.
    pub(in crate::tap) evicted: AtomicU64,
}

#[derive(Default)]
struct Rooms {
    open: u32,
    waiting: u32,
    /// In order of arrival; those that are done are swept out now and then.
    queue: VecDeque<Arc<Slot>>,
}

/// A place in the room for handshakes. Leaves it when dropped.
pub(in crate::tap) struct Waiting {
    admission: Arc<Admission>,
    slot: Arc<Slot>,
}

#[derive(Default)]
struct Slot {
    state: AtomicU8,
    evicted: Notify,
}

/// A place among the open connections. Leaves it when dropped.
pub(in crate::tap) struct Open(Arc<Admission>);

impl Admission {
    pub(in crate::tap) fn new(max_open: u32, max_handshakes: u32) -> Self {
        Self {
            rooms: Mutex::default(),
            max_open,
            max_handshakes: max_handshakes.max(1),
            refused: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
        }
    }

    /// Lets a connection into the room for handshakes; `None` when too many connections are open.
    pub(in crate::tap) fn enter(self: &Arc<Self>) -> Option<Waiting> {
        let mut rooms = self.rooms();
        if rooms.open >= self.max_open {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        if rooms.waiting >= self.max_handshakes {
            self.evict(&mut rooms);
        }
        if rooms.queue.len() > 2 * self.max_handshakes as usize {
            rooms.queue.retain(|slot| slot.state.load(Ordering::Relaxed) == WAITING);
        }
        let slot = Arc::new(Slot::default());
        rooms.queue.push_back(Arc::clone(&slot));
        rooms.waiting += 1;
        Some(Waiting { admission: Arc::clone(self), slot })
    }

    fn evict(&self, rooms: &mut Rooms) {
        while let Some(slot) = rooms.queue.pop_front() {
            if slot.leave(EVICTED) {
                rooms.waiting -= 1;
                self.evicted.fetch_add(1, Ordering::Relaxed);
                slot.evicted.notify_one();
                return;
            }
        }
    }
    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// True for the one who is first to say how it ended.
    fn leave(&self, how: u8) -> bool {
        self.state.compare_exchange(WAITING, how, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl Waiting {
    /// Returns when this connection is put out.
    pub(in crate::tap) async fn evicted(&self) {
        self.slot.evicted.notified().await;
    }
    /// The handshake is over; `None` when too many connections are open by now.
    pub(in crate::tap) fn done(self) -> Option<Open> {
        let admission = Arc::clone(&self.admission);
        drop(self);
        let mut rooms = admission.rooms();
        if rooms.open >= admission.max_open {
            admission.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        rooms.open += 1;
        drop(rooms);
        Some(Open(admission))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut rooms = self.admission.rooms();
        if self.slot.leave(DONE) {
            rooms.waiting -= 1;
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.rooms().open -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evicted(waiting: &Waiting) -> bool {
        waiting.slot.state.load(Ordering::Relaxed) == EVICTED
    }

    #[test]
    fn the_oldest_handshake_makes_room() {
        let admission = Arc::new(Admission::new(10, 2));
        let first = admission.enter().unwrap();
        let second = admission.enter().unwrap();
        let third = admission.enter().unwrap();
        assert!(evicted(&first) && !evicted(&second) && !evicted(&third));
        drop(second);
        let fourth = admission.enter().unwrap();
        assert!(!evicted(&third) && !evicted(&fourth));
        drop((first, third, fourth));
        assert_eq!(admission.rooms().waiting, 0);
        assert_eq!(admission.evicted.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn open_connections_are_bounded() {
        let admission = Arc::new(Admission::new(2, 5));
        let waiting: Vec<Waiting> = (0..3).map(|_| admission.enter().unwrap()).collect();
        let mut open: Vec<Option<Open>> = waiting.into_iter().map(Waiting::done).collect();
        assert_eq!(open.iter().filter(|open| open.is_some()).count(), 2);
        assert!(admission.enter().is_none());
        open.remove(0);
        assert!(admission.enter().unwrap().done().is_some());
    }

    #[test]
    fn a_long_queue_of_finished_handshakes_is_swept() {
        let admission = Arc::new(Admission::new(10, 4));
        for _ in 0..1_000 {
            drop(admission.enter());
        }
        assert!(admission.rooms().queue.len() <= 10);
    }
}
