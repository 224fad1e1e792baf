//! Live capture through libpcap.
//!
//! Batched, not immediate: with TPACKET_V3 the kernel packs frames of any length into blocks and hands a block over when it is
//! full or 50 ms old. That keeps bursts whole in a small ring and a quiet interface asleep; immediate mode would wake us for every
//! frame and give each a slot of the snapshot length. We wait on libpcap's descriptor together with the switch, so that the end
//! comes at once even when no frame does.

use std::fs::File;
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use pcap::{Active, Capture, Packet, Precision};

use crate::model::{Frame, InterfaceId, LinkType, SourceCounters, Timestamp};
use crate::wire::decode::Decoder;

use super::bpf::{self, Expression, link_of, message};
use super::pace::Pace;
use super::stop::{Ready, wait_for};
use super::{Sink, SourceError, SourceOptions, Stop, interfaces};

/// How long the kernel may keep a block that is not full.
const BLOCK_AGE_MS: i32 = 50;
/// Frames between two looks at the switch.
const BATCH: usize = 4096;
const TICK: Duration = Duration::from_millis(100);
const COUNTERS_INTERVAL: Duration = Duration::from_secs(1);

/// An open interface.
pub(super) struct Live {
    name: String,
    capture: Capture<Active>,
    link: LinkType,
    state: Option<StateFile>,
}

impl Live {
    /// Opens the interface and sets the kernel's filter. All that needs a privilege happens here.
    pub(super) fn open(name: &str, options: &SourceOptions) -> Result<Self, SourceError> {
        let promiscuous = options.promiscuous && name != "any";
        // libpcap warns through an error where an interface knows no promiscuous mode.
        let opened = match activate(name, options, promiscuous) {
            Err(_) if promiscuous => activate(name, options, false),
            other => other,
        };
        let mut capture = opened.map_err(|error| explain(name, &error))?;
        let link = link_of(capture.get_datalink());
        if !Decoder::supports(link) {
            return Err(SourceError::LinkType { name: name.to_owned(), link: link.0 });
        }
        let expression = options.expression().unwrap_or_else(|| Expression {
            text: bpf::DEFAULT.to_owned(),
            with_tags: options.see_through_vlan,
        });
        expression
            .compile_with(link, |text| capture.filter(text, true).map_err(|error| message(&error)))
            .map_err(|reason| SourceError::Filter { text: expression.text.clone(), reason })?;
        Ok(Self { name: name.to_owned(), capture, link, state: StateFile::open(name) })
    }

    /// Captures until the switch is thrown, the sink breaks or the interface is gone.
    pub(super) fn run(mut self, sink: &mut dyn Sink, stop: &Stop) -> Result<(), SourceError> {
        let mut pace = Pace::new();
        let mut looked = Instant::now();
        loop {
            let flow = match wait_for(Some(self.capture.as_fd()), &[stop], Some(TICK)) {
                Ready::Stopped => break,
                Ready::Nothing => pace.tick(sink),
                Ready::File => self.drain(sink, stop, &mut pace)?,
            };
            if flow.is_break() {
                break;
            }
            if looked.elapsed() >= COUNTERS_INTERVAL {
                looked = Instant::now();
                self.report(sink);
                self.look_after_interface(sink)?;
            }
        }
        self.report(sink);
        Ok(())
    }

    /// Takes all frames that are there.
    fn drain(
        &mut self,
        sink: &mut dyn Sink,
        stop: &Stop,
        pace: &mut Pace,
    ) -> Result<ControlFlow<()>, SourceError> {
        let link = self.link;
        while !stop.is_set() {
            let mut flow = ControlFlow::Continue(());
            let mut last = None;
            let each = |packet: Packet<'_>| {
                if flow.is_continue() {
                    let frame = frame_of(&packet, link);
                    last = Some(frame.time);
                    flow = sink.frame(&frame);
                }
            };
            let count = self.capture.dispatch(Some(BATCH), each);
            if let Some(time) = last {
                pace.saw(time);
            }
            match count {
                Ok(_) if flow.is_break() => return Ok(flow),
                Ok(BATCH..) => {}
                Ok(_) => break,
                Err(error) => return Err(self.lost(message(&error))),
            }
        }
        sink.pause();
        Ok(ControlFlow::Continue(()))
    }

    fn report(&mut self, sink: &mut dyn Sink) {
        if let Ok(stat) = self.capture.stats() {
            sink.counters(SourceCounters {
                received: u64::from(stat.received),
                kernel_dropped: u64::from(stat.dropped),
                interface_dropped: u64::from(stat.if_dropped),
                queue_dropped: 0,
            });
        }
    }

    /// Says when the interface goes down or comes back; ends when it is gone.
    fn look_after_interface(&mut self, sink: &mut dyn Sink) -> Result<(), SourceError> {
        let Some(file) = &mut self.state else { return Ok(()) };
        let (before, now) = file.look();
        match (before, now) {
            (State::Up, State::Down) => {
                sink.warning(format!("{} went down; waiting until it is up again", self.name));
            }
            (State::Down, State::Up) => sink.warning(format!("{} is up again", self.name)),
            (_, State::Gone) => return Err(self.lost("the interface was removed".to_owned())),
            _ => {}
        }
        Ok(())
    }

    fn lost(&self, reason: String) -> SourceError {
        SourceError::Lost { name: self.name.clone(), reason }
    }
}

fn activate(name: &str, options: &SourceOptions, promiscuous: bool) -> Result<Capture<Active>, pcap::Error> {
    let bytes = i32::try_from(u64::from(options.buffer_kib) * 1024).unwrap_or(i32::MAX);
    Capture::from_device(name)?
        .promisc(promiscuous)
        .snaplen(i32::try_from(options.snaplen).unwrap_or(i32::MAX))
        .buffer_size(bytes)
        .timeout(BLOCK_AGE_MS)
        .immediate_mode(false)
        .precision(Precision::Nano)
        .open()?
        .setnonblock()
}

/// libpcap's error, as something to act upon.
fn explain(name: &str, error: &pcap::Error) -> SourceError {
    let reason = message(error);
    let name = name.to_owned();
    let says = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    if says(&["ermission", "not permitted", "CAP_NET_RAW"]) {
        return SourceError::Permission { name, binary: own_path() };
    }
    if says(&["No such device", "exist"]) {
        return SourceError::NoInterface { name, known: interfaces::names() };
    }
    if says(&["not up", "is down"]) {
        let reason = format!("it is down; ip link set {name} up");
        return SourceError::Interface { name, reason };
    }
    SourceError::Interface { name, reason }
}

/// This program's path, quoted for a shell.
fn own_path() -> String {
    let path =
        std::env::current_exe().map_or_else(|_| "why403".to_owned(), |path| path.display().to_string());
    shlex::try_quote(&path).map_or_else(|_| "why403".to_owned(), std::borrow::Cow::into_owned)
}

fn frame_of<'a>(packet: &Packet<'a>, link: LinkType) -> Frame<'a> {
    let stamp = packet.header.ts;
    Frame {
        time: Timestamp::from_parts(stamp.tv_sec, u32::try_from(stamp.tv_usec).unwrap_or(0)),
        link,
        interface: InterfaceId(0),
        data: packet.data,
        wire_len: packet.header.len,
    }
}

/// Whether an interface is up, from a file of sysfs that was opened while we were allowed to.
struct StateFile {
    flags: File,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Up,
    Down,
    Gone,
}

impl StateFile {
    /// None for `any`, and where there is no sysfs.
    fn open(name: &str) -> Option<Self> {
        if name.contains('/') {
            return None;
        }
        let flags = File::open(format!("/sys/class/net/{name}/flags")).ok()?;
        Some(Self { flags, state: State::Up })
    }
    /// The state at the last look and now.
    fn look(&mut self) -> (State, State) {
        const UP: u32 = 1;
        let mut text = [0; 16];
        let now = match self.flags.read_at(&mut text, 0) {
            Err(_) => State::Gone,
            Ok(count) => {
                let text = std::str::from_utf8(text.get(..count).unwrap_or_default()).unwrap_or("");
                let flags = u32::from_str_radix(text.trim().trim_start_matches("0x"), 16);
                if flags.is_ok_and(|flags| flags & UP == 0) { State::Down } else { State::Up }
            }
        };
        (std::mem::replace(&mut self.state, now), now)
    }
}
