//! Faults inside the real program, at a moment that the test chooses: the program has no door for them, so a library that is
//! loaded before it makes them.

use std::path::PathBuf;
use std::sync::OnceLock;

use super::must;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/fault.c");

/// What has to be in the program's environment so that the thread `name` panics after SIGUSR2, or so that the kernel seems to
/// have no "landlock", or so that another "thread" runs before the program's own. Needs `cc`.
pub(crate) fn fault(name: &str) -> [(&'static str, String); 2] {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let (new, library) =
            (folder.join(format!("fault-{}.so", std::process::id())), folder.join("fault.so"));
        must("cc", ["-shared", "-fPIC", "-O1", "-o", new.to_str().unwrap(), SOURCE, "-ldl", "-lpthread"]);
        std::fs::rename(&new, &library).unwrap();
        library
    });
    [("LD_PRELOAD", library.display().to_string()), ("WHY403_FAULT", name.to_owned())]
}
