//! One connection: its order of bytes, what lies above TCP, and what it carries.

use crate::model::{Anomaly, AnomalySet, Connection as About, Counters, Exchange, Timestamp};
use crate::wire::layer::{Layer, Plain, Upper};
use crate::wire::pipeline::carried::{Carried, Surroundings};
use crate::wire::pipeline::flows::Common;
use crate::wire::protocol::{Ending, Ignored};
use crate::wire::tcp::{Arrival, Connection, Dir, FlowKey, Receiver};

/// One connection.
#[derive(Debug)]
pub(crate) struct Flow {
    /// Order of bytes.
    pub tcp: Connection,
    /// What lies between TCP and the protocol.
    layer: Plain,
    /// The protocol; absent until there is payload and after the end.
    pub carried: Option<Carried>,
    /// What exchanges say of their connection.
    pub about: About,
    /// Capture time of the latest segment.
    pub last: Timestamp,
    /// Bytes of memory charged for it.
    pub charged: u64,
    /// Whether it is in the list of flows that wait for time to pass.
    pub in_waiting_list: bool,
    /// What was odd before there was payload.
    odd: AnomalySet,
    /// Whether it is known to carry nothing readable (any more), and why its bytes are not read.
    pub ignored: Option<Ignored>,
}

impl Flow {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(about: About, time: Timestamp) -> Self {
        Self {
            tcp: Connection::default(),
            layer: Plain,
            carried: None,
            about,
            last: time,
            charged: 0,
            in_waiting_list: false,
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
    ) -> (&'a mut Connection, FlowReceiver<'a>) {
        let Self { tcp, layer, carried, about, odd, .. } = self;
        let Common { limits, counters: tally, shared } = common;
        let around = Surroundings { limits, tally, shared, out, key, connection: *about };
        let protocol = ProtocolPort { around, client: tcp.client, carried, odd };
        (tcp, FlowReceiver { layer, protocol, one_sided })
    }

    /// Whether something here is decided by the passing of time.
    pub(crate) fn awaits_time(&self) -> bool {
        self.tcp.is_undecided() || self.carried.as_ref().is_some_and(Carried::awaits_time)
    }

    /// Bytes of memory in use beyond the table's own.
    pub(crate) fn cost(&self) -> usize {
        self.tcp.cost() + self.layer.cost() + self.carried.as_ref().map_or(0, Carried::cost)
    }
}

/// Everything a flow reports to, while one segment is taken in.
pub(crate) struct FlowReceiver<'a> {
    layer: &'a mut Plain,
    protocol: ProtocolPort<'a>,
    one_sided: bool,
}

/// The protocol of a flow and its surroundings: what the layer below hands its bytes to.
struct ProtocolPort<'a> {
    around: Surroundings<'a>,
    client: Option<Dir>,
    carried: &'a mut Option<Carried>,
    odd: &'a mut AnomalySet,
}

impl ProtocolPort<'_> {
    fn with(&mut self, take: impl FnOnce(&mut Carried, &mut Surroundings<'_>)) {
        let (client, odd) = (self.client, &mut *self.odd);
        let carried = self.carried.get_or_insert_with(|| {
            let mut carried = Carried::new(client);
            odd.iter().for_each(|anomaly| carried.notice(anomaly));
            carried
        });
        take(carried, &mut self.around);
    }
}

impl Upper for ProtocolPort<'_> {
    fn data(&mut self, dir: Dir, data: &[u8], at: Arrival) {
        self.with(|carried, around| carried.data(dir, data, at, around));
    }
    fn gap(&mut self, dir: Dir, len: u64, at: Arrival) {
        self.with(|carried, around| carried.gap(dir, len, at, around));
    }
    fn fin(&mut self, dir: Dir, at: Arrival) {
        if self.carried.is_some() {
            self.with(|carried, around| carried.fin(dir, at, around));
        }
    }
}

impl FlowReceiver<'_> {
    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        if self.protocol.carried.is_some() {
            self.protocol.with(|carried, around| carried.tick(now, around));
        }
    }

    /// Nothing more comes: everything leaves.
    pub(crate) fn end(&mut self, ending: Ending, time: Timestamp) {
        let Some(mut carried) = self.protocol.carried.take() else { return };
        let at = Arrival { time, offset: u64::MAX, ack: None, starts_segment: false };
        carried.end(ending, at, self.one_sided, &mut self.protocol.around);
        // A head that never ended has left as a message just now.
        if let Some(name) = carried.unparsed() {
            self.tally().count_unparsed(name, 1);
        }
    }
}

impl Receiver for FlowReceiver<'_> {
    fn opened(&mut self, client: Dir) {
        self.protocol.client = Some(client);
    }
    fn data(&mut self, dir: Dir, data: &[u8], arrival: Arrival) {
        self.layer.data(dir, data, arrival, &mut self.protocol);
    }
    fn gap(&mut self, dir: Dir, len: u64, arrival: Arrival) {
        self.layer.gap(dir, len, arrival, &mut self.protocol);
    }
    fn fin(&mut self, dir: Dir, arrival: Arrival) {
        self.layer.fin(dir, arrival, &mut self.protocol);
    }
    fn reset(&mut self, _dir: Dir, arrival: Arrival) {
        self.end(Ending::Reset, arrival.time);
    }
    fn repeated(&mut self, dir: Dir, offset: u64, data: &[u8]) -> bool {
        let Some(carried) = &self.protocol.carried else { return false };
        self.layer.seen_as(dir, offset, data).is_some_and(|(offset, data)| carried.differs(dir, offset, data))
    }
    fn notice(&mut self, anomaly: Anomaly) {
        match self.protocol.carried {
            Some(carried) => carried.notice(anomaly),
            None => self.protocol.odd.insert(anomaly),
        }
    }
    fn tally(&mut self) -> &mut Counters {
        self.protocol.around.tally
    }
}
