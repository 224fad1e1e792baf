//! Who sends what when: mostly work that succeeds, with what varies in real traffic varying, and every now and then
//! one of eight mistakes.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::message::Message;
use super::token::{Claims, Key};
use crate::model::Timestamp;

/// Requests at the start without a pause or a mistake, so that there is something to compare with.
const WARM_UP: u32 = 24;
/// One request in so many is a mistake.
const MISTAKE: u32 = 4;
/// Searches in a burst: more than the limiter lets through.
const BURST: u32 = 9;
const API: &str = "api.staging.example";
const SHOP: &str = "shop.staging.example";

/// One request.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) client: Ipv4Addr,
    pub(super) request: Message,
    /// How long to wait after it.
    pub(super) pause: Duration,
}

/// A program that talks to the box, with the person or job behind it.
#[derive(Debug)]
struct Caller {
    address: Ipv4Addr,
    agent: &'static str,
    subject: &'static str,
    scope: &'static str,
    role: &'static str,
}

const CALLERS: [Caller; 5] = [
    Caller {
        address: Ipv4Addr::new(127, 0, 0, 11),
        agent: "okhttp/4.12.0",
        subject: "anna",
        scope: "orders:write comments:write refunds:write",
        role: "admin",
    },
    Caller {
        address: Ipv4Addr::new(127, 0, 0, 12),
        agent: "python-requests/2.32.3",
        subject: "billing-job",
        scope: "orders:write refunds:write",
        role: "service",
    },
    Caller {
        address: Ipv4Addr::new(127, 0, 0, 13),
        agent: "axios/1.7.9",
        subject: "ben",
        scope: "orders:write comments:write",
        role: "editor",
    },
    Caller {
        address: Ipv4Addr::new(127, 0, 0, 14),
        agent: "Mozilla/5.0 (X11; Linux x86_64; rv:134.0) Gecko/20100101 Firefox/134.0",
        subject: "clara",
        scope: "orders:write comments:write",
        role: "editor",
    },
    Caller {
        address: Ipv4Addr::new(127, 0, 0, 15),
        agent: "Go-http-client/1.1",
        subject: "sync",
        scope: "orders:write refunds:write",
        role: "admin",
    },
];
/// Where nobody should reindex from.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 77);

/// What comes next.
#[derive(Debug)]
pub(super) struct Script {
    key: Key,
    pause: Duration,
    sent: u32,
    mistakes: u32,
    burst: u32,
    random: u64,
}

impl Script {
    pub(super) fn new(key: Key, rate: u32) -> Self {
        let pause = Duration::from_secs(1) / rate.max(1);
        Self { key, pause, sent: 0, mistakes: 0, burst: 0, random: 0x9e37_79b9_7f4a_7c15 }
    }

    /// The next step; `now` is for tokens and bodies.
    pub(super) fn next(&mut self, now: Timestamp) -> Step {
        self.sent += 1;
        let (client, request) = if self.burst > 0 {
            self.burst -= 1;
            let caller = caller(2);
            (caller.address, self.search(caller, now))
        } else if self.sent > WARM_UP && self.sent.is_multiple_of(MISTAKE) {
            self.mistakes += 1;
            self.mistake(self.mistakes % 8, now)
        } else {
            self.work(now)
        };
        let pause = if self.sent <= WARM_UP || self.burst > 0 {
            Duration::from_millis(4)
        } else {
            self.pause.mul_f64(0.5 + self.below(100) as f64 / 100.0)
        };
        Step { client, request, pause }
    }

    /// Something that succeeds.
    fn work(&mut self, now: Timestamp) -> (Ipv4Addr, Message) {
        let any = self.any_caller();
        match if self.sent <= WARM_UP { u64::from(self.sent % 8) } else { self.below(11) } {
            0 => (any.address, self.order(any, now, 3600)),
            1 => self.refund(caller(self.sent as usize % 2), now),
            2 => (any.address, self.profile(any, now, "application/json")),
            3 => self.comment(caller(3), now, "https://shop.staging.example"),
            4 => (any.address, self.search(any, now)),
            5 => self.lock(caller([0, 4][self.sent as usize % 2]), now),
            6 => (any.address, self.reindex()),
            7 => self.email(true),
            8 => (any.address, self.get(any, "/health")),
            9 => (any.address, self.get(any, "/v1/orders?status=open&page=2")),
            _ => (CALLERS[3].address, self.get(&CALLERS[3], "/account")),
        }
    }

    /// Something that does not.
    fn mistake(&mut self, which: u32, now: Timestamp) -> (Ipv4Addr, Message) {
        let ben = caller(2);
        match which {
            1 => (caller(1).address, self.order(caller(1), now, -840)),
            2 => self.refund(ben, now),
            3 => (ben.address, self.profile(ben, now, "text/plain")),
            4 => self.email(false),
            5 => self.comment(caller(3), now, "http://localhost:3000"),
            6 => (ELSEWHERE, self.reindex()),
            7 => self.lock(ben, now),
            _ => {
                self.burst = BURST;
                (ben.address, self.search(ben, now))
            }
        }
    }

    fn order(&mut self, caller: &Caller, now: Timestamp, valid_for: i64) -> Message {
        let token = self.token(caller, now, valid_for);
        let (sku, quantity, note) = (self.below(90_000), 1 + self.below(4), self.below(1000));
        let body = format!(
            r#"{{"customer":"C-{note}","lines":[{{"sku":"SKU-{sku:05}","qty":{quantity}}}],"currency":"EUR"}}"#
        );
        self.api(caller, "POST /v1/orders", &token).body("application/json", body)
    }

    fn refund(&mut self, caller: &Caller, now: Timestamp) -> (Ipv4Addr, Message) {
        let token = self.token(caller, now, 3600);
        let line = format!("POST /v1/orders/{}/refunds", 48_000 + self.below(999));
        let body = format!(r#"{{"amount":{}.{:02},"reason":"damaged"}}"#, self.below(90), self.below(100));
        (caller.address, self.api(caller, &line, &token).body("application/json", body))
    }

    fn profile(&mut self, caller: &Caller, now: Timestamp, media: &str) -> Message {
        let token = self.token(caller, now, 3600);
        let line = format!("POST /v1/users/{}/profile?v=2", 700 + self.below(99));
        let body = format!(r#"{{"display_name":"{}","newsletter":{}}}"#, caller.subject, self.below(2) == 0);
        self.api(caller, &line, &token).body(media, body)
    }

    fn comment(&mut self, caller: &Caller, now: Timestamp, origin: &str) -> (Ipv4Addr, Message) {
        let token = self.token(caller, now, 3600);
        let body = format!(r#"{{"product":{},"stars":{}}}"#, self.below(9000), 1 + self.below(5));
        let request = self
            .api(caller, "POST /v1/comments", &token)
            .field("Origin", origin)
            .body("application/json", body);
        (caller.address, request)
    }

    fn search(&mut self, caller: &Caller, now: Timestamp) -> Message {
        let token = self.token(caller, now, 3600);
        let body = format!(r#"{{"q":"lamp {}","limit":10}}"#, self.below(50));
        self.api(caller, "POST /v1/search", &token).body("application/json", body)
    }

    fn lock(&mut self, caller: &Caller, now: Timestamp) -> (Ipv4Addr, Message) {
        let token = self.token(caller, now, 3600);
        let line = format!("POST /admin/users/{}/lock", 700 + self.below(99));
        (caller.address, self.api(caller, &line, &token).body("application/json", r#"{"locked":true}"#))
    }

    fn reindex(&mut self) -> Message {
        let id = self.request_id();
        Message::new("POST /internal/reindex HTTP/1.1")
            .field("Host", API)
            .field("User-Agent", "curl/8.11.1")
            .field("Accept", "*/*")
            .field("X-Request-Id", id)
            .body("application/json", r#"{"index":"products"}"#)
    }

    /// The account's form, with or without the token that belongs to its cookie.
    fn email(&mut self, with_token: bool) -> (Ipv4Addr, Message) {
        let caller = &CALLERS[3];
        let token = format!("{:032x}", u128::from(self.random()) | 1 << 100);
        let field = if with_token { format!("csrfmiddlewaretoken={token}&") } else { String::new() };
        let body = format!("{field}email=clara%2B{}%40example.com", self.below(90));
        let request = Message::new("POST /account/email HTTP/1.1")
            .field("Host", SHOP)
            .field("User-Agent", caller.agent)
            .field("Accept", "text/html,application/xhtml+xml")
            .field("Origin", format!("http://{SHOP}"))
            .field("Referer", format!("http://{SHOP}/account"))
            .field("Cookie", format!("sessionid=5up3rs3cr3t; csrftoken={token}"))
            .body("application/x-www-form-urlencoded", body);
        (caller.address, request)
    }

    fn get(&mut self, caller: &Caller, target: &str) -> Message {
        let host = if target == "/account" { SHOP } else { API };
        let id = self.request_id();
        Message::new(format!("GET {target} HTTP/1.1"))
            .field("Host", host)
            .field("User-Agent", caller.agent)
            .field("Accept", "*/*")
            .field("X-Request-Id", id)
    }

    /// The head that every call of the API has.
    fn api(&mut self, caller: &Caller, line: &str, token: &str) -> Message {
        let (id, trace, span) = (self.request_id(), self.random(), self.random());
        Message::new(format!("{line} HTTP/1.1"))
            .field("Host", API)
            .field("User-Agent", caller.agent)
            .field("Accept", "application/json")
            .field("Accept-Encoding", "gzip, deflate")
            .field("Authorization", format!("Bearer {token}"))
            .field("X-Request-Id", id)
            .field("traceparent", format!("00-{trace:016x}{span:016x}-{span:016x}-01"))
    }

    /// A token as the caller would have: renewed every quarter of an hour.
    fn token(&self, caller: &Caller, now: Timestamp, valid_for: i64) -> String {
        let renewed = now.seconds() / 900 * 900;
        let expires = if valid_for < 0 { now.seconds() + valid_for } else { renewed + valid_for };
        let Caller { subject, scope, role, .. } = *caller;
        self.key.sign(&Claims { subject, scope, role, expires })
    }

    fn any_caller(&mut self) -> &'static Caller {
        let number = self.below(CALLERS.len() as u64) as usize;
        caller(number)
    }

    fn request_id(&mut self) -> String {
        let (high, low) = (self.random(), self.random());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        )
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random() % bound
    }

    /// xorshift64*: the same traffic in every run.
    fn random(&mut self) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

fn caller(number: usize) -> &'static Caller {
    CALLERS.get(number).unwrap_or(&CALLERS[0])
}
