//! Everything there is to show, as one value without a clock, a terminal or a channel in it.

pub mod causes;
pub mod detail;
pub mod endpoints;
pub mod input;
pub mod page;
pub mod stream;
pub mod traffic;

use std::collections::BTreeMap;
use std::time::Duration;

use self::causes::Causes;
use self::detail::Detail;
use self::endpoints::EndpointList;
use self::input::Input;
use self::page::Page;
use self::stream::Stream;
use self::traffic::Traffic;
use super::keys::{Keys, KeysError, Place};
use super::theme::Theme;
use super::{Environment, Exports, Settings};
use crate::edge::redact::Redactor;
use crate::explain::inspector::Inspector;
use crate::feed::Source;
use crate::filter::Filter;
use crate::model::ExchangeId;

/// What fills the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// Exchanges that match.
    #[default]
    Stream,
    /// Endpoints.
    Endpoints,
    /// Two exchanges side by side.
    Compare,
    /// Keys.
    Help,
    /// Source, losses, memory, queue.
    Health,
}

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
    /// Which pane has the keys.
    pub focus: Focus,
    /// One pane although there is room for two.
    pub zoom: bool,
    /// The stream.
    pub stream: Stream,
    /// The endpoints.
    pub endpoints: EndpointList,
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
            focus: Focus::List,
            zoom: false,
            stream: Stream::new(filter),
            endpoints: EndpointList::default(),
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
        })
    }

    /// The places whose keys are active, narrowest first.
    pub fn places(&self) -> &'static [Place] {
        match (self.view, self.focus) {
            (View::Compare | View::Help | View::Health, _) | (View::Stream, Focus::Detail) => {
                &[Place::Detail, Place::Everywhere]
            }
            (View::Stream, Focus::List) => &[Place::Stream, Place::List, Place::Everywhere],
            (View::Endpoints, _) => &[Place::Endpoints, Place::List, Place::Everywhere],
        }
    }

    /// The exchange that commands act on: the one that is open, the selected one, or the newest that was shown.
    pub fn current(&self) -> Option<ExchangeId> {
        match self.view {
            View::Endpoints => self.endpoints.selected().and_then(|row| row.last_refusal),
            _ => self.detail.jumped.or_else(|| self.stream.current()),
        }
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
