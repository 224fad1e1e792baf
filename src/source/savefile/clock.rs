//! The clock of a pcapng interface: ticks of any power of ten or two, from any second on.

const NANOS: i128 = 1_000_000_000;

/// Turns ticks into nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    ticks: Ticks,
    offset_nanos: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ticks {
    /// Each is so many nanoseconds.
    Long(i64),
    /// So many make a second.
    PerSecond(i128),
}

impl Clock {
    /// From `if_tsresol` (10⁻ⁿ, or 2⁻ⁿ with the top bit set) and `if_tsoffset` (seconds). A resolution that does not fit 64-bit ticks
    /// is taken for the finest that does.
    pub(super) fn new(resolution: u8, offset: i64) -> Self {
        let exponent = u32::from(resolution & 0x7f);
        let ticks = match (resolution & 0x80 != 0, exponent) {
            (false, 0..=9) => Ticks::Long(10_i64.pow(9 - exponent)),
            (false, _) => Ticks::PerSecond(10_i128.pow(exponent.min(19))),
            (true, _) => Ticks::PerSecond(1 << exponent.min(63)),
        };
        Self { ticks, offset_nanos: offset.saturating_mul(NANOS as i64) }
    }

    /// Saturates where 64 bits of nanoseconds end (the year 2262).
    #[inline]
    pub(super) fn nanos(&self, ticks: u64) -> i64 {
        let nanos = match self.ticks {
            Ticks::Long(length) => i64::try_from(ticks).unwrap_or(i64::MAX).saturating_mul(length),
            Ticks::PerSecond(count) => i64::try_from(i128::from(ticks) * NANOS / count).unwrap_or(i64::MAX),
        };
        nanos.saturating_add(self.offset_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn resolutions_and_offsets() {
        for (resolution, offset, ticks, nanos) in [
            (6, 0, 1_500_000, 1_500_000_000),
            (9, 0, 1_500_000_000, 1_500_000_000),
            (3, 0, 1_500, 1_500_000_000),
            (0, 0, 2, 2_000_000_000),
            (12, 0, 1_500_000_000_000, 1_500_000_000),
            (0x80, 0, 2, 2_000_000_000),
            (0x80 | 0x0a, 0, 1536, 1_500_000_000),
            (0x80 | 0x20, 0, 3 << 31, 1_500_000_000),
            (6, 10, 1, 10_000_001_000),
            (6, -10, 1, -9_999_999_000),
            (0, 0, u64::MAX, i64::MAX),
            (0x7f, i64::MAX, u64::MAX, i64::MAX),
            (0xff, 0, u64::MAX, 1_999_999_999),
        ] {
            assert_eq!(Clock::new(resolution, offset).nanos(ticks), nanos, "{resolution} {offset} {ticks}");
        }
    }
}
