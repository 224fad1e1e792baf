//! One entry of an archive, as far as it matters.

use std::io::BufRead;

use super::SHORT;
use super::reason::Reason;
use crate::import::json::{Json, Result, Text};
use crate::import::message::{Lines, MAX_HEAD};

/// Field lines of one head; more are stepped over.
const MAX_LINES: usize = 1_000;
/// Parameters of one form.
const MAX_PARAMS: usize = 1_000;
/// Bytes kept of a URL or of a field's value.
const LONG: usize = 64 << 10;

/// What an entry says. Bound: two heads of [`MAX_HEAD`], two bodies of the limit that is given, and some short texts.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) started: Option<String>,
    /// Milliseconds; negative and absent ones are 0.
    pub(super) timings: Timings,
    pub(super) time: f64,
    pub(super) request: Request,
    pub(super) response: Response,
    pub(super) server: Option<String>,
    pub(super) server_port: Option<u16>,
    pub(super) client: Option<String>,
    pub(super) client_port: Option<u16>,
    pub(super) connection: Option<Text>,
    /// `xhr`, `document`, …
    pub(super) resource_type: Option<String>,
    pub(super) reason: Reason,
}

/// How long each part took.
#[derive(Debug, Default)]
pub(super) struct Timings {
    /// Before the request was sent: queue, name, connection.
    pub(super) before: f64,
    pub(super) send: f64,
    pub(super) wait: f64,
    pub(super) receive: f64,
}

#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) method: Vec<u8>,
    pub(super) url: Vec<u8>,
    pub(super) version: Vec<u8>,
    pub(super) lines: Lines,
    pub(super) head_size: Option<f64>,
    pub(super) body_size: Option<f64>,
    pub(super) content: Option<Content>,
}

#[derive(Debug, Default)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) reason: Vec<u8>,
    pub(super) version: Vec<u8>,
    pub(super) lines: Lines,
    pub(super) body_size: Option<f64>,
    pub(super) content: Option<Content>,
}

/// `postData` and `content`.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) text: Option<Text>,
    pub(super) is_base64: bool,
    /// One character stands for one byte.
    pub(super) is_latin1: bool,
    pub(super) media: Vec<u8>,
    pub(super) size: Option<f64>,
    pub(super) params: Lines,
}

impl Entry {
    /// Reads an entry; `limit` bounds the texts of its bodies.
    pub(super) fn read<R: BufRead>(json: &mut Json<R>, limit: usize) -> Result<Self> {
        let mut entry = Self::default();
        json.object(|json, key| entry.field(json, key, limit))?;
        Ok(entry)
    }

    fn field<R: BufRead>(&mut self, json: &mut Json<R>, key: &[u8], limit: usize) -> Result<()> {
        match key {
            b"startedDateTime" => self.started = short(json)?,
            b"time" => self.time = json.number()?.unwrap_or_default(),
            b"timings" => self.timings = Timings::read(json)?,
            b"request" => self.request = Request::read(json, limit)?,
            b"response" => {
                let reason = &mut self.reason;
                self.response = Response::read(json, limit, reason)?;
            }
            b"serverIPAddress" | b"_serverAddress" => self.server = short(json)?.or(self.server.take()),
            b"_serverPort" => self.server_port = port(json)?,
            b"clientIPAddress" | b"_clientAddress" => self.client = short(json)?,
            b"_clientPort" => self.client_port = port(json)?,
            b"connection" | b"_connectionId" => {
                let text = json.text(SHORT)?;
                self.connection = text.filter(|text| !text.bytes.is_empty()).or(self.connection.take());
            }
            b"_resourceType" => self.resource_type = short(json)?,
            _ if Reason::is_told_by(key) => self.reason.tell(key, short(json)?),
            _ => json.skip()?,
        }
        Ok(())
    }
}

impl Timings {
    fn read<R: BufRead>(json: &mut Json<R>) -> Result<Self> {
        let mut timings = Self::default();
        json.object(|json, key| {
            // `ssl` is a part of `connect`.
            let place = match key {
                b"blocked" | b"dns" | b"connect" => &mut timings.before,
                b"send" => &mut timings.send,
                b"wait" => &mut timings.wait,
                b"receive" => &mut timings.receive,
                _ => return json.skip(),
            };
            *place += json.number()?.unwrap_or_default().max(0.0);
            Ok(())
        })?;
        Ok(timings)
    }
}

impl Request {
    fn read<R: BufRead>(json: &mut Json<R>, limit: usize) -> Result<Self> {
        let mut request = Self::default();
        json.object(|json, key| {
            match key {
                b"method" => request.method = bytes(json, SHORT)?,
                b"url" => request.url = bytes(json, LONG)?,
                b"httpVersion" => request.version = bytes(json, SHORT)?,
                b"headers" => request.lines = lines(json, MAX_LINES, MAX_HEAD)?,
                b"headersSize" => request.head_size = json.number()?,
                b"bodySize" => request.body_size = json.number()?,
                b"postData" => request.content = Content::read(json, limit)?,
                _ => json.skip()?,
            }
            Ok(())
        })?;
        Ok(request)
    }
}

impl Response {
    fn read<R: BufRead>(json: &mut Json<R>, limit: usize, reason: &mut Reason) -> Result<Self> {
        let mut response = Self::default();
        json.object(|json, key| {
            match key {
                b"status" => {
                    let status = json.number()?.unwrap_or_default();
                    response.status = if (1.0..1000.0).contains(&status) { status as u16 } else { 0 };
                }
                b"statusText" => response.reason = bytes(json, SHORT)?,
                b"httpVersion" => response.version = bytes(json, SHORT)?,
                b"headers" => response.lines = lines(json, MAX_LINES, MAX_HEAD)?,
                b"bodySize" => response.body_size = json.number()?,
                b"content" => response.content = Content::read(json, limit)?,
                _ if Reason::is_told_by(key) => reason.tell(key, short(json)?),
                _ => json.skip()?,
            }
            Ok(())
        })?;
        Ok(response)
    }
}

impl Content {
    /// `None` where there is no object.
    fn read<R: BufRead>(json: &mut Json<R>, limit: usize) -> Result<Option<Self>> {
        let mut content = Self::default();
        let there = json.object(|json, key| {
            match key {
                b"text" => content.text = json.text(limit)?,
                b"encoding" => content.is_base64 = bytes(json, SHORT)?.eq_ignore_ascii_case(b"base64"),
                b"mimeType" => content.media = bytes(json, SHORT)?,
                b"size" => content.size = json.number()?,
                b"params" => content.params = lines(json, MAX_PARAMS, limit)?,
                b"comment" => {
                    let comment = bytes(json, SHORT)?;
                    content.is_latin1 = memchr::memmem::find(&comment, b"ISO 8859-1").is_some();
                }
                _ => json.skip()?,
            }
            Ok(())
        })?;
        Ok(there.then_some(content))
    }
}

/// Names with values: at most `most` of them and `room` bytes. Chrome joins the values of a repeated field with line breaks.
fn lines<R: BufRead>(json: &mut Json<R>, most: usize, mut room: usize) -> Result<Lines> {
    let mut lines = Lines::new();
    json.array(|json| {
        let (mut name, mut value) = (Vec::new(), Vec::new());
        json.object(|json, key| {
            match key {
                b"name" => name = bytes(json, SHORT)?,
                b"value" => value = bytes(json, LONG)?,
                _ => json.skip()?,
            }
            Ok(())
        })?;
        for value in value.split(|byte| *byte == b'\n') {
            let size = name.len() + value.len();
            if lines.len() < most && size <= room {
                room -= size;
                lines.push((name.clone(), value.strip_suffix(b"\r").unwrap_or(value).to_vec()));
            }
        }
        Ok(())
    })?;
    Ok(lines)
}

fn bytes<R: BufRead>(json: &mut Json<R>, most: usize) -> Result<Vec<u8>> {
    Ok(json.text(most)?.map(|text| text.bytes).unwrap_or_default())
}

fn short<R: BufRead>(json: &mut Json<R>) -> Result<Option<String>> {
    Ok(json.text(SHORT)?.map(|text| text.to_text()).filter(|text| !text.is_empty()))
}

fn port<R: BufRead>(json: &mut Json<R>) -> Result<Option<u16>> {
    Ok(json.number()?.filter(|port| (1.0..65_536.0).contains(port)).map(|port| port as u16))
}
