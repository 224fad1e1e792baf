//! A message as one list of named values: fields, cookies, query parameters, token claims, body leaves. Comparison lines
//! up two such lists, noise learning watches how they change.

use std::borrow::Cow;

use serde_json::Value;

use crate::features::coding::MAX_DECODED;
use crate::features::names::Which;
use crate::features::request::parsed_request::ParsedRequest;
use crate::features::{
    Json, JsonKind, MediaType, Sniffed, Token, content, json, multipart, parameters, sniff,
};
use crate::model::{Body, Fields, Part, Response};

/// Most items of one message.
pub const MAX_ITEMS: usize = 768;
/// Most leaves of one body that become items.
pub const MAX_LEAVES: usize = 256;
/// Deepest nesting of claims that is followed.
const MAX_CLAIM_DEPTH: usize = 4;

/// One named value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Which part of the message.
    pub part: Part,
    /// Field name in lower case, cookie name, decoded parameter name, claim (`realm_access.roles`, `header.kid`), JSON
    /// path or form field.
    pub name: Cow<'a, str>,
    /// Its value: raw for fields and cookies, decoded for parameters and JSON strings.
    pub value: Cow<'a, [u8]>,
    /// What kind of JSON value it is.
    pub kind: Option<JsonKind>,
}

impl Item<'_> {
    fn into_owned(self) -> Item<'static> {
        Item {
            part: self.part,
            name: self.name.into_owned().into(),
            value: self.value.into_owned().into(),
            kind: self.kind,
        }
    }
}

/// The items of a request, in the order field, cookie, query, claim, body. The Cookie field itself is not among them.
pub fn request_items<'s>(parsed: &'s ParsedRequest<'_>) -> Vec<Item<'s>> {
    request_items_given(parsed, &parsed.tokens)
}

/// The same with the claims of these tokens.
pub fn request_items_given<'s>(parsed: &'s ParsedRequest<'_>, tokens: &[Token<'_>]) -> Vec<Item<'s>> {
    let fields = parsed.fields.iter().take(MAX_LEAVES).filter(|(name, _)| name.which != Which::Cookie);
    let mut items = Vec::with_capacity(64);
    items.extend(fields.map(|(name, value)| {
        let item = plain(Part::RequestHeader, Cow::Borrowed(&name.text), value);
        if item.name == "set-cookie" { set_cookie(item) } else { item }
    }));
    let cookies = parsed.cookies.iter().take(MAX_LEAVES);
    items.extend(
        cookies.map(|cookie| plain(Part::Cookie, String::from_utf8_lossy(cookie.name), cookie.value)),
    );
    items.extend(parsed.query.iter().take(MAX_LEAVES).map(|parameter| Item {
        part: Part::Query,
        name: parameter.name(),
        value: parameter.value(),
        kind: None,
    }));
    for (at, token) in tokens.iter().enumerate() {
        claims(token, at > 0, &mut items);
    }
    let part = Part::RequestBody;
    match &parsed.json {
        _ if parsed.undecoded || parsed.request.body.kept.is_empty() => {}
        Some(json) => items.extend(json.leaves.iter().take(MAX_LEAVES).map(|leaf| Item {
            part,
            name: Cow::Borrowed(&leaf.path),
            value: bytes(leaf.text()),
            kind: Some(leaf.kind),
        })),
        None => content_items(parsed.media, &parsed.content, part, &mut items),
    }
    items.truncate(MAX_ITEMS);
    items
}

fn bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// The items of a response: its fields (Set-Cookie under the cookie's name: `set-cookie:sid`) and body leaves.
pub fn response_items(response: &Response) -> Vec<Item<'_>> {
    let fields = response.head.fields();
    let mut items = field_items(fields, Part::ResponseHeader);
    body_items(fields, &response.body, Part::ResponseBody, &mut items);
    items.truncate(MAX_ITEMS);
    items
}

/// The items of a response's head alone.
pub fn fields_only(fields: &Fields) -> Vec<Item<'_>> {
    field_items(fields, Part::ResponseHeader)
}

fn plain<'a>(part: Part, name: Cow<'a, str>, value: &'a [u8]) -> Item<'a> {
    Item { part, name, value: Cow::Borrowed(value), kind: None }
}

fn field_items(fields: &Fields, part: Part) -> Vec<Item<'_>> {
    fields
        .iter()
        .take(MAX_LEAVES)
        .filter(|field| !field.name.eq_ignore_ascii_case(b"cookie"))
        .map(|field| plain(part, lower(field.name), field.value))
        .map(|item| if item.name == "set-cookie" { set_cookie(item) } else { item })
        .collect()
}

fn set_cookie(item: Item<'_>) -> Item<'_> {
    let name = item.value.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
    let name = format!("set-cookie:{}", String::from_utf8_lossy(name.get(..64).unwrap_or(name)));
    Item { name: name.into(), ..item }
}

fn lower(name: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(name);
    if name.iter().any(u8::is_ascii_uppercase) { Cow::Owned(text.to_ascii_lowercase()) } else { text }
}

fn claims(token: &Token<'_>, qualified: bool, items: &mut Vec<Item<'_>>) {
    let prefix = if qualified { format!("{}:", token.place.name) } else { String::new() };
    for (name, value) in &token.jwt.header {
        claim(format!("{prefix}header.{name}"), value, 0, items);
    }
    for (name, value) in &token.jwt.claims {
        claim(format!("{prefix}{name}"), value, 0, items);
    }
}

fn claim(name: String, value: &Value, depth: usize, items: &mut Vec<Item<'_>>) {
    if items.len() >= MAX_ITEMS || name.len() > json::MAX_PATH {
        return;
    }
    if let Value::Object(map) = value
        && depth < MAX_CLAIM_DEPTH
        && !map.is_empty()
    {
        for (key, value) in map {
            claim(format!("{name}.{key}"), value, depth + 1, items);
        }
        return;
    }
    let (kind, text) = match value {
        Value::Null => (JsonKind::Null, "null".to_owned()),
        Value::Bool(value) => (JsonKind::Bool, value.to_string()),
        Value::Number(value) => (JsonKind::Number, value.to_string()),
        Value::String(text) => (JsonKind::String, text.clone()),
        Value::Array(_) => (JsonKind::Array, value.to_string()),
        Value::Object(_) => (JsonKind::Object, value.to_string()),
    };
    items.push(Item {
        part: Part::Claim,
        name: name.into(),
        value: text.into_bytes().into(),
        kind: Some(kind),
    });
}

fn body_items<'a>(fields: &'a Fields, body: &'a Body, part: Part, items: &mut Vec<Item<'a>>) {
    if body.kept.is_empty() {
        return;
    }
    let media = fields.value("content-type").and_then(MediaType::parse);
    let content = content::read(fields, &body.kept, MAX_DECODED);
    match content.bytes {
        _ if content.problem.is_some() && content.undone.is_empty() => {}
        Cow::Borrowed(bytes) => content_items(media, bytes, part, items),
        Cow::Owned(bytes) => {
            let mut decoded = Vec::new();
            content_items(media, &bytes, part, &mut decoded);
            items.extend(decoded.into_iter().map(|item| -> Item<'a> { item.into_owned() }));
        }
    }
}

fn content_items<'a>(media: Option<MediaType<'_>>, content: &'a [u8], part: Part, items: &mut Vec<Item<'a>>) {
    let looks = sniff(content);
    if matches!(looks, Sniffed::Json | Sniffed::InvalidJson) {
        let Json { leaves, .. } = json::flatten(content);
        items.extend(leaves.into_iter().take(MAX_LEAVES).map(|leaf| Item {
            part,
            value: bytes(leaf.text()),
            name: leaf.path.into(),
            kind: Some(leaf.kind),
        }));
    } else if looks == Sniffed::Form || (looks == Sniffed::Text && media.is_some_and(|media| media.is_form()))
    {
        let form = parameters(content).take(MAX_LEAVES);
        items.extend(form.map(|field| Item { part, name: field.name(), value: field.value(), kind: None }));
    } else if let Some(boundary) = media.filter(MediaType::is_multipart).and_then(|media| media.boundary()) {
        for field in multipart::fields(content, boundary) {
            let name = String::from_utf8_lossy(field.name);
            if let Some(file) = field.filename {
                items.push(plain(part, format!("{name}.filename").into(), file));
            }
            items.push(plain(part, name, field.value));
        }
    }
}

/// `$.items[3].sku` → `$.items[*].sku`: the name under which all elements of a list are learnt.
pub fn any_index(path: &str) -> Cow<'_, str> {
    if !path.starts_with('$') || memchr::memchr(b'[', path.as_bytes()).is_none() {
        return Cow::Borrowed(path);
    }
    let mut name = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((head, tail)) = rest.split_once('[') {
        name.push_str(head);
        let digits = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let index = digits > 0 && tail.get(digits..).is_some_and(|tail| tail.starts_with(']'));
        name.push_str(if index { "[*" } else { "[" });
        rest = if index { tail.get(digits..).unwrap_or_default() } else { tail };
    }
    name.push_str(rest);
    Cow::Owned(name)
}

#[cfg(test)]
mod tests {
    use super::{any_index, request_items, response_items};
    use crate::features::request::parsed_request::ParsedRequest;
    use crate::features::tests::{request, response};
    use serde_json::json;

    fn shown(items: &[super::Item]) -> Vec<String> {
        let show = |item: &super::Item| {
            format!("{} {}={}", item.part.as_str(), item.name, String::from_utf8_lossy(&item.value))
        };
        items.iter().map(show).collect()
    }

    #[test]
    fn lists_a_request() {
        let token = crate::features::jwt::tests::token(&json!({"sub": "a", "realm": {"roles": ["x"]}}));
        let bearer = format!("Bearer {token}");
        let lines = [
            ("Host", "h"),
            ("Authorization", &*bearer),
            ("Cookie", "a=1; a=2"),
            ("Content-Type", "application/json"),
        ];
        let request = request("POST", "/p?q=%20&r", &lines, br#"{"n":[{"k":"v"},7]}"#);
        let expected = [
            "request.header host=h",
            &format!("request.header authorization={bearer}"),
            "request.header content-type=application/json",
            "request.cookie a=1",
            "request.cookie a=2",
            "request.query q= ",
            "request.query r=",
            "request.claim header.alg=HS256",
            "request.claim realm.roles=[\"x\"]",
            "request.claim sub=a",
            "request.body $.n[0].k=v",
            "request.body $.n[1]=7",
        ];
        assert_eq!(shown(&request_items(&ParsedRequest::of(&request))), expected);
    }

    #[test]
    fn lists_forms_and_responses() {
        let form =
            request("POST", "/", &[("Content-Type", "application/x-www-form-urlencoded")], b"a=1&b=x+y");
        assert_eq!(
            shown(&request_items(&ParsedRequest::of(&form)))[1..],
            ["request.body a=1", "request.body b=x y"]
        );
        let response =
            response(403, &[("Set-Cookie", "sid=1; Path=/"), ("Server", "x")], b"{\"error\":\"no\"}");
        let expected = [
            "response.header set-cookie:sid=sid=1; Path=/",
            "response.header server=x",
            "response.body $.error=no",
        ];
        assert_eq!(shown(&response_items(&response)), expected);
    }

    #[test]
    fn list_elements_share_a_name() {
        for (path, name) in [
            ("$.a[3].b[0]", "$.a[*].b[*]"),
            ("$['a[1]'][2]", "$['a[*]'][*]"),
            ("a[1]", "a[1]"),
            ("$.a[x]", "$.a[x]"),
        ] {
            assert_eq!(any_index(path), name);
        }
    }
}
