//! What the tap says: into the mirror, and on standard error.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use crate::edge::sanitize;
use crate::model::{NOTICE_PORT, Notice, NoticeKind};
use crate::synth;
use crate::synth::pcap::record_header;

use super::mirror::{self, Hub};

/// Notices a second that are shown; the rest is counted. A flood of bad clients must not become a flood of ours.
const PER_SECOND: u64 = 50;

/// Tells notices to the mirror's readers and to standard error.
pub(super) struct Reporter {
    hub: Arc<Hub>,
    second: AtomicI64,
    told: AtomicU64,
    /// Notices that were only counted.
    pub(super) suppressed: AtomicU64,
}

impl Reporter {
    pub(super) const fn new(hub: Arc<Hub>) -> Self {
        Self { hub, second: AtomicI64::new(0), told: AtomicU64::new(0), suppressed: AtomicU64::new(0) }
    }
    /// Tells that something is wrong with a connection.
    pub(super) fn warn(&self, about: (SocketAddr, SocketAddr), kind: NoticeKind, text: impl Into<String>) {
        self.tell(&Notice::warning(mirror::now(), kind, text).about(about.0, about.1));
    }
    /// Tells a notice, unless there were too many this second.
    pub(super) fn tell(&self, notice: &Notice) {
        let second = notice.time.seconds();
        if self.second.swap(second, Ordering::Relaxed) != second {
            self.told.store(0, Ordering::Relaxed);
        }
        if self.told.fetch_add(1, Ordering::Relaxed) >= PER_SECOND {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.hub.write_frame(&datagram(notice));
        match notice.client {
            Some(client) => log(&format!("{client}: {}", notice.text)),
            None => log(&notice.text),
        }
    }
}

/// A notice as a frame of the mirror: a syslog datagram from the server's address to the client's.
fn datagram(notice: &Notice) -> Vec<u8> {
    let ip = |addr: Option<SocketAddr>| addr.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |addr| addr.ip());
    let (from, to) = (ip(notice.server), ip(notice.client));
    let text = notice.to_syslog();
    synth::datagram(SocketAddr::new(from, NOTICE_PORT), SocketAddr::new(to, NOTICE_PORT), text.as_bytes())
}

/// A notice as a pcap record of the mirror.
pub(super) fn record(notice: &Notice) -> Vec<u8> {
    let frame = datagram(notice);
    let length = frame.len() as u32;
    let mut record = record_header(mirror::PRECISION, notice.time, length, length).to_vec();
    record.extend_from_slice(&frame);
    record
}

/// Set when standard error is read by nobody: beside the inspector, once the tap runs.
static SILENT: AtomicBool = AtomicBool::new(false);

/// From now on nothing is written to standard error.
pub(super) fn fall_silent() {
    SILENT.store(true, Ordering::Relaxed);
}

/// One line on standard error, escaped. A closed standard error is no reason to stop.
pub(super) fn log(text: &str) {
    if SILENT.load(Ordering::Relaxed) {
        return;
    }
    let line = format!("why403 tap: {}\n", sanitize::line(text.as_bytes()));
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}
