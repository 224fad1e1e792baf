//! One thread with its own event loop and the connections that were handed to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::tap::Shared;
use crate::tap::accept::connection::{self, Arrival};
use crate::tap::error::TapError;

/// How to reach a worker. It ends, after its connections, when this is dropped.
pub(in crate::tap) struct Worker {
    /// Not bounded here: what is in it has a place in the room for handshakes, which is.
    arrivals: UnboundedSender<Arrival>,
    load: Arc<AtomicUsize>,
}

impl Worker {
    /// Starts the thread.
    pub(in crate::tap) fn start(
        number: usize,
        shared: Arc<Shared>,
    ) -> Result<(Self, JoinHandle<()>), TapError> {
        let (arrivals, receiver) = unbounded_channel();
        let load = Arc::new(AtomicUsize::new(0));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(TapError::system("starting a worker"))?;
        let its_load = Arc::clone(&load);
        let thread = std::thread::Builder::new()
            .name(format!("tap-{number}"))
            .spawn(move || runtime.block_on(work(shared, receiver, its_load)))
            .map_err(TapError::system("starting a worker"))?;
        Ok((Self { arrivals, load }, thread))
    }
    /// Connections that it has.
    pub(in crate::tap) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }
    /// Gives it one more.
    pub(in crate::tap) fn hand(&self, arrival: Arrival) {
        self.load.fetch_add(1, Ordering::Relaxed);
        // A worker only ends after this sender is gone.
        let _ = self.arrivals.send(arrival);
    }
}

async fn work(shared: Arc<Shared>, mut arrivals: UnboundedReceiver<Arrival>, load: Arc<AtomicUsize>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            arrival = arrivals.recv() => match arrival {
                Some(arrival) => {
                    let (shared, busy) = (Arc::clone(&shared), Busy(Arc::clone(&load)));
                    connections.spawn(async move {
                        connection::serve(shared, arrival).await;
                        drop(busy);
                    });
                }
                None => break,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    let _ = timeout(shared.limits.drain, async { while connections.join_next().await.is_some() {} }).await;
}

/// Counted in a worker's load until dropped, whatever becomes of the connection.
struct Busy(Arc<AtomicUsize>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
