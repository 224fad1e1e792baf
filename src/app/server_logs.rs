//! The server's logs of this run: read before the sandbox is entered, tied to the refusals when the capture has been read.

use super::{AppError, say};
use crate::explain::inspector::ServerLogs;
use crate::knowledge;
use crate::logs::{Journal, Patterns};
use crate::source::logs::LogInput;

/// Reads everything that `words` name to its end; `None` without any.
pub(super) fn read(words: &[String]) -> Result<Option<ServerLogs>, AppError> {
    if words.is_empty() {
        return Ok(None);
    }
    let patterns =
        Patterns::read(knowledge::current()).map_err(|error| AppError::Knowledge(error.to_string()))?;
    let year = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year();
    let mut journal = Journal::new(year);
    for word in words {
        for log in LogInput::open(word)? {
            let file = journal.add_file(&log.name);
            log.read(|line| journal.add_line(file, line, &patterns))?;
        }
    }
    if journal.dropped() > 0 {
        say(&format!(
            "logs: {} of the oldest records were dropped; name fewer or smaller files",
            journal.dropped()
        ));
    }
    Ok(Some(ServerLogs { journal, patterns }))
}
