//! Captures made for the tests of the command line: small, with a known story.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use why403::model::Timestamp;
use why403::synth::{Conversation, merge, pcap};

/// The server that everybody in [`story`] talks to.
pub(crate) const SERVER: &str = "192.0.2.10:8080";

/// 2026-11-22T07:52:00Z.
pub(crate) const START: Timestamp = Timestamp(1_795_333_920_000_000_000);

/// A POST of `/v1/items` with a bearer token.
pub(crate) fn post(token: &str, body: &str) -> String {
    format!(
        "POST /v1/items?api_key=K{token} HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer {token}\r\nCookie: sid=C{token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A response with a JSON body.
pub(crate) fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// One connection from `client` (its last number and port) with these exchanges, `ms` after the start.
pub(crate) fn talk(client: u8, ms: i64, exchanges: &[(String, String)]) -> Conversation {
    let client: SocketAddr = format!("192.0.2.{client}:49{client:03}").parse().unwrap();
    let time = |step: i64| START.plus((ms + step) * 1_000_000);
    let mut talk = Conversation::new(client, SERVER.parse().unwrap()).handshake(time(0));
    for (step, (request, response)) in exchanges.iter().enumerate() {
        let step = 2 * step as i64 + 1;
        talk = talk.client(request.as_bytes(), time(step)).server(response.as_bytes(), time(step + 1));
    }
    talk.fin(time(2 * exchanges.len() as i64 + 1))
}

/// Two successes, a GET, a refusal with another token, a success after it, and a response without its request.
pub(crate) fn story(dir: &Path) -> PathBuf {
    let created = || answer("201 Created", "{\"id\":1}");
    let get = "GET /v1/items HTTP/1.1\r\nHost: api.example.com\r\n\r\n".to_owned();
    let refused = answer("403 Forbidden", "{\"error\":\"forbidden\",\"session_token\":\"S4\"}");
    let orphan: SocketAddr = "192.0.2.99:49099".parse().unwrap();
    let frames = merge([
        talk(1, 0, &[(post("T1", "{\"n\":1}"), created()), (get, answer("200 OK", "[]"))]),
        talk(2, 10, &[(post("T2", "{\"n\":2}"), created())]),
        talk(3, 20, &[(post("T3", "{\"n\":3,\"password\":\"P3\"}"), refused)]),
        talk(4, 30, &[(post("T1", "{\"n\":4}"), created())]),
        Conversation::new(orphan, SERVER.parse().unwrap())
            .server(answer("403 Forbidden", "{}").as_bytes(), START.plus(40_000_000)),
    ]);
    write(dir, "story.pcap", &pcap::to_bytes(&frames))
}

/// The secrets in [`story`].
pub(crate) const SECRETS: [&str; 5] = ["T3", "KT3", "CT3", "P3", "S4"];

/// `count` successes and refusals in turn on one connection each.
pub(crate) fn many(dir: &Path, count: u32) -> PathBuf {
    let talks = (0..count).map(|number| {
        let status = if number % 2 == 0 { "200 OK" } else { "403 Forbidden" };
        let client: SocketAddr =
            format!("198.51.{}.{}:50000", number / 200, number % 200 + 1).parse().unwrap();
        let time = START.plus(i64::from(number) * 1_000_000);
        Conversation::new(client, SERVER.parse().unwrap())
            .handshake(time)
            .client(post("T", &format!("{{\"n\":{number}}}")).as_bytes(), time.plus(1000))
            .server(answer(status, &"x".repeat(2000)).as_bytes(), time.plus(2000))
            .fin(time.plus(3000))
    });
    write(dir, "many.pcap", &pcap::to_bytes(&merge(talks)))
}

/// A file in `dir`.
pub(crate) fn write(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}
