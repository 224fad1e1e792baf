//! The process behind a server's port.

/// A process of this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerProcess {
    /// Its id, as this machine counts.
    pub pid: u32,
    /// The program; of an interpreter the script.
    pub program: String,
    /// The user it runs as: the name, or the number where it has none here.
    pub user: String,
    /// The systemd unit.
    pub unit: Option<String>,
    /// The container: its name, of a pod `namespace/name`, or the beginning of its id.
    pub container: Option<String>,
    /// The image of the container.
    pub image: Option<String>,
}
