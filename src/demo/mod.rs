//! `why403 demo`: an embedded staging box, so that the program can be tried without root, network or a server.
//!
//! Nothing is pretended but the wire: a real HTTP server listens on loopback and refuses for real reasons, real clients
//! with addresses of their own talk to it, and the bytes that they exchange are written as frames into the same
//! pipeline that reads an interface.

mod box_policy;
mod client;
mod message;
mod script;
mod server;
#[cfg(test)]
mod tests;
mod token;

use std::io;
use std::net::TcpListener;
use std::ops::ControlFlow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::model::{Frame, InterfaceId, LinkType, Timestamp};
use crate::source::{Sink, Stop};
use client::Clients;
use script::Script;

/// Longest nap, so that a stop is seen in time.
const NAP: Duration = Duration::from_millis(40);

/// The staging box, listening.
#[derive(Debug)]
pub struct Demo {
    listener: TcpListener,
    rate: u32,
}

impl Demo {
    /// Binds the server to a free port of loopback; clients will send `rate` requests a second.
    pub fn open(rate: u32) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, rate: rate.max(1) })
    }

    /// Makes traffic until `stop` is thrown or the sink has enough.
    pub fn run(self, sink: &mut dyn Sink, stop: &Stop) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let outcome = runtime
            .and_then(|runtime| tokio::task::LocalSet::new().block_on(&runtime, self.traffic(sink, stop)));
        if let Err(error) = outcome {
            sink.warning(format!("the demo has ended: {error}"));
        }
    }

    async fn traffic(self, sink: &mut dyn Sink, stop: &Stop) -> io::Result<()> {
        let address = self.listener.local_addr()?;
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let key = token::Key::random();
        tokio::task::spawn_local(server::serve(listener, key.clone()));
        let mut clients = Clients::new(address);
        let mut script = Script::new(key, self.rate);
        let mut frames = Vec::new();
        while !stop.is_set() {
            let next = script.next(now());
            clients.send(&next, &mut frames).await?;
            if hand_over(&mut frames, sink).is_break() || wait(next.pause, sink, stop).await.is_break() {
                break;
            }
        }
        clients.close(&mut frames);
        let _ = hand_over(&mut frames, sink);
        Ok(())
    }
}

/// A frame on its way to the pipeline.
#[derive(Debug)]
struct Mirrored {
    time: Timestamp,
    data: Vec<u8>,
}

fn hand_over(frames: &mut Vec<Mirrored>, sink: &mut dyn Sink) -> ControlFlow<()> {
    for Mirrored { time, data } in frames.drain(..) {
        let (link, interface) = (LinkType::ETHERNET, InterfaceId(0));
        let wire_len = data.len() as u32;
        sink.frame(&Frame { time, link, interface, data: &data, wire_len })?;
    }
    sink.pause();
    ControlFlow::Continue(())
}

async fn wait(pause: Duration, sink: &mut dyn Sink, stop: &Stop) -> ControlFlow<()> {
    let until = tokio::time::Instant::now() + pause;
    while !stop.is_set() {
        let left = until.saturating_duration_since(tokio::time::Instant::now());
        if left.is_zero() {
            break;
        }
        tokio::time::sleep(left.min(NAP)).await;
        sink.tick(now())?;
    }
    ControlFlow::Continue(())
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(since.as_secs() as i64, since.subsec_nanos())
}
