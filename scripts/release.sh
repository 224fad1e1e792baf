#!/usr/bin/env bash
# Builds the release twice, from two directories, and keeps it only if the two are the same bytes.
# dist/ gets the binary, its checksum and a bill of materials. --static links libpcap into it.
set -euo pipefail
cd "$(dirname "$0")/.."
options=()
[ "${1:-}" != --static ] || options=(--features static-libpcap)
dist=$PWD/dist
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$dist"

build() {
  local folder=$scratch/$1
  git clone -q . "$folder"
  (
    cd "$folder"
    export RUSTFLAGS="--remap-path-prefix=$folder=/why403 --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
    export SOURCE_DATE_EPOCH CARGO_TARGET_DIR=$folder/target
    cargo build --quiet --release --locked "${options[@]}"
  )
  sha256sum <"$folder/target/release/why403"
}

one=$(build one)
two=$(build another)
if [ "$one" != "$two" ]; then
  echo "release.sh: the two builds differ: $one and $two" >&2
  exit 1
fi
install -m 755 "$scratch/one/target/release/why403" "$dist/why403"
(cd "$dist" && sha256sum why403 >SHA256SUMS)
scripts/sbom.py >"$dist/why403.cdx.json"
ls -l "$dist"
