//! Shows a query: in the language itself, and in words.

use std::fmt::{self, Display, Write};

use super::parse::{Leaf, Node};
use super::term::{Named, Term};
use super::values::text::Text;

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self, f, false)
    }
}

fn write(node: &Node, f: &mut fmt::Formatter<'_>, inner: bool) -> fmt::Result {
    let (nodes, between) = match node {
        Node::Term(leaf) => return leaf.fmt(f),
        Node::Not(node) => {
            f.write_str("not ")?;
            return write(node, f, true);
        }
        Node::All(nodes) => (nodes, " "),
        Node::Any(nodes) => (nodes, " or "),
    };
    if inner {
        f.write_char('(')?;
    }
    for (at, node) in nodes.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        write(node, f, true)?;
    }
    if inner { f.write_char(')') } else { Ok(()) }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key {
            Some(key) => write!(f, "{}:{}", key.name(), self.shown),
            None => f.write_str(&self.shown),
        }
    }
}

/// In words: `status 403 and (path contains "/v1" or not method POST)`.
pub(crate) fn explain(node: &Node) -> String {
    match node {
        Node::All(nodes) if nodes.is_empty() => "everything".into(),
        Node::All(nodes) => join(nodes, " and "),
        Node::Any(nodes) => join(nodes, " or "),
        Node::Not(node) => format!("not {}", part(node)),
        Node::Term(leaf) => term(leaf),
    }
}

fn join(nodes: &[Node], between: &str) -> String {
    nodes.iter().map(part).collect::<Vec<_>>().join(between)
}

fn part(node: &Node) -> String {
    match node {
        Node::All(nodes) | Node::Any(nodes) if nodes.len() != 1 => format!("({})", explain(node)),
        _ => explain(node),
    }
}

fn term(leaf: &Leaf) -> String {
    let name = leaf.key.map_or("target", super::keys::Key::name).replace('-', " ");
    let list = |texts: &[Text]| texts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    match &leaf.term {
        Term::Endpoint(texts)
        | Term::Host(texts)
        | Term::Path(texts)
        | Term::Process(texts)
        | Term::Container(texts)
        | Term::Target(texts)
        | Term::Body(_, texts) => {
            format!("{name} {}", list(texts))
        }
        Term::Field(_, named) | Term::Cookie(named) | Term::Query(named) => {
            let one = |Named { name, value }: &Named| {
                let name = match name {
                    Text::Whole(name) => String::from_utf8_lossy(name).into_owned(),
                    other => format!("whose name {other}"),
                };
                value.as_ref().map_or_else(|| format!("{name} is there"), |value| format!("{name} {value}"))
            };
            format!("{name} {}", named.iter().map(one).collect::<Vec<_>>().join(" or "))
        }
        Term::Since(_) => format!("not older than {}", leaf.shown),
        Term::Until(_) => format!("older than {}", leaf.shown),
        _ => format!("{name} {}", leaf.shown.replace(',', " or ")),
    }
}
