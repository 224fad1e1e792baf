# The commands that people type; each is one line elsewhere too.
.PHONY: all test bench bench-offline bench-live bench-tap bench-instructions ci demo

all:
	cargo build --release

test:
	cargo test

demo:
	cargo run --release -- demo

# Needs tcpdump, tshark, ngrep, nginx, wrk and python3; the live half needs root.
bench: bench-offline bench-live bench-tap

bench-offline:
	scripts/bench-offline --shape all

bench-live:
	scripts/bench-live

# Needs haproxy, nginx, wrk and openssl; hitch as well, where there is one.
bench-tap:
	scripts/bench-tap

# Without noise, for comparing one change with another; needs valgrind.
bench-instructions:
	scripts/bench-instructions

ci:
	.ci/run
