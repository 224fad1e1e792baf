//! What several pipelines finish, in the order in which one would have finished it.

use std::iter::Peekable;
use std::vec;

use crate::model::{Exchange, FlowId, Frame};
use crate::wire::pipeline::Pipeline;

/// What one part of the connections came to, in a stretch of frames.
#[derive(Debug, Default)]
pub(crate) struct Finished {
    exchanges: Vec<Exchange>,
    /// The event in which each of them finished.
    events: Vec<u64>,
}

impl Finished {
    /// Hands a frame to the pipeline of this part.
    pub(crate) fn frame(&mut self, frame: &Frame<'_>, pipeline: &mut Pipeline) {
        pipeline.tick(frame.time, &mut self.exchanges);
        self.mark(pipeline);
        pipeline.take(frame, &mut self.exchanges);
        self.mark(pipeline);
    }

    /// Tells the pipeline that the capture has ended.
    pub(crate) fn end(&mut self, pipeline: &mut Pipeline) {
        pipeline.finish(&mut self.exchanges);
        self.mark(pipeline);
    }

    fn mark(&mut self, pipeline: &Pipeline) {
        if self.events.len() < self.exchanges.len() {
            self.events.resize(self.exchanges.len(), pipeline.events);
        }
    }
}

/// What all parts came to in one stretch of frames: by event, and within an event by connection.
#[derive(Debug)]
pub(crate) struct Merged {
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    events: Peekable<vec::IntoIter<u64>>,
    exchanges: vec::IntoIter<Exchange>,
}

impl Part {
    /// Where its next exchange belongs. More than one part has something to say of the same event only when that is the
    /// beginning of a second or the end.
    fn place(&mut self) -> Option<(u64, FlowId)> {
        Some((*self.events.peek()?, self.exchanges.as_slice().first()?.connection.flow))
    }
}

impl Merged {
    /// One for each part.
    pub(crate) fn of(parts: impl IntoIterator<Item = Finished>) -> Self {
        let part = |Finished { exchanges, events }| Part {
            events: events.into_iter().peekable(),
            exchanges: exchanges.into_iter(),
        };
        Self { parts: parts.into_iter().map(part).collect() }
    }
}

impl Iterator for Merged {
    type Item = Exchange;

    fn next(&mut self) -> Option<Exchange> {
        let places = self.parts.iter_mut().filter_map(|part| Some((part.place()?, part)));
        let (_, part) = places.min_by_key(|(place, _)| *place)?;
        part.events.next();
        part.exchanges.next()
    }
}
