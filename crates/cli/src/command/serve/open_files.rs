//! How many files the process may have open. Each request takes two sockets, and the limit that a
//! shell hands down (often 1,024) is made for programs that use `select`; the hard limit is what the
//! operator of the machine means.

/// Raises the limit to what is allowed. Where that fails things stay as they are.
#[cfg(unix)]
pub(super) fn allow_many() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::warn!(%error, ?current, "the limit on open files stays as it is");
    }
}

/// Only Unix has the limit.
#[cfg(not(unix))]
pub(super) fn allow_many() {}
