//! The parts of a request that comparison and diagnosis both look at: target, query parameters, cookies, media type,
//! credentials, token claims, JSON paths, form fields. Everything borrows from the wire where it can, is bounded, takes
//! linear time and never panics: these bytes are hostile.

pub mod authorization;
pub mod coding;
pub mod content;
pub mod cookie;
pub mod damage;
pub mod dated;
pub mod form;
pub mod html;
pub mod json;
pub mod jwt;
pub mod media;
pub mod multipart;
pub mod names;
pub mod network;
pub mod request;
pub mod signer;
pub mod sniff;
pub mod target;

pub use crate::features::authorization::{Authorization, is_placeholder};
pub use crate::features::cookie::{Cookie, SetCookie, cookies, set_cookies};
pub use crate::features::damage::content_anomalies;
pub use crate::features::form::{Parameter, parameters};
pub use crate::features::json::{Json, JsonEnd, JsonKind, JsonLeaf};
pub use crate::features::jwt::{Jwt, Token, TokenPlace, tokens};
pub use crate::features::media::MediaType;
pub use crate::features::multipart::{MultipartField, fields as multipart_fields};
pub use crate::features::network::{
    client_network, first_address, forwarded_addresses, forwarded_client, forwarded_for, is_private,
};
pub use crate::features::request::items::{Item, request_items, response_items};
pub use crate::features::signer::{path_secret, signer};
pub use crate::features::sniff::{Sniffed, sniff};
pub use crate::features::target::Target;

#[cfg(test)]
pub(crate) mod tests {
    //! Builders that other tests use too.

    use crate::model::{
        AnomalySet, Body, BodyEnd, Connection, Exchange, ExchangeId, FieldSpan, Fields, Outcome, Request,
        RequestHead, Response, ResponseHead, Span, Timestamp, Version,
    };

    fn put(raw: &mut Vec<u8>, text: &[u8]) -> Span {
        let start = raw.len() as u32;
        raw.extend_from_slice(text);
        Span { start, len: text.len() as u32 }
    }

    fn finish(mut raw: Vec<u8>, lines: &[(&str, &str)]) -> Fields {
        let spans: Vec<FieldSpan> = lines
            .iter()
            .map(|(name, value)| {
                let name = put(&mut raw, name.as_bytes());
                raw.extend_from_slice(b": ");
                let value = put(&mut raw, value.as_bytes());
                raw.extend_from_slice(b"\r\n");
                FieldSpan { name, value }
            })
            .collect();
        raw.extend_from_slice(b"\r\n");
        Fields::new(raw, spans)
    }

    /// Field lines without a start line.
    pub(crate) fn fields(lines: &[(&str, &str)]) -> Fields {
        finish(Vec::new(), lines)
    }

    fn body(content: &[u8]) -> Body {
        let end = if content.is_empty() { BodyEnd::None } else { BodyEnd::Complete };
        Body { kept: content.into(), len: content.len() as u64, end, rare: None }
    }

    /// A request with its content, at time 0.
    pub(crate) fn request(method: &str, target: &str, lines: &[(&str, &str)], content: &[u8]) -> Request {
        let mut raw = Vec::new();
        let method = put(&mut raw, method.as_bytes());
        raw.push(b' ');
        let target = put(&mut raw, target.as_bytes());
        raw.extend_from_slice(b" HTTP/1.1\r\n");
        let head = RequestHead::new(finish(raw, lines), method, target, Version::Http11);
        Request { head, body: body(content), started: Timestamp(0), ended: Timestamp(0) }
    }

    /// A response with its content, at time 0.
    pub(crate) fn response(status: u16, lines: &[(&str, &str)], content: &[u8]) -> Response {
        let mut raw = Vec::new();
        raw.extend_from_slice(format!("HTTP/1.1 {status} ").as_bytes());
        let reason = put(&mut raw, b"Reason");
        raw.extend_from_slice(b"\r\n");
        let head = ResponseHead::new(finish(raw, lines), status, reason, Version::Http11);
        Response { head, body: body(content), started: Timestamp(0), ended: Timestamp(0) }
    }

    /// An exchange of the client with this address and the server 10.0.0.9:80, at `seconds`.
    pub(crate) fn exchange(client: &str, seconds: i64, request: Request, response: Response) -> Exchange {
        let start = Timestamp::from_parts(seconds, 0);
        let end = start.plus(1_000_000);
        Exchange {
            id: ExchangeId(0),
            client: std::net::SocketAddr::new(client.parse().unwrap(), 40_000),
            server: "10.0.0.9:80".parse().unwrap(),
            preface: None,
            connection: Connection::default(),
            request: Some(Request { started: start, ended: start, ..request }),
            interim: Box::default(),
            response: Some(Response { started: end, ended: end, ..response }),
            outcome: Outcome::Complete,
            not_http: None,
            imported: None,
            anomalies: AnomalySet::default(),
        }
    }
}
