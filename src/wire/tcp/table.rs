//! The flow table: constant-time lookup, least-recently-active order by whole seconds, a bound on everything.

use ahash::RandomState;
use hashbrown::HashTable;

use crate::wire::tcp::key::FlowKey;

const NONE: u32 = u32::MAX;
/// Nodes that are allocated at once.
const CHUNK: usize = 256;

/// The number of a slot in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u32);

/// Which list a flow is in: closed flows leave first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    /// Connections that may still carry something.
    Open = 0,
    /// Connections that have ended, remembered so that stray repetitions find them.
    Closed = 1,
}

#[derive(Debug)]
struct Node<T> {
    key: FlowKey,
    value: T,
    newer: u32,
    older: u32,
    list: List,
    active: u32,
}

#[derive(Clone, Copy, Debug)]
struct Ends {
    newest: u32,
    oldest: u32,
}

/// Flows by key. A flow moves to the front of its list when its second of activity changes, not on every segment.
#[derive(Debug)]
pub(crate) struct Table<T> {
    /// The number of each flow's node, which has the key: so a place in the map has four bytes, and all of it is in the cache.
    map: HashTable<u32>,
    hasher: RandomState,
    /// In chunks of [`CHUNK`], so that growing neither copies nor holds twice the memory.
    nodes: Vec<Vec<Option<Node<T>>>>,
    free: Vec<u32>,
    ends: [Ends; 2],
}

impl<T> Table<T> {
    /// An empty table with a hash key of its own, so that nobody can choose colliding connections.
    pub(crate) fn new() -> Self {
        let none = Ends { newest: NONE, oldest: NONE };
        Self {
            map: HashTable::new(),
            hasher: RandomState::new(),
            nodes: Vec::new(),
            free: Vec::new(),
            ends: [none, none],
        }
    }

    /// Bytes one entry costs by itself; the map may be little more than a third full after it has grown, while it still
    /// holds the old one. A place in it has four bytes and one of control.
    pub(crate) const fn entry_cost() -> usize {
        size_of::<Option<Node<T>>>() + 5 * 4
    }

    /// Number of flows.
    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    /// Where the flow called `key` is.
    pub(crate) fn find(&self, key: &FlowKey) -> Option<Slot> {
        let is_it = |index: &u32| self.node(*index).is_some_and(|node| node.key == *key);
        self.map.find(self.hasher.hash_one(key), is_it).map(|index| Slot(*index))
    }

    /// The flow in `slot`.
    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        self.node_mut(slot.0).map(|node| &mut node.value)
    }

    /// Which connection is in `slot`.
    pub(crate) fn key(&self, slot: Slot) -> Option<FlowKey> {
        self.node(slot.0).map(|node| node.key)
    }

    /// Adds a flow as the most recently active one of the open list. `key` must not be in the table.
    pub(crate) fn insert(&mut self, key: FlowKey, value: T, active: u32) -> Slot {
        let node = Node { key, value, newer: NONE, older: NONE, list: List::Open, active };
        let index = if let Some(index) = self.free.pop() {
            if let Some(place) = self.place(index) {
                *place = Some(node);
            }
            index
        } else {
            self.push(node)
        };
        let Self { map, hasher, nodes, .. } = self;
        let hash_of = |index: &u32| Self::node_in(nodes, *index).map_or(0, |node| hasher.hash_one(node.key));
        map.insert_unique(hasher.hash_one(key), index, hash_of);
        self.link(index);
        Slot(index)
    }

    /// Notes activity at second `active`.
    pub(crate) fn touch(&mut self, slot: Slot, active: u32) {
        let Some(node) = self.node_mut(slot.0) else { return };
        if node.active != active {
            node.active = active;
            self.unlink(slot.0);
            self.link(slot.0);
        }
    }

    /// Moves a flow to `list`, as its newest.
    pub(crate) fn move_to(&mut self, slot: Slot, list: List) {
        self.unlink(slot.0);
        if let Some(node) = self.node_mut(slot.0) {
            node.list = list;
        }
        self.link(slot.0);
    }

    /// The least recently active flow of `list`, with its second of activity.
    pub(crate) fn oldest(&self, list: List) -> Option<(Slot, u32)> {
        let index = self.ends[list as usize].oldest;
        self.node(index).map(|node| (Slot(index), node.active))
    }

    /// Takes a flow out.
    pub(crate) fn remove(&mut self, slot: Slot) -> Option<(FlowKey, T)> {
        self.unlink(slot.0);
        let node = self.place(slot.0)?.take()?;
        if let Ok(entry) = self.map.find_entry(self.hasher.hash_one(node.key), |index| *index == slot.0) {
            entry.remove();
        }
        self.free.push(slot.0);
        Some((node.key, node.value))
    }

    fn push(&mut self, node: Node<T>) -> u32 {
        if self.nodes.last().is_none_or(|chunk| chunk.len() >= CHUNK) {
            self.nodes.push(Vec::with_capacity(CHUNK));
        }
        let before = self.nodes.len().saturating_sub(1) * CHUNK;
        let Some(chunk) = self.nodes.last_mut() else { return NONE };
        chunk.push(Some(node));
        (before + chunk.len() - 1) as u32
    }

    fn place(&mut self, index: u32) -> Option<&mut Option<Node<T>>> {
        self.nodes.get_mut(index as usize / CHUNK)?.get_mut(index as usize % CHUNK)
    }

    fn node(&self, index: u32) -> Option<&Node<T>> {
        Self::node_in(&self.nodes, index)
    }

    fn node_in(nodes: &[Vec<Option<Node<T>>>], index: u32) -> Option<&Node<T>> {
        nodes.get(index as usize / CHUNK)?.get(index as usize % CHUNK)?.as_ref()
    }

    fn node_mut(&mut self, index: u32) -> Option<&mut Node<T>> {
        self.place(index)?.as_mut()
    }

    fn link(&mut self, index: u32) {
        let Some(list) = self.node(index).map(|node| node.list as usize) else { return };
        let second = std::mem::replace(&mut self.ends[list].newest, index);
        if let Some(node) = self.node_mut(index) {
            (node.newer, node.older) = (NONE, second);
        }
        match self.node_mut(second) {
            Some(node) => node.newer = index,
            None => self.ends[list].oldest = index,
        }
    }

    fn unlink(&mut self, index: u32) {
        let Some((newer, older, list)) = self.node(index).map(|n| (n.newer, n.older, n.list as usize)) else {
            return;
        };
        match self.node_mut(newer) {
            Some(node) => node.older = older,
            None => self.ends[list].newest = older,
        }
        match self.node_mut(older) {
            Some(node) => node.newer = newer,
            None => self.ends[list].oldest = newer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{List, Table};
    use crate::model::{InterfaceId, Segment, TcpFlags, Timestamp};
    use crate::wire::tcp::key::FlowKey;

    fn key(port: u16) -> FlowKey {
        let segment = Segment {
            time: Timestamp(0),
            interface: InterfaceId(0),
            src: ([10, 0, 0, 1], port).into(),
            dst: ([10, 0, 0, 2], 80).into(),
            tag: 0,
            seq: 0,
            ack: 0,
            flags: TcpFlags(0),
            urgent: 0,
            payload: &[],
            payload_len: 0,
        };
        FlowKey::of(&segment).0
    }

    #[test]
    fn nobody_can_choose_connections_that_collide() {
        let (one, other) = (Table::<u16>::new(), Table::<u16>::new());
        let hash = |table: &Table<u16>| table.hasher.hash_one(key(7));
        assert_ne!(hash(&one), hash(&other), "every table has a hash key of its own");
    }

    #[test]
    fn the_oldest_is_the_one_not_touched() {
        let mut table = Table::new();
        let slots: Vec<_> = (1..=3).map(|n| table.insert(key(n), n, 0)).collect();
        table.touch(slots[0], 5);
        assert_eq!(table.oldest(List::Open), Some((slots[1], 0)));
        table.move_to(slots[1], List::Closed);
        assert_eq!(table.oldest(List::Open), Some((slots[2], 0)));
        assert_eq!(table.oldest(List::Closed), Some((slots[1], 0)));
        assert_eq!(table.remove(slots[2]).map(|(_, value)| value), Some(3));
        assert_eq!(table.oldest(List::Open), Some((slots[0], 5)));
        assert_eq!(table.len(), 2);
        assert_eq!(table.find(&key(3)), None);
    }
}
