//! Up to 64 samples turned on their side: for every attribute the samples that have it, and with what value, as sets of bits.
//! What a refusal is set against is then read with a few operations instead of a walk over every sample.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use smallvec::SmallVec;

use crate::explain::request::attribute_hash::Mark;
use crate::step_counter;

/// Samples at most.
pub const MAX: usize = u64::BITS as usize;

/// One attribute of all samples.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// Hash of family and name.
    pub key: u64,
    /// The samples that have it.
    pub having: u64,
    /// Its values, ascending, each with the samples that have it.
    values: SmallVec<[(u64, u64); 1]>,
}

impl Column {
    /// How many samples have it.
    pub const fn count(&self) -> usize {
        self.having.count_ones() as usize
    }
    /// The samples that have it with `value`.
    pub fn with(&self, value: u64) -> u64 {
        let at = self.values.binary_search_by_key(&value, |(value, _)| *value).ok();
        at.and_then(|at| self.values.get(at)).map_or(0, |(_, samples)| *samples)
    }
    /// How many values only one sample has.
    pub fn singletons(&self) -> usize {
        self.values.iter().filter(|(_, samples)| samples.is_power_of_two()).count()
    }
    /// Every value with the samples that have it.
    pub fn values(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.values.iter().copied()
    }
    /// The samples whose value `other` knows too.
    pub fn shared(&self, other: &Self) -> u64 {
        let (mut known, mut samples) = (other.values.iter().peekable(), 0);
        for (value, these) in &self.values {
            while known.next_if(|(other, _)| other < value).is_some() {}
            if known.peek().is_some_and(|(other, _)| other == value) {
                samples |= these;
            }
        }
        samples
    }

    fn put(&mut self, value: u64, bit: u64) {
        self.having |= bit;
        match self.values.binary_search_by_key(&value, |(value, _)| *value) {
            Ok(at) => {
                if let Some((_, samples)) = self.values.get_mut(at) {
                    *samples |= bit;
                }
            }
            Err(at) => self.values.insert(at, (value, bit)),
        }
    }

    fn clear(&mut self, value: u64, bit: u64) {
        self.having &= !bit;
        let Ok(at) = self.values.binary_search_by_key(&value, |(value, _)| *value) else { return };
        let Some((_, samples)) = self.values.get_mut(at) else { return };
        *samples &= !bit;
        if *samples == 0 {
            self.values.remove(at);
        }
    }
}

/// The attributes of at most [`MAX`] samples.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// By key. Bound: [`MAX`] times the attributes of a sample.
    columns: BTreeMap<u64, Column>,
}

impl Columns {
    /// Of no sample.
    pub const fn none() -> Self {
        Self { columns: BTreeMap::new() }
    }
    /// Of samples that are there at once.
    pub fn of<'a>(samples: impl Iterator<Item = &'a [Mark]>) -> Self {
        let mut columns = Self::default();
        samples.take(MAX).enumerate().for_each(|(slot, marks)| columns.put(slot, marks));
        columns
    }
    /// The column of `key`.
    pub fn column(&self, key: u64) -> Option<&Column> {
        self.columns.get(&key)
    }
    /// The samples that have `key`.
    pub fn having(&self, key: u64) -> u64 {
        self.column(key).map_or(0, |column| column.having)
    }
    /// The samples that have `key` with `value`.
    pub fn with(&self, key: u64, value: u64) -> u64 {
        self.column(key).map_or(0, |column| column.with(value))
    }
    /// Every column, by key.
    pub fn iter(&self) -> impl Iterator<Item = &Column> {
        self.columns.values()
    }
    /// Writes the sample `slot`. Costs its marks, however many attributes the other samples have.
    pub fn put(&mut self, slot: usize, marks: &[Mark]) {
        let bit = bit(slot);
        step_counter::steps(marks.len());
        for mark in marks {
            let new = || Column { key: mark.key, ..Column::default() };
            self.columns.entry(mark.key).or_insert_with(new).put(mark.value, bit);
        }
    }
    /// Takes the sample `slot` with these marks out.
    pub fn clear(&mut self, slot: usize, marks: &[Mark]) {
        let bit = bit(slot);
        step_counter::steps(marks.len());
        for mark in marks {
            let Entry::Occupied(mut column) = self.columns.entry(mark.key) else { continue };
            column.get_mut().clear(mark.value, bit);
            if column.get().having == 0 {
                column.remove();
            }
        }
    }
}

/// The set that holds `slot` alone; empty beyond the last.
pub const fn bit(slot: usize) -> u64 {
    if slot < MAX { 1 << slot } else { 0 }
}

/// The set of the samples for which `chosen` says yes, one after the other.
pub fn set(chosen: impl Iterator<Item = bool>) -> u64 {
    chosen.enumerate().filter(|(_, yes)| *yes).fold(0, |set, (slot, _)| set | bit(slot))
}

/// The samples that `set` holds.
pub fn those<T>(samples: &[T], set: u64) -> impl Iterator<Item = &T> {
    samples.iter().enumerate().filter(move |(slot, _)| set & bit(*slot) != 0).map(|(_, sample)| sample)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(pairs: &[(u64, u64)]) -> Vec<Mark> {
        pairs.iter().map(|(key, value)| Mark { key: *key, value: *value }).collect()
    }

    #[test]
    fn samples_come_and_go() {
        let samples = [marks(&[(1, 7), (3, 1)]), marks(&[(1, 7), (2, 5), (3, 2)]), marks(&[(3, 2)])];
        let mut columns = Columns::of(samples.iter().map(Vec::as_slice));
        assert_eq!(columns.having(1), 0b011);
        assert_eq!(columns.with(1, 7), 0b011);
        assert_eq!(columns.with(3, 2), 0b110);
        assert_eq!(columns.with(3, 9), 0);
        assert_eq!(columns.column(3).map(Column::singletons), Some(1));
        columns.clear(1, &samples[1]);
        assert!(columns.column(2).is_none());
        assert_eq!((columns.having(3), columns.with(3, 2)), (0b101, 0b100));
        columns.put(1, &samples[0]);
        assert_eq!(columns.with(3, 1), 0b011);
        assert_eq!(columns.iter().count(), 2);
    }

    #[test]
    fn a_set_holds_what_was_chosen() {
        let samples: Vec<usize> = (0..70).collect();
        let chosen = set(samples.iter().map(|sample| sample % 30 == 1));
        assert_eq!(chosen, 1 << 1 | 1 << 31 | 1 << 61);
        assert_eq!(those(&samples, chosen).copied().collect::<Vec<_>>(), [1, 31, 61]);
        assert_eq!(set(samples.iter().map(|sample| *sample >= MAX)), 0);
    }

    #[test]
    fn values_that_another_knows() {
        let these =
            Columns::of([marks(&[(1, 2)]), marks(&[(1, 4)]), marks(&[(1, 6)])].iter().map(Vec::as_slice));
        let known =
            Columns::of([marks(&[(1, 6)]), marks(&[(1, 1)]), marks(&[(1, 4)])].iter().map(Vec::as_slice));
        let shared = these.column(1).zip(known.column(1)).map(|(these, known)| these.shared(known));
        assert_eq!(shared, Some(0b110));
    }
}
