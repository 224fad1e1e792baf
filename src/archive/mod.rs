//! Exchanges on disk: a versioned record of an exchange, which can be written and read again in another run.

pub mod record;
