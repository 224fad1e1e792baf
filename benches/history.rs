//! What the consumer's half costs: endpoint of a path, insert, baseline, difference, and filters over a million exchanges.
//!
//! `cargo bench --bench history [-- FILTER]`

#![expect(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

mod history_support;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use history_support::{Kind, exchange, history};
use why403::explain::difference;
use why403::filter::{Context, Filter};
use why403::history::History;
use why403::model::{BaselineChoice, ExchangeId};

const MILLION: u64 = 1_000_000;

fn insert(c: &mut Criterion) {
    let mut group = c.benchmark_group("insert");
    group.throughput(Throughput::Elements(1));
    for (name, kind) in [("success", Kind::Success), ("refusal", Kind::Refusal)] {
        for (budget_name, budget) in [("room", 8 << 30), ("full", 64 << 20)] {
            let mut history = history(50_000, budget);
            let mut number = 50_000;
            group.bench_function(format!("{name}/{budget_name}"), |b| {
                b.iter_batched(
                    || {
                        number += 1;
                        exchange(number, kind)
                    },
                    |exchange| history.insert(exchange),
                    BatchSize::SmallInput,
                );
            });
        }
    }
    group.finish();
}

fn report(c: &mut Criterion) {
    let mut group = c.benchmark_group("report");
    let history = history(20_000, 8 << 30);
    let refused = ExchangeId(10_000);
    let record = history.get(refused).unwrap();
    let baseline = history.baseline(refused, BaselineChoice::LastSuccess).unwrap();
    let other = history.get(baseline.id).unwrap();
    for (name, choice) in [
        ("last-success", BaselineChoice::LastSuccess),
        ("same-client", BaselineChoice::SameClient),
        ("most-similar", BaselineChoice::MostSimilar),
    ] {
        group.bench_function(format!("baseline/{name}"), |b| {
            b.iter(|| history.baseline(black_box(refused), choice));
        });
    }
    group.bench_function("related", |b| b.iter(|| history.related_successes(black_box(refused))));
    group.bench_function("diff", |b| b.iter(|| difference::compare(&history, black_box(record), other)));
    group.finish();
}

fn filter(c: &mut Criterion) {
    let history = history(MILLION, 16 << 30);
    let kept = history.memory() as f64 / history.len() as f64;
    println!("{} exchanges kept, {kept:.0} bytes each", history.len());
    let mut group = c.benchmark_group("filter-1M");
    group.sample_size(10).warm_up_time(Duration::from_millis(500));
    for query in [
        "method:POST status:403",
        "status:4xx -method:GET latency:>1ms since:1h",
        "endpoint:/v1/orders/{id}",
        "host:api client:10.0.0.0/8",
        "path:/v1/users/*",
        "users",
        "users status:403",
        "/users.[0-9]+7$/",
        "header:authorization",
        "header:user-agent=curl",
        "body:denied",
        "body:/den[iy]ed/",
    ] {
        group.bench_function(query, |b| b.iter(|| select(&history, query)));
    }
    group.finish();
}

fn select(history: &History, query: &str) -> usize {
    let filter = Filter::parse(query).unwrap();
    let context = Context { history, now: history.now(), cause: &|_| None };
    filter.select(&context).len()
}

criterion_group!(benches, insert, report, filter);
criterion_main!(benches);
