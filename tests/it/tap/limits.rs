//! A tap under attack goes on serving.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::{Tap, echo, server};
use crate::support::PATIENCE;

fn serves(tap: &Tap) {
    let mut stream = tap.connect();
    stream.write_all(b"alive").unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"alive");
}

#[test]
fn a_flood_of_half_open_handshakes_leaves_it_serving() {
    let tap = Tap::start(server(echo), &["--max-handshakes", "50"]);
    let mut flood = Vec::new();
    for number in 0..500 {
        let mut socket = TcpStream::connect(tap.address).unwrap();
        if number % 2 == 0 {
            // The beginning of a client hello that never ends.
            let _ = socket.write_all(&[22, 3, 1, 2, 0, 1, 0, 1, 252]);
        }
        flood.push(socket);
        if number % 100 == 99 {
            serves(&tap);
        }
    }
    serves(&tap);
}

#[test]
fn a_slow_handshake_is_closed() {
    let mut tap = Tap::start(server(echo), &["--handshake-timeout", "1"]);
    let mut socket = TcpStream::connect(tap.address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(socket.read(&mut [0; 8]).unwrap_or(0), 0);
    tap.program.says("too slow with its handshake");
}

#[test]
fn an_idle_connection_is_closed() {
    let mut tap = Tap::start(server(echo), &["--idle-timeout", "1"]);
    let mut stream = tap.connect();
    stream.write_all(b"x").unwrap();
    let mut answer = [0; 1];
    stream.read_exact(&mut answer).unwrap();
    assert!(stream.read(&mut answer).is_err());
    tap.program.says("--idle-timeout reached");
}

#[test]
fn connections_beyond_the_limit_are_refused_and_said() {
    let mut tap = Tap::start(server(echo), &["--max-connections", "3"]);
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = tap.connect();
        stream.write_all(b"x").unwrap();
        stream.read_exact(&mut [0]).unwrap();
        open.push(stream);
    }
    let mut refused = tap.connect();
    let _ = refused.write_all(b"x");
    assert!(refused.read_exact(&mut [0]).is_err());
    tap.program.says("--max-connections reached");
    open.clear();
    crate::support::until("room for one more", || {
        let mut stream = tap.connect();
        stream.write_all(b"x").ok()?;
        stream.read_exact(&mut [0]).ok()
    });
}
