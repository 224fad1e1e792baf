//! What holds for every capture: the same bytes give the same exchanges, however they come.

use proptest::prelude::*;

use crate::model::{Exchange, TcpFlags};
use crate::wire::pipeline::cases::harness::{Seen, Seg, Wire};
use crate::wire::pipeline::{Limits, Pipeline};

/// A message's content and how it is framed.
#[derive(Clone, Debug)]
enum Content {
    Length(Vec<u8>),
    Chunks(Vec<Vec<u8>>),
}

impl Content {
    fn wire(&self) -> Vec<u8> {
        match self {
            Self::Length(body) => {
                [format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
            }
            Self::Chunks(chunks) => {
                let mut wire = b"Transfer-Encoding: chunked\r\n\r\n".to_vec();
                for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
                    wire.extend_from_slice(format!("{:x};n=1\r\n", chunk.len()).as_bytes());
                    wire.extend_from_slice(chunk);
                    wire.extend_from_slice(b"\r\n");
                }
                wire.extend_from_slice(b"0\r\nX-Trailer: 1\r\n\r\n");
                wire
            }
        }
    }
}

/// One request with its response.
#[derive(Clone, Debug)]
struct Turn {
    method: &'static str,
    request: Content,
    interim: bool,
    status: u16,
    response: Content,
    /// Bytes after the response that belong to nothing.
    cruft: bool,
    /// Sent without waiting for the response before.
    pipelined: bool,
    /// The response comes after this much of the request's content.
    early: bool,
}

fn content() -> impl Strategy<Value = Content> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        bytes().prop_map(Content::Length),
        prop::collection::vec(bytes(), 0..4).prop_map(Content::Chunks)
    ]
}

fn turn() -> impl Strategy<Value = Turn> {
    let method = prop::sample::select(vec!["POST", "GET", "PUT", "HEAD", "PATCH"]);
    let status = prop::sample::select(vec![200, 403, 204, 304, 302, 500]);
    let flags =
        (any::<bool>(), prop::bool::weighted(0.1), prop::bool::weighted(0.2), prop::bool::weighted(0.1));
    (method, content(), status, content(), flags).prop_map(
        |(method, request, status, response, (interim, cruft, pipelined, early))| Turn {
            method,
            request,
            interim,
            status,
            response,
            cruft,
            pipelined,
            early,
        },
    )
}

/// Who sends what, in the order it happened.
fn script(turns: &[Turn]) -> Vec<(bool, Vec<u8>)> {
    let mut script: Vec<(bool, Vec<u8>)> = Vec::new();
    let mut owed = Vec::new();
    for (n, turn) in turns.iter().enumerate() {
        if !turn.pipelined {
            script.append(&mut owed);
        }
        let head = format!("{} /{n} HTTP/1.1\r\nHost: x\r\n", turn.method);
        let request = [head.into_bytes(), turn.request.wire()].concat();
        let mut response = Vec::new();
        if turn.interim {
            response.extend_from_slice(b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n");
        }
        response.extend_from_slice(format!("HTTP/1.1 {} X\r\n", turn.status).as_bytes());
        if turn.method == "HEAD" || turn.status == 204 || turn.status == 304 {
            response.extend_from_slice(b"\r\n");
        } else {
            response.extend_from_slice(&turn.response.wire());
        }
        if turn.cruft {
            response.extend_from_slice(b"<!-- more -->");
        }
        if turn.early && owed.is_empty() && request.len() > 150 {
            let (first, rest) = request.split_at(150);
            script.extend([(true, first.to_vec()), (false, response), (true, rest.to_vec())]);
        } else {
            script.push((true, request));
            owed.push((false, response));
        }
    }
    script.append(&mut owed);
    script
}

/// The script as segments, cut where `cuts` says.
fn segments(script: &[(bool, Vec<u8>)], cuts: &[usize]) -> Vec<Seg> {
    let mut wire = Wire::new();
    let mut cuts = cuts.iter().cycle();
    for (client, bytes) in script {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let len = cuts.next().map_or(rest.len(), |cut| *cut).clamp(1, rest.len());
            wire.put(*client, TcpFlags::ACK, &rest[..len]);
            rest = &rest[len..];
        }
    }
    wire.close().segs
}

/// Repeats some segments and moves them about, never over the handshake and never farther than a few places.
fn disturb(segs: Vec<Seg>, noise: &[(u8, u8)]) -> Vec<Seg> {
    const WINDOW: usize = 8;
    let mut out: Vec<(usize, Seg)> = Vec::new();
    for (index, seg) in segs.into_iter().enumerate() {
        let (shift, again) = noise.get(index % noise.len().max(1)).copied().unwrap_or((0, 0));
        let place = index * 2 + if index < 3 { 0 } else { usize::from(shift) % (WINDOW * 2) };
        if again % 5 == 0 && index >= 3 {
            out.push((place + 2 * (usize::from(again) % WINDOW), seg.clone()));
        }
        out.push((place, seg));
    }
    out.sort_by_key(|(place, _)| *place);
    out.into_iter().map(|(_, seg)| seg).collect()
}

/// Without what the order of the capture decides: times.
fn timeless(seen: &Seen) -> Vec<Exchange> {
    let mut exchanges = seen.exchanges.clone();
    for exchange in &mut exchanges {
        let zero = crate::model::Timestamp(0);
        if let Some(request) = &mut exchange.request {
            (request.started, request.ended) = (zero, zero);
        }
        if let Some(response) = &mut exchange.response {
            (response.started, response.ended) = (zero, zero);
        }
    }
    exchanges
}

/// What was sent, for a person to read.
fn brief(segs: &[Seg]) -> Vec<String> {
    let one = |seg: &Seg| {
        let who = if seg.client { "client" } else { "server" };
        format!("{who} {} ack {} {:x} {}", seg.seq, seg.ack, seg.flags, seg.data.escape_ascii())
    };
    segs.iter().map(one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_segmentation_reordering_and_duplication_gives_the_same_exchanges(
        turns in prop::collection::vec(turn(), 1..6),
        cuts in prop::collection::vec(1usize..300, 1..40),
        noise in prop::collection::vec(any::<(u8, u8)>(), 1..60),
    ) {
        let script = script(&turns);
        let whole = Seen::of(&segments(&script, &[100_000]), Limits::default());
        prop_assert_eq!(whole.counters.requests, turns.len() as u64);
        prop_assert_eq!(whole.counters.gaps, 0);
        let cut = Seen::of(&segments(&script, &cuts), Limits::default());
        prop_assert_eq!(cut.lines(), whole.lines());
        prop_assert_eq!(timeless(&cut), timeless(&whole));
        let disturbed = Seen::of(&disturb(segments(&script, &cuts), &noise), Limits::default());
        prop_assert_eq!(disturbed.counters.gaps, 0);
        prop_assert_eq!(disturbed.lines(), whole.lines());
        prop_assert_eq!(timeless(&disturbed), timeless(&whole));
    }

    #[test]
    fn cutting_a_capture_gives_a_prefix_and_unfinished_ones(
        turns in prop::collection::vec(turn(), 1..5),
        cuts in prop::collection::vec(1usize..300, 1..20),
        at in any::<prop::sample::Index>(),
    ) {
        let segs = segments(&script(&turns), &cuts);
        let at = at.index(segs.len());
        let (mut whole, mut part) = (Vec::new(), Vec::new());
        let mut pipeline = Pipeline::new(Limits::default());
        for (index, seg) in segs.iter().enumerate() {
            if index == at {
                part = whole.clone();
            }
            seg.give(|segment| pipeline.segment(segment, &mut whole));
        }
        let cut = Seen::of(&segs[..at], Limits::default());
        prop_assert_eq!(&cut.exchanges[..part.len()], &part[..]);
        prop_assert_eq!(&whole[..part.len()], &part[..]);
        prop_assert!(cut.counters.exchanges <= cut.counters.requests);
    }

    #[test]
    fn lost_segments_lose_no_request_that_was_seen(
        turns in prop::collection::vec(turn(), 1..6),
        cuts in prop::collection::vec(20usize..300, 1..20),
        lost in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
    ) {
        let mut segs = segments(&script(&turns), &cuts);
        for index in lost {
            let at = 3 + index.index(segs.len() - 3);
            segs.remove(at);
            if segs.len() < 5 {
                break;
            }
        }
        // What the harness asserts of every run is the point: accounts add up, each message leaves once.
        let seen = Seen::of(&segs, Limits::default());
        prop_assert!(seen.counters.requests <= turns.len() as u64 + 1);
        for exchange in &seen.exchanges {
            if let (Some(request), Some(response)) = (&exchange.request, &exchange.response)
                && !turns.iter().any(|turn| turn.cruft)
            {
                let number: usize = String::from_utf8_lossy(request.head.target()).trim_matches('/').parse().unwrap();
                prop_assert_eq!(response.head.status(), turns[number].status, "never another's response: {:#?} {:#?}", seen.lines(), brief(&segs));
            }
        }
    }
}
