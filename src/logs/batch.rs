//! Log lines on their way from the thread that reads them to whoever keeps them.

use super::journal::LogLine;

/// Lines of logs that are followed.
#[derive(Clone, Debug, Default)]
pub struct LogBatch {
    /// Logs that were opened: number and name.
    pub logs: Vec<(u32, String)>,
    /// Lines: number of the log, number of the line in its file, and the line.
    pub lines: Vec<(u32, u64, LogLine)>,
}

impl LogBatch {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.logs.is_empty() && self.lines.is_empty()
    }
}
