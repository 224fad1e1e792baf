//! Media types (RFC 9110 §8.3.1): `type/subtype; charset=…; boundary=…`.

use memchr::memchr;

/// A media type as in Content-Type, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaType<'a> {
    /// `application/json`, case kept, parameters removed.
    pub essence: &'a str,
    /// What follows the first semicolon.
    parameters: &'a str,
}

impl<'a> MediaType<'a> {
    /// Reads a Content-Type value; `None` when it is no UTF-8 or has no `type/subtype`.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?.trim();
        let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
        let essence = essence.trim();
        let (kind, subtype) = essence.split_once('/')?;
        let token = |part: &str| !part.is_empty() && part.bytes().all(is_token);
        (token(kind) && token(subtype)).then_some(Self { essence, parameters })
    }
    /// Whether the type is `essence` (lower case), whatever the parameters.
    pub fn is(&self, essence: &str) -> bool {
        self.essence.eq_ignore_ascii_case(essence)
    }
    /// `application` of `application/json`.
    pub fn kind(&self) -> &'a str {
        self.essence.split_once('/').map_or("", |(kind, _)| kind)
    }
    /// `json` of `application/json`.
    pub fn subtype(&self) -> &'a str {
        self.essence.split_once('/').map_or("", |(_, subtype)| subtype)
    }
    /// The structured syntax suffix (RFC 6839): `json` of `application/problem+json`.
    pub fn suffix(&self) -> Option<&'a str> {
        self.subtype().rsplit_once('+').map(|(_, suffix)| suffix)
    }
    /// The value of parameter `name`, ignoring case, without its quotes.
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut rest = self.parameters;
        while !rest.is_empty() {
            let (part, tail) = rest.split_at(parameter_end(rest));
            rest = tail.get(1..).unwrap_or_default();
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            if key.trim().eq_ignore_ascii_case(name) {
                let value = value.trim();
                return Some(value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value));
            }
        }
        None
    }
    /// The `charset` parameter.
    pub fn charset(&self) -> Option<&'a str> {
        self.parameter("charset")
    }
    /// The `boundary` parameter.
    pub fn boundary(&self) -> Option<&'a str> {
        self.parameter("boundary")
    }
    /// JSON, or a type with the suffix `+json`.
    pub fn is_json(&self) -> bool {
        self.is("application/json")
            || self.is("text/json")
            || self.suffix().is_some_and(|suffix| suffix.eq_ignore_ascii_case("json"))
    }
    /// XML, or a type with the suffix `+xml`; not HTML.
    pub fn is_xml(&self) -> bool {
        self.is("application/xml")
            || self.is("text/xml")
            || self.suffix().is_some_and(|suffix| suffix.eq_ignore_ascii_case("xml"))
    }
    /// A URL-encoded form.
    pub fn is_form(&self) -> bool {
        self.is("application/x-www-form-urlencoded")
    }
    /// Any multipart type.
    pub fn is_multipart(&self) -> bool {
        self.kind().eq_ignore_ascii_case("multipart")
    }
}

/// Where the first parameter ends: at a semicolon outside quotes.
fn parameter_end(text: &str) -> usize {
    if memchr(b'"', text.as_bytes()).is_none() {
        return memchr(b';', text.as_bytes()).unwrap_or(text.len());
    }
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

/// A token character (RFC 9110 §5.6.2).
pub(crate) const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::MediaType;

    #[test]
    fn reads_types_and_parameters() {
        let json = MediaType::parse(b"Application/JSON ; Charset=\"utf-8\"").unwrap();
        assert!(json.is_json() && json.is("application/json"));
        assert_eq!(json.charset(), Some("utf-8"));
        let problem = MediaType::parse(b"application/problem+json").unwrap();
        assert!(problem.is_json());
        let form = MediaType::parse(b"multipart/form-data; x=\"a;b\"; boundary=--q").unwrap();
        assert!(form.is_multipart());
        assert_eq!(form.boundary(), Some("--q"));
        assert_eq!(form.parameter("x"), Some("a;b"));
    }

    #[test]
    fn refuses_what_is_no_media_type() {
        for bad in ["", "json", "/", "a/", "/b", "a b/c", "text/pl\u{e9}in"] {
            assert_eq!(MediaType::parse(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(MediaType::parse(b"text/\xff"), None);
    }
}
