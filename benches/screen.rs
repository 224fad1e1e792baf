//! What a frame costs over a history of a million exchanges, from the state to the bytes for the terminal.
//!
//! `cargo bench --bench screen [-- FILTER]`

#![expect(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

#[allow(dead_code, reason = "this benchmark needs only some of it")]
mod history_support;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use history_support::{Kind, exchange};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use why403::explain::diagnoser::Diagnoser;
use why403::explain::inspector::Inspector;
use why403::feed::{Message, Source};
use why403::filter::Filter;
use why403::history::History;
use why403::model::Exchange;
use why403::tui::action::Action;
use why403::tui::painter::Painter;
use why403::tui::prepare_frame::prepare_frame;
use why403::tui::render::render;
use why403::tui::state::State;
use why403::tui::update::{apply_filter, update, wants_scan};
use why403::tui::{Environment, Exports, Settings};

const MILLION: u64 = 1_000_000;
const SIZE: (u16, u16) = (200, 60);

struct Screen {
    state: State,
    painter: Painter,
    buffer: Buffer,
    number: u64,
}

impl Screen {
    fn new(filter: &str) -> Self {
        let inspector = Inspector::new(History::new(8 << 30), Diagnoser::new());
        let exports = Exports {
            curl: |_, _| String::new(),
            markdown: |_, _, _| String::new(),
            json: |_, _, _| String::new(),
            many: |_, ids, format, _| {
                Ok((format!("{format}: {} exchanges\n", ids.len()).into_bytes(), "txt"))
            },
        };
        let environment = Environment {
            term: "xterm-256color".into(),
            colorterm: "truecolor".into(),
            utf8: true,
            ..Environment::default()
        };
        let filter = Filter::parse(filter).unwrap();
        let state =
            State::new(inspector, Source::default(), filter, exports, &Settings::default(), &environment)
                .unwrap();
        let buffer = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
        let mut screen = Self { state, painter: Painter::default(), buffer, number: 0 };
        screen.act(Action::Resize(SIZE.0, SIZE.1));
        while screen.number < MILLION {
            let batch = screen.batch(1000);
            screen.act(Action::Feed(Message::Exchanges(batch)));
        }
        screen
    }

    fn batch(&mut self, count: u64) -> Vec<Exchange> {
        let from = self.number + 1;
        self.number += count;
        let kind = |number: u64| if number.is_multiple_of(10) { Kind::Refusal } else { Kind::Success };
        (from..=self.number).map(|number| exchange(number, kind(number))).collect()
    }

    fn act(&mut self, action: Action) {
        black_box(update(&mut self.state, action));
    }

    fn press(&mut self, keys: &str) {
        keys.split(' ').for_each(|key| self.act(Action::Key(key.parse().unwrap())));
    }

    /// One frame, as the run loop makes it; the number of bytes for the terminal.
    fn frame(&mut self) -> usize {
        prepare_frame(&mut self.state);
        self.buffer.reset();
        let cursor = render(&self.state, &mut self.buffer);
        let mut out = Vec::new();
        self.painter.paint(&self.buffer, cursor, &mut out);
        out.len()
    }
}

fn frames(c: &mut Criterion) {
    let mut group = c.benchmark_group("frame");
    let mut screen = Screen::new("");
    screen.frame();
    group.bench_function("still", |b| b.iter(|| screen.frame()));
    group.bench_function("follow-with-100-new", |b| {
        b.iter_custom(|times| {
            let mut total = Duration::ZERO;
            for _ in 0..times {
                let batch = screen.batch(100);
                let begin = Instant::now();
                screen.act(Action::Feed(Message::Exchanges(batch)));
                screen.frame();
                total += begin.elapsed();
            }
            total
        });
    });
    screen.press("g");
    group.bench_function("one-row-down", |b| {
        b.iter(|| {
            screen.press("j");
            screen.frame()
        });
    });
    screen.press("g");
    group.bench_function("one-page-down", |b| {
        b.iter(|| {
            screen.press("PgDn");
            screen.frame()
        });
    });
    screen.press("E");
    group.bench_function("endpoints", |b| b.iter(|| screen.frame()));
    group.finish();
}

fn refusals(c: &mut Criterion) {
    let mut group = c.benchmark_group("refusals");
    let mut screen = Screen::new("method:POST status:403");
    screen.press("g d");
    screen.frame();
    group.bench_function("next-difference", |b| {
        b.iter(|| {
            screen.press("J");
            screen.frame()
        });
    });
    screen.press("Esc g");
    screen.frame();
    let mut pages = 0;
    group.bench_function("page-of-diagnoses", |b| {
        b.iter(|| {
            // Before the end of the list; the causes of the first pages are forgotten by then.
            pages = (pages + 1) % 1500;
            screen.press(if pages == 0 { "g" } else { "PgDn" });
            screen.frame()
        });
    });
    screen.press("g");
    for query in ["status:403", "path:/v1/orders latency:>1ms", "endpoint:/v1/users/{id}"] {
        group.bench_function(format!("new-filter/{query}"), |b| {
            b.iter(|| {
                apply_filter(&mut screen.state, query);
                let first = screen.frame();
                while wants_scan(&screen.state) {
                    screen.act(Action::Scan);
                }
                first + screen.frame()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, frames, refusals);
criterion_main!(benches);
