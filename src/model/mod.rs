//! The domain's words as types. Nothing here does I/O, reads a clock or imports another module of ours.

mod annotation;
mod anomaly;
mod body;
mod cause;
mod counters;
mod difference;
mod endpoint;
mod exchange;
mod finding;
mod frame;
mod head;
mod leg;
mod log;
mod notice;
mod preface;
mod process;
mod segment;
pub mod size;
mod time;

pub use annotation::Annotation;
pub use anomaly::{Anomaly, AnomalySet};
pub use body::{Body, BodyEnd, BodyRare, Gap};
pub use cause::Cause;
pub use counters::{Counters, SourceCounters};
pub use difference::{Difference, DifferenceKind, Part, Significance};
pub use endpoint::{Endpoint, EndpointId};
pub use exchange::{
    Connection, Exchange, ExchangeId, FlowId, Imported, NOT_HTTP_KEPT, Outcome, Request, Response, StreamId,
};
pub use finding::{
    Baseline, BaselineChoice, Diagnosis, Evidence, EvidenceKind, Finding, Pointer, Refuser, Separates,
};
pub use frame::{Frame, InterfaceId, LinkType};
pub use head::{Field, FieldSpan, Fields, RequestHead, ResponseHead, Span, Version};
pub use leg::{Leg, LegRole, RefusedAt};
pub use log::{LogMatch, LogMatchKind, LogSays};
pub use notice::{NOTICE_PORT, Notice, NoticeKind};
pub use preface::{Preface, PrefaceKind};
pub use process::ServerProcess;
pub use segment::{Segment, TcpFlags};
pub use time::Timestamp;
