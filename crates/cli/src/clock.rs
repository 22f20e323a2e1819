//! The real clock.

use tollgate_core::clock::{Clock, Timestamp};

/// Reads the operating system's wall clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the time enters"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
