//! One TLS session without buffers of its own: ciphertext in, plaintext out, and back.

use std::cell::RefCell;
use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus, WriteTraffic,
};
use rustls::{ClientConfig, CommonState, Error, ServerConfig};

use crate::tap::relay::scratch::Out;

/// Bytes that one record adds to its plaintext at most (header, explicit nonce, tag, inner type), with room to spare.
const RECORD_OVERHEAD: usize = 64;
/// Plaintext bytes of a full record.
const RECORD_PLAINTEXT: usize = 16_384;

thread_local! {
    /// The name that the client hello just processed on this thread asked for. rustls tells it to the certificate
    /// resolver alone, which has no way to know for which connection it is asked.
    static ASKED: RefCell<Option<Asked>> = const { RefCell::new(None) };
}

/// What a client hello asked for.
#[derive(Clone, Debug, Default)]
pub(in crate::tap) struct Asked {
    /// The server's name.
    pub(in crate::tap) name: Option<String>,
    /// Whether there is a certificate for it.
    pub(in crate::tap) covered: bool,
}

/// Called by certificate resolvers: the name in the client hello, and whether a certificate covers it.
pub(in crate::tap) fn note_asked_name(name: Option<&str>, covered: bool) {
    ASKED.replace(Some(Asked { name: name.map(str::to_owned), covered }));
}

/// The side of TLS that we are.
enum Connection {
    Server(UnbufferedServerConnection),
    Client(UnbufferedClientConnection),
}

/// A TLS session.
pub(in crate::tap) struct Session {
    connection: Connection,
    /// The start of a record of which the rest has not come; at most one handshake message (64 KiB) or record (16 KiB).
    partial: Vec<u8>,
    /// The peer said `close_notify`.
    pub(in crate::tap) peer_closed: bool,
    /// What the client asked for, once it did.
    pub(in crate::tap) asked: Option<Asked>,
    begun: bool,
}

/// What to do once the session can carry data.
#[derive(Clone, Copy)]
enum Want<'a> {
    Nothing,
    Encrypt(&'a [u8]),
    Close,
}

/// Whether to call rustls again.
enum Step {
    Again,
    Done,
}

impl Session {
    /// We are the server.
    pub(in crate::tap) fn accept(config: Arc<ServerConfig>) -> Result<Self, Error> {
        Ok(Self::over(Connection::Server(UnbufferedServerConnection::new(config)?), true))
    }
    /// We are the client.
    pub(in crate::tap) fn connect(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Self, Error> {
        Ok(Self::over(Connection::Client(UnbufferedClientConnection::new(config, name)?), false))
    }
    const fn over(connection: Connection, begun: bool) -> Self {
        Self { connection, partial: Vec::new(), peer_closed: false, asked: None, begun }
    }

    /// What both sides have in common.
    pub(in crate::tap) fn state(&self) -> &CommonState {
        match &self.connection {
            Connection::Server(connection) => connection,
            Connection::Client(connection) => connection,
        }
    }
    /// Bytes to put before what is read next, either to [`Session::receive`] or to [`Session::give_back`].
    pub(in crate::tap) fn take_partial(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.partial)
    }
    /// Whether the first flight is ours and has not been made yet; true once.
    pub(in crate::tap) fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.begun, true)
    }
    /// Nothing was read.
    pub(in crate::tap) fn give_back(&mut self, partial: Vec<u8>) {
        self.partial = partial;
    }

    /// Takes ciphertext in. What has to be sent is appended to `out`, plaintext goes to `plain`, and a record that is not
    /// whole yet is kept. After an error, `out` ends with the alert.
    pub(in crate::tap) fn receive(
        &mut self,
        incoming: &mut [u8],
        out: &mut Out,
        plain: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Error> {
        let mut used = 0;
        let result = loop {
            let rest = incoming.get_mut(used..).unwrap_or_default();
            let (discard, step) = self.advance(rest, Want::Nothing, out, plain);
            used += discard;
            match step {
                Ok(Step::Again) => {}
                Ok(Step::Done) => break Ok(()),
                Err(error) => {
                    self.encode_alert(incoming.get_mut(used..).unwrap_or_default(), out);
                    break Err(error);
                }
            }
        };
        if let Some(asked) = ASKED.take() {
            self.asked = Some(asked);
        }
        self.partial.extend_from_slice(incoming.get(used..).unwrap_or_default());
        result
    }

    /// After an error: what waits to be sent ends with the alert. `rest` is not looked at as long as something waits.
    fn encode_alert(&mut self, rest: &mut [u8], out: &mut Out) {
        while self.state().wants_write() {
            let (_, Ok(Step::Again)) = self.advance(rest, Want::Nothing, out, &mut |_| {}) else { return };
        }
    }

    /// Appends `plain`, encrypted, to `out`.
    pub(in crate::tap) fn send(&mut self, plain: &[u8], out: &mut Out) -> Result<(), Error> {
        self.write(Want::Encrypt(plain), out)
    }
    /// Appends a `close_notify` to `out`.
    pub(in crate::tap) fn close(&mut self, out: &mut Out) -> Result<(), Error> {
        self.write(Want::Close, out)
    }

    fn write(&mut self, want: Want<'_>, out: &mut Out) -> Result<(), Error> {
        loop {
            let mut partial = self.take_partial();
            let (discard, step) = self.advance(&mut partial, want, out, &mut |_| {});
            partial.drain(..discard.min(partial.len()));
            self.partial = partial;
            if matches!(step?, Step::Done) {
                return Ok(());
            }
        }
    }

    fn advance(
        &mut self,
        incoming: &mut [u8],
        want: Want<'_>,
        out: &mut Out,
        plain: &mut dyn FnMut(&[u8]),
    ) -> (usize, Result<Step, Error>) {
        let closed = &mut self.peer_closed;
        match &mut self.connection {
            Connection::Server(tls) => handle(tls.process_tls_records(incoming), want, out, plain, closed),
            Connection::Client(tls) => handle(tls.process_tls_records(incoming), want, out, plain, closed),
        }
    }
}

/// Does what one state asks for. Returns how many bytes of the input are used up.
fn handle<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    want: Want<'_>,
    out: &mut Out,
    plain: &mut dyn FnMut(&[u8]),
    peer_closed: &mut bool,
) -> (usize, Result<Step, Error>) {
    let UnbufferedStatus { mut discard, state } = status;
    let step = match state {
        Err(error) => Err(error),
        Ok(ConnectionState::ReadTraffic(mut traffic)) => loop {
            match traffic.next_record() {
                None => break Ok(Step::Again),
                Some(Err(error)) => break Err(error),
                Some(Ok(record)) => {
                    discard += record.discard;
                    plain(record.payload);
                }
            }
        },
        Ok(ConnectionState::EncodeTlsData(encode)) => encode_handshake(encode, out),
        Ok(ConnectionState::TransmitTlsData(transmit)) => {
            transmit.done();
            Ok(Step::Again)
        }
        Ok(ConnectionState::PeerClosed) => {
            *peer_closed = true;
            Ok(Step::Again)
        }
        Ok(ConnectionState::WriteTraffic(traffic)) => write_traffic(traffic, want, out),
        Ok(ConnectionState::BlockedHandshake | ConnectionState::Closed) => match want {
            Want::Encrypt(_) => Err(Error::HandshakeNotComplete),
            Want::Nothing | Want::Close => Ok(Step::Done),
        },
        Ok(_) => Err(Error::General("early data was never offered".to_owned())),
    };
    (discard, step)
}

fn encode_handshake<Data>(mut encode: EncodeTlsData<'_, Data>, out: &mut Out) -> Result<Step, Error> {
    let mut room = 4096;
    loop {
        match encode.encode(out.space(room)) {
            Ok(written) => {
                out.advance(written);
                return Ok(Step::Again);
            }
            Err(EncodeError::InsufficientSize(more)) => room = more.required_size,
            Err(EncodeError::AlreadyEncoded) => return Err(Error::General("encoded twice".to_owned())),
        }
    }
}

fn write_traffic<Data>(
    mut traffic: WriteTraffic<'_, Data>,
    want: Want<'_>,
    out: &mut Out,
) -> Result<Step, Error> {
    let mut room = match want {
        Want::Nothing => return Ok(Step::Done),
        Want::Encrypt(plain) => plain.len() + (plain.len() / RECORD_PLAINTEXT + 1) * RECORD_OVERHEAD,
        Want::Close => RECORD_OVERHEAD,
    };
    loop {
        let written = match want {
            Want::Encrypt(plain) => traffic.encrypt(plain, out.space(room)),
            _ => traffic.queue_close_notify(out.space(room)),
        };
        match written {
            Ok(written) => {
                out.advance(written);
                return Ok(Step::Done);
            }
            Err(EncryptError::InsufficientSize(more)) => room = more.required_size,
            Err(EncryptError::EncryptExhausted) => return Err(Error::EncryptError),
        }
    }
}
