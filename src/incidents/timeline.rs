//! Successes and refusals over time, in few buckets that widen as the run gets longer.

use crate::model::Timestamp;

/// Buckets of a timeline.
pub const BUCKETS: usize = 32;

/// Successes and refusals over time, in [`BUCKETS`] buckets that widen as the run gets longer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// Successes a bucket.
    pub successes: [u32; BUCKETS],
    /// Refusals a bucket.
    pub refusals: [u32; BUCKETS],
}

/// The buckets' common scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scale {
    start: Option<Timestamp>,
    /// Each bucket is 2^shift seconds wide.
    shift: u32,
}

impl Scale {
    /// The bucket for `at`, and how many times timelines must be halved first.
    pub fn bucket(&mut self, at: Timestamp) -> (usize, u32) {
        let start = *self.start.get_or_insert(at);
        let seconds = (at.since(start).max(0) / 1_000_000_000) as u64;
        let before = self.shift;
        while (seconds >> self.shift) >= BUCKETS as u64 {
            self.shift += 1;
        }
        ((seconds >> self.shift) as usize, self.shift - before)
    }

    /// When bucket `index` begins; `None` before anything was counted.
    pub fn begin(&self, index: usize) -> Option<Timestamp> {
        let seconds = i64::try_from((index as u64) << self.shift).ok()?;
        Some(self.start?.plus(seconds.saturating_mul(1_000_000_000)))
    }

    /// Seconds a bucket.
    pub fn seconds(&self) -> u64 {
        1 << self.shift
    }

    /// The bucket in which `at` is, for reading.
    pub fn index(&self, at: Timestamp) -> usize {
        let seconds = self.start.map_or(0, |start| at.since(start).max(0) / 1_000_000_000) as u64;
        ((seconds >> self.shift) as usize).min(BUCKETS - 1)
    }
}

impl Timeline {
    /// Counts an exchange in `bucket`.
    pub fn count(&mut self, bucket: usize, success: bool, refusal: bool) {
        let series = if refusal { &mut self.refusals } else { &mut self.successes };
        if let Some(count) = series.get_mut(bucket).filter(|_| success || refusal) {
            *count = count.saturating_add(1);
        }
    }

    /// Two buckets become one, `times` over.
    pub fn halve(&mut self, times: u32) {
        for _ in 0..times.min(BUCKETS.ilog2() + 1) {
            for series in [&mut self.successes, &mut self.refusals] {
                let mut halved = [0; BUCKETS];
                for (slot, pair) in halved.iter_mut().zip(series.chunks(2)) {
                    *slot = pair.iter().sum();
                }
                *series = halved;
            }
        }
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in [(&mut self.successes, &other.successes), (&mut self.refusals, &other.refusals)]
        {
            for (slot, count) in mine.iter_mut().zip(theirs) {
                *slot += count;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, Scale, Timeline};
    use crate::model::Timestamp;

    #[test]
    fn buckets_widen_and_keep_their_counts() {
        let (mut scale, mut line) = (Scale::default(), Timeline::default());
        for second in 0..100 {
            let (bucket, halvings) = scale.bucket(Timestamp::from_parts(1000 + second, 0));
            line.halve(halvings);
            line.refusals[bucket] += 1;
        }
        assert_eq!(scale.seconds(), 4);
        assert_eq!(line.refusals.iter().sum::<u32>(), 100);
        assert_eq!(line.refusals[..25], [4; 25]);
        assert_eq!(line.refusals[25..], [0; BUCKETS - 25]);
    }
}
