//! Counters: what was seen, what was used, what was lost, by stage. Every loss has one.

/// What the pipeline saw, per run. The TCP payload accounts add up:
/// `payload_bytes = parsed_bytes + skipped_bytes + duplicate_bytes + unparsed_bytes + dropped_bytes + pending_bytes`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames handed in.
    pub frames: u64,
    /// Captured bytes handed in.
    pub frame_bytes: u64,
    /// Frames cut by snaplen.
    pub frames_cut: u64,
    /// Frames that are not TCP over IP, by reason, in a fixed order of reasons.
    pub frames_skipped: Vec<(&'static str, u64)>,
    /// TCP segments.
    pub segments: u64,
    /// TCP payload bytes captured (what snaplen cut off counts as a gap).
    pub payload_bytes: u64,
    /// Payload bytes parsed as HTTP/1.1.
    pub parsed_bytes: u64,
    /// Payload bytes skipped by rule (tunnels, upgraded connections, junk between messages).
    pub skipped_bytes: u64,
    /// Payload bytes received again (retransmissions, the same frame captured twice).
    pub duplicate_bytes: u64,
    /// Payload bytes of connections that are not HTTP/1.1.
    pub unparsed_bytes: u64,
    /// Payload bytes given up under memory pressure.
    pub dropped_bytes: u64,
    /// Payload bytes that wait for their turn; 0 when the capture has ended.
    pub pending_bytes: u64,
    /// Bytes known to be missing from the capture.
    pub gap_bytes: u64,
    /// Number of gaps.
    pub gaps: u64,
    /// Connections seen.
    pub flows: u64,
    /// Connections given up under memory pressure.
    pub flows_evicted: u64,
    /// Connections that are not HTTP/1.1, by protocol or reason, in the order of these.
    pub flows_unparsed: Vec<(&'static str, u64)>,
    /// Requests.
    pub requests: u64,
    /// Final responses.
    pub responses: u64,
    /// Interim responses.
    pub interim_responses: u64,
    /// Final responses without a request.
    pub orphan_responses: u64,
    /// Exchanges that left the pipeline with a request.
    pub exchanges: u64,
}

impl Counters {
    /// Adds what somebody else counted.
    pub fn add(&mut self, part: &Self) {
        // Taken apart in whole, so that a new counter cannot be forgotten here.
        let Self {
            frames,
            frame_bytes,
            frames_cut,
            frames_skipped,
            segments,
            payload_bytes,
            parsed_bytes,
            skipped_bytes,
            duplicate_bytes,
            unparsed_bytes,
            dropped_bytes,
            pending_bytes,
            gap_bytes,
            gaps,
            flows,
            flows_evicted,
            flows_unparsed,
            requests,
            responses,
            interim_responses,
            orphan_responses,
            exchanges,
        } = part;
        self.frames += frames;
        self.frame_bytes += frame_bytes;
        self.frames_cut += frames_cut;
        self.segments += segments;
        self.payload_bytes += payload_bytes;
        self.parsed_bytes += parsed_bytes;
        self.skipped_bytes += skipped_bytes;
        self.duplicate_bytes += duplicate_bytes;
        self.unparsed_bytes += unparsed_bytes;
        self.dropped_bytes += dropped_bytes;
        self.pending_bytes += pending_bytes;
        self.gap_bytes += gap_bytes;
        self.gaps += gaps;
        self.flows += flows;
        self.flows_evicted += flows_evicted;
        self.requests += requests;
        self.responses += responses;
        self.interim_responses += interim_responses;
        self.orphan_responses += orphan_responses;
        self.exchanges += exchanges;
        for (reason, frames) in frames_skipped {
            count(&mut self.frames_skipped, reason, *frames);
        }
        for (protocol, flows) in flows_unparsed {
            self.count_unparsed(protocol, *flows);
        }
    }

    /// So many more connections that are not HTTP/1.1, by protocol or reason.
    pub fn count_unparsed(&mut self, name: &'static str, flows: u64) {
        count(&mut self.flows_unparsed, name, flows);
        self.flows_unparsed.sort_unstable();
    }

    /// Payload bytes that one of the accounts holds; always equal to `payload_bytes`.
    pub const fn accounted_bytes(&self) -> u64 {
        self.parsed_bytes
            + self.skipped_bytes
            + self.duplicate_bytes
            + self.unparsed_bytes
            + self.dropped_bytes
            + self.pending_bytes
    }

    /// The accounts of the payload with their names for people: what was captured, what it adds up from, and what was
    /// never captured.
    pub const fn payload_accounts(&self) -> [(&'static str, u64, &'static str); 8] {
        [
            ("captured", self.payload_bytes, "on TCP; the sum of the next six"),
            ("parsed", self.parsed_bytes, "as HTTP/1.1"),
            ("skipped", self.skipped_bytes, "by rule: tunnels, upgrades, junk between messages"),
            ("retransmitted", self.duplicate_bytes, "or captured twice"),
            ("not http", self.unparsed_bytes, "of connections that are not HTTP/1.1"),
            ("given up", self.dropped_bytes, "to stay within memory"),
            ("waiting", self.pending_bytes, "for what comes before them"),
            ("missing", self.gap_bytes, "known to be missing from the capture"),
        ]
    }
}

/// What the source says it lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceCounters {
    /// Frames received by the capture.
    pub received: u64,
    /// Frames dropped by the kernel for want of buffer.
    pub kernel_dropped: u64,
    /// Frames dropped by the interface or its driver.
    pub interface_dropped: u64,
    /// Exchanges that found the queue to the screen full.
    pub queue_dropped: u64,
}

/// Adds `times` to the count called `name`.
fn count(counts: &mut Vec<(&'static str, u64)>, name: &'static str, times: u64) {
    match counts.iter_mut().find(|(known, _)| *known == name) {
        Some((_, count)) => *count += times,
        None => counts.push((name, times)),
    }
}
