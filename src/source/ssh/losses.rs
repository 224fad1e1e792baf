//! What the far tcpdump lost, from what it says on standard error: when it is asked (SIGUSR1), and at its end.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{Frame, SourceCounters, Timestamp};
use crate::source::Sink;

/// The counts as they were told last.
#[derive(Debug, Default)]
pub(super) struct Losses {
    kernel: AtomicU64,
    interface: AtomicU64,
}

impl Losses {
    /// Takes in a line such as `tcpdump: 3 packets captured, 3 packets received by filter, 0 packets dropped by kernel`, or
    /// one of these counts alone; says whether it was one.
    pub(super) fn take_in(&self, line: &str) -> bool {
        let counts = line.strip_prefix("tcpdump: ").unwrap_or(line).split(", ");
        let mut is_one = false;
        for count in counts {
            let mut words = count.splitn(3, ' ');
            let number = words.next().and_then(|number| number.parse::<u64>().ok());
            let (Some(number), Some("packet" | "packets"), Some(what)) = (number, words.next(), words.next())
            else {
                return is_one;
            };
            is_one = true;
            match what.trim() {
                "dropped by kernel" => self.kernel.store(number, Ordering::Relaxed),
                "dropped by interface" => self.interface.store(number, Ordering::Relaxed),
                _ => {}
            }
        }
        is_one
    }

    fn added_to(&self, counters: SourceCounters) -> SourceCounters {
        SourceCounters {
            kernel_dropped: self.kernel.load(Ordering::Relaxed),
            interface_dropped: self.interface.load(Ordering::Relaxed),
            ..counters
        }
    }
}

/// A sink that learns the far side's losses with our own counts.
pub(super) struct WithLosses<'a> {
    pub(super) sink: &'a mut dyn Sink,
    pub(super) losses: &'a Losses,
    last: SourceCounters,
}

impl<'a> WithLosses<'a> {
    pub(super) fn new(sink: &'a mut dyn Sink, losses: &'a Losses) -> Self {
        Self { sink, losses, last: SourceCounters::default() }
    }

    /// The far side has said its last.
    pub(super) fn finish(self) {
        self.sink.counters(self.losses.added_to(self.last));
    }
}

impl Sink for WithLosses<'_> {
    fn frame(&mut self, frame: &Frame<'_>) -> ControlFlow<()> {
        self.sink.frame(frame)
    }
    fn tick(&mut self, now: Timestamp) -> ControlFlow<()> {
        self.sink.tick(now)
    }
    fn pause(&mut self) {
        self.sink.pause();
    }
    fn counters(&mut self, counters: SourceCounters) {
        self.last = counters;
        self.sink.counters(self.losses.added_to(counters));
    }
    fn warning(&mut self, text: String) {
        self.sink.warning(text);
    }
    fn damage(&mut self, text: String) {
        self.sink.damage(text);
    }
}

#[cfg(test)]
mod tests {
    use super::Losses;
    use crate::model::SourceCounters;

    #[test]
    fn counts_are_told_from_other_words() {
        let losses = Losses::default();
        for (line, is_one) in [
            ("tcpdump: 1 packet captured, 2 packets received by filter, 3 packets dropped by kernel", true),
            ("1 packet dropped by interface", true),
            ("1 packet captured", true),
            ("tcpdump: nope0: No such device exists", false),
            ("packets are dropped by kernel", false),
            ("99999999999999999999999 packets dropped by kernel", false),
            ("", false),
        ] {
            assert_eq!(losses.take_in(line), is_one, "{line}");
        }
        let counters = losses.added_to(SourceCounters { received: 9, ..SourceCounters::default() });
        assert_eq!((counters.received, counters.kernel_dropped, counters.interface_dropped), (9, 3, 1));
        assert!(losses.take_in("4 packets dropped by kernel"));
        assert_eq!(losses.added_to(counters).kernel_dropped, 4);
    }
}
