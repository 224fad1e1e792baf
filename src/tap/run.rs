//! From the command line to the end.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};

use crate::sandbox::{self, Identity, Policy};

use super::args::{TapArgs, TapCommand};
use super::beside::{PROXY_AT, WATCH_WITH};
use super::config::{self, ServerTls};
use super::control::{self, Control};
use super::error::TapError;
use super::events::{self, Reporter};
use super::keeper::{self, Keeper};
use super::mirror::{self, Hub, Place, Socket};
use crate::tap::accept::connection::Entrance;

use super::{Counters, Shared};
use crate::tap::accept::admission::Admission;
use crate::tap::accept::listener;
use crate::tap::accept::worker::Worker;
use crate::tap::tls::local_ca::LocalCa;

/// Runs the tap until it is told to stop.
pub fn run(args: &TapArgs) -> Result<(), TapError> {
    match &args.command {
        Some(TapCommand::Ca) => print_ca(),
        Some(TapCommand::Keeper { file, socket }) => keeper::keep(file, socket.as_deref()),
        None => serve(args),
    }
}

fn print_ca() -> Result<(), TapError> {
    let ca = LocalCa::open()?;
    let advice = format!(
        "This is the CA that signs for --self-signed; its key lies beside it.\n  {path}\n\
         Trust it for one command:\n  curl --cacert {path} …\n  NODE_EXTRA_CA_CERTS={path} node …\n  \
         REQUESTS_CA_BUNDLE={path} python …\n\
         Trust it on this machine (Debian, Ubuntu):\n  \
         sudo cp {path} /usr/local/share/ca-certificates/why403-tap.crt && sudo update-ca-certificates\n\
         Take it back: remove that file and run sudo update-ca-certificates --fresh\n",
        path = ca.path.display()
    );
    // Whoever closed these streams does not want to read them.
    let _ = std::io::stderr().write_all(advice.as_bytes());
    let _ = std::io::stdout().write_all(ca.pem.as_bytes());
    Ok(())
}

fn serve(args: &TapArgs) -> Result<(), TapError> {
    config::check(args)?;
    if args.tui {
        return Err(TapError::usage(
            "--tui needs a terminal and the inspector: run `why403 tap --tui` itself",
        ));
    }
    let identity = Identity::target();
    let tls = ServerTls::new(args)?;
    let server_tls = tls.as_ref().map(|tls| tls.load(&config::read)).transpose()?;
    let upstream = config::upstream(args)?;
    let forward = config::forward(args)?;
    let listeners = config::bind(args)?;
    let place = match &args.mirror {
        Some(typed) => Place::parse(typed, args.mirror_expose)?,
        None => Place::default_for(identity.uid),
    };
    let socket = place.bind(identity.uid, identity.gid)?;
    let files: Vec<PathBuf> = tls.iter().flat_map(ServerTls::files).cloned().collect();
    let path = if let Place::Unix(path) = &place { Some(path.as_path()) } else { None };
    let keeper = Keeper::start(&files, path)?;
    raise_file_limit();
    // Everything is open; the threads that start from here on inherit what is given up.
    let policy = Policy { mode: args.sandbox, network: true, ..Policy::default() };
    let report = sandbox::enter(&policy).map_err(|error| TapError::Sandbox(error.to_string()))?;
    if let Some(line) = report.start_up_line() {
        events::log(&line);
    }
    let hub = Arc::new(Hub::default());
    let shared = Arc::new(Shared {
        server_tls: server_tls.into(),
        upstream,
        forward,
        accept_proxy: args.accept_proxy.then(|| args.accept_proxy_from.clone()),
        limits: config::limits(args),
        reporter: Reporter::new(Arc::clone(&hub)),
        hub,
        counters: Counters::default(),
    });
    announce(&shared, &listeners, &place, args.upstream_tls);
    if args.leashed {
        events::fall_silent();
    }
    let control = Control { tls, files, keeper, leash: args.leashed.then(control::leash).transpose()? };
    relay(args, &shared, listeners, socket, control)?;
    summarise(&shared);
    Ok(())
}

/// Every connection takes two descriptors, and the usual limit of 1,024 is there for programs that use `select`.
fn raise_file_limit() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Where it is refused, accepting says so when descriptors run out.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// Says what is where, in lines that can be copied.
fn announce(
    shared: &Shared,
    listeners: &[(std::net::TcpListener, Entrance)],
    place: &Place,
    upstream_tls: bool,
) {
    for (listener, entrance) in listeners {
        let Ok(addr) = listener.local_addr() else { continue };
        if *entrance == Entrance::Proxy {
            events::log(&format!("{PROXY_AT}{addr}"));
            continue;
        }
        let here = if *entrance == Entrance::Tls { "TLS" } else { "plain" };
        let there = if upstream_tls { "TLS" } else { "plain" };
        events::log(&format!("{addr} ({here}) → {} ({there})", shared.upstream.typed));
    }
    if *place != Place::None {
        events::log(&match place {
            Place::Unix(path) => format!("{WATCH_WITH}{}", path.display()),
            _ => format!("watch with: why403 -i {place} (so can every user who reaches that address)"),
        });
    }
}

/// Starts the threads, waits for the end and for the connections that are left.
fn relay(
    args: &TapArgs,
    shared: &Arc<Shared>,
    listeners: Vec<(std::net::TcpListener, Entrance)>,
    socket: Option<Socket>,
    control: Control,
) -> Result<(), TapError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(TapError::system("starting"))?;
    let (stop, stopped) = watch::channel(false);
    let mirror = socket.map(|socket| start_mirror(args, shared, socket, stopped)).transpose()?;
    let (mut workers, mut threads) = (Vec::new(), Vec::new());
    for number in 0..config::workers(args) {
        let (worker, thread) = Worker::start(number, Arc::clone(shared))?;
        workers.push(worker);
        threads.push(thread);
    }
    let admission = Arc::new(Admission::new(args.max_connections, args.max_handshakes));
    let workers: Arc<[Worker]> = workers.into();
    let served = runtime.block_on(async {
        let mut accepting = JoinSet::new();
        for (listener, entrance) in listeners {
            let (shared, admission, workers) =
                (Arc::clone(shared), Arc::clone(&admission), Arc::clone(&workers));
            accepting.spawn(listener::accept(listener, entrance, shared, admission, workers));
        }
        control::until_told(shared, control).await
    });
    // Dropping the runtime drops the listeners, and dropping the workers' handles lets them finish.
    drop(runtime);
    drop(workers);
    for thread in threads {
        let _ = thread.join();
    }
    let _ = stop.send(true);
    if let Some(mirror) = mirror {
        let _ = mirror.join();
    }
    served
}

fn start_mirror(
    args: &TapArgs,
    shared: &Shared,
    socket: Socket,
    stopped: watch::Receiver<bool>,
) -> Result<JoinHandle<()>, TapError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(TapError::system("starting the mirror"))?;
    let (hub, limit) = (Arc::clone(&shared.hub), args.mirror_buffer);
    std::thread::Builder::new()
        .name("tap-mirror".to_owned())
        .spawn(move || LocalSet::new().block_on(&runtime, mirror::serve(hub, socket, limit, stopped)))
        .map_err(TapError::system("starting the mirror"))
}

fn summarise(shared: &Shared) {
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    events::log(&format!(
        "{} connections, {} failed handshakes; mirrored {} frames, {} lost by slow readers; {} notices not shown",
        count(&shared.counters.connections),
        count(&shared.counters.failed),
        count(&shared.hub.frames),
        count(&shared.hub.lost),
        count(&shared.reporter.suppressed),
    ));
}
