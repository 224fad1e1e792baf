//! The requests and answers of a made-up staging box.

use std::io::Write as _;

/// A small generator of numbers (xorshift64*); not for secrets.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Bytes of one answer of `downloads`.
const DOWNLOAD: usize = 4 << 20;

const PATHS: [&str; 8] = ["profile", "orders", "cart", "address", "invoices", "tokens", "avatar", "settings"];

const REFUSALS: [&str; 4] = [
    r#"{"error":"insufficient_scope","error_description":"The request requires higher privileges than provided.","scope":"write:users"}"#,
    r#"{"status":403,"code":"EBADCSRFTOKEN","message":"invalid csrf token","path":"/v1","requestId":"b1d7e2c04f3a"}"#,
    r#"{"type":"about:blank","title":"Forbidden","status":403,"detail":"The account is not allowed to change this record."}"#,
    "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n",
];

/// The two messages of one exchange; their buffers are used again.
#[derive(Default)]
pub(crate) struct Messages {
    pub(crate) request: Vec<u8>,
    pub(crate) response: Vec<u8>,
    body: Vec<u8>,
}

impl Messages {
    pub(crate) fn make(&mut self, number: u64, refused: bool, large: bool, chance: &mut Chance) {
        let user = chance.below(200);
        let path = PATHS[chance.below(PATHS.len() as u64) as usize];
        self.request(number, user, path, chance);
        match (refused, large) {
            (true, _) => self.refusal(number, chance),
            (false, true) => self.download(),
            (false, false) => self.success(number, user, chance),
        }
    }

    fn request(&mut self, number: u64, user: u64, path: &str, chance: &mut Chance) {
        self.body.clear();
        let _ = write!(
            self.body,
            r#"{{"user":{user},"name":"Ada Lovelace","email":"ada{user}@example.com","amount":{}.{:02},"currency":"EUR","items":[{{"sku":"SKU-{:05}","quantity":{}}}],"note":"please leave it at the door"}}"#,
            chance.below(1_000),
            chance.below(100),
            chance.below(100_000),
            1 + chance.below(9),
        );
        self.request.clear();
        let _ = write!(
            self.request,
            "POST /v1/users/{user}/{path}?v=2 HTTP/1.1\r\nHost: api.staging.example.com\r\nUser-Agent: shop-frontend/4.12.0 (node 22.9)\r\nAccept: application/json\r\nAccept-Encoding: gzip, deflate, br\r\nOrigin: https://shop.staging.example.com\r\nReferer: https://shop.staging.example.com/checkout/{path}\r\nContent-Type: application/json\r\nAuthorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2VyLXswfSJ9.c2lnbmF0dXJlLW9mLXVzZXI{user:03}\r\nCookie: session=5f2b8c{user:06x}; theme=dark\r\nX-Request-Id: {:016x}{number:016x}\r\nContent-Length: {}\r\n\r\n",
            chance.next(),
            self.body.len()
        );
        self.request.extend_from_slice(&self.body);
    }

    fn success(&mut self, number: u64, user: u64, chance: &mut Chance) {
        self.body.clear();
        let _ = write!(
            self.body,
            r#"{{"id":{number},"user":{user},"status":"accepted","version":{},"links":{{"self":"/v1/users/{user}"}}}}"#,
            chance.below(1_000)
        );
        self.answer("201 Created", "application/json");
    }

    fn refusal(&mut self, number: u64, chance: &mut Chance) {
        let text = REFUSALS[(number / 10 % REFUSALS.len() as u64) as usize];
        let _ = chance.next();
        self.body.clear();
        self.body.extend_from_slice(text.as_bytes());
        self.answer("403 Forbidden", if text.starts_with('{') { "application/json" } else { "text/html" });
    }

    fn download(&mut self) {
        self.body.clear();
        self.body.extend((0..DOWNLOAD).map(|index| ((index * 31) >> 3) as u8));
        self.answer("200 OK", "application/octet-stream");
    }

    fn answer(&mut self, status: &str, media_type: &str) {
        self.response.clear();
        let _ = write!(
            self.response,
            "HTTP/1.1 {status}\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 08:00:00 GMT\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nConnection: keep-alive\r\nCache-Control: no-store\r\nVary: Origin\r\nX-Served-By: app-2\r\nX-Frame-Options: DENY\r\n\r\n",
            self.body.len()
        );
        self.response.extend_from_slice(&self.body);
    }
}
