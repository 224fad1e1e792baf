//! The exchange that is open: which tab, against which baseline, and the document that shows it.

use super::causes::Causes;
use super::page::Page;
use crate::edge::redact::Redactor;
use crate::edge::sanitize;
use crate::explain::inspector::{Inspector, Report};
use crate::features::coding::MAX_DECODED;
use crate::features::content;
use crate::model::{BaselineChoice, Cause, ExchangeId, Part, Pointer};
use crate::tui::Exports;
use crate::tui::doc::diff::Pair;
use crate::tui::doc::{self, Doc, Scene, diff, message, why};
use crate::tui::theme::Glyphs;

/// A tab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tab {
    /// Causes.
    #[default]
    Why,
    /// Differences to the baseline.
    Diff,
    /// The request.
    Request,
    /// The response.
    Response,
    /// The curl command.
    Curl,
}

impl Tab {
    /// In order.
    pub const ALL: [Self; 5] = [Self::Why, Self::Diff, Self::Request, Self::Response, Self::Curl];

    /// On the screen.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Why => "Why",
            Self::Diff => "Diff",
            Self::Request => "Request",
            Self::Response => "Response",
            Self::Curl => "Curl",
        }
    }

    /// The one `by` tabs further, round and round.
    #[must_use]
    pub fn step(self, by: isize) -> Self {
        let len = Self::ALL.len() as isize;
        let at = Self::ALL.iter().position(|tab| *tab == self).unwrap_or_default() as isize;
        let next = (at + by).rem_euclid(len) as usize;
        Self::ALL.get(next).copied().unwrap_or_default()
    }

    /// The tab that shows `part`.
    pub const fn of(part: Part) -> Self {
        match part {
            Part::StatusLine | Part::ResponseHeader | Part::ResponseBody | Part::Timing => Self::Response,
            _ => Self::Request,
        }
    }
}

/// What a document was made of; it is made anew when this changes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Key {
    id: ExchangeId,
    tab: Tab,
    choice: BaselineChoice,
    noise: bool,
    reveal: bool,
    width: u16,
    /// Stands for the set of signs.
    ellipsis: &'static str,
    known: Known,
}

/// What was known of the exchange beyond itself: baseline and causes change with it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Known {
    /// Exchanges of the endpoint.
    exchanges: u64,
    /// The top cause that the list gives.
    cause: Option<(Cause, f32)>,
}

/// The exchange that is open.
#[derive(Debug, Default)]
pub struct Detail {
    /// The tab.
    pub tab: Tab,
    /// The baseline that was asked for.
    pub choice: BaselineChoice,
    /// Whether noise is unfolded.
    pub noise: bool,
    /// Whether long lines are cut rather than wrapped.
    pub cut: bool,
    /// An exchange that was jumped to from the selected one.
    pub jumped: Option<ExchangeId>,
    /// Where one came from, with its tab; bounded.
    pub back: Vec<(Option<ExchangeId>, Tab)>,
    /// The document and the place in it.
    pub page: Page,
    /// What is known of the exchange.
    pub report: Option<Report>,
    key: Option<Key>,
    pending: Option<Pointer>,
}

/// Jumps that can be taken back.
const MAX_BACK: usize = 32;

impl Detail {
    /// The exchange the document is about.
    pub fn shown(&self) -> Option<ExchangeId> {
        self.key.map(|key| key.id)
    }

    /// Goes to the exchange and the bytes of `pointer`, which may be another exchange than `current`.
    pub fn jump(&mut self, pointer: Pointer, current: Option<ExchangeId>) {
        self.remember();
        if Some(pointer.exchange) != current {
            self.jumped = Some(pointer.exchange);
        }
        self.tab = Tab::of(pointer.part);
        self.pending = Some(pointer);
        self.key = None;
    }

    /// Opens another exchange at the same tab.
    pub fn open(&mut self, id: ExchangeId) {
        self.remember();
        self.jumped = Some(id);
    }

    fn remember(&mut self) {
        if self.back.len() == MAX_BACK {
            self.back.remove(0);
        }
        self.back.push((self.jumped, self.tab));
    }

    /// Takes the last jump back; returns whether there was one.
    pub fn go_back(&mut self) -> bool {
        match self.back.pop() {
            Some((jumped, tab)) => {
                (self.jumped, self.tab) = (jumped, tab);
                true
            }
            None => false,
        }
    }

    /// Forgets jumps and the chosen baseline's pin: another exchange was selected.
    pub fn leave(&mut self) {
        self.jumped = None;
        self.back.clear();
    }

    /// Makes the document for `id` if that is not what is shown already, or more is known by now; `frozen` keeps to what was
    /// known. The list learns of the causes that were found.
    pub fn prepare(
        &mut self,
        id: Option<ExchangeId>,
        (inspector, redactor, exports): (&Inspector, &Redactor, &Exports),
        (causes, frozen): (&mut Causes, bool),
        glyphs: &'static Glyphs,
        (width, height): (u16, u16),
    ) {
        let record = id.and_then(|id| inspector.history().get(id));
        let Some(record) = record else {
            self.key = None;
            self.report = None;
            self.page.set(Doc::default(), false);
            return;
        };
        let id = record.exchange.id;
        let known = || Known {
            exchanges: inspector.history().endpoint_state(record.endpoint).map_or(0, |state| state.exchanges),
            cause: causes.get(id).and_then(|known| known.cause),
        };
        let frozen = self.key.filter(|key| frozen && key.id == id);
        let mut key = Key {
            id,
            tab: self.tab,
            choice: self.choice,
            noise: self.noise,
            reveal: redactor.reveals(),
            width,
            ellipsis: glyphs.ellipsis,
            known: frozen.map_or_else(known, |key| key.known),
        };
        if self.key != Some(key) {
            let same = self.key.is_some_and(|old| old.id == key.id && old.tab == key.tab);
            let report = |old: &Key| old.id == key.id && old.choice == key.choice && old.known == key.known;
            if self.report.is_none() || !self.key.as_ref().is_some_and(report) {
                self.report = inspector.report(key.id, key.choice);
                if let Some(report) = self.report.as_ref().filter(|_| key.choice == BaselineChoice::default())
                {
                    key.known.cause = causes.note(record, report, inspector.history());
                }
            }
            let baseline = self.report.as_ref().and_then(|report| report.baseline.as_ref());
            let baseline = baseline.and_then(|baseline| inspector.history().get(baseline.id));
            let both = std::iter::once(record).chain(baseline).map(|record| &record.exchange);
            let redactor = &redactor.knowing(&both.collect::<Vec<_>>());
            let scene = Scene { redactor, glyphs, width };
            self.page.set(self.document(inspector, record, &scene, exports), same);
            self.key = Some(key);
        }
        self.page.prepare(width, height, !self.cut);
        if let Some(pointer) = self.pending.take() {
            self.find(&pointer, inspector);
        }
    }

    fn document(
        &self,
        inspector: &Inspector,
        record: &crate::history::Record,
        scene: &Scene<'_>,
        exports: &Exports,
    ) -> Doc {
        let Some(report) = &self.report else { return Doc::default() };
        match self.tab {
            Tab::Why => why::why(record, (report, self.choice), inspector.history(), scene),
            Tab::Diff => match &report.baseline {
                Some(baseline) => {
                    let names = [format!("#{} {}", baseline.id.0, baseline.why), "this".to_owned()];
                    let [before, this] = &names;
                    let pair =
                        Pair { this: record.exchange.id, baseline: baseline.id, names: [before, this] };
                    diff::diff(&report.differences, pair, self.noise, scene)
                }
                None => diff::alone(record, inspector.history(), self.choice, scene),
            },
            Tab::Request => message::request(record, scene),
            Tab::Response => message::response(record, scene),
            Tab::Curl => doc::plain(&(exports.curl)(record, scene.redactor)),
        }
    }

    /// Marks what `pointer` points to.
    fn find(&mut self, pointer: &Pointer, inspector: &Inspector) {
        let snippet = snippet(pointer, inspector);
        let found = self.page.doc.find(pointer.part, &pointer.name, snippet.as_deref());
        let found = found.or_else(|| self.page.doc.find(pointer.part, "", snippet.as_deref()));
        if let Some((line, range)) = found {
            self.page.mark(line, range);
        }
    }
}

/// The text that a pointer's range covers.
fn snippet(pointer: &Pointer, inspector: &Inspector) -> Option<String> {
    let (start, end) = pointer.range?;
    let exchange = &inspector.history().get(pointer.exchange)?.exchange;
    let cut = |bytes: &[u8]| {
        let bytes = bytes.get(start as usize..end as usize)?;
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        Some(sanitize::line(line.trim_ascii()).into_owned())
    };
    match pointer.part {
        Part::RequestHeader => cut(exchange.request.as_ref()?.head.fields().value(&pointer.name)?),
        Part::ResponseHeader => cut(exchange.response.as_ref()?.head.fields().value(&pointer.name)?),
        Part::RequestBody => {
            let request = exchange.request.as_ref()?;
            cut(&content::read(request.head.fields(), &request.body.kept, MAX_DECODED).bytes)
        }
        Part::ResponseBody => {
            let response = exchange.response.as_ref()?;
            cut(&content::read(response.head.fields(), &response.body.kept, MAX_DECODED).bytes)
        }
        Part::Path | Part::Query | Part::RequestLine => cut(exchange.target()),
        _ => None,
    }
}
