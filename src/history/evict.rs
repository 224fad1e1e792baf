//! Which exchanges are baselines, and which leave when the budget is used up.

use crate::history::History;
use crate::history::endpoints::MAX_CALLERS;
use crate::history::store::columns::{Row, flag};
use crate::history::store::is_free;
use crate::model::{Exchange, ExchangeId};

impl History {
    /// Makes `row` the last success of its endpoint, client and principal, in place of the ones before.
    pub(super) fn remember_success(&mut self, row: &Row) {
        let mut lost: smallvec::SmallVec<[(u64, u8); 4]> = smallvec::SmallVec::new();
        let Some(state) = self.endpoints.state_mut(row.endpoint) else { return };
        lost.extend(state.last_success.replace(ExchangeId(row.id)).map(|id| (id.0, flag::LAST)));
        replace(&mut state.clients, row.client, row.id, |id| lost.push((id, flag::CLIENT)));
        let mut gained = flag::LAST | flag::CLIENT;
        if row.principal != 0 {
            replace(&mut state.principals, row.principal, row.id, |id| lost.push((id, flag::PRINCIPAL)));
            gained |= flag::PRINCIPAL;
        }
        if let Some(flags) = self.store.flags_mut(row.id) {
            *flags |= gained;
        }
        for (id, flag) in lost {
            self.release(id, flag);
        }
    }

    /// Takes a baseline's flag away; without any it may be evicted.
    pub(super) fn release(&mut self, id: u64, lost: u8) {
        let Some(flags) = self.store.flags_mut(id) else { return };
        *flags &= !lost;
        if is_free(*flags) && id < self.successes_from {
            self.released.push_back(id);
        }
    }

    /// What to evict next: the oldest that is no refusal, else the oldest refusal, else the oldest baseline. `None` when
    /// only the newest is left.
    pub(super) fn next_to_leave(&mut self) -> Option<ExchangeId> {
        while let Some(id) = self.released.front().copied() {
            if self.store.row(id).is_some_and(|row| is_free(row.flags)) {
                return Some(ExchangeId(id));
            }
            self.released.pop_front();
        }
        let is_success = |flags| is_free(flags) && flags & flag::REFUSAL == 0;
        if let Some(id) = self.store.next(self.successes_from, is_success).filter(|id| *id < self.last) {
            self.successes_from = id;
            return Some(ExchangeId(id));
        }
        self.successes_from = self.last;
        if let Some(id) = self.store.next(self.refusals_from, is_free).filter(|id| *id < self.last) {
            self.refusals_from = id;
            return Some(ExchangeId(id));
        }
        self.refusals_from = self.last;
        self.store.next(0, |_| true).filter(|id| *id < self.last).map(ExchangeId)
    }

    pub(super) fn evict(&mut self, id: u64) -> Option<Exchange> {
        let (row, record) = self.store.remove(id)?;
        self.bytes = self.bytes.saturating_sub(u64::from(row.size));
        self.evicted += 1;
        if row.flags & flag::SUCCESS != 0 {
            self.forget_success(&row);
        }
        Some(record.exchange)
    }

    /// Keeps the endpoint's list of successes free of most evicted ones.
    fn forget_success(&mut self, row: &Row) {
        let before = self.endpoints.memory_of(row.endpoint);
        let store = &self.store;
        let Some(state) = self.endpoints.state_mut(row.endpoint) else { return };
        if row.flags & flag::KEPT != 0 {
            state.clients.retain(|(_, id)| *id != row.id);
            state.principals.retain(|(_, id)| *id != row.id);
            state.last_success = state.last_success.filter(|id| id.0 != row.id);
        }
        if state.kept.front().is_some_and(|kept| kept.id == row.id) {
            state.kept.pop_front();
        } else {
            state.stale += 1;
        }
        if state.stale > 64 && state.stale * 2 > state.kept.len() {
            state.kept.retain(|kept| store.find(kept.id).is_some());
            state.kept.shrink_to(state.kept.len() * 2);
            state.stale = 0;
        }
        let after = self.endpoints.memory_of(row.endpoint);
        self.endpoints.account(before, after);
    }
}

/// Puts `key` last in a list of at most [`MAX_CALLERS`], and tells which ids fell out.
fn replace<K: PartialEq>(
    callers: &mut smallvec::SmallVec<[(K, u64); 1]>,
    key: K,
    id: u64,
    mut drop: impl FnMut(u64),
) {
    callers.retain(|(of, old)| {
        let same = *of == key;
        if same {
            drop(*old);
        }
        !same
    });
    while callers.len() >= MAX_CALLERS {
        drop(callers.remove(0).1);
    }
    callers.push((key, id));
}
