//! Reads a query: terms joined by `and` (or nothing), `or`, `not`, parentheses.

use super::keys::{KEYS, Key};
use super::lex::{Placed, Token, quote, split, tokens, unquote};
use super::nearest::nearest;
use super::term::Term;
use super::values;
use super::{FilterError, foreign};

/// Longest query, in bytes.
pub const MAX_QUERY: usize = 4096;
/// Deepest nesting of parentheses and negations.
pub const MAX_DEPTH: usize = 64;

/// A query as a tree.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// All of them; none means everything.
    All(Vec<Node>),
    /// At least one of them.
    Any(Vec<Node>),
    /// Not this.
    Not(Box<Node>),
    /// A term.
    Term(Leaf),
}

/// A term with what people see of it.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    /// `None` for a bare word.
    pub(crate) key: Option<Key>,
    /// The values as typed, quotes made regular.
    pub(crate) shown: String,
    pub(crate) term: Term,
}

/// Reads `text`.
pub(crate) fn parse(text: &str) -> Result<Node, FilterError> {
    if text.len() > MAX_QUERY {
        return fail(MAX_QUERY, format!("the query is longer than {MAX_QUERY} bytes"));
    }
    let tokens = tokens(text)?;
    foreign::check(text, &tokens)?;
    let mut parser = Parser { tokens: &tokens, end: text.len(), depth: 0 };
    let node = parser.any()?;
    match parser.tokens.first() {
        Some((at, _)) => fail(*at, "this `)` has no `(` before it".into()),
        None => Ok(node),
    }
}

struct Parser<'a> {
    tokens: &'a [Placed<'a>],
    end: usize,
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Node, FilterError> {
        let mut nodes = vec![self.all()?];
        while let Some((at, Token::Or)) = self.tokens.first() {
            self.skip();
            let next = self.all()?;
            let empty = |node: Option<&Node>| matches!(node, Some(Node::All(nodes)) if nodes.is_empty());
            if empty(nodes.last()) || empty(Some(&next)) {
                return fail(*at, "`or` needs a term on both sides; quote it to search for the word".into());
            }
            nodes.push(next);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Any(nodes) })
    }

    fn all(&mut self) -> Result<Node, FilterError> {
        let mut nodes = Vec::new();
        loop {
            match self.tokens.first() {
                None | Some((_, Token::Close | Token::Or)) => break,
                Some((at, Token::And)) => {
                    self.skip();
                    let more =
                        matches!(self.tokens.first(), Some((_, Token::Open | Token::Not | Token::Word(_))));
                    if nodes.is_empty() || !more {
                        return fail(
                            *at,
                            "`and` needs a term on both sides; quote it to search for the word".into(),
                        );
                    }
                }
                _ => nodes.push(self.one()?),
            }
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::All(nodes) })
    }

    fn one(&mut self) -> Result<Node, FilterError> {
        let Some((at, token)) = self.tokens.first().copied() else {
            return fail(self.end, "a term is missing at the end".into());
        };
        self.skip();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return fail(at, format!("nested deeper than {MAX_DEPTH} levels"));
        }
        let node = match token {
            Token::Word(word) => leaf(word, at).map(Node::Term),
            Token::Not
                if matches!(self.tokens.first(), Some((_, Token::Open | Token::Not | Token::Word(_)))) =>
            {
                self.one().map(|node| Node::Not(Box::new(node)))
            }
            Token::Open => self.group(at),
            _ => fail(at, "a term is missing after `not`".into()),
        };
        self.depth -= 1;
        node
    }

    fn group(&mut self, at: usize) -> Result<Node, FilterError> {
        let node = self.any()?;
        match self.tokens.first() {
            Some((_, Token::Close)) => {
                self.skip();
                Ok(node)
            }
            _ => fail(at, "this `(` is never closed".into()),
        }
    }

    fn skip(&mut self) {
        self.tokens = self.tokens.get(1..).unwrap_or_default();
    }
}

fn leaf(word: &str, at: usize) -> Result<Leaf, FilterError> {
    match split(word, ':').get(1) {
        Some((start, _)) if is_name(word.get(..start - 1).unwrap_or_default()) => {
            let name = word.get(..start - 1).unwrap_or_default();
            let raw = word.get(*start..).unwrap_or_default();
            let Some(key) = Key::named(name) else { return fail(at, unknown(name, raw)) };
            let term = values::compile(key, raw, at + start)?;
            Ok(Leaf { key: Some(key), shown: regular(raw), term })
        }
        _ => Ok(Leaf { key: None, shown: regular(word), term: values::bare(word, at)? }),
    }
}

/// Whether `name` before a colon is meant as a key. `example.com:8080` is a word; `request.body:` is none.
fn is_name(name: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_');
    match name.split_once('.') {
        Some((side, part)) => matches!(side, "request" | "response") && part.bytes().all(letters),
        None => !name.is_empty() && name.bytes().all(letters),
    }
}

/// Values with quotes only where they are needed or where they mean something.
fn regular(raw: &str) -> String {
    let part = |(_, part): (usize, &str)| {
        if !part.contains('"') {
            return part.to_owned();
        }
        let (text, quoted) = unquote(part);
        if quoted { quote(&text) } else { part.to_owned() }
    };
    split(raw, ',').into_iter().map(part).collect::<Vec<_>>().join(",")
}

fn unknown(name: &str, raw: &str) -> String {
    let keys = KEYS.iter().flat_map(|info| std::iter::once(info.name).chain(info.aliases.iter().copied()));
    if let Some(message) = foreign::key(name, raw) {
        return message;
    }
    let hint = match nearest(name, keys) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "`?` lists the keys; quote the text to search for it".into(),
    };
    format!("unknown key `{name}`: {hint}")
}

fn fail<T>(position: usize, message: String) -> Result<T, FilterError> {
    Err(FilterError { position, message })
}
