//! Not a byte changes, whatever the bytes are.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};

use super::{Tap, connect, echo, noise, server, trusting};
use crate::support::PATIENCE;

const MEGABYTES_100: usize = 100 << 20;

#[test]
fn a_hundred_megabytes_each_way_are_identical() {
    let sent = Arc::new(noise(MEGABYTES_100));
    let tap = Tap::start(server(echo), &[]);
    let _reader = tap.mirror();
    let mut stream = tap.connect();
    stream.conn.complete_io(&mut stream.sock).unwrap();
    // Sends and receives in steps smaller than what lies in the sockets' buffers, so that one thread can do both.
    let mut received = Vec::with_capacity(sent.len());
    for chunk in sent.chunks(64 << 10) {
        stream.write_all(chunk).unwrap();
        let start = received.len();
        received.resize(start + chunk.len(), 0);
        stream.read_exact(&mut received[start..]).unwrap();
    }
    assert!(received == *sent);
}

#[test]
fn a_large_download_waits_for_a_slow_reader_and_arrives_whole() {
    let body = Arc::new(noise(MEGABYTES_100));
    let written = Arc::new(AtomicUsize::new(0));
    let (done, finished) = channel();
    let (theirs, count) = (Arc::clone(&body), Arc::clone(&written));
    let address = server(move |mut socket| {
        for chunk in theirs.chunks(64 << 10) {
            socket.write_all(chunk).unwrap();
            count.fetch_add(chunk.len(), Ordering::SeqCst);
        }
        done.send(()).unwrap();
    });
    let tap = Tap::start(address, &[]);
    let mut stream = tap.connect();
    let mut received = vec![0; 1];
    stream.read_exact(&mut received).unwrap();
    // Nobody reads now: the server must come to a stop long before its end, since the tap holds little.
    assert!(finished.recv_timeout(std::time::Duration::from_millis(500)).is_err());
    let stuck = written.load(Ordering::SeqCst);
    assert!(
        stuck < MEGABYTES_100 / 2,
        "the tap took {stuck} bytes from the server while the client read none"
    );
    stream.read_to_end(&mut received).unwrap();
    finished.recv_timeout(PATIENCE).unwrap();
    assert!(received == *body);
}

/// Answers only when the client has said that it is done.
fn echo_at_the_end(mut socket: TcpStream) {
    let mut question = Vec::new();
    socket.read_to_end(&mut question).unwrap();
    socket.write_all(&question).unwrap();
}

#[test]
fn half_close_passes_both_ways() {
    let tap = Tap::start(server(echo_at_the_end), &[]);
    let mut stream = tap.connect();
    stream.write_all(b"question").unwrap();
    stream.conn.send_close_notify();
    stream.flush().unwrap();
    stream.sock.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"question");
}

#[test]
fn a_fin_without_close_notify_is_a_half_close_too() {
    let tap = Tap::start(server(echo_at_the_end), &[]);
    let mut stream = tap.connect();
    stream.write_all(b"abrupt").unwrap();
    stream.sock.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"abrupt");
}

#[test]
fn resets_pass_as_resets_in_both_directions() {
    let (seen, sees) = channel();
    let address = server(move |mut socket| {
        let mut first = [0];
        socket.read_exact(&mut first).unwrap();
        if first == *b"r" {
            reset(socket);
        } else {
            socket.write_all(b"!").unwrap();
            let error = socket.read(&mut [0; 8]).map_err(|error| error.kind());
            seen.send(error).unwrap();
        }
    });
    let tap = Tap::start(address, &[]);
    let mut stream = tap.connect();
    stream.write_all(b"r").unwrap();
    let error = stream.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);

    let mut stream = tap.connect();
    stream.write_all(b"c").unwrap();
    stream.read_exact(&mut [0]).unwrap();
    reset(stream.sock);
    let outcome = sees.recv_timeout(PATIENCE).unwrap();
    assert_eq!(outcome, Err(ErrorKind::ConnectionReset));
}

fn reset(socket: TcpStream) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _guard = runtime.enter();
    socket.set_nonblocking(true).unwrap();
    let socket = tokio::net::TcpStream::from_std(socket).unwrap();
    socket.set_zero_linger().unwrap();
    drop(socket);
}

#[test]
fn a_thousand_connections_at_once() {
    const CONNECTIONS: usize = 1_000;
    let tap = Tap::start(server(echo), &[]);
    let config = trusting(&tap.ca());
    let threads = 8;
    let barrier = Arc::new(Barrier::new(threads));
    let work = |address: SocketAddr| {
        let (config, barrier) = (Arc::clone(&config), Arc::clone(&barrier));
        move || {
            let mut open: Vec<_> = (0..CONNECTIONS / threads)
                .map(|number| {
                    let mut stream = connect(address, Arc::clone(&config));
                    write!(stream, "{number:08}").unwrap();
                    stream
                })
                .collect();
            // All are open now.
            barrier.wait();
            for (number, stream) in open.iter_mut().enumerate() {
                let mut answer = [0; 8];
                stream.read_exact(&mut answer).unwrap();
                assert_eq!(answer, format!("{number:08}").as_bytes());
            }
            barrier.wait();
        }
    };
    let running: Vec<_> = (0..threads).map(|_| std::thread::spawn(work(tap.address))).collect();
    for thread in running {
        thread.join().unwrap();
    }
}

#[test]
fn a_protocol_in_which_the_server_speaks_first() {
    let address = server(|mut socket| {
        socket.write_all(b"220 hello\r\n").unwrap();
        let mut answer = [0; 4];
        socket.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"EHLO");
    });
    let tap = Tap::start(address, &[]);
    let mut stream = tap.connect();
    let mut greeting = [0; 11];
    stream.read_exact(&mut greeting).unwrap();
    assert_eq!(&greeting, b"220 hello\r\n");
    stream.write_all(b"EHLO").unwrap();
    assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn a_plain_listener_relays_too() {
    let mut tap =
        Tap::start_in(tempfile::tempdir().unwrap(), server(echo), &["--listen-plain", "127.0.0.1:0"]);
    let mirror = tap.mirror();
    let mut socket = TcpStream::connect(tap.address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.write_all(b"in the clear").unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"in the clear");
    drop(socket);
    tap.stop();
    let bytes = std::fs::read(mirror.whole().file).unwrap();
    assert_eq!(memchr::memmem::find_iter(&bytes, b"in the clear").count(), 2);
}
