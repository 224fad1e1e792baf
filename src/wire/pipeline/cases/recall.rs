//! Which pairs of pipelined exchanges are found again after losses, measured against what the remaining bytes determine.
//!
//! The generator knows every byte. What the rest of a capture still determines is derived from difference constraints between the
//! numbers of the requests and responses whose heads are whole: how many messages fit between two of them, what an acknowledgement
//! rules out, and that a connection which was closed in order has a response for every request. A pair is determined when no
//! numbering that satisfies them pairs one of the two with another message.

use std::collections::HashMap;

use crate::model::{BodyEnd, Exchange, TcpFlags};
use crate::wire::pipeline::Limits;
use crate::wire::pipeline::cases::harness::{Seen, Seg, Wire};

/// The shortest message that is believed in.
const SHORTEST: u64 = 19;
const EXCHANGES: u32 = 20;

/// How a client pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    /// A few requests at once, and the next ones when all are answered.
    Waits,
    /// Always so many requests on their way: a response lets the next one out.
    Slides(u32),
}

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

/// A message as the generator knows it.
#[derive(Clone, Copy, Debug)]
struct Message {
    number: u32,
    start: u64,
    head_end: u64,
    end: u64,
    /// What its sender had received.
    ack: u64,
}

/// One connection: its segments, and its messages in each direction.
struct Talk {
    wire: Wire,
    first: [u32; 2],
    messages: [Vec<Message>; 2],
}

impl Talk {
    fn new(port: u16) -> Self {
        let mut wire = Wire::new();
        wire.port = port;
        wire.mss = 1460;
        for seg in &mut wire.segs {
            seg.port = port;
        }
        let first = wire.next;
        Self { wire, first, messages: [Vec::new(), Vec::new()] }
    }

    fn offset(&self, side: usize) -> u64 {
        u64::from(self.wire.next[side].wrapping_sub(self.first[side]))
    }

    fn say(&mut self, client: bool, number: u32, head: &str, body: usize) {
        let (me, peer) = (usize::from(!client), usize::from(client));
        let (start, ack) = (self.offset(me), self.offset(peer));
        let bytes = [head.as_bytes(), &vec![b'x'; body]].concat();
        let head_end = start + head.len() as u64;
        let end = start + bytes.len() as u64;
        self.messages[me].push(Message { number, start, head_end, end, ack });
        let wire = std::mem::replace(&mut self.wire, Wire::mid());
        self.wire = if client { wire.c(bytes) } else { wire.s(bytes) };
    }

    fn request(&mut self, number: u32, random: &mut Random) {
        let body = random.below(400) as usize;
        let pad = "p".repeat(random.below(120) as usize);
        let head =
            format!("POST /{number} HTTP/1.1\r\nHost: x\r\nX-Pad: {pad}\r\nContent-Length: {body}\r\n\r\n");
        self.say(true, number, &head, body);
    }

    fn response(&mut self, number: u32, random: &mut Random) {
        let body = random.below(1800) as usize;
        let pad = "p".repeat(random.below(120) as usize);
        let head = format!(
            "HTTP/1.1 200 OK\r\nX-Number: {number}\r\nX-Pad: {pad}\r\nContent-Length: {body}\r\n\r\n"
        );
        self.say(false, number, &head, body);
    }

    /// A whole connection.
    fn made(port: u16, client: Client, random: &mut Random) -> Self {
        let mut talk = Self::new(port);
        match client {
            Client::Waits => {
                let mut next = 0;
                while next < EXCHANGES {
                    let burst = (1 + random.below(6) as u32).min(EXCHANGES - next);
                    (next..next + burst).for_each(|number| talk.request(number, random));
                    (next..next + burst).for_each(|number| talk.response(number, random));
                    next += burst;
                }
            }
            Client::Slides(window) => {
                (0..window).for_each(|number| talk.request(number, random));
                for number in 0..EXCHANGES {
                    talk.response(number, random);
                    if number + window < EXCHANGES {
                        talk.request(number + window, random);
                    }
                }
            }
        }
        talk.wire = std::mem::replace(&mut talk.wire, Wire::mid()).ack(true).fin(true).fin(false).ack(true);
        talk
    }

    /// Whether all of `from..to` of a direction is in `segs`.
    fn has(&self, segs: &[Seg], side: usize, from: u64, to: u64) -> bool {
        let mut at = from;
        for seg in segs.iter().filter(|seg| usize::from(!seg.client) == side && !seg.data.is_empty()) {
            let start = u64::from(seg.seq.wrapping_sub(self.first[side]));
            if start <= at && at < start + seg.data.len() as u64 {
                at = start + seg.data.len() as u64;
            }
        }
        at >= to
    }

    /// The messages of a direction whose heads are whole.
    fn heads(&self, segs: &[Seg], side: usize) -> Vec<Message> {
        let whole = |message: &&Message| self.has(segs, side, message.start, message.head_end);
        self.messages[side].iter().filter(whole).copied().collect()
    }

    /// The numbers of the pairs that `segs` determine.
    fn determined(&self, segs: &[Seg], from_start: bool) -> Vec<u32> {
        let [requests, responses] = [self.heads(segs, 0), self.heads(segs, 1)];
        let mut bounds = Bounds::new(requests.len() + responses.len() + 2);
        let (origin, total) = (0, 1);
        let request = |at: usize| 2 + at;
        let response = |at: usize| 2 + requests.len() + at;
        for (side, heads, node) in
            [(0, &requests, &request as &dyn Fn(usize) -> usize), (1, &responses, &response)]
        {
            // From the beginning to the first, from each to the next, from the last to the end.
            let mut before = (origin, if from_start { Some(0) } else { None });
            for (at, head) in heads.iter().enumerate() {
                bounds.between(before, node(at), head.start, from_start || before.0 != origin);
                before = (node(at), Some(head.end));
            }
            let end = self.messages[side].last().map_or(0, |message| message.end);
            bounds.between(before, total, end, true);
        }
        for (at, head) in responses.iter().enumerate() {
            for (of, asked) in requests.iter().enumerate() {
                // A response is of an earlier request than one that its sender had not received, or whose sender had received
                // its beginning.
                if head.ack <= asked.start || asked.ack > head.start {
                    bounds.at_most(response(at), request(of), -1);
                }
            }
        }
        bounds.close();
        let mut pairs = Vec::new();
        for (at, head) in responses.iter().enumerate() {
            if let Some(of) = requests.iter().position(|asked| asked.number == head.number)
                && bounds.is_fixed(request(of), response(at))
            {
                pairs.push(head.number);
            }
        }
        pairs
    }
}

/// Upper bounds of the differences between numbers: `of[a][b]` is the most that `a` is above `b`.
struct Bounds(Vec<Vec<i64>>);

impl Bounds {
    const NONE: i64 = i64::MAX / 4;

    fn new(nodes: usize) -> Self {
        let mut bounds = Self(vec![vec![Self::NONE; nodes]; nodes]);
        (0..nodes).for_each(|node| bounds.0[node][node] = 0);
        bounds
    }

    fn at_most(&mut self, a: usize, b: usize, difference: i64) {
        self.0[a][b] = self.0[a][b].min(difference);
    }

    /// Message `next` begins at `start`, after `before`, which ended at an offset.
    fn between(&mut self, (before, end): (usize, Option<u64>), next: usize, start: u64, is_counted: bool) {
        // The first one is number 0: the origin stands for one before it.
        let least = match end {
            Some(end) if start > end => 2,
            _ => 1,
        };
        let most = end.map_or(0, |end| 1 + (start.saturating_sub(end) / SHORTEST) as i64);
        self.at_most(before, next, -(if is_counted { least } else { 1 }));
        if is_counted && end.is_some() {
            self.at_most(next, before, most.max(least));
        }
    }

    fn close(&mut self) {
        let nodes = self.0.len();
        for via in 0..nodes {
            for a in 0..nodes {
                for b in 0..nodes {
                    let sum = self.0[a][via] + self.0[via][b];
                    if sum < self.0[a][b] {
                        self.0[a][b] = sum;
                    }
                }
            }
        }
    }

    fn is_fixed(&self, a: usize, b: usize) -> bool {
        self.0[a][b] == 0 && self.0[b][a] == 0
    }
}

/// What a loss does to the segments of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    None,
    /// One frame in a hundred is dropped.
    Frames,
    /// Frames are cut at 200 bytes, 54 of which are headers.
    Snaplen,
    /// The capture begins in the middle.
    MidStream,
}

impl Loss {
    fn apply(self, wire: &Wire, random: &mut Random) -> Vec<Seg> {
        let mut segs = wire.segs.clone();
        match self {
            Self::None => {}
            Self::Frames => segs.retain(|_| random.below(100) != 0),
            Self::Snaplen => segs.iter_mut().for_each(|seg| seg.data.truncate(146)),
            Self::MidStream => drop(segs.drain(..(3 + random.below(12) as usize))),
        }
        segs
    }
}

/// What came of ten thousand exchanges.
#[derive(Debug, Default, PartialEq, Eq)]
struct Score {
    exchanges: u32,
    both_heads: u32,
    determined: u32,
    /// Determined pairs that were found.
    found: u32,
    /// Right pairs that were not determined.
    beyond: u32,
    wrong: u32,
    /// Wrong pairs that are not marked as likely only.
    unmarked: u32,
    /// Right or wrong, those that are marked as likely only.
    likely: u32,
}

impl Score {
    fn recall(&self) -> f64 {
        f64::from(self.found) * 100.0 / f64::from(self.determined.max(1))
    }
}

fn number_of(exchange: &Exchange) -> Option<(u32, u32)> {
    let target = exchange.target().strip_prefix(b"/")?;
    let asked = std::str::from_utf8(target).ok()?.parse().ok()?;
    let fields = exchange.response.as_ref()?.head.fields();
    let given = std::str::from_utf8(fields.value("x-number")?).ok()?.parse().ok()?;
    Some((asked, given))
}

fn scored(client: impl Fn(u16) -> Client, loss: Loss) -> Score {
    let (mut random, mut score) = (Random(0x9e37_79b9_7f4a_7c15), Score::default());
    for port in 0..500 {
        let talk = Talk::made(10_000 + port, client(port), &mut random);
        let segs = loss.apply(&talk.wire, &mut random);
        let from_start = segs.iter().any(|seg| seg.flags & TcpFlags::SYN != 0);
        let determined = talk.determined(&segs, from_start);
        let heads: [Vec<u32>; 2] =
            [0, 1].map(|side| talk.heads(&segs, side).iter().map(|head| head.number).collect());
        let seen = Seen::of(&segs, Limits::default());
        let mut found: HashMap<u32, bool> = HashMap::new();
        for exchange in &seen.exchanges {
            assert!(exchange.request.as_ref().is_none_or(|request| request.body.end != BodyEnd::Reset));
            let Some((asked, given)) = number_of(exchange) else { continue };
            found.insert(asked, asked == given);
            let is_likely = exchange.anomalies.contains(crate::model::Anomaly::PairedByOrder);
            score.likely += u32::from(is_likely);
            score.unmarked += u32::from(asked != given && !is_likely);
        }
        score.exchanges += EXCHANGES;
        score.both_heads += heads[0].iter().filter(|number| heads[1].contains(number)).count() as u32;
        score.determined += determined.len() as u32;
        score.found += determined.iter().filter(|number| found.get(number) == Some(&true)).count() as u32;
        score.beyond +=
            found.iter().filter(|(number, right)| **right && !determined.contains(number)).count() as u32;
        score.wrong += found.values().filter(|right| !**right).count() as u32;
    }
    score
}

/// Waiting clients, clients with windows of two to five, and both.
fn clients(kind: usize) -> impl Fn(u16) -> Client {
    move |port| match (kind, port % 2) {
        (0, _) | (2, 0) => Client::Waits,
        _ => Client::Slides(2 + u32::from(port) % 4),
    }
}

#[test]
fn without_loss_every_pair_is_determined_and_found() {
    let score = scored(clients(2), Loss::None);
    assert_eq!((score.determined, score.found, score.wrong), (10_000, 10_000, 0), "{score:?}");
}

#[test]
fn a_client_that_waits_loses_few_pairs_to_lost_frames_and_none_is_wrong() {
    let score = scored(clients(0), Loss::Frames);
    assert!(score.wrong == 0 && score.recall() >= 96.0, "{:.2} %: {score:?}", score.recall());
}

/// The goal is no wrong pair and 98 % for every loss. A client with a sliding window that is met in the middle of a connection looks
/// like one that waits for each answer: those pairs are still wrong. What is reached elsewhere is held here.
#[test]
fn a_pair_that_rests_on_an_acknowledgement_of_a_client_that_pipelines_is_marked() {
    for (loss, kind, recall, unmarked) in [
        (Loss::Frames, 0, 96.0, 0),
        (Loss::Frames, 1, 83.0, 60),
        (Loss::Snaplen, 0, 64.0, 0),
        (Loss::MidStream, 0, 94.0, 70),
    ] {
        let score = scored(clients(kind), loss);
        assert!(score.recall() >= recall && score.unmarked <= unmarked, "{loss:?} {kind}: {score:?}");
    }
}
