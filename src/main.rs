//! The why403 command.

use std::process::ExitCode;

/// Kept exchanges are many small blocks with long and short lives mixed, on which glibc's allocator spends more time than
/// the parsers do; see BENCHMARKS.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    why403::app::main()
}
