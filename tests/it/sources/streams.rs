//! PCAP over TCP, filters on captures that are read, and errors that say what to do.

use std::io::Write;
use std::net::TcpListener;
use std::thread;

use why403::model::Timestamp;
use why403::source::{Origin, SourceError};
use why403::synth::{Conversation, merge, pcap};

use super::{open, read};

fn capture() -> Vec<u8> {
    let talk = |port: u16| {
        let server = format!("10.0.0.2:{port}").parse().unwrap();
        Conversation::new("10.0.0.1:5".parse().unwrap(), server).handshake(Timestamp(i64::from(port)))
    };
    pcap::to_bytes(&merge([talk(80), talk(81), talk(82)]))
}

#[test]
fn pcap_over_tcp_with_a_filter() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let writer = thread::spawn(move || listener.accept().unwrap().0.write_all(&capture()).unwrap());
    let origin = Origin::of_interface(&format!("tcp@{address}"));
    let notes = read(&origin, Some("port 81 or port 82"), true).unwrap();
    writer.join().unwrap();
    assert_eq!((notes.count, notes.counters.received), (6, 9));
}

#[test]
fn origins_are_told_by_their_form() {
    for (text, wanted) in [
        ("eth0", Origin::Interface("eth0".into())),
        ("any", Origin::Interface("any".into())),
        ("TCP@127.0.0.1:57012", Origin::Tcp("127.0.0.1:57012".into())),
        ("unix:/run/tap.sock", Origin::Unix("/run/tap.sock".into())),
    ] {
        assert_eq!(Origin::of_interface(text), wanted);
    }
    assert_eq!(Origin::of_file("-".as_ref()), Origin::Stdin);
    assert_eq!(Origin::of_file("x".as_ref()), Origin::File("x".into()));
}

#[test]
fn errors_say_what_to_do_and_give_the_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("notes.txt");
    std::fs::write(&text, "The deploy was at noon.\n").unwrap();
    let file = dir.path().join("ok.pcap");
    std::fs::write(&file, capture()).unwrap();
    let fifo = dir.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let unbound = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (origin, filter, wanted) in [
        (Origin::File("/nonexistent/x.pcap".into()), None, "cannot open /nonexistent/x.pcap: No such file"),
        (Origin::File(dir.path().to_owned()), None, "it is a directory"),
        (Origin::File(text), None, "looks like text"),
        (Origin::File(file), Some("port http and and"), "man pcap-filter"),
        (Origin::Unix(dir.path().join("no")), None, "cannot open unix:"),
        (Origin::Tcp(unbound.to_string()), None, "cannot open TCP@127.0.0.1:"),
        (Origin::Interface(fifo.display().to_string()), None, "read it with -r"),
        (Origin::Interface("why403-none".into()), None, "there is no interface why403-none; there are: "),
    ] {
        let error = open(&origin, filter).err().unwrap();
        let said = error.to_string();
        if matches!(error, SourceError::Permission { .. }) {
            assert_eq!(error.exit_code(), 3);
            continue;
        }
        assert!(said.contains(wanted) && !said.contains('\n'), "{said}");
        assert_eq!(error.exit_code(), 2);
    }
}
