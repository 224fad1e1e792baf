//! An entry as an exchange, and what it cannot tell.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::entry::{Content, Entry};
use crate::import::address::{self, Url};
use crate::import::json::Text;
use crate::import::message::{self, Lines};
use crate::model::{
    AnomalySet, Body, Connection, Exchange, ExchangeId, FlowId, Imported, Outcome, Request, Response,
    Timestamp, Version,
};

/// Connections whose exchanges are counted; more begin again at 0.
const MAX_CONNECTIONS: usize = 1 << 16;

/// Some recorders leave the padding out, and a text that was cut may end anywhere.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Makes exchanges of entries.
pub(super) struct Maker {
    recorder: Box<str>,
    body_limit: usize,
    /// How many exchanges each connection had. Bound: [`MAX_CONNECTIONS`].
    connections: HashMap<u64, u32>,
    hasher: ahash::RandomState,
    last: Timestamp,
    made: u64,
    /// Whether any request had a credential.
    credentials: bool,
}

type Absent = Vec<(&'static str, Box<str>)>;

impl Maker {
    pub(super) fn new(body_limit: usize) -> Self {
        Self {
            recorder: Box::default(),
            body_limit,
            connections: HashMap::new(),
            hasher: ahash::RandomState::with_seeds(1, 2, 3, 4),
            last: Timestamp::default(),
            made: 0,
            credentials: false,
        }
    }

    /// Bytes of text that may hold as much content as is kept of a body.
    pub(super) const fn text_limit(&self) -> usize {
        self.body_limit / 3 * 4 + 8
    }
    pub(super) fn has_recorder(&self) -> bool {
        !self.recorder.is_empty()
    }
    pub(super) fn set_recorder(&mut self, name: &str, version: &str) {
        self.recorder = format!("{name} {version}").trim().into();
    }

    /// What to say when Chrome's export left the credentials out.
    pub(super) fn lacks_credentials(&self) -> Option<String> {
        let is_chrome = self.recorder.starts_with("WebInspector");
        (is_chrome && self.made > 0 && !self.credentials).then(|| {
            "no request has a Cookie or Authorization field: Chrome leaves them out unless the HAR is exported \
             \"with sensitive data\" (DevTools settings, Network); findings about missing credentials may be wrong"
                .to_owned()
        })
    }

    /// The exchange of an entry; `None` where it is no HTTP.
    pub(super) fn exchange(&mut self, entry: Entry, number: u64) -> Option<Exchange> {
        let url = Url::parse(&entry.request.url)?;
        let Entry { timings, request, response, .. } = entry;
        let mut absent = vec![
            ("frames", "a HAR has messages, no packets: losses and resets on the way are not in it".into()),
            ("framing", "a HAR does not have the bytes of heads, chunks and trailers".into()),
        ];
        let started = self.started(entry.started.as_deref(), timings.before);
        let nanos = |milliseconds: f64| (milliseconds.clamp(0.0, 1e12) * 1e6) as i64;
        let sent = started.plus(nanos(timings.send));
        let answered = sent.plus(nanos(timings.wait));
        let ended = answered.plus(nanos(timings.receive));
        let version = message::version(&request.version).or_else(|| message::version(&response.version));
        let version = version.unwrap_or(Version::Http11);
        let mut anomalies = AnomalySet::default();
        // Our own archives have a response whose request was not captured.
        let request = if request.method.is_empty() {
            None
        } else {
            let (head, body) = self.request(request, &url, version, &mut absent, &mut anomalies)?;
            Some(Request { head, body, started, ended: sent })
        };
        let status_text = response.reason.clone();
        let answer = self.response(response, version, &mut absent, &mut anomalies);
        let response = answer.map(|(head, body)| Response { head, body, started: answered, ended });
        let (client, server) = addresses(
            (entry.client, entry.client_port),
            (entry.server, entry.server_port),
            url.port,
            &mut absent,
        );
        if request.is_none() && response.is_none() {
            return None;
        }
        let outcome = outcome(request.as_ref(), response.as_ref());
        let reason = if response.is_none() { entry.reason.into_text(&status_text) } else { None };
        let imported = Imported {
            format: "har",
            recorder: self.recorder.clone(),
            entry: number,
            reason: reason.map(String::into_boxed_str),
            absent,
        };
        let connection = self.connection(entry.connection.as_ref(), server);
        self.made += 1;
        Some(Exchange {
            id: ExchangeId(0),
            client,
            server,
            connection,
            preface: None,
            request,
            interim: Box::default(),
            response,
            outcome,
            not_http: None,
            imported: Some(Box::new(imported)),
            anomalies,
        })
    }

    fn started(&mut self, text: Option<&str>, before: f64) -> Timestamp {
        let read = text.and_then(|text| text.trim().parse::<jiff::Timestamp>().ok());
        let nanos = read.and_then(|time| i64::try_from(time.as_nanosecond()).ok());
        // Without a time of its own an entry is taken to follow the one before it.
        let begun = nanos.map_or(self.last, Timestamp);
        self.last = begun;
        begun.plus((before.clamp(0.0, 1e12) * 1e6) as i64)
    }

    fn connection(&mut self, named: Option<&Text>, server: SocketAddr) -> Connection {
        let flow = match named {
            Some(text) => {
                match std::str::from_utf8(&text.bytes).ok().and_then(|text| text.parse::<u64>().ok()) {
                    Some(number) => number,
                    None => self.hasher.hash_one((&text.bytes, server)) >> 16,
                }
            }
            None => return Connection { handshake: true, ..Connection::default() },
        };
        if self.connections.len() >= MAX_CONNECTIONS {
            self.connections.clear();
        }
        let count = self.connections.entry(flow).or_default();
        let index = *count;
        *count += 1;
        Connection { flow: FlowId(flow), index, handshake: true, ..Connection::default() }
    }

    fn request(
        &mut self,
        request: super::entry::Request,
        url: &Url,
        version: Version,
        absent: &mut Absent,
        anomalies: &mut AnomalySet,
    ) -> Option<(crate::model::RequestHead, Body)> {
        let super::entry::Request { method, mut lines, head_size, body_size, content, .. } = request;
        let is_exact = version <= Version::Http11 && head_size.is_some_and(|size| size > 0.0);
        if message::value(&lines, "host").is_none() && !is_exact {
            let authority = message::value(&lines, ":authority").unwrap_or(&url.authority).to_vec();
            lines.insert(0, (b"Host".to_vec(), authority));
        }
        self.credentials |=
            ["authorization", "cookie"].iter().any(|name| message::value(&lines, name).is_some());
        let content = self.content(content, &lines, body_size, "request.body", absent);
        let framed = message::announces_content(&lines) || body_size.is_some_and(|size| size > 0.0);
        if content.kept.is_empty() && framed && content.len != Some(0) {
            absent.push(("request.body", "the HAR does not have the request's content".into()));
        }
        drop_undone_coding(&mut lines, &content, body_size, ("request.header.content-encoding", absent));
        let (head, odd) = message::request_head(&method, &url.target, version, &lines)?;
        anomalies.extend(odd);
        Some((head, content.into_body(framed)))
    }

    fn response(
        &self,
        response: super::entry::Response,
        version: Version,
        absent: &mut Absent,
        anomalies: &mut AnomalySet,
    ) -> Option<(crate::model::ResponseHead, Body)> {
        let super::entry::Response { status, reason, mut lines, body_size, content, .. } = response;
        let version = message::version(&response.version).unwrap_or(version);
        if status == 0 {
            return None;
        }
        let content = self.content(content, &lines, body_size, "response.body", absent);
        let has_none = matches!(status, 100..=199 | 204 | 304);
        let framed = !has_none && (message::announces_content(&lines) || content.len != Some(0));
        if framed && content.kept.is_empty() && content.len != Some(0) {
            absent.push(("response.body", "the HAR does not have the response's content".into()));
        }
        drop_undone_coding(&mut lines, &content, body_size, ("response.header.content-encoding", absent));
        let (head, odd) = message::response_head(status, &reason, version, &lines)?;
        anomalies.extend(odd);
        Some((head, content.into_body(framed)))
    }

    /// What the entry has of a body.
    fn content(
        &self,
        content: Option<Content>,
        lines: &Lines,
        body_size: Option<f64>,
        name: &'static str,
        absent: &mut Absent,
    ) -> message::Content {
        let content = content.unwrap_or_default();
        let size = |size: Option<f64>| size.filter(|size| *size >= 0.0).map(|size| size as u64);
        let announced = || {
            let value = std::str::from_utf8(message::value(lines, "content-length")?).ok()?;
            value.trim().parse::<u64>().ok()
        };
        let (mut kept, len) = match content.text {
            Some(text) if text.len > 0 => {
                bytes_of(text, &content.media, lines, (content.is_base64, content.is_latin1))
            }
            _ if !content.params.is_empty() => match form(&content.media, &content.params) {
                Some(bytes) => (bytes.clone(), Some(bytes.len() as u64)),
                None => {
                    absent.push((name, "the HAR has the parts of the form, not its bytes".into()));
                    (Vec::new(), size(body_size))
                }
            },
            _ => (Vec::new(), size(content.size).or_else(|| size(body_size)).or_else(announced)),
        };
        kept.truncate(self.body_limit);
        message::Content { kept, len }
    }
}

/// The bytes of a text, and how many there are.
fn bytes_of(
    text: Text,
    media: &[u8],
    lines: &Lines,
    (is_base64, is_latin1): (bool, bool),
) -> (Vec<u8>, Option<u64>) {
    let (is_cut, len) = (text.is_cut(), text.len);
    if is_base64 {
        let mut coded = text.bytes;
        coded.retain(|byte| !byte.is_ascii_whitespace());
        if is_cut {
            coded.truncate(coded.len() / 4 * 4);
        }
        if let Ok(bytes) = BASE64.decode(&coded) {
            let whole = if is_cut { len / 4 * 3 } else { bytes.len() as u64 };
            return (bytes, Some(whole));
        }
        return (coded, Some(len));
    }
    if is_latin1 {
        let letters = String::from_utf8_lossy(&text.bytes);
        let bytes: Option<Vec<u8>> =
            letters.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
        if let Some(bytes) = bytes {
            let whole = if is_cut { len } else { bytes.len() as u64 };
            return (bytes, Some(whole));
        }
    }
    let named = message::value(lines, "content-type").unwrap_or(media);
    let bytes = message::in_charset(Some(named), Cow::Owned(text.bytes)).into_owned();
    let whole = if is_cut { len } else { bytes.len() as u64 };
    (bytes, Some(whole))
}

/// The client's and the server's address, as far as they are recorded.
fn addresses(
    (client, client_port): (Option<String>, Option<u16>),
    (server, server_port): (Option<String>, Option<u16>),
    port: u16,
    absent: &mut Absent,
) -> (SocketAddr, SocketAddr) {
    let server = address::socket(server.as_deref().unwrap_or_default(), server_port.unwrap_or(port));
    if server.ip().is_unspecified() {
        absent.push(("server", "the HAR does not have the server's address".into()));
    }
    let client = address::socket(client.as_deref().unwrap_or_default(), client_port.unwrap_or_default());
    if client.ip().is_unspecified() {
        absent.push(("client", "a HAR does not have the client's address".into()));
    }
    (client, server)
}

/// Browsers show what came out of the content coding. A field that says otherwise would make it unreadable.
fn drop_undone_coding(
    lines: &mut Lines,
    content: &message::Content,
    body_size: Option<f64>,
    (name, absent): (&'static str, &mut Absent),
) {
    let Some(coding) = message::value(lines, "content-encoding") else { return };
    // Of the length that was sent it is what was sent.
    let is_as_sent = content.len.is_some_and(|len| body_size == Some(len as f64));
    if content.kept.is_empty() || is_as_sent || !message::is_known_coding(coding) {
        return;
    }
    let coding = String::from_utf8_lossy(coding).into_owned();
    let only = vec![(b"content-encoding".to_vec(), coding.clone().into_bytes())];
    let cut = content.len.is_some_and(|len| len > content.kept.len() as u64);
    let coded = message::response_head(200, b"", Version::Http11, &only)
        .is_some_and(|(head, _)| message::is_coded(head.fields(), &content.kept, cut));
    if !coded {
        lines.retain(|(name, _)| !name.eq_ignore_ascii_case(b"content-encoding"));
        absent.push((name, format!("{coding}: the HAR has the content without it").into()));
    }
}

/// The content of a form of which a record has the parameters only.
fn form(media: &[u8], params: &Lines) -> Option<Vec<u8>> {
    let is_form = media.to_ascii_lowercase().starts_with(b"application/x-www-form-urlencoded");
    let part = |out: &mut Vec<u8>, text: &[u8]| {
        for byte in text {
            // Some recorders have the values with their escapes, some without; `%` and `+` are left as they are.
            if byte.is_ascii_alphanumeric() || b"-._~%+*".contains(byte) {
                out.push(*byte);
            } else {
                out.extend_from_slice(format!("%{byte:02X}").as_bytes());
            }
        }
    };
    is_form.then(|| {
        let mut out = Vec::new();
        for (name, value) in params {
            if !out.is_empty() {
                out.push(b'&');
            }
            part(&mut out, name);
            out.push(b'=');
            part(&mut out, value);
        }
        out
    })
}

fn outcome(request: Option<&Request>, response: Option<&Response>) -> Outcome {
    match response {
        None => Outcome::NotRecorded,
        Some(_) if request.is_none() => Outcome::Orphan,
        Some(response) if response.head.status() == 101 => Outcome::Switched,
        Some(_) => Outcome::Complete,
    }
}
