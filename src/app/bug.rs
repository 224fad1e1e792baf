//! A bug of ours, when one shows at run time: one line instead of a trace, what was captured is kept, exit code 101.
//!
//! Where a panic is caught ([`catch`]) its words go to whoever caught it. Elsewhere they are printed, once the terminal is
//! no longer the screen's: in the middle of a screen nobody could read them.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, PoisonError};

use super::say;
use crate::tui::terminal;

/// The exit code after a bug, which is also the one of the language.
pub(super) const EXIT_CODE: u8 = 101;
/// Texts that wait for the end of the screen.
const HELD: usize = 16;

/// Told by threads while the screen had the terminal.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

thread_local! {
    /// Whether this thread's panics are caught, and the words of the last one.
    static CAUGHT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes one line of every panic from now on.
pub fn report_panics() {
    panic::set_hook(Box::new(|info| {
        let text = describe(info);
        let caught = CAUGHT.try_with(|caught| {
            let Ok(mut caught) = caught.try_borrow_mut() else { return false };
            caught.as_mut().map(|words| words.clone_from(&text)).is_some()
        });
        if caught == Ok(true) {
            return;
        }
        tell(text);
    }));
}

/// Says `text`, or keeps it until the screen is gone.
pub(super) fn tell(text: String) {
    if !terminal::is_taken() {
        return say(&text);
    }
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.len() < HELD {
        told.push(text);
    }
}

/// What was said while nobody could read it.
pub(super) fn told_meanwhile() -> Vec<String> {
    std::mem::take(&mut TOLD.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Runs `run`; the words of its panic, if it panics. What it borrows may be half changed then.
pub(super) fn catch<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    let outer = CAUGHT.with(|caught| caught.replace(Some(String::new())));
    let done = panic::catch_unwind(AssertUnwindSafe(run));
    let words = CAUGHT.with(|caught| caught.replace(outer)).unwrap_or_default();
    done.map_err(|_| if words.is_empty() { "a bug in why403".to_owned() } else { words })
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map(|at| format!(" ({}:{})", at.file(), at.line())).unwrap_or_default();
    let payload = info.payload();
    let words =
        payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    format!("a bug in why403: {}{place}; please report it", words.unwrap_or("no words"))
}

#[cfg(test)]
mod tests {
    use super::catch;

    #[test]
    fn a_panic_is_caught_with_or_without_words_of_its_own() {
        assert_eq!(catch(|| 7), Ok(7));
        assert!(catch(|| panic!("with words")).unwrap_err().contains("a bug in why403"));
        assert_eq!(catch(|| catch(|| panic!("inner")).is_err()), Ok(true));
    }
}
