//! Filters of other tools. Taken as words to search for they would match nothing and say nothing, so they are answered with the
//! term that means the same here. In quotes they are words again.

use super::FilterError;
use super::keys::Key;
use super::lex::{Placed, Token, quote, unquote};

/// Operators of mitmproxy, and what they are here; `{}` is the value.
const MITMPROXY: &[(&str, &str)] = &[
    ("~m", "method:{}"),
    ("~c", "status:{}"),
    ("~u", "target:{}"),
    ("~d", "host:{}"),
    ("~b", "body:{}"),
    ("~bq", "request.body:{}"),
    ("~bs", "response.body:{}"),
    ("~h", "header:{}"),
    ("~hq", "request.header:{}"),
    ("~hs", "response.header:{}"),
    ("~src", "client:{}"),
    ("~dst", "server:{}"),
    ("~t", "header:content-type={}"),
    ("~tq", "request.header:content-type={}"),
    ("~ts", "response.header:content-type={}"),
    ("~q", "is:unanswered"),
    ("~s", "is:answered"),
    ("~e", "is:unanswered"),
    ("~a", "path:/\\.(js|css|png|gif|svg)$/"),
    ("~all", "*"),
];

/// Fields of Wireshark.
const WIRESHARK: &[(&str, &str)] = &[
    ("http.response.code", "status:{}"),
    ("http.response.phrase", "response.header:{}"),
    ("http.request.method", "method:{}"),
    ("http.host", "host:{}"),
    ("http.request.uri", "target:{}"),
    ("http.request.full_uri", "target:{}"),
    ("http.request.uri.path", "path:{}"),
    ("http.request.uri.query", "target:{}"),
    ("http.request.uri.query.parameter", "query:{}"),
    ("http.user_agent", "request.header:user-agent={}"),
    ("http.referer", "request.header:referer={}"),
    ("http.cookie", "request.header:cookie={}"),
    ("http.set_cookie", "response.header:set-cookie={}"),
    ("http.authorization", "request.header:authorization={}"),
    ("http.content_type", "header:content-type={}"),
    ("http.content_length", "header:content-length={}"),
    ("http.server", "response.header:server={}"),
    ("http.location", "response.header:location={}"),
    ("http.request.line", "request.header:{}"),
    ("http.response.line", "response.header:{}"),
    ("http.file_data", "body:{}"),
    ("http.time", "latency:{}"),
    ("ip.addr", "client:{}"),
    ("ip.src", "client:{}"),
    ("ip.dst", "server:{}"),
    ("ipv6.addr", "client:{}"),
    ("ipv6.src", "client:{}"),
    ("ipv6.dst", "server:{}"),
    ("tcp.port", "port:{}"),
    ("tcp.dstport", "port:{}"),
    ("tcp.srcport", "port:{}"),
    ("frame.time", "since:{}"),
];

/// Protocols whose fields Wireshark names so.
const PROTOCOLS: [&str; 10] =
    ["http.", "http2.", "ip.", "ipv6.", "tcp.", "udp.", "frame.", "eth.", "tls.", "json."];

/// Operators between a field and a value, in signs and in words.
const OPERATORS: [&str; 19] = [
    "==", "===", "!=", ">=", "<=", ">", "<", "~", "=~", "~=", "!~", "=", "eq", "ne", "gt", "lt", "ge", "le",
    "contains",
];

/// Keys of the network panel of Chrome and of other tools; none where there is no such thing here.
const KEYS: &[(&str, Option<&str>)] = &[
    ("status-code", Some("status:{}")),
    ("domain", Some("host:{}")),
    ("mime-type", Some("response.header:content-type={}")),
    ("larger-than", Some("response-size:>{}")),
    ("has-response-header", Some("response.header:{}")),
    ("has-request-header", Some("request.header:{}")),
    ("cookie-name", Some("cookie:{}")),
    ("cookie-value", Some("request.header:cookie={}")),
    ("cookie-domain", Some("response.header:set-cookie={}")),
    ("cookie-path", Some("response.header:set-cookie={}")),
    ("set-cookie-name", Some("response.header:set-cookie={}")),
    ("set-cookie-value", Some("response.header:set-cookie={}")),
    ("set-cookie-domain", Some("response.header:set-cookie={}")),
    ("scheme", None),
    ("mixed-content", None),
    ("priority", None),
    ("resource-type", None),
    ("verb", Some("method:{}")),
    ("contains", Some("body:{}")),
    ("reqheader", Some("request.header:{}")),
    ("resheader", Some("response.header:{}")),
    ("respheader", Some("response.header:{}")),
    ("reqbody", Some("request.body:{}")),
    ("resbody", Some("response.body:{}")),
    ("respbody", Some("response.body:{}")),
    ("content-type", Some("header:content-type={}")),
    ("user-agent", Some("request.header:user-agent={}")),
    ("referer", Some("request.header:referer={}")),
    ("source", Some("client:{}")),
    ("destination", Some("server:{}")),
    ("duration", Some("latency:{}")),
    ("length", Some("size:{}")),
];

/// Refuses the first term of `text` that is another tool's.
pub(crate) fn check(text: &str, tokens: &[Placed<'_>]) -> Result<(), FilterError> {
    let word = |at: usize| match (tokens.get(at), tokens.get(at + 1)) {
        (Some((_, Token::Word(word))), _) => Some(*word),
        // `!=` is "not" and a word for the query language.
        (Some((not, Token::Not)), Some((next, Token::Word("=" | "~")))) => text.get(*not..=*next),
        _ => None,
    };
    for (at, (position, token)) in tokens.iter().enumerate() {
        let Token::Word(first) = token else { continue };
        // What stands after an operator of two tokens is one further on.
        let second = word(at + 1);
        let after = at + 2 + usize::from(second.is_some_and(|second| matches!(second, "!=" | "!~")));
        let next = [second, word(after)];
        let message = mitmproxy(first, next[0])
            .or_else(|| comparison(first, next))
            .or_else(|| capture_filter(first, next))
            .or_else(|| pattern(first, next[0]));
        if let Some(message) = message {
            return Err(FilterError { position: *position, message });
        }
    }
    Ok(())
}

/// What to say about `name:value`, when `name` is a key of another tool.
pub(crate) fn key(name: &str, value: &str) -> Option<String> {
    let (_, ours) = KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(match ours {
        Some(ours) => format!("unknown key `{name}`: write `{}`", filled(ours, value)),
        None => format!("unknown key `{name}`: there is no such filter here; `?` lists the keys"),
    })
}

fn mitmproxy(word: &str, next: Option<&str>) -> Option<String> {
    let joined = matches!(word, "&" | "|");
    if joined {
        let ours = if word == "&" { "and" } else { "or" };
        return Some(format!("`{word}` does not join terms: write `{ours}`"));
    }
    let (_, ours) = MITMPROXY.iter().find(|(known, _)| *known == word)?;
    Some(format!("`{word}` is mitmproxy's: write `{}`", filled(ours, next.unwrap_or("…"))))
}

/// `field == value` in one word or three.
fn comparison(word: &str, next: [Option<&str>; 2]) -> Option<String> {
    let signs = word.find(['=', '!', '<', '>', '~']);
    let (name, operator, value) = match signs {
        Some(at) => {
            let (name, rest) = word.split_at(at);
            let value = rest.trim_start_matches(['=', '!', '<', '>', '~']);
            let operator = rest.get(..rest.len() - value.len())?;
            // `status== 403`
            (name, Some(operator), if value.is_empty() { next[0].unwrap_or("…") } else { value })
        }
        None => {
            let operator = next[0].filter(|next| OPERATORS.contains(next) || *next == "matches");
            (word, operator, next[1].unwrap_or("…"))
        }
    };
    if let Some((_, ours)) = WIRESHARK.iter().find(|(known, _)| *known == name) {
        let ours = compared(ours, operator.unwrap_or("=="), value);
        return Some(format!("`{name}` is Wireshark's: write `{ours}`"));
    }
    let operator = operator?;
    if PROTOCOLS.iter().any(|protocol| name.starts_with(protocol)) {
        return Some(format!(
            "`{name} {operator} …` is a display filter of Wireshark: terms here are key:value, `?` lists the keys"
        ));
    }
    let key = Key::named(name)?;
    // `status=403` may stand in a target, but hardly ever does; `v=2` often does.
    let in_target = operator == "=" && signs.is_some();
    let surely = match key {
        Key::Status => value.len() == 3 && value.bytes().all(|byte| byte.is_ascii_digit()),
        Key::Method => value.bytes().all(|byte| byte.is_ascii_uppercase()),
        _ => false,
    };
    let known = OPERATORS.contains(&operator) || operator == "matches";
    (known && (!in_target || surely)).then(|| {
        let ours = compared(&format!("{}:{{}}", key.name()), operator, value);
        format!("`{name}{operator}` is no term here: write `{ours}`")
    })
}

/// `ours` with a value that is compared by `operator`.
fn compared(ours: &str, operator: &str, value: &str) -> String {
    let value = unquote(value).0;
    let sign = match operator {
        ">=" | "ge" => ">=",
        "<=" | "le" => "<=",
        ">" | "gt" => ">",
        "<" | "lt" => "<",
        _ => "",
    };
    let not = if matches!(operator, "!=" | "ne" | "!~") { "-" } else { "" };
    let value = if operator == "matches" { format!("/{value}/") } else { format!("{sign}{value}") };
    format!("{not}{}", filled(ours, &value))
}

/// A capture filter, as tcpdump and ngrep take it.
fn capture_filter(word: &str, next: [Option<&str>; 2]) -> Option<String> {
    let address = |text: &str| {
        let plain = text.split('/').next().unwrap_or_default();
        plain == "localhost" || plain.contains('.') || plain.parse::<std::net::IpAddr>().is_ok()
    };
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let [first, second] = next;
    let (side, kind, value) = match (word, first, second) {
        ("src" | "dst", Some(kind @ ("host" | "net" | "port")), Some(value)) => (word, kind, value),
        ("src" | "dst", Some(value), _) if address(value) => (word, "host", value),
        ("tcp" | "udp", Some(kind @ ("port" | "portrange")), Some(value)) => ("", kind, value),
        ("host" | "net", Some(value), _) if address(value) => ("", word, value),
        ("port" | "portrange", Some(value), _) if number(value) => ("", word, value),
        _ => return word.starts_with("tcp[").then(|| capture(word, "port:80")),
    };
    let ours = match (kind, side) {
        ("port" | "portrange", _) => format!("port:{value}"),
        (_, "dst") => format!("server:{value}"),
        _ => format!("client:{value}"),
    };
    let typed = [word, first.unwrap_or_default()].join(" ");
    Some(capture(&typed, &ours))
}

fn capture(typed: &str, ours: &str) -> String {
    format!("`{typed}` is a capture filter: write `{ours}`, or put it after the options without -Y")
}

/// A pattern of ngrep.
fn pattern(word: &str, next: Option<&str>) -> Option<String> {
    if let Some(rest) = word.strip_prefix('^') {
        return Some(format!(
            "`^` has a meaning only between slashes: write `/^{rest}/` for the target, `method:{}` for the method",
            rest.split(' ').next().unwrap_or_default()
        ));
    }
    let version = word.strip_prefix("HTTP/1.").is_some_and(|minor| minor.len() <= 4);
    let status = next.filter(|next| next.len() == 3 && next.bytes().all(|byte| byte.is_ascii_digit()))?;
    version.then(|| format!("`{word} {status}` is not searched for: write `status:{status}`"))
}

fn filled(ours: &str, value: &str) -> String {
    let value = unquote(value).0;
    let value = if value.contains(|c: char| c.is_whitespace() || c == '"') { quote(&value) } else { value };
    ours.replacen("{}", &value, 1)
}

#[cfg(test)]
mod tests {
    use crate::filter::Filter;

    #[test]
    fn terms_of_other_tools_are_answered_with_ours() {
        for (query, ours) in [
            ("http.response.code == 403", "status:403"),
            ("http.response.code==403", "status:403"),
            ("http.response.code >= 400 && ip.addr == 10.0.0.1", "status:>=400"),
            ("status:403 ip.addr==10.0.0.1", "client:10.0.0.1"),
            ("http.request.method==POST", "method:POST"),
            ("http.request.method != \"POST\"", "-method:POST"),
            ("http.host contains \"api\"", "host:api"),
            ("http.user_agent matches \"curl/.*\"", "request.header:user-agent=/curl/.*/"),
            ("http.authorization", "request.header:authorization=…"),
            ("tcp.stream eq 5", "key:value"),
            ("frame.len>100", "key:value"),
            ("~m POST", "method:POST"),
            ("~c 403 & ~m POST", "status:403"),
            ("!~u /v1", "target:/v1"),
            ("(~b denied)", "body:denied"),
            ("~bs \"access denied\"", "response.body:\"access denied\""),
            ("~hq authorization", "request.header:authorization"),
            ("method:POST & status:403", "and"),
            ("status:403 | status:401", "or"),
            ("host~api", "host:api"),
            ("host ~ api", "host:api"),
            ("path=~/v1", "path:/v1"),
            ("status==403", "status:403"),
            ("status=403", "status:403"),
            ("status != 200", "-status:200"),
            ("latency>500ms", "latency:>500ms"),
            ("method=POST", "method:POST"),
            ("status-code:403", "status:403"),
            ("method:POST -domain:api.test", "host:api.test"),
            ("mime-type:application/json", "response.header:content-type=application/json"),
            ("larger-than:1k", "response-size:>1k"),
            ("resource-type:xhr", "no such filter"),
            ("reqheader:x", "request.header:x"),
            ("contains:x", "body:x"),
            ("tcp port 8080", "port:8080"),
            ("port 8080", "port:8080"),
            ("portrange 80-90", "port:80-90"),
            ("host 10.0.0.1", "client:10.0.0.1"),
            ("dst host api.test and port 80", "server:api.test"),
            ("src 10.0.0.0/8", "client:10.0.0.0/8"),
            ("tcp[13] & 2 != 0", "port:80"),
            ("^POST", "method:POST"),
            ("HTTP/1.1 403", "status:403"),
            ("request.bdoy:x", "request.body"),
        ] {
            let error = Filter::parse(query).unwrap_err();
            assert!(error.message.contains(ours), "{query}: {error}");
        }
    }

    #[test]
    fn words_stay_words() {
        for query in [
            "users",
            "v=2",
            "id=7",
            "a==b",
            "/~user/x",
            "~user",
            "example.com:8080",
            "host",
            "port",
            "http.txt",
            "\"http.host\"",
            "\"~m\" POST",
            "\"host~api\"",
            "status=active",
            "header:x=~y",
            "header:a==b",
            "latency:>5ms",
            "query:a=b",
            "/x|y/",
            "path:/^.V1/",
            "HTTP/1.1",
            "tcp",
            "src",
        ] {
            Filter::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        }
    }
}
