//! Finds libpcap before the linker misses it, and says which package has it. With the feature `static-libpcap`, puts the archive
//! where the linker looks first, together with what that archive needs.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const MISSING: &str = "libpcap is missing. Install it: apt install libpcap-dev | dnf install libpcap-devel | \
     pacman -S libpcap | brew install libpcap (elsewhere: set LIBPCAP_LIBDIR to the directory that has it)";
const MISSING_STATIC: &str = "the feature static-libpcap needs libpcap.a, which is neither in LIBPCAP_LIBDIR nor beside \
     the system's libpcap: apt install libpcap-dev, or build one as docs/static.md says";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for variable in
        ["LIBPCAP_LIBDIR", "PKG_CONFIG", "PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "CC", "LIBRARY_PATH"]
    {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    if env::var_os("DOCS_RS").is_some() {
        return;
    }
    if env::var_os("CARGO_FEATURE_STATIC_LIBPCAP").is_some() {
        match archive() {
            Some(archive) => link_statically(&archive),
            None => println!("cargo::error={MISSING_STATIC}"),
        }
    } else if !is_there() {
        println!("cargo::error={MISSING}");
    }
}

/// Whether the linker will find libpcap: where the user says, where pkg-config says, or by itself.
fn is_there() -> bool {
    match env::var_os("LIBPCAP_LIBDIR") {
        Some(dir) => ["libpcap.so", "libpcap.dylib", "libpcap.a"]
            .iter()
            .any(|file| Path::new(&dir).join(file).exists()),
        None => pkg_config(&["--exists"]).is_some() || links(),
    }
}

/// Asks pkg-config about libpcap.
fn pkg_config(arguments: &[&str]) -> Option<String> {
    let program = env::var_os("PKG_CONFIG").unwrap_or_else(|| "pkg-config".into());
    let output = Command::new(program).args(arguments).arg("libpcap").stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Links a program that does nothing against libpcap.
fn links() -> bool {
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("probe");
    let spawned = Command::new(compiler)
        .args(["-x", "c", "-", "-lpcap", "-o"])
        .arg(out)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = spawned else { return false };
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(b"char pcap_lib_version(); int main(void) { return !pcap_lib_version; }");
    }
    child.wait().is_ok_and(|status| status.success())
}

/// The archive to link: the user's, else the system's.
fn archive() -> Option<PathBuf> {
    let of = |dir: PathBuf| Some(dir.join("libpcap.a")).filter(|file| file.is_file());
    if let Some(dir) = env::var_os("LIBPCAP_LIBDIR") {
        return of(dir.into());
    }
    let from_pkg_config = pkg_config(&["--variable=libdir"]).map(|dir| PathBuf::from(dir.trim()));
    let arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let usual = [
        format!("/usr/lib/{arch}-linux-gnu"),
        "/usr/lib64".into(),
        "/usr/lib".into(),
        "/usr/local/lib".into(),
    ];
    from_pkg_config.into_iter().chain(usual.map(PathBuf::from)).find_map(of)
}

/// The linker takes an archive only where it finds no shared library first: it gets a directory with nothing else in it.
fn link_statically(archive: &Path) {
    let dir = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("static");
    let copied = fs::create_dir_all(&dir).and_then(|()| fs::copy(archive, dir.join("libpcap.a")));
    if let Err(error) = copied {
        println!("cargo::error=cannot copy {}: {error}", archive.display());
        return;
    }
    println!("cargo::rerun-if-changed={}", archive.display());
    println!("cargo::rustc-link-search=native={}", dir.display());
    let bytes = fs::read(archive).unwrap_or_default();
    let uses = |symbol: &[u8]| bytes.windows(symbol.len()).any(|window| window == symbol);
    for (symbol, library) in
        [(&b"dbus_bus_get"[..], "dbus-1"), (b"ibv_get_device_list", "ibverbs"), (b"nl_socket_alloc", "nl-3")]
    {
        if uses(symbol) {
            needs(archive, library);
        }
    }
}

/// What the archive needs in turn: statically where there is an archive of it, else as a shared library.
fn needs(libpcap: &Path, library: &str) {
    let beside = libpcap.with_file_name(format!("lib{library}.a"));
    if !beside.is_file() {
        println!("cargo::rustc-link-arg=-l{library}");
        return;
    }
    println!("cargo::rustc-link-arg={}", beside.display());
    if library == "dbus-1" {
        // Debian's libdbus.a calls sd_listen_fds; systemd has no archive, and its .so without a version is in another package.
        println!("cargo::rustc-link-arg=-l:libsystemd.so.0");
    }
}
