//! Terms about fields of heads. Their names are looked for once a shape; a head is touched only where it has the name and
//! the value matters, and of such a head only that value.

use smallvec::SmallVec;

use crate::filter::evaluate::ask::ask_pieces;
use crate::filter::evaluate::{combine, scan};
use crate::filter::term::{Named, Side, Term};
use crate::history::store::columns::{Bitmap, Chunk, WORDS};
use crate::history::store::shapes::{Shape, ShapeId};
use crate::history::{History, Record};
use crate::model::Fields;

/// What the names of a shape say about a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// No head of this shape matches.
    No,
    /// All of them do.
    Yes,
    /// The values of these lines decide.
    Values(SmallVec<[Line; 4]>),
    /// The head decides.
    Head,
}

/// A term about fields, answered as far as names go.
#[derive(Debug)]
pub(crate) struct Heads {
    side: Side,
    /// By [`ShapeId::index`].
    shapes: Vec<Names>,
}

impl Heads {
    /// `None` for a term that is not about fields.
    pub(crate) fn of(term: &Term, history: &History) -> Option<Self> {
        let (side, test): (Side, &dyn Fn(&Shape) -> Names) = match term {
            Term::Field(side, named) => (*side, &|shape| names(shape, named)),
            Term::Cookie(_) => (Side::Request, &|shape| {
                let carries = shape.names().any(|name| name.eq_ignore_ascii_case(b"cookie"));
                if carries { Names::Head } else { Names::No }
            }),
            _ => return None,
        };
        let shapes = history.shapes().iter().enumerate().map(|(at, shape)| match at {
            _ if at == ShapeId::UNKNOWN.index() => Names::Head,
            _ if at == ShapeId::ABSENT.index() => Names::No,
            _ => test(shape),
        });
        Some(Self { side, shapes: shapes.collect() })
    }

    /// The candidates that match; `whole` asks an exchange.
    pub(crate) fn rows(
        &self,
        chunk: &Chunk,
        candidates: &Bitmap,
        term: &Term,
        whole: impl Fn(&Bitmap) -> Bitmap,
    ) -> Bitmap {
        let either = |test: &dyn Fn(&Names) -> bool, candidates: &Bitmap| {
            let answers: Vec<bool> = self.shapes.iter().map(test).collect();
            let is = |id: ShapeId| answers.get(id.index()).copied().unwrap_or_default();
            let (request, response) = (self.side != Side::Response, self.side != Side::Request);
            scan(chunk.texts().shapes(), candidates, |[asked, answered]| {
                (request && is(asked)) | (response && is(answered))
            })
        };
        let yes = either(&|names| *names == Names::Yes, candidates);
        let left = combine(candidates, &yes, |candidate, yes| candidate & !yes);
        let heads = either(&|names| *names == Names::Head, &left);
        let left = combine(&left, &heads, |left, head| left & !head);
        let values = either(&|names| matches!(names, Names::Values(_)), &left);
        let mut found = yes;
        for more in [self.values(chunk, &values, term), whole(&heads)] {
            found = combine(&found, &more, |one, two| one | two);
        }
        found
    }

    /// The candidates of which one of the lines that decide has a value that matches.
    fn values<'a>(&self, chunk: &'a Chunk, candidates: &Bitmap, term: &Term) -> Bitmap {
        let Term::Field(_, named) = term else { return [0; WORDS] };
        let pieces = |at: usize, record: &'a Record, to: &mut Vec<_>| {
            let [asked, answered] = chunk.texts().shapes().get(at).copied().unwrap_or([ShapeId::ABSENT; 2]);
            if let Some(request) = record.exchange.request.as_ref().filter(|_| self.side != Side::Response) {
                to.extend(self.lines(asked).iter().map(|line| (at, (request.head.fields(), *line))));
            }
            if let Some(response) = record.exchange.response.as_ref().filter(|_| self.side != Side::Request) {
                to.extend(self.lines(answered).iter().map(|line| (at, (response.head.fields(), *line))));
            }
        };
        let value = |(head, line): &(&'a Fields, Line)| {
            head.at(usize::from(line.number)).map_or(&[][..], |field| field.value)
        };
        ask_pieces(chunk, candidates, pieces, value, |(_, line), value| {
            let wanted = named.get(usize::from(line.named)).and_then(|named| named.value.as_ref());
            wanted.is_some_and(|wanted| wanted.matches(value))
        })
    }

    fn lines(&self, shape: ShapeId) -> &[Line] {
        match self.shapes.get(shape.index()) {
            Some(Names::Values(lines)) => lines,
            _ => &[],
        }
    }
}

/// What has to be known of each head of a shape: whether the value of a field is what somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Of the field, from 0.
    number: u8,
    /// Whose value it should be: the place in the term.
    named: u8,
}

fn names(shape: &Shape, named: &[Named]) -> Names {
    let mut lines = SmallVec::new();
    for (number, name) in shape.names().enumerate() {
        for (at, named) in named.iter().enumerate().filter(|(_, named)| named.name.matches(name)) {
            if named.value.is_none() {
                return Names::Yes;
            }
            match (u8::try_from(number), u8::try_from(at)) {
                (Ok(number), Ok(named)) => lines.push(Line { number, named }),
                _ => return Names::Head,
            }
        }
    }
    if lines.is_empty() { Names::No } else { Names::Values(lines) }
}
