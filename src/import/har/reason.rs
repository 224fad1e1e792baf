//! Why an entry has no response (`status` 0), in the words of whoever recorded it.

/// What recorders say of a request that came to nothing.
#[derive(Debug, Default)]
pub(super) struct Reason {
    said: Option<String>,
}

/// Words that say less than what they hide, and what they mean.
const MEANINGS: &[(&str, &str)] = &[
    (
        "net::ERR_FAILED",
        "the browser does not show the response; most often CORS forbids the page to read it: look at the OPTIONS request \
         before it and at Access-Control-Allow-Origin",
    ),
    ("net::ERR_BLOCKED_BY_CLIENT", "an extension or a policy of the browser blocked it"),
    (
        "net::ERR_BLOCKED_BY_RESPONSE",
        "the response's own policy (CORP, COEP, X-Frame-Options) forbids the page to use it",
    ),
    ("net::ERR_BLOCKED_BY_ORB", "opaque response blocking keeps the response from the page"),
    ("net::ERR_ABORTED", "the page or the user cancelled it"),
    ("net::ERR_CERT", "the browser does not trust the server's certificate"),
    ("mixed-content", "a page over https may not send it over http"),
    ("NS_BINDING_ABORTED", "the page or the user cancelled it"),
    ("NS_ERROR_DOM_CORP_FAILED", "the response's own policy (CORP) forbids the page to use it"),
    ("CORS", "CORS forbids the page to read the response: look at the OPTIONS request before it"),
];

impl Reason {
    /// Whether the value of `key` may be one.
    pub(super) fn is_told_by(key: &[u8]) -> bool {
        matches!(
            key,
            b"_error"
                | b"_errorText"
                | b"_failureText"
                | b"_blockedReason"
                | b"_blocked"
                | b"_corsErrorStatus"
                | b"_charlesStatus"
                | b"_webkitErrorDomain"
                | b"comment"
        )
    }

    /// Takes what a recorder said; the first words that say something count, and an error more than a comment.
    pub(super) fn tell(&mut self, key: &[u8], said: Option<String>) {
        let Some(said) = said.filter(|said| !said.eq_ignore_ascii_case("COMPLETE")) else { return };
        if self.said.is_none() || (key != b"comment" && key != b"_charlesStatus") {
            self.said = Some(said);
        }
    }

    /// The words, with what they mean where that is known.
    pub(super) fn into_text(self, status_text: &[u8]) -> Option<String> {
        let said = self.said.or_else(|| {
            let text = String::from_utf8_lossy(status_text).into_owned();
            (!text.trim().is_empty()).then_some(text)
        })?;
        let meaning = MEANINGS.iter().find(|(word, _)| said.contains(word));
        Some(match meaning {
            Some((_, meaning)) => format!("{said}: {meaning}"),
            None => said,
        })
    }
}
