//! A real interface: loopback, as root.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use why403::model::{Frame, SourceCounters, Timestamp};
use why403::source::{Origin, Sink, Source, SourceError, SourceOptions, Stop, interfaces};
use why403::wire::decode::{Decoded, Decoder};

use super::Notes;
use crate::support::{can_run, must};

const REQUEST: &[u8] = b"POST /v1/users/7/profile HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";

/// Ends the capture once both peers' bytes were seen.
struct Exchange<'a> {
    decoder: Decoder,
    seen: Vec<u8>,
    counters: SourceCounters,
    stop: &'a Stop,
}

impl Sink for Exchange<'_> {
    fn frame(&mut self, frame: &Frame<'_>) -> ControlFlow<()> {
        if let Decoded::Segment(segment) = self.decoder.decode(frame) {
            self.seen.extend_from_slice(segment.payload);
        }
        if self.seen.ends_with(b"response") {
            self.stop.stop();
        }
        ControlFlow::Continue(())
    }
    fn tick(&mut self, _now: Timestamp) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn counters(&mut self, counters: SourceCounters) {
        self.counters = counters;
    }
    fn warning(&mut self, text: String) {
        panic!("{text}");
    }
}

#[test]
fn an_exchange_on_loopback_is_seen_on_lo_and_on_any() {
    if !can_run("an_exchange_on_loopback_is_seen_on_lo_and_on_any", true, &[]) {
        return;
    }
    for interface in ["lo", "any"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let filter = Some(format!("tcp port {}", address.port()));
        let options = SourceOptions { filter, ..SourceOptions::default() };
        let stop = Stop::new().unwrap();
        let source = Source::open(&Origin::of_interface(interface), &options, &stop).unwrap();
        let server = thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            let mut request = vec![0; REQUEST.len()];
            peer.read_exact(&mut request).unwrap();
            peer.write_all(b"response").unwrap();
        });
        let client = thread::spawn(move || {
            let mut peer = TcpStream::connect(address).unwrap();
            peer.write_all(REQUEST).unwrap();
            peer.read_to_end(&mut Vec::new()).unwrap();
        });
        let mut sink = Exchange {
            decoder: Decoder::default(),
            seen: Vec::new(),
            counters: SourceCounters::default(),
            stop: &stop,
        };
        source.run(&mut sink, &stop).unwrap();
        server.join().unwrap();
        client.join().unwrap();
        assert!(sink.seen == [REQUEST, b"response"].concat(), "{interface}: {:?}", sink.seen.escape_ascii());
        assert!(sink.counters.received >= 5, "{:?}", sink.counters);
        assert_eq!(sink.counters.kernel_dropped, 0);
    }
}

#[test]
fn ends_at_once_without_traffic() {
    if !can_run("ends_at_once_without_traffic", true, &[]) {
        return;
    }
    let options = SourceOptions { filter: Some("tcp port 1".to_owned()), ..SourceOptions::default() };
    let stop = Stop::new().unwrap();
    let source = Source::open(&Origin::Interface("lo".into()), &options, &stop).unwrap();
    let switch = stop.clone();
    let capture = thread::spawn(move || {
        let mut notes = Notes::default();
        source.run(&mut notes, &switch).unwrap();
        notes
    });
    let thrown = Instant::now();
    stop.stop();
    let notes = capture.join().unwrap();
    // It wakes at once; the bound is for a machine that is busy with other things.
    assert!(thrown.elapsed() < Duration::from_secs(2), "{:?}", thrown.elapsed());
    assert_eq!(notes.count, 0);
}

#[test]
fn an_interface_that_is_removed_ends_the_capture_with_a_reason() {
    if !can_run("an_interface_that_is_removed_ends_the_capture_with_a_reason", true, &["ip"]) {
        return;
    }
    let name = format!("w403-{}", std::process::id());
    ip(&format!("link add {name} type veth peer name {name}p"));
    let origin = Origin::Interface(name.clone());
    let stop = Stop::new().unwrap();
    let down = Source::open(&origin, &SourceOptions::default(), &stop);
    ip(&format!("link set {name} up"));
    let source = Source::open(&origin, &SourceOptions::default(), &stop).unwrap();
    assert!(interfaces().unwrap().iter().any(|interface| interface.name == name && interface.is_up));
    ip(&format!("link delete {name}"));
    let error = source.run(&mut Notes::default(), &stop).unwrap_err();
    assert!(matches!(error, SourceError::Lost { .. }), "{error}");
    if let Err(error) = down {
        assert!(error.to_string().contains("ip link set"), "{error}");
    }
}

/// Runs `ip` with words separated by spaces.
fn ip(words: &str) {
    must("ip", words.split(' '));
}
