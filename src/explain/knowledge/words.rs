//! Words of codes and prose alike: `AccessTokenScopeInsufficient`, `access_token_scope_insufficient` and
//! "the access token's scope is insufficient" give the same words, so that one lexicon reads them all.

/// Most bytes of one utterance that are read.
const LIMIT: usize = 2048;

/// Lower-case words joined and framed by single spaces; camelCase, snake_case, kebab-case and dots are taken apart.
/// Linear in the length of `text`, of which the first 2 KiB count.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LIMIT) * 5 / 4 + 8);
    out.push(' ');
    if text.is_ascii() {
        fold_ascii(text.as_bytes(), &mut out);
        return out;
    }
    let mut before = ' ';
    let mut chars = text.chars().take(LIMIT).peekable();
    while let Some(this) = chars.next() {
        if this.is_alphanumeric() {
            let follows_lower = chars.peek().is_some_and(|next| next.is_lowercase());
            let hump =
                this.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && follows_lower));
            if hump && !out.ends_with(' ') {
                out.push(' ');
            }
            out.extend(this.to_lowercase());
        } else if !matches!(this, '\'' | '\u{2019}') && !out.ends_with(' ') {
            out.push(' ');
        }
        before = this;
    }
    if !out.ends_with(' ') {
        out.push(' ');
    }
    out
}

/// The same where every character is one byte.
fn fold_ascii(text: &[u8], out: &mut String) {
    let (mut before, mut spaced) = (b' ', true);
    let mut bytes = text.iter().copied().take(LIMIT).peekable();
    while let Some(this) = bytes.next() {
        if this.is_ascii_alphanumeric() {
            let mut follows_lower = || bytes.peek().is_some_and(u8::is_ascii_lowercase);
            let mut hump = false;
            if this.is_ascii_uppercase() {
                hump = before.is_ascii_lowercase() || (before.is_ascii_uppercase() && follows_lower());
            }
            if hump && !spaced {
                out.push(' ');
            }
            out.push(char::from(this.to_ascii_lowercase()));
            spaced = false;
        } else if this != b'\'' && !spaced {
            out.push(' ');
            spaced = true;
        }
        before = this;
    }
    if !spaced {
        out.push(' ');
    }
}

/// How often: `once`, `7 times`.
pub fn times(count: impl Into<u64>) -> String {
    match count.into() {
        1 => "once".into(),
        count => format!("{count} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn codes_and_prose_fold_alike() {
        assert_eq!(fold("AccessTokenScopeInsufficient"), " access token scope insufficient ");
        assert_eq!(fold("ACCESS_TOKEN_SCOPE-insufficient"), " access token scope insufficient ");
        assert_eq!(fold("You don't own it."), " you dont own it ");
        assert_eq!(fold("EBADCSRFTOKEN"), " ebadcsrftoken ");
        assert_eq!(fold("IPAddressDenied"), " ip address denied ");
    }

    #[test]
    fn plain_text_folds_as_any_other() {
        for text in ["", "'", "IPAddress denied", "aB'c  D_e--F", "HTTPServer2 XMLs", "don't", "A.", " x "] {
            let mut whole = fold(&format!("{text} \u{e9}"));
            assert!(whole.ends_with("\u{e9} "));
            whole.truncate(whole.len() - "\u{e9} ".len());
            assert_eq!(fold(text), whole, "{text}");
        }
    }
}
