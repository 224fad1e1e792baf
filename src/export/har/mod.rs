//! HTTP Archive 1.2, written entry by entry so that no export is held in memory.

mod cookies;
mod post;
#[cfg(test)]
mod tests;
mod url;

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use self::cookies::Cookie;
use self::post::PostData;
use super::content::{Shown, content};
use super::{Item, json};
use crate::edge::redact::Redactor;
use crate::edge::sanitize;
use crate::features::{Target, parameters};
use crate::model::{Body, Fields, Request, Response};

/// Writes one entry, and what comes before the first one.
pub(super) fn entry<W: Write>(
    out: &mut W,
    item: &Item<'_>,
    redactor: &Redactor,
    first: bool,
) -> io::Result<()> {
    if first {
        begin(out)?;
    } else {
        out.write_all(b",\n")?;
    }
    json::compact(out, &Entry::new(item, &item.redactor(redactor)))
}

/// Writes the end.
pub(super) fn end<W: Write>(out: &mut W, empty: bool) -> io::Result<()> {
    if empty {
        begin(out)?;
    }
    out.write_all(b"\n]}}\n")
}

fn begin<W: Write>(out: &mut W) -> io::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    writeln!(
        out,
        "{{\"log\":{{\"version\":\"1.2\",\"creator\":{{\"name\":\"why403\",\"version\":\"{version}\"}},\"entries\":["
    )
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    started_date_time: String,
    time: f64,
    request: HarRequest<'a>,
    response: HarResponse<'a>,
    cache: Empty,
    timings: Timings,
    #[serde(rename = "serverIPAddress")]
    server_ip_address: String,
    /// Fields of our own, with the names that proxies use, so that an archive read again has the same addresses.
    #[serde(rename = "_serverPort")]
    server_port: u16,
    #[serde(rename = "_clientAddress")]
    client_address: String,
    #[serde(rename = "_clientPort")]
    client_port: u16,
    connection: String,
    comment: String,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct Timings {
    send: f64,
    wait: f64,
    receive: f64,
}

#[derive(Serialize)]
struct Pair<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HarRequest<'a> {
    method: Cow<'a, str>,
    url: String,
    http_version: &'static str,
    cookies: Vec<Cookie<'a>>,
    headers: Vec<Pair<'a>>,
    query_string: Vec<Pair<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_data: Option<PostData<'a>>,
    headers_size: i64,
    body_size: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HarResponse<'a> {
    status: u16,
    status_text: Cow<'a, str>,
    http_version: &'static str,
    cookies: Vec<Cookie<'a>>,
    headers: Vec<Pair<'a>>,
    content: HarContent<'a>,
    #[serde(rename = "redirectURL")]
    redirect_url: Cow<'a, str>,
    headers_size: i64,
    body_size: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HarContent<'a> {
    /// Bytes without the content coding.
    size: u64,
    /// Bytes that the content coding saved; negative where it added some.
    #[serde(skip_serializing_if = "Option::is_none")]
    compression: Option<i64>,
    mime_type: Cow<'a, str>,
    text: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'static str>,
}

impl<'a> Entry<'a> {
    fn new(item: &'a Item<'_>, redactor: &Redactor) -> Self {
        let exchange = &item.record.exchange;
        let (request, response) = (exchange.request.as_ref(), exchange.response.as_ref());
        let ms = |nanos: i64| (nanos.max(0) as f64 / 1000.0).round() / 1000.0;
        let send = request.map_or(0.0, |request| ms(request.ended.since(request.started)));
        let receive = response.map_or(0.0, |response| ms(response.ended.since(response.started)));
        let wait = match (request, response) {
            (Some(request), Some(response)) => ms(response.started.since(request.ended)),
            _ => 0.0,
        };
        let causes: Vec<String> = item
            .report
            .diagnosis
            .iter()
            .flat_map(|diagnosis| &diagnosis.findings)
            .map(|finding| format!("{} {:.0}%", finding.cause, finding.confidence * 100.0))
            .collect();
        Self {
            started_date_time: exchange.started().to_string(),
            time: ((send + wait + receive) * 1000.0).round() / 1000.0,
            request: request
                .map_or_else(|| HarRequest::absent(item), |one| HarRequest::new(item, one, redactor)),
            response: response.map_or_else(HarResponse::absent, |one| HarResponse::new(one, redactor)),
            cache: Empty {},
            timings: Timings { send, wait, receive },
            server_ip_address: exchange.server.ip().to_string(),
            server_port: exchange.server.port(),
            client_address: exchange.client.ip().to_string(),
            client_port: exchange.client.port(),
            connection: exchange.connection.flow.0.to_string(),
            comment: format!(
                "why403 exchange {}: {} {}",
                exchange.id.0,
                exchange.outcome.as_str(),
                causes.join(", ")
            ),
        }
    }
}

impl<'a> HarRequest<'a> {
    fn new(item: &Item<'_>, request: &'a Request, redactor: &Redactor) -> Self {
        let head = &request.head;
        let fields = head.fields();
        let url = url::url(head, &redactor.target(head.target()), item.record.exchange.server);
        Self {
            method: Cow::Borrowed(head.method()),
            url: url.text,
            http_version: head.version().as_str(),
            cookies: cookies::sent(fields, redactor),
            headers: pairs(fields, redactor),
            query_string: query(Target::of(head).query(), redactor),
            post_data: PostData::new(fields, &request.body, redactor),
            headers_size: fields.raw().len() as i64,
            body_size: request.body.len as i64,
            comment: url.note,
        }
    }

    fn absent(item: &Item<'_>) -> Self {
        Self {
            method: Cow::Borrowed(""),
            url: url::of_server(item.record.exchange.server),
            http_version: "HTTP/1.1",
            cookies: Vec::new(),
            headers: Vec::new(),
            query_string: Vec::new(),
            post_data: None,
            headers_size: -1,
            body_size: -1,
            comment: Some("the request is not in the capture"),
        }
    }
}

impl<'a> HarResponse<'a> {
    fn new(response: &'a Response, redactor: &Redactor) -> Self {
        let fields = response.head.fields();
        Self {
            status: response.head.status(),
            status_text: text(redactor.text(response.head.reason())),
            http_version: response.head.version().as_str(),
            cookies: cookies::set(fields, response.started, redactor),
            headers: pairs(fields, redactor),
            content: HarContent::new(fields, &response.body, redactor),
            redirect_url: fields.value("location").map(|url| text(redactor.target(url))).unwrap_or_default(),
            headers_size: fields.raw().len() as i64,
            body_size: response.body.len as i64,
        }
    }

    fn absent() -> Self {
        let content = HarContent {
            size: 0,
            compression: None,
            mime_type: Cow::Borrowed(""),
            text: Cow::Borrowed(""),
            encoding: None,
            comment: None,
        };
        Self {
            status: 0,
            status_text: Cow::Borrowed(""),
            http_version: "HTTP/1.1",
            cookies: Vec::new(),
            headers: Vec::new(),
            content,
            redirect_url: Cow::Borrowed(""),
            headers_size: -1,
            body_size: -1,
        }
    }
}

impl<'a> HarContent<'a> {
    fn new(fields: &'a Fields, body: &'a Body, redactor: &Redactor) -> Self {
        let content = content(fields, body, redactor);
        let (text, encoding, comment) = match content.shown {
            Shown::Text(text) => (text, None, None),
            Shown::Base64(text) => (Cow::Owned(text), Some("base64"), None),
            Shown::Withheld(why) => (Cow::Borrowed(""), None, Some(why)),
        };
        let decoded = content.decoded_len.filter(|_| !body.is_truncated() && body.missing() == 0);
        Self {
            size: decoded.unwrap_or(body.len),
            compression: decoded.map(|size| size as i64 - body.len as i64),
            mime_type: mime(fields),
            text,
            encoding,
            comment,
        }
    }
}

fn mime(fields: &Fields) -> Cow<'_, str> {
    fields.value("content-type").map(sanitize::utf8).unwrap_or_default()
}

fn pairs<'a>(fields: &'a Fields, redactor: &Redactor) -> Vec<Pair<'a>> {
    fields
        .iter()
        .map(|field| Pair {
            name: sanitize::utf8(field.name),
            value: text(redactor.field(field.name, field.value)),
        })
        .collect()
}

fn query<'a>(query: &'a [u8], redactor: &Redactor) -> Vec<Pair<'a>> {
    parameters(query)
        .map(|parameter| {
            let name = parameter.name();
            let value = parameter.value();
            let value = text(redactor.value(crate::model::Part::Query, &name, &value)).into_owned();
            Pair { name, value: Cow::Owned(value) }
        })
        .collect()
}

fn text(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => sanitize::utf8(bytes),
        Cow::Owned(bytes) => Cow::Owned(sanitize::utf8(&bytes).into_owned()),
    }
}
