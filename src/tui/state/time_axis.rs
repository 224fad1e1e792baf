//! Successes and refusals over time for the line along the top, finer than those of endpoints and incidents.

use std::ops::Range;

use crate::model::{Exchange, Timestamp};

/// Buckets; they widen as the run gets longer.
pub const BUCKETS: usize = 512;
/// The width of a bucket at first, in nanoseconds.
const WIDTH: i64 = 250_000_000;

/// Counts over time. Bound: [`BUCKETS`].
#[derive(Clone, Debug)]
pub struct TimeAxis {
    start: Option<Timestamp>,
    /// Nanoseconds a bucket.
    width: i64,
    accepted: Vec<u32>,
    refused: Vec<u32>,
    used: usize,
}

impl Default for TimeAxis {
    fn default() -> Self {
        Self { start: None, width: WIDTH, accepted: vec![0; BUCKETS], refused: vec![0; BUCKETS], used: 0 }
    }
}

impl TimeAxis {
    /// Counts an exchange.
    pub fn count(&mut self, exchange: &Exchange) {
        let start = *self.start.get_or_insert(exchange.started());
        let after = exchange.started().since(start).max(0);
        while after / self.width >= BUCKETS as i64 {
            self.width = self.width.saturating_mul(2);
            for series in [&mut self.accepted, &mut self.refused] {
                let mut halved: Vec<u32> = series
                    .chunks(2)
                    .map(|pair| pair.iter().fold(0_u32, |sum, count| sum.saturating_add(*count)))
                    .collect();
                halved.resize(BUCKETS, 0);
                *series = halved;
            }
            self.used = self.used.div_ceil(2);
        }
        let at = (after / self.width) as usize;
        self.used = self.used.max(at + 1);
        let series = match (exchange.is_success(), exchange.is_refusal()) {
            (true, _) => &mut self.accepted,
            (_, true) => &mut self.refused,
            _ => return,
        };
        if let Some(count) = series.get_mut(at) {
            *count = count.saturating_add(1);
        }
    }

    /// Buckets that have been reached.
    pub fn used(&self) -> usize {
        self.used
    }

    /// When bucket `index` begins.
    pub fn begin(&self, index: usize) -> Option<Timestamp> {
        Some(self.start?.plus(self.width.saturating_mul(index as i64)))
    }

    /// The bucket in which `at` is.
    pub fn index(&self, at: Timestamp) -> usize {
        let after = self.start.map_or(0, |start| at.since(start).max(0));
        ((after / self.width) as usize).min(BUCKETS - 1)
    }

    /// The buckets of `window` on `columns` columns: accepted, refused, and how many buckets a column stands for.
    pub fn columns(&self, window: &Range<usize>, columns: usize) -> (Vec<u32>, Vec<u32>, usize) {
        let per = window.len().div_ceil(columns.max(1)).max(1);
        let sums = |series: &[u32]| -> Vec<u32> {
            let shown = series.get(window.start.min(BUCKETS)..window.end.min(BUCKETS)).unwrap_or_default();
            shown
                .chunks(per)
                .map(|chunk| chunk.iter().fold(0_u32, |sum, count| sum.saturating_add(*count)))
                .collect()
        };
        (sums(&self.accepted), sums(&self.refused), per)
    }

    /// Nanoseconds a bucket.
    pub fn width(&self) -> i64 {
        self.width
    }
}

/// A range of the axis that is being selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selecting {
    /// The bucket that the cursor is on.
    pub cursor: usize,
    /// The other end, once it is set.
    pub anchor: Option<usize>,
    /// The buckets that are shown.
    pub window: Range<usize>,
}

impl Selecting {
    /// The selected buckets: from the anchor to the cursor.
    pub fn range(&self) -> Range<usize> {
        let other = self.anchor.unwrap_or(self.cursor);
        self.cursor.min(other)..self.cursor.max(other) + 1
    }

    /// Shows half as many buckets around the cursor, or twice as many of the `used` ones.
    pub fn zoom(&mut self, closer: bool, used: usize) {
        let len = self.window.len();
        let wanted = if closer { (len / 2).max(16) } else { (len * 2).min(used.max(16)) };
        let start = self.cursor.saturating_sub(wanted / 2).min(used.saturating_sub(wanted));
        self.window = start..start + wanted;
    }

    /// Moves the cursor; the window follows.
    pub fn step(&mut self, by: i64, used: usize) {
        let last = used.saturating_sub(1) as i64;
        self.cursor = (self.cursor as i64 + by).clamp(0, last.max(0)) as usize;
        let len = self.window.len();
        if self.cursor < self.window.start {
            self.window = self.cursor..self.cursor + len;
        } else if self.cursor >= self.window.end {
            self.window = self.cursor + 1 - len..self.cursor + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, Selecting, TimeAxis};
    use crate::features::tests::{exchange, request, response};

    #[test]
    fn buckets_widen_and_keep_every_count() {
        let mut axis = TimeAxis::default();
        for second in 0..5000 {
            let status = if second % 5 == 0 { 403 } else { 200 };
            axis.count(&exchange(
                "10.0.0.1",
                second,
                request("GET", "/", &[], b""),
                response(status, &[], b""),
            ));
        }
        assert!(axis.used() <= BUCKETS && axis.used() > BUCKETS / 4, "{}", axis.used());
        let (accepted, refused, per) = axis.columns(&(0..axis.used()), 60);
        assert!(accepted.len() <= 60 && per >= 1);
        assert_eq!((accepted.iter().sum::<u32>(), refused.iter().sum::<u32>()), (4000, 1000));
        let at = axis.begin(100).unwrap();
        assert_eq!(axis.index(at), 100);
    }

    #[test]
    fn the_window_follows_the_cursor_and_zooms_around_it() {
        let mut selecting = Selecting { cursor: 299, anchor: None, window: 0..300 };
        selecting.zoom(true, 300);
        assert_eq!(selecting.window, 150..300);
        selecting.step(-200, 300);
        assert_eq!((selecting.cursor, selecting.window.start), (99, 99));
        selecting.anchor = Some(120);
        assert_eq!(selecting.range(), 99..121);
        selecting.zoom(false, 300);
        assert_eq!(selecting.window.len(), 300);
        selecting.step(-1000, 300);
        assert_eq!(selecting.cursor, 0);
    }
}
