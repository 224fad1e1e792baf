# The commands that people type; each is one line elsewhere too.
.PHONY: all test bench bench-stages bench-offline bench-memory bench-screen bench-live bench-tap bench-instructions bench-quick ci demo

all:
	cargo build --release

test:
	cargo test

demo:
	cargo run --release -- demo

# Needs tcpdump, tshark, ngrep, nginx, wrk, tcpreplay, ethtool and python3; the live half needs root.
bench: bench-stages bench-offline bench-memory bench-screen bench-live bench-tap

# Decode, reassembly, heads, pairing, templates, insert, difference, diagnosis, filters over a million exchanges, frames of the screen.
bench-stages:
	cargo bench --profile profiling --bench pipeline --bench diagnosis -- --quiet
	@echo "bars: a filter over a million exchanges 200 ms, goal 50 ms; a frame over them 8 ms, goal 2 ms"
	cargo bench --profile profiling --bench history --bench screen -- --quiet

bench-offline:
	scripts/bench-offline --shape all

bench-memory:
	scripts/bench-memory

bench-screen:
	cargo build --release
	scripts/bench-screen

bench-live:
	scripts/bench-live

# Needs haproxy, nginx, wrk and openssl; hitch as well, where there is one.
bench-tap:
	scripts/bench-tap

# Every mode beside tcpdump in three minutes; read the ratios.
bench-quick:
	cargo build --release
	scripts/bench-quick

# Without noise, for comparing one change with another; needs valgrind.
bench-instructions:
	scripts/bench-instructions

ci:
	.ci/run
