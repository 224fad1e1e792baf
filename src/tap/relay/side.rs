//! One of the two sockets of a connection, with or without TLS, and what waits to be sent on it.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use crate::tap::relay::scratch::{Out, PARTIAL, READ, Scratch};
use crate::tap::tls::alert;
use crate::tap::tls::session::Session;

/// Bytes that may wait for this socket before its peer is not read any more. One read always fits on top.
const PENDING: usize = 64 << 10;

/// Why a side cannot go on.
#[derive(Debug, thiserror::Error)]
pub(in crate::tap) enum SideError {
    /// The socket failed; mostly a reset.
    #[error("{0}")]
    Socket(#[from] io::Error),
    /// The TLS session failed; the alert is on its way.
    #[error("{}", .0.error)]
    Tls(Box<TlsFailure>),
}

/// How TLS failed.
#[derive(Debug)]
pub(in crate::tap) struct TlsFailure {
    /// What rustls says.
    pub(in crate::tap) error: rustls::Error,
    /// The alert that we sent, unless it was encrypted.
    pub(in crate::tap) alert: Option<u8>,
    /// The peer sent an HTTP request instead of TLS.
    pub(in crate::tap) http: bool,
}

impl From<rustls::Error> for SideError {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(Box::new(TlsFailure { error, alert: None, http: false }))
    }
}

/// What came from a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tap) enum Received {
    /// Bytes; they went to the caller's function (none, when they were TLS's own).
    Some,
    /// The peer has no more to send.
    End,
}

/// One of the two sockets.
pub(in crate::tap) struct Side {
    socket: TcpStream,
    /// The session when this side speaks TLS.
    pub(in crate::tap) tls: Option<Box<Session>>,
    pending: Vec<u8>,
    sent: usize,
    /// The peer has no more to send.
    pub(in crate::tap) ended: bool,
    /// Our direction is closed.
    shut: bool,
    /// Writing failed.
    pub(in crate::tap) broken: bool,
}

impl Side {
    pub(in crate::tap) const fn new(socket: TcpStream) -> Self {
        Self { socket, tls: None, pending: Vec::new(), sent: 0, ended: false, shut: false, broken: false }
    }
    /// Starts TLS on a socket that was plain so far.
    pub(in crate::tap) fn start_tls(&mut self, session: Session) {
        self.tls = Some(Box::new(session));
    }
    /// Whether the peer said in TLS that it has no more to send; a plain peer says it by FIN.
    pub(in crate::tap) fn ended_properly(&self) -> bool {
        self.ended && self.tls.as_ref().is_none_or(|tls| tls.peer_closed)
    }

    /// Reads once. `input` and `reply` are the thread's; plaintext goes to `plain`.
    pub(in crate::tap) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut [u8],
        reply: &mut Out,
        plain: &mut dyn FnMut(&[u8]),
    ) -> Poll<Result<Received, SideError>> {
        if self.ended {
            return Poll::Ready(Ok(Received::End));
        }
        if self.pending.len() - self.sent > PENDING {
            ready!(self.poll_flush(cx))?;
        }
        let partial = self.tls.as_mut().map(|tls| tls.take_partial()).unwrap_or_default();
        let (before, space) = input.split_at_mut(partial.len().min(PARTIAL));
        let mut buffer = ReadBuf::new(space.get_mut(..READ).unwrap_or_default());
        let read = Pin::new(&mut self.socket).poll_read(cx, &mut buffer);
        let count = buffer.filled().len();
        let Some(tls) = &mut self.tls else {
            ready!(read)?;
            return Poll::Ready(Ok(self.plain(count, space, plain)));
        };
        if !matches!(read, Poll::Ready(Ok(()))) || count == 0 {
            tls.give_back(partial);
            ready!(read)?;
            self.ended = true;
            return Poll::Ready(Ok(Received::End));
        }
        if before.len() != partial.len() {
            return Poll::Ready(Err(rustls::Error::General("handshake message too long".to_owned()).into()));
        }
        before.copy_from_slice(&partial);
        let incoming = input.get_mut(..partial.len() + count).unwrap_or_default();
        reply.clear();
        let result = tls.receive(incoming, reply, plain);
        self.ended = tls.peer_closed;
        if !reply.filled().is_empty() {
            let sent = self.send_raw(cx, reply.filled());
            if result.is_ok() {
                sent?;
            }
        }
        if let Err(error) = result {
            let http = incoming.first().is_some_and(u8::is_ascii_uppercase);
            let failure = TlsFailure { error, alert: alert::sent(reply.filled()), http };
            return Poll::Ready(Err(SideError::Tls(Box::new(failure))));
        }
        Poll::Ready(Ok(Received::Some))
    }

    /// Takes part in the TLS handshake until it is over. Plaintext that comes on its heels goes to `early`, which grows
    /// by what one read can bring at most.
    pub(in crate::tap) fn poll_handshake(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut Scratch,
        early: &mut Vec<u8>,
    ) -> Poll<Result<(), SideError>> {
        let Scratch { input, reply, .. } = scratch;
        loop {
            ready!(self.poll_flush(cx))?;
            match &mut self.tls {
                Some(tls) if tls.state().is_handshaking() => {
                    if tls.begin() {
                        reply.clear();
                        tls.receive(&mut [], reply, &mut |_| {})?;
                        self.send_raw(cx, reply.filled())?;
                        continue;
                    }
                }
                _ => return Poll::Ready(Ok(())),
            }
            let received = self.poll_receive(cx, input, reply, &mut |bytes| early.extend_from_slice(bytes));
            if ready!(received)? == Received::End {
                return Poll::Ready(Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()));
            }
        }
    }

    fn plain(&mut self, count: usize, space: &[u8], plain: &mut dyn FnMut(&[u8])) -> Received {
        if count == 0 {
            self.ended = true;
            return Received::End;
        }
        plain(space.get(..count).unwrap_or_default());
        Received::Some
    }

    /// Sends plaintext, by TLS when this side speaks it. What the socket does not take now waits.
    pub(in crate::tap) fn send(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        records: &mut Out,
    ) -> Result<(), SideError> {
        let Some(tls) = &mut self.tls else {
            return Ok(self.send_raw(cx, bytes)?);
        };
        records.clear();
        tls.send(bytes, records)?;
        Ok(self.send_raw(cx, records.filled())?)
    }

    /// Sends bytes as they are.
    pub(in crate::tap) fn send_raw(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while self.pending.is_empty() && !rest.is_empty() {
            match Pin::new(&mut self.socket).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => rest = rest.get(count..).unwrap_or_default(),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        self.pending.extend_from_slice(rest);
        Ok(())
    }

    /// Hands what waits to the socket.
    pub(in crate::tap) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.pending.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.socket).poll_write(cx, rest)) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(count) => self.sent += count,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        if !self.pending.is_empty() {
            self.pending = Vec::new();
            self.sent = 0;
        }
        Poll::Ready(Ok(()))
    }

    /// Says that there is no more to come: by `close_notify` when `properly`, then by FIN.
    pub(in crate::tap) fn poll_shutdown(
        &mut self,
        cx: &mut Context<'_>,
        properly: bool,
        records: &mut Out,
    ) -> Poll<Result<(), SideError>> {
        if !self.shut {
            self.shut = true;
            if let Some(tls) = self.tls.as_mut().filter(|_| properly) {
                records.clear();
                tls.close(records)?;
                self.send_raw(cx, records.filled())?;
            }
        }
        ready!(self.poll_flush(cx))?;
        ready!(Pin::new(&mut self.socket).poll_shutdown(cx))?;
        Poll::Ready(Ok(()))
    }

    /// Says goodbye to a peer whose handshake failed: sends what waits (the alert), then waits until the peer has gone,
    /// since closing earlier would make the system reset the connection and throw the alert away.
    pub(in crate::tap) async fn linger(mut self) {
        if poll_fn(|cx| self.poll_flush(cx)).await.is_err() || self.socket.shutdown().await.is_err() {
            return;
        }
        let mut sink = [0; 4096];
        for _ in 0..64 {
            if self.socket.read(&mut sink).await.unwrap_or(0) == 0 {
                return;
            }
        }
    }

    /// Makes the coming drop a reset.
    pub(in crate::tap) fn reset_on_drop(&self) {
        // The socket may be gone already, which is what is wanted.
        let _ = self.socket.set_zero_linger();
    }
}
