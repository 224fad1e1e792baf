//! What a tap has to say beside the bytes: a TLS client that gave up, a reader that was too slow, a certificate shown.
//!
//! Notices travel in the capture as syslog datagrams (RFC 5424 over UDP port 514), so that any reader of pcap shows them
//! and no protocol of our own is needed.

use std::fmt::{self, Write as _};
use std::net::SocketAddr;

use super::Timestamp;

/// The UDP port on both ends of a notice.
pub const NOTICE_PORT: u16 = 514;
/// The application's name in the syslog header.
const APP: &str = "why403-tap";
/// The structured data's id; 32473 is the enterprise number reserved for examples (RFC 5612).
const DATA_ID: &str = "tap@32473";

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// The client ended the TLS handshake with an alert.
    ClientAlert,
    /// The tap ended the TLS handshake with an alert.
    ServerAlert,
    /// The client went away or was too slow during the handshake.
    Handshake,
    /// No certificate covers the name that the client asked for.
    UnknownName,
    /// The certificate that the client showed.
    ClientCertificate,
    /// The upstream server could not be reached or its TLS failed.
    Upstream,
    /// TLS failed after the handshake.
    Tls,
    /// The PROXY protocol header was missing or wrong.
    Proxy,
    /// A limit was reached.
    Limit,
    /// A reader of the mirror lost frames.
    MirrorLost,
    /// Certificates were read again, or could not be.
    Reload,
}

impl NoticeKind {
    const ALL: [Self; 11] = [
        Self::ClientAlert,
        Self::ServerAlert,
        Self::Handshake,
        Self::UnknownName,
        Self::ClientCertificate,
        Self::Upstream,
        Self::Tls,
        Self::Proxy,
        Self::Limit,
        Self::MirrorLost,
        Self::Reload,
    ];

    /// The MSGID.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientAlert => "client-alert",
            Self::ServerAlert => "server-alert",
            Self::Handshake => "handshake",
            Self::UnknownName => "unknown-name",
            Self::ClientCertificate => "client-certificate",
            Self::Upstream => "upstream",
            Self::Tls => "tls",
            Self::Proxy => "proxy-protocol",
            Self::Limit => "limit",
            Self::MirrorLost => "mirror-lost",
            Self::Reload => "reload",
        }
    }
}

/// Something a tap has to say. The text may hold what came off the wire: escape it before showing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// When it happened.
    pub time: Timestamp,
    /// Whether something is wrong.
    pub warning: bool,
    /// What it is about.
    pub kind: NoticeKind,
    /// Whom it is about.
    pub client: Option<SocketAddr>,
    /// Where the client connected to.
    pub server: Option<SocketAddr>,
    /// One line for a person.
    pub text: String,
}

impl Notice {
    /// Something is wrong.
    pub fn warning(time: Timestamp, kind: NoticeKind, text: impl Into<String>) -> Self {
        Self { time, warning: true, kind, client: None, server: None, text: text.into() }
    }
    /// Something is worth knowing.
    pub fn info(time: Timestamp, kind: NoticeKind, text: impl Into<String>) -> Self {
        Self { warning: false, ..Self::warning(time, kind, text) }
    }
    /// About this connection.
    #[must_use]
    pub fn about(mut self, client: SocketAddr, server: SocketAddr) -> Self {
        self.client = Some(client);
        self.server = Some(server);
        self
    }

    /// As a syslog message of facility local0. Control characters in the text become spaces.
    pub fn to_syslog(&self) -> String {
        let priority = 16 * 8 + if self.warning { 4 } else { 6 };
        let mut line = format!("<{priority}>1 {} - {APP} - {} ", self.time, self.kind.as_str());
        if let (Some(client), Some(server)) = (self.client, self.server) {
            let _ = write!(line, "[{DATA_ID} client=\"{client}\" server=\"{server}\"] ");
        } else {
            line.push_str("- ");
        }
        line.extend(self.text.chars().map(|c| if c.is_control() { ' ' } else { c }));
        line
    }

    /// Reads a notice back; `None` for everything that [`Notice::to_syslog`] did not write. `time` is the frame's.
    pub fn from_syslog(time: Timestamp, datagram: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(datagram).ok()?;
        let (priority, rest) = line.strip_prefix('<')?.split_once(">1 ")?;
        let warning = priority == "132";
        let (_, rest) = rest.split_once(" - ")?;
        let (kind, rest) = rest.strip_prefix(APP)?.strip_prefix(" - ")?.split_once(' ')?;
        let kind = NoticeKind::ALL.into_iter().find(|known| known.as_str() == kind)?;
        if let Some(text) = rest.strip_prefix("- ") {
            return Some(Self { time, warning, kind, client: None, server: None, text: text.to_owned() });
        }
        let rest = rest.strip_prefix('[')?.strip_prefix(DATA_ID)?.strip_prefix(" client=\"")?;
        let (client, rest) = rest.split_once("\" server=\"")?;
        let (server, text) = rest.split_once("\"] ")?;
        let (client, server) = (client.parse().ok(), server.parse().ok());
        Some(Self { time, warning, kind, client, server, text: text.to_owned() })
    }
}

impl fmt::Display for Notice {
    /// One line for a person; to be escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.client {
            Some(client) => write!(f, "tap: {client}: {}", self.text),
            None => write!(f, "tap: {}", self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_the_way_there_and_back() {
        let (client, server) = ("10.0.0.1:5".parse().unwrap(), "[::1]:443".parse().unwrap());
        for kind in NoticeKind::ALL {
            let plain = Notice::info(Timestamp(7_000), kind, "a \"b\" ] [c");
            let about = Notice::warning(Timestamp(7_000), kind, "- x").about(client, server);
            for notice in [plain, about] {
                assert_eq!(Notice::from_syslog(notice.time, notice.to_syslog().as_bytes()), Some(notice));
            }
        }
    }

    #[test]
    fn is_a_syslog_message_on_one_line() {
        let notice = Notice::warning(Timestamp(0), NoticeKind::ClientAlert, "unknown_ca\nfor x");
        assert_eq!(
            notice.to_syslog(),
            "<132>1 1970-01-01T00:00:00.000000Z - why403-tap - client-alert - unknown_ca for x"
        );
    }

    #[test]
    fn other_datagrams_are_none() {
        for other in
            [&b""[..], b"<", b"<132>1 x - sshd - - - hi", b"<132>1 x - why403-tap - made-up - hi", b"\xff"]
        {
            assert_eq!(Notice::from_syslog(Timestamp(0), other), None);
        }
    }
}
