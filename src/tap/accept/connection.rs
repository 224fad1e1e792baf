//! One connection from its arrival to its end.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::model::{Notice, NoticeKind};
use crate::synth;

use crate::tap::Shared;
use crate::tap::accept::admission::{Open, Waiting};
use crate::tap::forward;
use crate::tap::mirror::{self, Tracker};
use crate::tap::relay::proxy_header::{self, Header};
use crate::tap::relay::scratch;
use crate::tap::relay::side::{Side, SideError, TlsFailure};
use crate::tap::relay::upstream::Upstream;
use crate::tap::relay::{End, Relay};
use crate::tap::tls::alert;
use crate::tap::tls::session::{Asked, Session};
use crate::tap::tls::subject;

/// How long a peer may take to fetch the alert that ends its handshake.
pub(in crate::tap) const LINGER: Duration = Duration::from_secs(1);

/// What clients speak at a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tap) enum Entrance {
    /// TLS.
    Tls,
    /// Whatever it is.
    Plain,
    /// HTTP to a forward proxy.
    Proxy,
}

/// A connection that was accepted.
pub(in crate::tap) struct Arrival {
    /// Not registered with any runtime yet; non-blocking.
    pub(in crate::tap) socket: std::net::TcpStream,
    /// What is spoken where it came in.
    pub(in crate::tap) entrance: Entrance,
    /// Its place in the room for handshakes.
    pub(in crate::tap) waiting: Waiting,
}

/// A client that is through its handshake.
pub(in crate::tap) struct Client {
    pub(in crate::tap) side: Side,
    /// Client and server as the client knows them.
    pub(in crate::tap) addresses: (SocketAddr, SocketAddr),
    pub(in crate::tap) early: Vec<u8>,
    pub(in crate::tap) name: Option<String>,
    /// The server that it named to the forward proxy.
    pub(in crate::tap) upstream: Option<Upstream>,
    /// Whether what passes is mirrored; not what is passed through unopened.
    pub(in crate::tap) is_mirrored: bool,
}

/// Serves a connection to its end.
pub(in crate::tap) async fn serve(shared: Arc<Shared>, arrival: Arrival) {
    let Ok(socket) = TcpStream::from_std(arrival.socket) else { return };
    let (Ok(peer), Ok(local)) = (socket.peer_addr(), socket.local_addr()) else { return };
    let _ = socket.set_nodelay(true);
    let about = (canonical(peer), canonical(local));
    let handshake = timeout(shared.limits.handshake, receive(&shared, socket, about, arrival.entrance));
    let client = tokio::select! {
        client = handshake => client,
        () = arrival.waiting.evicted() => {
            return shared.reporter.warn(about, NoticeKind::Limit, "put out during its handshake: --max-handshakes reached");
        }
    };
    let client = match client {
        Ok(Some(client)) => client,
        Ok(None) => {
            shared.counters.failed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        Err(_) => {
            shared.counters.failed.fetch_add(1, Ordering::Relaxed);
            return shared.reporter.warn(about, NoticeKind::Handshake, "too slow with its handshake: closed");
        }
    };
    let Some(open) = arrival.waiting.done() else {
        client.side.reset_on_drop();
        return shared.reporter.warn(
            client.addresses,
            NoticeKind::Limit,
            "refused: --max-connections reached",
        );
    };
    shared.counters.connections.fetch_add(1, Ordering::Relaxed);
    relay(&shared, client, open).await;
}

/// PROXY header and TLS handshake. What goes wrong is told here.
async fn receive(
    shared: &Shared,
    socket: TcpStream,
    mut addresses: (SocketAddr, SocketAddr),
    entrance: Entrance,
) -> Option<Client> {
    if let Some(trusted) = &shared.accept_proxy {
        if !proxy_header::is_trusted(trusted, addresses.0.ip()) {
            let text = "closed: this peer is not among those of --accept-proxy-from, so its PROXY header is not believed";
            shared.reporter.warn(addresses, NoticeKind::Proxy, text.to_owned());
            return None;
        }
        match read_proxy_header(&socket).await {
            Ok(Some((client, server))) => addresses = (canonical(client), canonical(server)),
            Ok(None) => {}
            Err(error) => {
                shared.reporter.warn(addresses, NoticeKind::Proxy, format!("closed: {error}"));
                return None;
            }
        }
    }
    if let (Entrance::Proxy, Some(forward)) = (entrance, &shared.forward) {
        return forward::receive(shared, forward, socket, addresses).await;
    }
    let side = Side::new(socket);
    let mut client =
        Client { side, addresses, early: Vec::new(), name: None, upstream: None, is_mirrored: true };
    if entrance != Entrance::Tls {
        return Some(client);
    }
    let session = Session::accept(shared.server_config()?).ok()?;
    client.side.start_tls(session);
    let Client { side, early, .. } = &mut client;
    let result = poll_fn(|cx| scratch::with(|scratch| side.poll_handshake(cx, scratch, early))).await;
    match result {
        Ok(()) => {
            tell_peculiarities(shared, &mut client);
            Some(client)
        }
        Err(error) => {
            tell_failure(shared, &client, &error);
            let _ = timeout(LINGER, client.side.linger()).await;
            None
        }
    }
}

/// What is worth knowing of a handshake that succeeded.
pub(in crate::tap) fn tell_peculiarities(shared: &Shared, client: &mut Client) {
    let Some(tls) = &client.side.tls else { return };
    client.name = tls.asked.as_ref().and_then(|asked| asked.name.clone());
    if let Some(name) =
        client.name.as_ref().filter(|_| tls.asked.as_ref().is_some_and(|asked| !asked.covered))
    {
        let text = format!("no certificate covers {name}; it got the first one");
        shared.reporter.warn(client.addresses, NoticeKind::UnknownName, text);
    }
    if let Some(cert) = tls.state().peer_certificates().and_then(|chain| chain.first()) {
        let text = format!("client certificate {}", subject::describe(cert));
        let notice = Notice::info(mirror::now(), NoticeKind::ClientCertificate, text);
        shared.reporter.tell(&notice.about(client.addresses.0, client.addresses.1));
    }
}

pub(in crate::tap) fn tell_failure(shared: &Shared, client: &Client, error: &SideError) {
    let asked = client.side.tls.as_ref().and_then(|tls| tls.asked.clone());
    let (kind, text) = match error {
        SideError::Tls(failure) => {
            let TlsFailure { error, alert, http } = failure.as_ref();
            let uncovered =
                asked.as_ref().filter(|asked| !asked.covered).and_then(|asked| asked.name.as_ref());
            match uncovered {
                Some(name) if !matches!(error, rustls::Error::AlertReceived(_)) => (
                    NoticeKind::UnknownName,
                    format!(
                        "no certificate covers {name} (--strict-sni); the client got the alert {}",
                        alert.map_or("access_denied", alert::name)
                    ),
                ),
                _ => alert::describe(error, *alert, *http),
            }
        }
        SideError::Socket(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            (NoticeKind::Handshake, "closed during its TLS handshake, without an alert".to_owned())
        }
        SideError::Socket(error) => {
            (NoticeKind::Handshake, format!("lost during its TLS handshake: {error}"))
        }
    };
    let name = match asked {
        Some(Asked { name: Some(name), covered: true }) => format!(" [name {name}]"),
        Some(Asked { name: Some(name), covered: false }) => {
            format!(" [name {name}, which no certificate covers]")
        }
        _ => String::new(),
    };
    shared.reporter.warn(client.addresses, kind, text + &name);
}

/// Reads a PROXY header and nothing beyond it.
async fn read_proxy_header(socket: &TcpStream) -> io::Result<Option<proxy_header::Addresses>> {
    let mut header = Vec::new();
    let mut buffer = [0; proxy_header::MAX_V2];
    loop {
        let seen = socket.peek(&mut buffer).await?;
        let before = header.len();
        header.extend_from_slice(buffer.get(..seen).unwrap_or_default());
        let (wanted, outcome) = match proxy_header::parse(&header) {
            Header::Complete(length, addresses) => (length - before, Some(addresses)),
            Header::Partial if seen > 0 => (seen, None),
            Header::Partial | Header::Invalid => {
                let text = "no PROXY protocol header, which --accept-proxy demands of every client";
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
        };
        // These bytes were seen, so they are there.
        let taken = socket.try_read(buffer.get_mut(..wanted).unwrap_or_default())?;
        match outcome {
            Some(addresses) => return Ok(addresses),
            None => header.truncate(before + taken),
        }
    }
}

/// Connects to the server and relays.
async fn relay(shared: &Shared, client: Client, _open: Open) {
    let Client { side: mut client, addresses, early, name, upstream, is_mirrored } = client;
    // What is not mirrored goes to a hub that nobody reads.
    let hub = if is_mirrored { Arc::clone(&shared.hub) } else { Arc::default() };
    let mut tracker = Tracker::open(hub, addresses.0, addresses.1);
    tracker.data(synth::Side::Client, &early);
    let (mut server, greeting) =
        match upstream.as_ref().unwrap_or(&shared.upstream).connect(addresses, name.as_deref()).await {
            Ok(connected) => connected,
            Err(why) if upstream.is_some() && is_mirrored => {
                let answer = forward::answer("502 Bad Gateway", &why);
                tracker.data(synth::Side::Server, answer.as_bytes());
                tracker.fin(synth::Side::Server);
                shared.reporter.warn(addresses, NoticeKind::Upstream, why);
                let sent = poll_fn(|cx| {
                    scratch::with(|scratch| client.send(cx, answer.as_bytes(), &mut scratch.relay)).into()
                });
                if sent.await.is_ok() {
                    let _ = timeout(LINGER, client.linger()).await;
                }
                return;
            }
            Err(why) => {
                tracker.reset(synth::Side::Server);
                client.reset_on_drop();
                return shared.reporter.warn(addresses, NoticeKind::Upstream, why);
            }
        };
    tracker.data(synth::Side::Server, &greeting);
    let begun = poll_fn(|cx| {
        scratch::with(|scratch| {
            let sent = server.send(cx, &early, &mut scratch.relay);
            sent.and_then(|()| client.send(cx, &greeting, &mut scratch.relay)).into()
        })
    });
    if begun.await.is_err() {
        client.reset_on_drop();
        return;
    }
    drop((early, greeting));
    match Relay::new(client, server, tracker, shared.limits.idle).run().await {
        End::Closed | End::Reset => {}
        End::Idle => shared.reporter.warn(addresses, NoticeKind::Limit, "closed: --idle-timeout reached"),
        End::Tls(side, failure) => {
            let whose = if side == synth::Side::Client { "the client's" } else { "the server's" };
            let text = format!("{whose} TLS failed: {}", failure.error);
            shared.reporter.warn(addresses, NoticeKind::Tls, text);
        }
    }
}

/// An IPv4 address that an IPv6 socket shows as a mapped one is an IPv4 address.
fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}
