//! Cuts a query into words, parentheses and signs, with their places.

use super::FilterError;

/// A piece of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `not`, `!`, or `-` before a term.
    Not,
    /// `and`, `&&`.
    And,
    /// `or`, `||`.
    Or,
    /// A term, quotes and escapes still in it.
    Word(&'a str),
}

/// A piece with the offset at which it begins.
pub(crate) type Placed<'a> = (usize, Token<'a>);

/// All pieces of `text`.
pub(crate) fn tokens(text: &str) -> Result<Vec<Placed<'_>>, FilterError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let blank = rest.len() - rest.trim_start().len();
        at += blank;
        let rest = rest.get(blank..).unwrap_or_default();
        let Some(first) = rest.chars().next() else { break };
        let signed = rest.chars().nth(1).is_some_and(|next| !next.is_whitespace() && next != ')');
        match first {
            '(' => found.push((at, Token::Open)),
            ')' => found.push((at, Token::Close)),
            '!' | '-' if signed => found.push((at, Token::Not)),
            _ => {
                let word = rest.get(..word_end(rest, at)?).unwrap_or(rest);
                found.push((at, of_word(word)));
                at += word.len();
                continue;
            }
        }
        at += 1;
    }
    Ok(found)
}

fn of_word(word: &str) -> Token<'_> {
    match word {
        "and" | "AND" | "&&" => Token::And,
        "or" | "OR" | "||" => Token::Or,
        "not" | "NOT" | "!" => Token::Not,
        _ => Token::Word(word),
    }
}

/// Where the word at the start of `rest` ends: at a blank or a `)` without its `(`, outside quotes.
fn word_end(rest: &str, at: usize) -> Result<usize, FilterError> {
    let mut depth = 0_u32;
    let mut chars = rest.char_indices();
    while let Some((place, c)) = chars.next() {
        match c {
            '"' => loop {
                match chars.next() {
                    None => {
                        let message =
                            "this quote is never closed: add another \" at the end of the text".into();
                        return Err(FilterError { position: at + place, message });
                    }
                    Some((_, '\\')) => {
                        chars.next();
                    }
                    Some((_, '"')) => break,
                    Some(_) => {}
                }
            },
            '(' => depth += 1,
            ')' if depth == 0 => return Ok(place),
            ')' => depth -= 1,
            c if c.is_whitespace() => return Ok(place),
            _ => {}
        }
    }
    Ok(rest.len())
}

/// Splits at `separator` outside quotes; gives each part with its offset.
pub(crate) fn split(text: &str, separator: char) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if c == separator && !quoted => {
                parts.push((start, text.get(start..at).unwrap_or_default()));
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push((start, text.get(start..).unwrap_or_default()));
    parts
}

/// Undoes quotes: the text, and whether all of it was quoted.
pub(crate) fn unquote(text: &str) -> (String, bool) {
    let mut plain = String::with_capacity(text.len());
    let (mut quoted, mut bare) = (false, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' if quoted => plain.extend(chars.next()),
            c => {
                bare |= !quoted;
                plain.push(c);
            }
        }
    }
    (plain, !bare && text.starts_with('"'))
}

/// `text` in quotes.
pub(crate) fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::{Token, quote, split, tokens, unquote};

    #[test]
    fn cuts_words() {
        let text = r#"a:b (not -c or "d e") x:(y|z)) - !"#;
        let all: Vec<_> = tokens(text).unwrap();
        let expected = [
            (0, Token::Word("a:b")),
            (4, Token::Open),
            (5, Token::Not),
            (9, Token::Not),
            (10, Token::Word("c")),
            (12, Token::Or),
            (15, Token::Word("\"d e\"")),
            (20, Token::Close),
            (22, Token::Word("x:(y|z)")),
            (29, Token::Close),
            (31, Token::Word("-")),
            (33, Token::Not),
        ];
        assert_eq!(all, expected);
        assert_eq!(tokens("a \"b").unwrap_err().position, 2);
    }

    #[test]
    fn quotes_round_trip() {
        for text in ["", "a", "a b", "a\"b", "a\\b", "\\\"", "é,:("] {
            assert_eq!(unquote(&quote(text)), (text.to_owned(), true));
        }
        assert_eq!(unquote("a\"b c\"d"), ("ab cd".to_owned(), false));
        assert_eq!(split("a,\"b,c\",d", ','), [(0, "a"), (2, "\"b,c\""), (8, "d")]);
    }
}
