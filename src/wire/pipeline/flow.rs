//! One connection with its HTTP state.

use crate::model::{Anomaly, AnomalySet, Connection as About, Counters, Exchange, Timestamp};
use crate::wire::http1::{Context, Ending, Http};
use crate::wire::pipeline::shard::Common;
use crate::wire::tcp::{Arrival, Connection, Dir, FlowKey, Receiver};

/// One connection.
#[derive(Debug)]
pub(crate) struct Flow {
    /// Order of bytes.
    pub tcp: Connection,
    /// Messages; absent until there is payload and after the end.
    pub http: Option<Box<Http>>,
    /// What exchanges say of their connection.
    pub about: About,
    /// Capture time of the latest segment.
    pub last: Timestamp,
    /// Bytes of memory charged for it.
    pub charged: u64,
    /// Whether it waits for time to pass.
    pub listed: bool,
    /// What was odd before there was payload.
    pub odd: AnomalySet,
    /// Whether it is known to carry no HTTP (any more), and why its bytes are not read.
    pub ignored: Option<Ignored>,
}

impl Flow {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(about: About, time: Timestamp) -> Self {
        Self {
            tcp: Connection::default(),
            http: None,
            about,
            last: time,
            charged: 0,
            listed: false,
            odd: AnomalySet::default(),
            ignored: None,
        }
    }

    /// The order of bytes, and what it reports to.
    pub(crate) fn split<'a>(
        &'a mut self,
        common: &'a mut Common,
        out: &'a mut Vec<Exchange>,
        key: FlowKey,
        one_sided: bool,
    ) -> (&'a mut Connection, Port<'a>) {
        let Self { tcp, http, about, odd, .. } = self;
        let Common { limits, counters: tally, models } = common;
        let cx = Context { limits, tally, models, out, key, connection: *about };
        let client = tcp.client;
        (tcp, Port { cx, client, http, odd, one_sided })
    }

    /// Whether something here is decided by the passing of time.
    pub(crate) fn awaits_time(&self) -> bool {
        self.tcp.is_undecided() || self.http.as_ref().is_some_and(|http| http.awaits_time())
    }

    /// Bytes of memory in use beyond the table's own.
    pub(crate) fn cost(&self) -> usize {
        self.tcp.cost() + self.http.as_ref().map_or(0, |http| http.cost())
    }
}

/// Under what the bytes of a connection without HTTP are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ignored {
    /// It left HTTP.
    Switched,
    /// It never was HTTP.
    Foreign,
}

/// Everything a flow reports to, while one segment is taken in.
pub(crate) struct Port<'a> {
    cx: Context<'a>,
    client: Option<Dir>,
    http: &'a mut Option<Box<Http>>,
    odd: &'a mut AnomalySet,
    one_sided: bool,
}

impl Port<'_> {
    fn with(&mut self, take: impl FnOnce(&mut Http, &mut Context<'_>)) {
        let (client, odd) = (self.client, &mut *self.odd);
        let http = self.http.get_or_insert_with(|| {
            let mut http = Box::new(Http::new(client));
            odd.iter().for_each(|anomaly| http.notice(anomaly));
            http
        });
        take(http, &mut self.cx);
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        if self.http.is_some() {
            self.with(|http, cx| http.tick(now, cx));
        }
    }

    /// Nothing more comes: everything leaves.
    pub(crate) fn end(&mut self, ending: Ending, time: Timestamp) {
        let Some(mut http) = self.http.take() else { return };
        let at = Arrival { time, offset: u64::MAX, ack: None, starts_segment: false };
        http.end(ending, at, self.one_sided, &mut self.cx);
        // A head that never ended has left as a message just now.
        if let Some(name) = http.unparsed() {
            self.cx.tally.count_unparsed(name, 1);
        }
    }
}

impl Receiver for Port<'_> {
    fn opened(&mut self, client: Dir) {
        self.client = Some(client);
    }
    fn data(&mut self, dir: Dir, data: &[u8], arrival: Arrival) {
        self.with(|http, cx| http.data(dir, data, arrival, cx));
    }
    fn gap(&mut self, dir: Dir, len: u64, arrival: Arrival) {
        self.with(|http, cx| http.gap(dir, len, arrival, cx));
    }
    fn fin(&mut self, dir: Dir, arrival: Arrival) {
        if self.http.is_some() {
            self.with(|http, cx| http.fin(dir, arrival, cx));
        }
    }
    fn reset(&mut self, _dir: Dir, arrival: Arrival) {
        self.end(Ending::Reset, arrival.time);
    }
    fn repeated(&mut self, dir: Dir, offset: u64, data: &[u8]) -> bool {
        self.http.as_ref().is_some_and(|http| http.differs(dir, offset, data))
    }
    fn notice(&mut self, anomaly: Anomaly) {
        match self.http {
            Some(http) => http.notice(anomaly),
            None => self.odd.insert(anomaly),
        }
    }
    fn tally(&mut self) -> &mut Counters {
        self.cx.tally
    }
}
