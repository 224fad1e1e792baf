//! Clocks that are set while a capture runs: no exchange is lost or torn, expiry keeps its head, and it is said once.

use std::fs;
use std::io::Write as _;
use std::process::Command;

use why403::model::Timestamp;
use why403::synth::{Conversation, MadeFrame, pcap};

use crate::support::{Program, lines, run, why403};

const SECOND: i64 = 1_000_000_000;
const REQUEST: &[u8] = b"POST /v1/x HTTP/1.1\r\nHost: api\r\nContent-Length: 2\r\n\r\nhi";
const REFUSAL: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n";

fn at(seconds: i64) -> Timestamp {
    Timestamp((1_795_333_920 + seconds) * SECOND)
}

/// A connection of its own, with a request and its answer at these seconds.
fn refused(port: u16, request: i64, response: i64) -> Vec<MadeFrame> {
    Conversation::new(([10, 0, 1, 1], port).into(), "10.0.0.1:80".parse().unwrap())
        .handshake(at(request))
        .client(REQUEST, at(request))
        .server(REFUSAL, at(response))
        .fin(at(response))
        .into_frames()
}

#[test]
fn a_clock_that_is_stepped_takes_nothing_apart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stepped.pcap");
    // A year ahead, back again, and an hour back between a request and its response.
    let times = [(0, 0), (31_536_000, 31_536_000), (2, 2), (3_700, 100), (101, 3_701)];
    let frames: Vec<_> = (2000..)
        .zip(times)
        .flat_map(|(port, (request, response))| refused(port, request, response))
        .collect();
    fs::write(&path, pcap::to_bytes(&frames)).unwrap();
    let output = run(["-r".as_ref(), path.as_os_str(), "--json".as_ref()]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let seen = lines(&output.stdout);
    assert_eq!(seen.len(), 5);
    assert!(seen[3]["anomalies"].as_array().unwrap().contains(&"clock-went-back".into()), "{}", seen[3]);
    for exchange in seen {
        assert_eq!(exchange["outcome"], "complete", "{exchange}");
        assert!(exchange["latency_ms"].as_f64().is_none_or(|latency| latency >= 0.0), "{exchange}");
    }
}

#[test]
fn a_clock_that_is_set_under_a_running_capture_is_said_once_and_nothing_is_lost() {
    let mut command = Command::new(why403());
    let (mut program, mut input) =
        Program::start_fed(command.args(["-r", "-", "--json", "--stats", "-Y", ""]));
    let mut header = pcap::to_bytes(&[]);
    let mut send = |frames: &[MadeFrame]| {
        header.extend_from_slice(&pcap::to_bytes(frames)[24..]);
        input.write_all(&header).unwrap();
        header.clear();
    };
    // Half an exchange, which waits through everything that follows.
    let waiting = refused(1000, 0, 4);
    let (request, response) = waiting.split_at(4);
    send(request);
    send(&refused(1001, 1, 1));
    assert_eq!(program.next()["client"], "10.0.1.1:1001");
    // One wild frame, an hour back, and a few seconds back after that.
    let wild = refused(1002, 100_000_000, 2);
    send(&wild);
    assert_eq!(program.next()["outcome"], "complete");
    send(&refused(1003, -3_600, -3_600));
    assert_eq!(program.next()["outcome"], "complete");
    send(&refused(1004, -3_650, -3_650));
    assert_eq!(program.next()["outcome"], "complete");
    send(response);
    let waited = program.next();
    assert_eq!((&waited["client"], &waited["outcome"]), (&"10.0.1.1:1000".into(), &"complete".into()));
    // Ahead for good: who waits longer than connections may idle is given up with its reason, and what comes later is shown.
    let late = refused(1005, 10, 90_020);
    let (request, response) = late.split_at(4);
    send(request);
    for port in 1006..1010 {
        send(&refused(port, 90_010, 90_010));
    }
    send(response);
    drop(input);
    let rest = program.rest();
    assert_eq!(program.ended().code(), Some(0), "{}", program.said());
    let (totals, exchanges) = rest.split_last().unwrap();
    let of = |port: u16| exchanges.iter().filter(move |line| line["client"] == format!("10.0.1.1:{port}"));
    for port in 1006..1010 {
        assert!(of(port).all(|line| line["outcome"] == "complete") && of(port).count() == 1, "{rest:?}");
    }
    assert!(of(1005).any(|line| !line["request"].is_null()), "{rest:?}");
    assert!(of(1005).any(|line| line["response"]["status"] == 403), "{rest:?}");
    assert_eq!((&totals["requests"], &totals["responses"]), (&10.into(), &10.into()), "{totals}");
    assert_eq!(program.said().matches("clock was set").count(), 1, "{}", program.said());
}
