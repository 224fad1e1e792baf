//! Everything there is to show, as one value without a clock, a terminal or a channel in it.

pub mod causes;
pub mod detail;
pub mod endpoints;
pub mod find;
pub mod incidents;
pub mod input;
pub mod page;
pub mod sorted;
pub mod stream;
pub mod time_axis;
pub mod traffic;

use std::collections::BTreeMap;
use std::time::Duration;

use self::causes::Causes;
use self::detail::Detail;
use self::endpoints::EndpointList;
use self::find::Find;
use self::incidents::IncidentList;
use self::input::Input;
use self::page::Page;
use self::stream::Stream;
use self::time_axis::TimeAxis;
use self::traffic::Traffic;
use super::columns::Column;
use super::keys::{Command, Keys, KeysError, Place};
use super::theme::Theme;
pub use super::views::{View, ViewStates};
use super::{Environment, Exports, Settings};
use crate::edge::redact::Redactor;
use crate::explain::inspector::Inspector;
use crate::feed::{Source, SourceKind};
use crate::filter::Filter;
use crate::model::{ExchangeId, Timestamp};

/// Which pane keys go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    /// The list.
    #[default]
    List,
    /// The exchange.
    Detail,
}

/// A line for the user that goes away with the next key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// One sentence, escaped.
    pub text: String,
    /// Whether something went wrong.
    pub bad: bool,
}

/// What has been typed of a command of several keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// A count: the 5 of 5j.
    pub count: Option<u32>,
    /// A mark is to be set (`true`) or gone to.
    pub mark: Option<bool>,
    /// The command that the next key confirms when it is the same one.
    pub confirm: Option<Command>,
}

/// The list from which the exchanges that are shown were opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The list.
    pub view: View,
    /// The filter at that time.
    pub filter: String,
}

/// The whole of it.
pub struct State {
    /// History and diagnosis.
    pub inspector: Inspector,
    /// The history's budget in bytes.
    pub budget: u64,
    /// What feeds it.
    pub source: Source,
    /// Counts, rates, losses, progress.
    pub traffic: Traffic,
    /// Colours and signs.
    pub theme: Theme,
    /// Keys.
    pub keys: Keys,
    /// Hides secrets.
    pub redactor: Redactor,
    /// How an exchange is written for somebody else.
    pub exports: Exports,
    /// Saved filters by name.
    pub saved: BTreeMap<String, String>,
    /// Whether to ring for a match.
    pub bell: bool,
    /// Columns and rows.
    pub size: (u16, u16),
    /// Time since the start.
    pub clock: Duration,
    /// What fills the screen.
    pub view: View,
    /// The list to which help, health and comparison return.
    pub list: View,
    /// Where Esc leads from the stream, when it was opened from another list.
    pub origin: Option<Origin>,
    /// Which pane has the keys.
    pub focus: Focus,
    /// One pane although there is room for two.
    pub zoom: bool,
    /// The stream.
    pub stream: Stream,
    /// The endpoints.
    pub endpoints: EndpointList,
    /// The incidents.
    pub incidents: IncidentList,
    /// What other views keep for themselves.
    pub views: ViewStates,
    /// Whether something changed that is kept for the next run.
    pub unkept: bool,
    /// Whether the user has pressed a key.
    pub touched: bool,
    /// Successes and refusals over time.
    pub time_axis: TimeAxis,
    /// Columns of the stream; empty for the usual ones.
    pub columns: Vec<Column>,
    /// Commands that were typed, oldest first; bounded.
    pub typed: Vec<String>,
    /// A search over heads and bodies.
    pub find: Option<Find>,
    /// The exchange that is open.
    pub detail: Detail,
    /// Help, health or comparison.
    pub page: Page,
    /// Top causes of what was shown.
    pub causes: Causes,
    /// A line or a menu that takes all keys.
    pub input: Option<Input>,
    /// A line for the user.
    pub notice: Option<Notice>,
    /// Half a command.
    pub pending: Pending,
    /// Marks by letter.
    pub marks: BTreeMap<char, ExchangeId>,
    /// Matches of the filter that the program was started with.
    pub matched: u64,
    /// That filter, when another one is in effect.
    pub launched: Option<Filter>,
    /// Messages that wait in the channel, and how many fit.
    pub queue: (usize, usize),
    /// Bytes sent to the terminal.
    pub sent: u64,
    /// Whether matching frames are written to a file (`-w`).
    pub recorded: bool,
    /// The clock when the last exchange came.
    pub arrived: Duration,
}

impl State {
    /// Before anything came. Fails when the configured keys cannot be.
    pub fn new(
        inspector: Inspector,
        source: Source,
        filter: Filter,
        exports: Exports,
        settings: &Settings,
        environment: &Environment,
    ) -> Result<Self, KeysError> {
        Ok(Self {
            inspector,
            budget: 0,
            source,
            traffic: Traffic::default(),
            theme: Theme::new(settings, environment),
            keys: Keys::new(&settings.keys)?,
            redactor: Redactor::new(false),
            exports,
            saved: settings.filters.clone(),
            bell: settings.bell,
            size: (80, 24),
            clock: Duration::ZERO,
            view: View::Stream,
            list: View::Stream,
            origin: None,
            focus: Focus::List,
            zoom: false,
            stream: Stream::new(filter),
            endpoints: EndpointList::default(),
            incidents: IncidentList::default(),
            views: ViewStates::default(),
            unkept: false,
            touched: false,
            time_axis: TimeAxis::default(),
            columns: settings.columns.clone(),
            typed: Vec::new(),
            find: None,
            detail: Detail::default(),
            page: Page::default(),
            causes: Causes::default(),
            input: None,
            notice: None,
            pending: Pending::default(),
            marks: BTreeMap::new(),
            matched: 0,
            launched: None,
            queue: (0, crate::feed::CAPACITY),
            sent: 0,
            recorded: false,
            arrived: Duration::ZERO,
        })
    }

    /// The places whose keys are active, narrowest first.
    pub fn places(&self) -> &'static [Place] {
        self.view.screen().places(self)
    }

    /// The exchange that commands act on: the one that is open, the selected one, or the newest that was shown.
    pub fn current(&self) -> Option<ExchangeId> {
        self.view.screen().current(self)
    }

    /// Hides secrets even while they are shown: for what is kept and shown later.
    pub fn masking(&self) -> Redactor {
        let mut masking = self.redactor.clone();
        masking.set_reveal(false);
        masking
    }

    /// The time that ages are counted from: for a file that of its last exchange, otherwise it goes on without traffic.
    pub fn now(&self) -> Timestamp {
        let last = self.inspector.history().now();
        if self.source.kind == SourceKind::File {
            return last;
        }
        let quiet = self.clock.saturating_sub(self.arrived);
        last.plus(i64::try_from(quiet.as_nanos()).unwrap_or(i64::MAX))
    }

    /// Whether the screen changes when the clock reaches `clock` although nothing comes: the rate, and ages.
    pub fn changes_at(&self, clock: Duration) -> bool {
        let quiet = clock.saturating_sub(self.arrived).as_secs();
        let ages = self.source.kind != SourceKind::File && self.traffic.exchanges > 0;
        self.traffic.is_recent() || (ages && (quiet <= 120 || clock.as_secs().is_multiple_of(30)))
    }

    /// Whether leaving loses exchanges that cannot be read again.
    pub fn is_unsaved(&self) -> bool {
        let again = matches!(self.source.kind, SourceKind::File | SourceKind::Demo);
        !again && !self.recorded && self.traffic.exchanges > 0
    }

    /// Tells the user something.
    pub fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), bad: false });
    }

    /// Tells the user that something went wrong.
    pub fn complain(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), bad: true });
    }
}
