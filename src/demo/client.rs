//! The clients: each with its address and a connection that it keeps, mirrored as frames.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use super::message::read;
use super::script::Step;
use super::{Mirrored, now};
use crate::synth::{FlowWriter, Side};

/// Requests on one connection before it is closed and another one opened.
const REQUESTS: u32 = 9;

/// Everybody who talks to the box.
#[derive(Debug)]
pub(super) struct Clients {
    server: SocketAddr,
    open: HashMap<Ipv4Addr, Connection>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    flow: FlowWriter,
    requests: u32,
}

impl Clients {
    pub(super) fn new(server: SocketAddr) -> Self {
        Self { server, open: HashMap::new() }
    }

    /// Sends the step's request and waits for its response.
    pub(super) async fn send(&mut self, step: &Step, frames: &mut Vec<Mirrored>) -> io::Result<()> {
        let mut connection = match self.open.remove(&step.client) {
            Some(connection) => connection,
            None => Connection::open(step.client, self.server, frames).await?,
        };
        let request = step.request.bytes();
        connection.stream.write_all(&request).await?;
        mirror(frames, |emit| connection.flow.send(Side::Client, &request, emit));
        let mut response = Vec::new();
        let answered = read(&mut connection.stream, &mut response).await?;
        mirror(frames, |emit| connection.flow.send(Side::Server, &response, emit));
        connection.requests += 1;
        if answered.is_some() && connection.requests < REQUESTS {
            self.open.insert(step.client, connection);
        } else {
            connection.close(frames);
        }
        Ok(())
    }

    /// Closes every connection.
    pub(super) fn close(&mut self, frames: &mut Vec<Mirrored>) {
        for (_, connection) in self.open.drain() {
            connection.close(frames);
        }
    }
}

impl Connection {
    async fn open(client: Ipv4Addr, server: SocketAddr, frames: &mut Vec<Mirrored>) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((client, 0).into())?;
        let stream = socket.connect(server).await?;
        stream.set_nodelay(true)?;
        let mut flow = FlowWriter::new(stream.local_addr()?, server);
        mirror(frames, |emit| flow.handshake(emit));
        Ok(Self { stream, flow, requests: 0 })
    }

    fn close(mut self, frames: &mut Vec<Mirrored>) {
        mirror(frames, |emit| self.flow.fin(Side::Client, emit));
        mirror(frames, |emit| self.flow.fin(Side::Server, emit));
    }
}

/// Adds the frames that `write` makes, at this moment.
fn mirror(frames: &mut Vec<Mirrored>, write: impl FnOnce(&mut dyn FnMut(&[u8]))) {
    let time = now();
    write(&mut |data| frames.push(Mirrored { time, data: data.to_vec() }));
}
