//! What a diagnosis costs: counting one exchange, answering one refusal in full, and the top cause of many that are alike.
//!
//! `cargo bench --bench diagnosis [-- FILTER]`; times are of the thread on a processor, so that a busy machine changes little.

#![expect(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

mod history_support;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use history_support::history;
use why403::explain::diagnoser::Diagnoser;
use why403::explain::difference;
use why403::history::{History, Record};
use why403::model::{BaselineChoice, Difference, ExchangeId};

const COUNT: u64 = 20_000;

/// How long this thread has been on a processor; where the system does not say, how long since `start`.
fn spent(start: Instant) -> Duration {
    let line = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = line.split(' ').next().and_then(|word| word.parse().ok());
    nanos.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// `times` runs of `what`, on the processor.
fn timed(times: u64, mut what: impl FnMut()) -> Duration {
    let start = Instant::now();
    let before = spent(start);
    (0..times).for_each(|_| what());
    spent(start).saturating_sub(before)
}

/// With all of `history` counted.
fn settled(history: &History) -> Diagnoser {
    let mut diagnoser = Diagnoser::new();
    for number in 1..=COUNT {
        diagnoser.observe(history.get(ExchangeId(number)).unwrap(), history);
    }
    diagnoser
}

fn observe(c: &mut Criterion) {
    let history = history(COUNT, 8 << 30);
    let records: Vec<&Record> = (1..=COUNT).map(|number| history.get(ExchangeId(number)).unwrap()).collect();
    let mut diagnoser = settled(&history);
    let mut next = records.iter().cycle();
    let mut group = c.benchmark_group("diagnosis");
    group.throughput(Throughput::Elements(1)).sampling_mode(SamplingMode::Flat).sample_size(10);
    group.bench_function("observe", |b| {
        b.iter_custom(|times| timed(times, || diagnoser.observe(black_box(next.next().unwrap()), &history)));
    });
    group.finish();
}

fn diagnose(c: &mut Criterion) {
    let history = history(COUNT, 8 << 30);
    let diagnoser = settled(&history);
    let refused: Vec<(&Record, Option<&Record>, Vec<Difference>)> = (1..=COUNT / 10)
        .map(|number| {
            let this = history.get(ExchangeId(number * 10)).unwrap();
            let baseline = history.baseline(ExchangeId(number * 10), BaselineChoice::LastSuccess);
            let other = baseline.and_then(|baseline| history.get(baseline.id));
            let differences =
                other.map(|other| difference::compare(&history, this, other)).unwrap_or_default();
            (this, other, differences)
        })
        .collect();
    let mut next = refused.iter().cycle();
    let mut group = c.benchmark_group("diagnosis");
    group.throughput(Throughput::Elements(1)).sampling_mode(SamplingMode::Flat).sample_size(10);
    group.bench_function("diagnose", |b| {
        b.iter_custom(|times| {
            timed(times, || {
                let (this, baseline, differences) = next.next().unwrap();
                black_box(diagnoser.diagnose(&history, black_box(this), *baseline, differences));
            })
        });
    });
    group.bench_function("top", |b| {
        b.iter_custom(|times| {
            timed(times, || {
                black_box(diagnoser.top(&history, black_box(next.next().unwrap().0)));
            })
        });
    });
    group.finish();
}

criterion_group!(benches, observe, diagnose);
criterion_main!(benches);
