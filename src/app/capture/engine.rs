//! What runs the pipeline: the thread that reads frames, alone or with others beside it.
//!
//! A live capture has one thread: libpcap's buffer is the queue, and its frames are gone when the next one is asked for. The
//! blocks of a file live as long as somebody needs them, so other threads can walk them as well, each for its own part of the
//! connections. What they finish comes out in the order that one thread would have given it, a short stretch of frames at a
//! time, while it is in the cache.

use std::collections::VecDeque;
use std::mem;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::app::capture::reclaim::Spent;
use crate::app::{AppError, bug};
use crate::model::{Counters, Exchange, Frame, Timestamp};
use crate::source::savefile::Block;
use crate::wire::pipeline::{Finished, Limits, Merged, Pipeline};

/// Frames of a stretch, at most; a block's last one has fewer. Everybody cuts blocks in the same way.
const STRETCH: u32 = 128;
/// Stretches by which this thread may be ahead of the others.
const AHEAD: usize = 8;
/// Blocks that a helper may have at once. Stretches are what keeps them together: this is never full.
const BLOCKS: usize = AHEAD + 2;

/// Frames in, exchanges out.
#[derive(Debug)]
pub(crate) struct Engine {
    /// All connections, or this thread's part of them.
    pipeline: Pipeline,
    /// What comes back to be freed here, where it was allocated.
    spent: Option<Spent>,
    helpers: Vec<Helper>,
    /// With helpers: what this thread's part came to in the stretch that is walked, and its frames.
    finished: Finished,
    frames: u32,
    /// The same for stretches that helpers may still walk, oldest first. Bound: [`AHEAD`] and one.
    waiting: VecDeque<Finished>,
    /// The words of a bug on another thread.
    bug: Option<String>,
}

impl Engine {
    /// On this thread alone.
    pub(crate) fn alone(limits: Limits, spent: Option<Spent>) -> Self {
        Self {
            pipeline: Pipeline::new(limits),
            spent,
            helpers: Vec::new(),
            finished: Finished::default(),
            frames: 0,
            waiting: VecDeque::new(),
            bug: None,
        }
    }

    /// On a thread for each of the ways back; the first is this one's.
    pub(crate) fn new(limits: Limits, spent: Vec<Spent>) -> Result<Self, AppError> {
        let of = spent.len();
        let mut spent = spent.into_iter();
        let mut engine = Self::alone(limits, spent.next());
        if of > 1 {
            engine.pipeline = Pipeline::part(limits, 0, of);
            let helpers = spent.zip(1..).map(|(spent, index)| {
                Helper::start(Pipeline::part(limits, index, of), spent)
                    .map_err(|reason| AppError::System { what: "cannot start a thread", reason })
            });
            engine.helpers = helpers.collect::<Result<_, _>>()?;
        }
        Ok(engine)
    }

    /// The frames of `block` come. Gives what an earlier stretch came to, when that must be waited for.
    pub(crate) fn block(&mut self, block: &Arc<Block>) -> Option<Merged> {
        if self.helpers.is_empty() {
            return None;
        }
        let merged = self.end_stretch();
        self.helpers.iter().for_each(|helper| helper.give(Task::Block(Arc::clone(block))));
        merged
    }

    /// Takes a frame. Exchanges that are finished are appended to `out`, or with helpers given as a stretch when its turn comes.
    #[inline]
    pub(crate) fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<Exchange>) -> Option<Merged> {
        if self.helpers.is_empty() {
            self.pipeline.ingest(frame, out);
            return None;
        }
        self.finished.frame(frame, &mut self.pipeline);
        self.frames += 1;
        if self.frames == STRETCH { self.end_stretch() } else { None }
    }

    /// It is `now`. Files do not say so, and so helpers need not know.
    pub(crate) fn tick(&mut self, now: Timestamp, out: &mut Vec<Exchange>) {
        if self.helpers.is_empty() {
            self.pipeline.tick(now, out);
        }
    }

    /// Frees what came back.
    pub(crate) fn tidy(&self) {
        self.spent.iter().flat_map(Spent::try_iter).for_each(drop);
    }

    /// Nothing more comes: everything unfinished leaves, unless a bug has left it in disorder. What there is besides `out` is
    /// to be asked for with [`Engine::oldest`].
    pub(crate) fn finish(&mut self, is_broken: bool, out: &mut Vec<Exchange>) {
        self.put_by();
        if is_broken || self.bug.is_some() {
            return;
        }
        if self.helpers.is_empty() {
            self.pipeline.finish(out);
        } else {
            self.helpers.iter().for_each(|helper| helper.give(Task::End));
            self.finished.end(&mut self.pipeline);
            self.waiting.push_back(mem::take(&mut self.finished));
        }
    }

    /// What the oldest stretch came to that is not taken yet; waits for it.
    pub(crate) fn oldest(&mut self) -> Option<Merged> {
        let mut parts = vec![self.waiting.pop_front()?];
        for helper in &mut self.helpers {
            // One that has met a bug has told it, and tells nothing more.
            let Ok(done) = helper.done.recv() else { continue };
            helper.counters = done.counters;
            parts.push(done.finished);
            self.bug = self.bug.take().or(done.bug);
        }
        Some(Merged::of(parts))
    }

    /// The words of a bug on another thread: nothing that comes now is of use.
    pub(crate) const fn bug(&self) -> Option<&String> {
        self.bug.as_ref()
    }

    /// What was seen, used and lost, as far as the helpers have told.
    pub(crate) fn counters(&self) -> Counters {
        let mut counters = self.pipeline.counters();
        self.helpers.iter().for_each(|helper| counters.add(&helper.counters));
        counters
    }

    fn end_stretch(&mut self) -> Option<Merged> {
        self.put_by();
        if self.waiting.len() > AHEAD { self.oldest() } else { None }
    }

    fn put_by(&mut self) {
        if mem::take(&mut self.frames) > 0 {
            self.waiting.push_back(mem::take(&mut self.finished));
        }
    }
}

/// What a helper does.
enum Task {
    Block(Arc<Block>),
    End,
}

/// What a stretch came to, or the end.
struct Done {
    finished: Finished,
    /// Everything so far.
    counters: Counters,
    /// The words of a bug; then nothing more comes.
    bug: Option<String>,
}

/// Another thread with its part of the connections.
#[derive(Debug)]
struct Helper {
    tasks: SyncSender<Task>,
    done: Receiver<Done>,
    /// What it has told last.
    counters: Counters,
}

impl Helper {
    fn start(pipeline: Pipeline, spent: Spent) -> std::io::Result<Self> {
        let (tasks, todo) = sync_channel(BLOCKS);
        let (tell, done) = sync_channel(AHEAD);
        thread::Builder::new().name("helper".into()).spawn(move || help(pipeline, &todo, &tell, &spent))?;
        Ok(Self { tasks, done, counters: Counters::default() })
    }

    fn give(&self, task: Task) {
        // One that has met a bug takes nothing more.
        let _ = self.tasks.send(task);
    }
}

/// Works until nothing more is to be done or nobody wants to know.
fn help(mut pipeline: Pipeline, todo: &Receiver<Task>, tell: &SyncSender<Done>, spent: &Spent) {
    for task in todo {
        let told = bug::catch(|| match task {
            Task::End => {
                let mut finished = Finished::default();
                finished.end(&mut pipeline);
                tell_of(finished, &pipeline, tell)
            }
            Task::Block(block) => walk(&block, &mut pipeline, tell, spent),
        });
        match told {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => return,
            Err(words) => {
                let done =
                    Done { finished: Finished::default(), counters: pipeline.counters(), bug: Some(words) };
                let _ = tell.send(done);
                return;
            }
        }
    }
}

/// Walks a block and tells what each stretch comes to.
fn walk(block: &Block, pipeline: &mut Pipeline, tell: &SyncSender<Done>, spent: &Spent) -> ControlFlow<()> {
    let (mut finished, mut frames) = (Finished::default(), 0);
    block.try_for_each(|frame| {
        finished.frame(frame, pipeline);
        frames += 1;
        if frames < STRETCH {
            return ControlFlow::Continue(());
        }
        frames = 0;
        spent.try_iter().for_each(drop);
        tell_of(mem::take(&mut finished), pipeline, tell)
    })?;
    if frames > 0 { tell_of(finished, pipeline, tell) } else { ControlFlow::Continue(()) }
}

/// Breaks when nobody wants to know.
fn tell_of(finished: Finished, pipeline: &Pipeline, tell: &SyncSender<Done>) -> ControlFlow<()> {
    let done = Done { finished, counters: pipeline.counters(), bug: None };
    if tell.send(done).is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::{AHEAD, Done, Engine, Helper, Task, help};
    use crate::app::capture::reclaim::ways_back;
    use crate::model::{Counters, Timestamp};
    use crate::source::savefile::BlockReader;
    use crate::synth::{Conversation, pcap};
    use crate::wire::pipeline::{Finished, Limits, Pipeline};

    fn capture() -> Vec<u8> {
        let frames: Vec<_> = (0..400u16)
            .flat_map(|number| {
                let client = ([192, 0, 2, 1], 10_000 + number).into();
                let time = Timestamp(i64::from(number) * 1_000_000);
                Conversation::new(client, "192.0.2.250:80".parse().unwrap())
                    .client(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", time)
                    .server(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", time)
                    .into_frames()
            })
            .collect();
        pcap::to_bytes(&frames)
    }

    /// What an engine makes of the capture's only block.
    fn run(engine: &mut Engine) -> usize {
        let mut reader = BlockReader::of(std::io::Cursor::new(capture())).unwrap();
        let block = std::sync::Arc::new(reader.next(Vec::new()).unwrap().unwrap());
        let mut out = Vec::new();
        let mut count = engine.block(&block).into_iter().flatten().count();
        let _ = block.try_for_each(|frame| -> std::ops::ControlFlow<()> {
            count += engine.frame(frame, &mut out).into_iter().flatten().count();
            std::ops::ControlFlow::Continue(())
        });
        engine.finish(false, &mut out);
        while let Some(merged) = engine.oldest() {
            count += merged.count();
        }
        count + out.len()
    }

    #[test]
    fn helpers_do_their_part() {
        for threads in 1..=4 {
            let (_returns, spent) = ways_back(threads);
            let mut engine = Engine::new(Limits::default(), spent).unwrap();
            assert_eq!((run(&mut engine), engine.counters().exchanges), (400, 400));
            assert_eq!(engine.counters().frames, 800);
        }
    }

    #[test]
    fn after_a_bug_on_another_thread_the_rest_is_kept() {
        let (_returns, spent) = ways_back(2);
        let mut engine = Engine::new(Limits::default(), spent).unwrap();
        let ((tasks, todo), (tell, done)) = (sync_channel(AHEAD), sync_channel(AHEAD));
        let bug = Some("a bug in why403".to_owned());
        tell.send(Done { finished: Finished::default(), counters: Counters::default(), bug }).unwrap();
        drop((tell, todo));
        engine.helpers = vec![Helper { tasks, done, counters: Counters::default() }];
        let kept = run(&mut engine);
        assert!((1..400).contains(&kept), "{kept}");
        assert_eq!(engine.bug().map(String::as_str), Some("a bug in why403"));
    }

    #[test]
    fn a_helper_ends_when_nobody_listens() {
        let (_returns, mut spent) = ways_back(1);
        let ((tasks, todo), (tell, done)) = (sync_channel(AHEAD), sync_channel(AHEAD));
        tasks.send(Task::End).unwrap();
        drop(done);
        help(Pipeline::new(Limits::default()), &todo, &tell, &spent.remove(0));
        assert!(tasks.send(Task::End).is_ok(), "the first was the last that it looked at");
    }
}
