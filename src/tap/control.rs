//! What the tap does beside relaying: it waits for signals, reads certificates again, and knows when to end.

use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::io::AsyncReadExt as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::model::{Notice, NoticeKind};

use super::config::ServerTls;
use super::error::TapError;
use super::keeper::{self, Keeper};
use super::{Shared, events, mirror};

/// What it takes to read the certificates again.
pub(super) struct Control {
    pub(super) tls: Option<ServerTls>,
    pub(super) files: Vec<PathBuf>,
    pub(super) keeper: Keeper,
    /// Ends the tap by ending itself.
    pub(super) leash: Option<UnixStream>,
}

/// Standard input, which is a socket when the tap runs beside the inspector.
pub(super) fn leash() -> Result<UnixStream, TapError> {
    let stdin = std::io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from);
    stdin
        .and_then(|stdin| stdin.set_nonblocking(true).map(|()| stdin))
        .map_err(TapError::system("watching standard input"))
}

/// Returns when `leash` has ended; without one, never.
async fn let_go(leash: Option<UnixStream>) {
    match leash.map(tokio::net::UnixStream::from_std) {
        Some(Ok(mut leash)) => while leash.read_u8().await.is_ok() {},
        _ => std::future::pending().await,
    }
}

/// Reads the certificates again at every SIGHUP. Returns when the tap should end.
pub(super) async fn until_told(shared: &Shared, control: Control) -> Result<(), TapError> {
    let on = |kind| signal(kind).map_err(TapError::system("watching for signals"));
    let mut terminate = on(SignalKind::terminate())?;
    let mut interrupt = on(SignalKind::interrupt())?;
    let mut hangup = on(SignalKind::hangup())?;
    let mut keeper = control.keeper.attach().map_err(TapError::system("talking to the keeper process"))?;
    let mut end = std::pin::pin!(let_go(control.leash));
    loop {
        tokio::select! {
            () = &mut end => break,
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => {
                let Some(tls) = control.tls.as_ref().filter(|_| !control.files.is_empty()) else { continue };
                let notice = match reread(shared, tls, &control.files, &mut keeper).await {
                    Ok(()) => Notice::info(mirror::now(), NoticeKind::Reload, "certificates read again"),
                    Err(why) => Notice::warning(
                        mirror::now(),
                        NoticeKind::Reload,
                        format!("the old certificates stay in use: {why}"),
                    ),
                };
                shared.reporter.tell(&notice);
            }
        }
    }
    events::log("stopping; open connections may finish (--drain-timeout)");
    Ok(())
}

async fn reread(
    shared: &Shared,
    tls: &ServerTls,
    files: &[PathBuf],
    keeper: &mut keeper::Attached,
) -> Result<(), String> {
    let contents = keeper.read(files.len()).await.map_err(|error| error.to_string())?;
    let found = |path: &Path| {
        let at = files.iter().position(|file| file == path);
        Ok(at.and_then(|at| contents.get(at)).cloned().unwrap_or_default())
    };
    let config = tls.load(&found).map_err(|error| error.to_string())?;
    shared.replace_server_config(config);
    Ok(())
}
