//! Exchanges written as text, for tests and for the score example.
//!
//! A scenario file holds templates (`### name`, then blocks) and scenarios; each is a heading `=== name | cause |
//! also,accepted | refuser,accepted | trap` (the last two may be missing), perhaps a line `like TEMPLATE`, then blocks. A block is a
//! request (`POST /path`, fields, an empty line, a body), then `--- STATUS [xN] [every=MS] [ttfb=US]` with response fields,
//! an empty line and a body. `+++` starts a block that edits the previous request: a start line replaces it, `Name: value`
//! sets, `-Name` removes, `@ address` moves the client, what follows an empty line replaces the body.
//! `{a|b|c}` takes its alternatives in turn, `{#}` is a running number, `{hex}` a fresh number,
//! `{jwt sub=u1 exp=+3600 scope=a,b}` a token (a comma makes a list), `{time +60}` seconds since the epoch.

use std::fmt::Write;
use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::model::{
    AnomalySet, Body, BodyEnd, Connection, Exchange, ExchangeId, FieldSpan, Fields, FlowId, Outcome, Request,
    RequestHead, Response, ResponseHead, Span, Timestamp, Version,
};

/// Capture time of the first exchange of a scenario.
const START: i64 = 1_795_333_921;

/// A scenario with its label.
#[derive(Debug)]
#[allow(dead_code, reason = "the score example reads all of it, the unit tests a part")]
pub(crate) struct Scenario {
    /// Short name.
    pub(crate) name: String,
    /// Expected cause.
    pub(crate) cause: String,
    /// Causes that are right as well.
    pub(crate) accept: Vec<String>,
    /// Who refused: ids of layers, any of which is right; empty where the scenario does not say.
    pub(crate) refusers: Vec<String>,
    /// Whether an obvious reading is wrong.
    pub(crate) trap: bool,
    /// The traffic.
    pub(crate) exchanges: Vec<Exchange>,
}

/// Reads a scenario file.
pub(crate) fn scenarios(text: &str) -> Vec<Scenario> {
    let mut parts = text.split("\n=== ");
    let templates: Vec<(&str, &str)> = parts
        .next()
        .unwrap_or_default()
        .split("\n### ")
        .skip(1)
        .filter_map(|part| part.split_once('\n'))
        .collect();
    parts
        .map(|part| {
            let (heading, rest) = part.split_once('\n').unwrap_or((part, ""));
            let mut words = heading.split('|').map(str::trim);
            let mut next = || words.next().unwrap_or_default().to_owned();
            let list = |text: String| -> Vec<String> {
                text.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect()
            };
            let (name, cause, accept) = (next(), next(), list(next()));
            let (refusers, trap) = (list(next()), next() == "trap");
            let (like, own) = rest.split_once('\n').unwrap_or((rest, ""));
            let wanted = like.strip_prefix("like ").map(str::trim);
            let template = templates.iter().find(|(name, _)| Some(*name) == wanted);
            let text = template.map_or_else(|| rest.to_owned(), |(_, text)| format!("{text}\n{own}"));
            let exchanges = Writer::default().blocks(&text);
            Scenario { name, cause, accept, refusers, trap, exchanges }
        })
        .collect()
}

/// The exchanges of one scenario without a heading.
pub(crate) fn exchanges(text: &str) -> Vec<Exchange> {
    Writer::default().blocks(text.trim_start_matches('\n'))
}

#[derive(Clone, Debug, Default)]
struct Template {
    client: String,
    start: String,
    fields: Vec<(String, String)>,
    body: String,
}

#[derive(Debug, Default)]
struct Writer {
    count: usize,
    now: i64,
    request: Template,
}

impl Writer {
    fn blocks(mut self, text: &str) -> Vec<Exchange> {
        let mut out = Vec::new();
        let mut lines = text.lines().peekable();
        while lines.peek().is_some() {
            let mut asked: Vec<&str> = Vec::new();
            let mut options = "";
            for line in lines.by_ref() {
                if let Some(rest) = line.strip_prefix("--- ") {
                    options = rest;
                    break;
                }
                asked.push(line);
            }
            let mut answer: Vec<&str> = Vec::new();
            while let Some(line) = lines.next_if(|line| {
                *line != "+++"
                    && !line.starts_with("--- ")
                    && !line.starts_with("POST ")
                    && !line.starts_with("GET ")
                    && !line.starts_with("PUT ")
                    && !line.starts_with("DELETE ")
                    && !line.starts_with("PATCH ")
                    && !line.starts_with("@ ")
            }) {
                answer.push(line);
            }
            if options.is_empty() {
                break;
            }
            self.edit(&asked);
            self.emit(options, &answer, &mut out);
        }
        out
    }

    fn edit(&mut self, lines: &[&str]) {
        if lines.iter().all(|line| line.is_empty()) {
            return;
        }
        let mut lines = lines.iter();
        let edits = lines.as_slice().first() == Some(&"+++");
        if edits {
            lines.next();
        } else {
            self.request =
                Template { client: std::mem::take(&mut self.request.client), ..Template::default() };
        }
        let mut body: Option<Vec<&str>> = None;
        for line in lines {
            match &mut body {
                Some(body) => body.push(line),
                None if line.is_empty() => body = Some(Vec::new()),
                None => self.line(line),
            }
        }
        if let Some(body) = body {
            self.request.body = body.join("\n").trim_end().to_owned();
        }
    }

    fn line(&mut self, line: &str) {
        if let Some(client) = line.strip_prefix("@ ") {
            client.clone_into(&mut self.request.client);
        } else if let Some(name) = line.strip_prefix('-') {
            self.request.fields.retain(|(field, _)| !field.eq_ignore_ascii_case(name));
        } else if let Some((name, value)) = line.split_once(": ") {
            match self.request.fields.iter_mut().find(|(field, _)| field.eq_ignore_ascii_case(name)) {
                Some(field) => value.clone_into(&mut field.1),
                None => self.request.fields.push((name.to_owned(), value.to_owned())),
            }
        } else {
            line.clone_into(&mut self.request.start);
        }
    }

    fn emit(&mut self, options: &str, answer: &[&str], out: &mut Vec<Exchange>) {
        let mut words = options.split_ascii_whitespace();
        let status: u16 = words.next().and_then(|word| word.parse().ok()).unwrap_or(200);
        let (mut times, mut every, mut ttfb) = (1, 700, if status < 400 { 12_000 } else { 9_000 });
        for word in words {
            if let Some(count) = word.strip_prefix('x') {
                times = count.parse().unwrap_or(1);
            } else if let Some(value) = word.strip_prefix("every=") {
                every = value.parse().unwrap_or(700);
            } else if let Some(value) = word.strip_prefix("ttfb=") {
                ttfb = value.parse().unwrap_or(1000);
            }
        }
        let gap = answer.iter().position(|line| line.is_empty()).unwrap_or(answer.len());
        let (head, body) = answer.split_at(gap);
        let body = body.join("\n").trim().to_owned();
        for _ in 0..times {
            self.now += every * 1_000_000;
            self.count += 1;
            out.push(self.exchange(status, head, &body, ttfb * 1000));
        }
    }

    fn exchange(&mut self, status: u16, head: &[&str], body: &str, ttfb: i64) -> Exchange {
        let request = self.request.clone();
        let client: String = self.fill(if request.client.is_empty() { "10.1.0.9" } else { &request.client });
        let body_out = self.fill(&request.body);
        let mut text = format!("{} HTTP/1.1\r\n", self.fill(&request.start));
        for (name, value) in &request.fields {
            let _ = write!(text, "{name}: {}\r\n", self.fill(value));
        }
        if !body_out.is_empty() {
            let _ = write!(text, "Content-Length: {}\r\n", body_out.len());
        }
        let started = Timestamp::from_parts(START, 0).plus(self.now);
        let answered = started.plus(ttfb);
        let answer_body = self.fill(body);
        let mut answer = format!("HTTP/1.1 {status} {}\r\n", reason(status));
        for line in head {
            let _ = write!(answer, "{}\r\n", self.fill(line));
        }
        let _ = write!(answer, "Content-Length: {}\r\n", answer_body.len());
        Exchange {
            id: ExchangeId(0),
            client: SocketAddr::new(
                client.parse().unwrap_or([10, 1, 0, 9].into()),
                40_000 + self.count as u16,
            ),
            server: SocketAddr::from(([10, 0, 0, 1], 80)),
            preface: None,
            connection: Connection {
                flow: FlowId(self.count as u64),
                handshake: true,
                ..Connection::default()
            },
            request: Some(Request {
                head: request_head(&text),
                body: kept(&body_out),
                started,
                ended: started.plus(50_000),
            }),
            interim: Box::default(),
            response: Some(Response {
                head: response_head(&answer),
                body: kept(&answer_body),
                started: answered,
                ended: answered.plus(20_000),
            }),
            outcome: Outcome::Complete,
            not_http: None,
            imported: None,
            anomalies: AnomalySet::default(),
        }
    }

    /// Replaces what stands in braces.
    fn fill(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (before, tail) = rest.split_at(open);
            out.push_str(before);
            let Some(close) = tail.find('}') else { break };
            let (inner, after) = (&tail[1..close], &tail[close + 1..]);
            if let Some(value) = self.value(inner) {
                out.push_str(&value);
                rest = after;
            } else {
                out.push('{');
                rest = &tail[1..];
            }
        }
        out.push_str(rest);
        out
    }

    fn value(&mut self, inner: &str) -> Option<String> {
        let now = START + self.now / 1_000_000_000;
        if inner == "#" {
            return Some(self.count.to_string());
        }
        if inner == "hex" {
            let mixed = (self.count as u64 + 7).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            return Some(format!("{mixed:016x}"));
        }
        if let Some(shift) = inner.strip_prefix("time ") {
            return Some((now + shift.parse::<i64>().unwrap_or(0)).to_string());
        }
        if let Some(claims) = inner.strip_prefix("jwt ") {
            return Some(token(&self.turn(claims), now));
        }
        if let Some(user) = inner.strip_prefix("basic ") {
            return Some(STANDARD.encode(self.turn(user)));
        }
        (inner.contains('|') && !inner.contains('"')).then(|| self.pick(inner))
    }

    fn turn(&self, text: &str) -> String {
        match (text.find('['), text.find(']')) {
            (Some(from), Some(to)) if from < to => {
                format!("{}{}{}", &text[..from], self.pick(&text[from + 1..to]), &text[to + 1..])
            }
            _ => text.to_owned(),
        }
    }

    fn pick(&self, list: &str) -> String {
        let all: Vec<&str> = list.split('|').collect();
        all[self.count % all.len()].to_owned()
    }
}

/// A token with `exp=+N` relative to `now`; a value with commas becomes a list.
fn token(claims: &str, now: i64) -> String {
    let mut members = Vec::new();
    for pair in claims.split_ascii_whitespace() {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let json = match value
            .strip_prefix('+')
            .or_else(|| value.strip_prefix('-'))
            .and_then(|n| n.parse::<i64>().ok())
        {
            Some(shift) => (if value.starts_with('-') { now - shift } else { now + shift }).to_string(),
            None if value.contains(',') => {
                format!("[\"{}\"]", value.trim_end_matches(',').replace(',', "\",\""))
            }
            None => format!("\"{}\"", value.replace('~', " ")),
        };
        members.push(format!("\"{name}\":{json}"));
    }
    let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
    let claims = format!("{{{}}}", members.join(","));
    format!(
        "{}.{}.{}",
        encode("{\"alg\":\"RS256\",\"kid\":\"k1\"}".to_owned()),
        encode(claims.clone()),
        encode(claims.chars().rev().collect())
    )
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        _ => "Status",
    }
}

fn kept(text: &str) -> Body {
    Body { kept: text.as_bytes().into(), len: text.len() as u64, end: BodyEnd::Complete, rare: None }
}

fn span(start: usize, end: usize) -> Span {
    Span { start: start as u32, len: (end - start) as u32 }
}

/// The field lines of a head whose lines end with CRLF.
fn fields(text: &str) -> Fields {
    let mut spans = Vec::new();
    let mut at = text.find("\r\n").map_or(text.len(), |end| end + 2);
    while at < text.len() {
        let end = at + text[at..].find("\r\n").unwrap_or(text.len() - at);
        if let Some(colon) = text[at..end].find(':') {
            let value = &text[at + colon + 1..end];
            let from = end - value.trim_start().len();
            spans
                .push(FieldSpan { name: span(at, at + colon), value: span(from, from + value.trim().len()) });
        }
        at = end + 2;
    }
    Fields::new(format!("{text}\r\n").into_bytes(), spans)
}

fn request_head(text: &str) -> RequestHead {
    let line = text.lines().next().unwrap_or_default();
    let method = line.find(' ').unwrap_or(0);
    let target = line.rfind(" HTTP/").unwrap_or(line.len());
    RequestHead::new(fields(text), span(0, method), span(method + 1, target), Version::Http11)
}

fn response_head(text: &str) -> ResponseHead {
    let line = text.lines().next().unwrap_or_default();
    let status = line.get(9..12).and_then(|code| code.parse().ok()).unwrap_or(0);
    ResponseHead::new(fields(text), status, span(13.min(line.len()), line.len()), Version::Http11)
}
