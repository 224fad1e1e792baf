//! The query language of `-Y`, `--filter` and the `/` key.
//!
//! `key:value` terms with a blank for "and", `or`, `not` (also `-`, `!`), parentheses. Several values with commas are
//! alternatives. Text ignores case and may be a part (`users`), a whole (`=users`), with wildcards (`/v1/*`) or a regular
//! expression (`/v[12]$/`, `/x/i`; no blanks in it: write `\s`); quotes take away every special meaning. A bare word
//! searches the target. What the columns of the history can answer never touches an exchange.

mod complete;
mod evaluate;
mod explain_none;
mod foreign;
mod keys;
mod lex;
mod nearest;
mod parse;
mod print;
mod term;
#[cfg(test)]
mod tests;
mod values;

use std::fmt;
use std::sync::Arc;

use crate::history::store::columns::{Bitmap, Chunk, ones};
use crate::history::{History, Record};
use crate::model::{Cause, ExchangeId, Timestamp};

pub use complete::{Completion, MAX_COMPLETIONS, complete, values_of};
pub use evaluate::Prepared;
pub(crate) use evaluate::needle::Needle;
pub use keys::{KEYS, Key, KeyInfo};
use parse::Node;
pub use parse::{MAX_DEPTH, MAX_QUERY};
use term::Term;

/// The instant that `text` says, as `since:` reads it: `5m` ago, `07:52` today, a date. In UTC, given that it is `now`.
pub fn instant(text: &str, now: Timestamp) -> Option<Timestamp> {
    values::when::When::parse(text).map(|when| when.resolve(now))
}

/// What a filter may look at besides the record.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// For endpoints.
    pub history: &'a History,
    /// For `since:`; the newest capture time seen.
    pub now: Timestamp,
    /// The top cause of a record; asked only when the filter has a `cause:` term.
    pub cause: &'a dyn Fn(&Record) -> Option<Cause>,
}

/// Why a query cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("filter, column {}: {message}", .position + 1)]
pub struct FilterError {
    /// Byte offset in the query, from 0.
    pub position: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

/// A query, ready to match; cheap to clone. The empty query matches everything.
#[derive(Clone, Debug)]
pub struct Filter {
    text: String,
    /// In the order in which it was typed; decides how it is shown.
    typed: Arc<Node>,
    /// Cheap terms first.
    node: Arc<Node>,
    /// Of the most expensive term.
    cost: u8,
}

impl Default for Filter {
    fn default() -> Self {
        let everything = Arc::new(Node::All(Vec::new()));
        Self { text: String::new(), typed: Arc::clone(&everything), node: everything, cost: 0 }
    }
}

impl Filter {
    /// The default query: refused POSTs.
    pub const DEFAULT: &'static str = "method:POST status:403";

    /// Reads a query.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let typed = parse::parse(text)?;
        let (cost, node) = cheap_first(&typed);
        Ok(Self { text: text.to_owned(), typed: Arc::new(typed), node: Arc::new(node), cost })
    }
    /// The query as typed.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// Whether it matches everything.
    pub fn is_empty(&self) -> bool {
        matches!(&*self.typed, Node::All(nodes) if nodes.is_empty())
    }
    /// Whether it asks for diagnoses, which take a thousand times as long as anything else.
    pub fn asks_causes(&self) -> bool {
        self.cost >= term::DIAGNOSIS
    }
    /// Chunks it can look at in some milliseconds, in which time a key may wait.
    pub fn stride(&self) -> usize {
        match self.cost {
            0..=1 => 256,
            2..=3 => 64,
            _ if self.asks_causes() => 1,
            _ => 16,
        }
    }
    /// The query in words, for the screen: `status 403 and path contains "/v1"`.
    pub fn explain(&self) -> String {
        print::explain(&self.typed)
    }
    /// Whether `record` matches. Inner legs of another exchange never do: they are shown with that.
    pub fn matches(&self, record: &Record, context: &Context<'_>) -> bool {
        !record.is_leg && matches(&self.node, record, context)
    }
    /// Whether its answer stays as it is, whatever comes later: nothing in it asks for a cause, for a template or for how
    /// long ago something was.
    pub fn is_lasting(&self) -> bool {
        is_lasting(&self.node)
    }
    /// Looks up what the history's endpoints and methods mean for this query; good until the history changes.
    pub fn prepare(&self, context: &Context<'_>) -> Prepared {
        Prepared::new(&self.node, context)
    }
    /// For each of `chunks` the rows that match; over many chunks on several processors.
    pub fn rows(&self, chunks: &[&Chunk], prepared: &Prepared, context: &Context<'_>) -> Vec<Bitmap> {
        evaluate::parallel::run(self, chunks, prepared, context)
    }
    /// The exchanges that match, oldest first.
    pub fn select(&self, context: &Context<'_>) -> Vec<ExchangeId> {
        let prepared = self.prepare(context);
        let chunks: Vec<&Chunk> = context.history.chunks().collect();
        let mut found = Vec::new();
        for (chunk, rows) in chunks.iter().zip(self.rows(&chunks, &prepared, context)) {
            let ids = &chunk.columns().id;
            found.extend(ones(&rows).filter_map(|at| ids.get(at)).map(|id| ExchangeId(*id)));
        }
        found
    }
}

impl fmt::Display for Filter {
    /// In the query language, made regular; parsing it gives the same filter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.typed.fmt(f)
    }
}

fn matches(node: &Node, record: &Record, context: &Context<'_>) -> bool {
    match node {
        Node::All(nodes) => nodes.iter().all(|node| matches(node, record, context)),
        Node::Any(nodes) => nodes.iter().any(|node| matches(node, record, context)),
        Node::Not(node) => !matches(node, record, context),
        Node::Term(leaf) => leaf.term.matches(record, context),
    }
}

fn is_lasting(node: &Node) -> bool {
    match node {
        Node::All(nodes) | Node::Any(nodes) => nodes.iter().all(is_lasting),
        Node::Not(node) => is_lasting(node),
        Node::Term(leaf) => {
            !matches!(leaf.term, Term::Cause(_) | Term::Endpoint(_) | Term::Since(_) | Term::Until(_))
        }
    }
}

/// The same query with what is cheap to answer first, and the highest cost in it.
fn cheap_first(node: &Node) -> (u8, Node) {
    let sorted = |nodes: &[Node]| {
        let mut nodes: Vec<(u8, Node)> = nodes.iter().map(cheap_first).collect();
        nodes.sort_by_key(|(cost, _)| *cost);
        let cost = nodes.last().map_or(0, |(cost, _)| *cost);
        (cost, nodes.into_iter().map(|(_, node)| node).collect())
    };
    match node {
        Node::All(nodes) => {
            let (cost, nodes) = sorted(nodes);
            (cost, Node::All(nodes))
        }
        Node::Any(nodes) => {
            let (cost, nodes) = sorted(nodes);
            (cost, Node::Any(nodes))
        }
        Node::Not(node) => {
            let (cost, node) = cheap_first(node);
            (cost, Node::Not(Box::new(node)))
        }
        Node::Term(leaf) => (leaf.term.cost(), Node::Term(leaf.clone())),
    }
}
