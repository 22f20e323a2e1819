//! The request log: one line per request, as text or JSON, on standard error.
//!
//! Lines are gathered in memory and written by a thread of its own, so that a slow terminal or a
//! full pipe never delays a request; what does not fit is counted and said. Fields (the contract of
//! the log; order is not part of it):
//!
//! | field | meaning |
//! |---|---|
//! | `time` | when the request came, UTC |
//! | `request` | its id, also in `tollgate-request-id` |
//! | `project`, `key` | who: slug and name |
//! | `route`, `provider` | where it was sent |
//! | `format`, `model` | what was asked |
//! | `status`, `error` | what the client got; our error code, if any |
//! | `attempts`, `failures` | if a provider came to nothing: how many were tried, and which did |
//! | `reason` | what the operator is told of an error |
//! | `input_tokens`, `output_tokens` | as reported by the upstream |
//! | `cost_usd` | what was posted, exact |
//! | `abandoned_usd` | the part of it that attempts which were given up may have cost |
//! | `held_usd` | the most that was held |
//! | `first_byte_ms`, `total_ms` | since the request came |
//! | `flags` | see the usage record |

use std::{
    fmt::Write as _,
    io::Write,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::Duration,
};
use tollgate_core::{
    clock::Timestamp, error::Error, id::RequestId, money::NanoUsd, principal::Principal,
    record::UsageRecord, unit::Unit,
};

/// Bytes gathered at most; a hundred thousand lines or so.
const GATHERED_MAX: usize = 16 << 20;

/// How long lines are gathered before they are written: one wake-up for many requests.
const GATHER: Duration = Duration::from_millis(20);

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// `key=value` for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// What the record does not keep.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Story<'e> {
    /// The attempts that came to nothing.
    pub(crate) failures: &'e str,
    /// What the operator is told of an error of ours.
    pub(crate) reason: Option<&'e str>,
}

/// Where lines go. Cheap to clone.
#[derive(Clone)]
pub struct RequestLog {
    format: LogFormat,
    shared: Arc<Shared>,
    /// The writing thread, until it was waited for.
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

#[derive(Default)]
struct Shared {
    gathered: Mutex<Gathered>,
    written: Condvar,
}

#[derive(Default)]
struct Gathered {
    text: String,
    dropped: u64,
    closed: bool,
}

impl RequestLog {
    /// A log and the thread that writes it to `sink`; the thread ends when the log is closed.
    pub fn start(format: LogFormat, mut sink: impl Write + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let writer = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let mut text = String::new();
            while let Some(dropped) = writer.take(&mut text) {
                if dropped > 0 {
                    let _ = writeln!(
                        text,
                        "request log: {dropped} lines did not fit and are lost"
                    );
                }
                // Nobody is left to tell if standard error is gone.
                let _ = sink.write_all(text.as_bytes());
                let _ = sink.flush();
                text.clear();
            }
        });
        Self {
            format,
            shared,
            thread: Arc::new(Mutex::new(Some(thread))),
        }
    }

    /// Ends the thread and waits until all that was gathered is written: blocks for as long as the
    /// sink does. Lines that come later are lost.
    pub fn close(&self) {
        self.shared.lock().closed = true;
        self.shared.written.notify_all();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // A panic of the thread has been reported by itself.
            let _ended = thread.join();
        }
    }

    /// The line of a request that was identified.
    pub(crate) fn line(&self, record: &UsageRecord, principal: &Principal, story: Story<'_>) {
        let mut line = Line::new(self.format);
        line.text("time", &format!("{:.3}", record.received_at));
        line.text("request", &record.request.to_string());
        line.text("project", &principal.project_slug);
        line.text("key", &principal.key_name);
        line.text("route", &record.route);
        line.text("provider", record.provider.as_deref().unwrap_or_default());
        line.text("format", record.format.as_str());
        line.text(
            "model",
            record
                .model_answered
                .as_deref()
                .unwrap_or(&record.model_asked),
        );
        line.number("status", u64::from(record.status));
        line.text("error", record.error.map_or("", |kind| kind.code()));
        if !story.failures.is_empty() {
            line.number("attempts", u64::from(record.attempts));
            line.text("failures", story.failures);
        }
        line.text("reason", story.reason.unwrap_or_default());
        line.number("input_tokens", record.usage.get(Unit::InputTokens));
        line.number("output_tokens", record.usage.get(Unit::OutputTokens));
        line.text("cost_usd", &record.cost.to_string());
        if record.abandoned_cost != NanoUsd::ZERO {
            line.text("abandoned_usd", &record.abandoned_cost.to_string());
        }
        line.text("held_usd", &record.held.cost.to_string());
        let since = |at: Timestamp| millis(record.received_at, at);
        line.number("first_byte_ms", record.first_byte_at.map_or(0, since));
        line.number("total_ms", since(record.ended_at));
        let flags: Vec<_> = record.flags.words().collect();
        line.text("flags", &flags.join(","));
        self.shared.put(&line.finish());
    }

    /// The line of a request that was refused before anybody was identified.
    pub(crate) fn refused(&self, request: RequestId, error: &Error) {
        let mut line = Line::new(self.format);
        line.text("request", &request.to_string());
        line.number("status", u64::from(error.kind().status()));
        line.text("error", error.kind().code());
        line.text("reason", error.context().unwrap_or(error.message()));
        self.shared.put(&line.finish());
    }
}

fn millis(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millisecond().saturating_sub(from.as_millisecond())).unwrap_or(0)
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, line: &str) {
        let mut gathered = self.lock();
        if gathered.text.len() + line.len() > GATHERED_MAX {
            gathered.dropped += 1;
            return;
        }
        let first = gathered.text.is_empty();
        gathered.text.push_str(line);
        drop(gathered);
        if first {
            self.written.notify_one();
        }
    }

    /// Waits for lines, gathers what comes within a moment, and swaps it with the empty `text`.
    /// `None` when the log is closed and empty.
    fn take(&self, text: &mut String) -> Option<u64> {
        let mut gathered = self.lock();
        while gathered.text.is_empty() {
            if gathered.closed {
                return None;
            }
            gathered = self
                .written
                .wait(gathered)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if !gathered.closed {
            let waited = self.written.wait_timeout(gathered, GATHER);
            gathered = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::swap(&mut gathered.text, text);
        Some(std::mem::take(&mut gathered.dropped))
    }
}

/// One line being written.
struct Line {
    format: LogFormat,
    text: String,
}

impl Line {
    fn new(format: LogFormat) -> Self {
        let mut text = String::with_capacity(512);
        text.push_str(match format {
            LogFormat::Text => "request",
            LogFormat::Json => "{\"event\":\"request\"",
        });
        Self { format, text }
    }

    fn number(&mut self, name: &str, value: u64) {
        let _ = match self.format {
            LogFormat::Text => write!(self.text, " {name}={value}"),
            LogFormat::Json => write!(self.text, ",\"{name}\":{value}"),
        };
    }

    /// Empty texts are left out.
    fn text(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '=');
        match self.format {
            LogFormat::Text if value.chars().all(plain) => {
                let _ = write!(self.text, " {name}={value}");
            }
            LogFormat::Text | LogFormat::Json => {
                // A JSON string in both: quotes, control characters and line breaks are escaped, so
                // a hostile model name cannot forge a line.
                let quoted = serde_json::to_string(value).unwrap_or_default();
                let _ = match self.format {
                    LogFormat::Text => write!(self.text, " {name}={quoted}"),
                    LogFormat::Json => write!(self.text, ",\"{name}\":{quoted}"),
                };
            }
        }
    }

    fn finish(mut self) -> String {
        self.text.push_str(match self.format {
            LogFormat::Text => "\n",
            LogFormat::Json => "}\n",
        });
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    struct Sink(mpsc::Sender<Vec<u8>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(std::io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_hostile_text_stays_inside_its_field() {
        for (format, expected) in [
            (LogFormat::Text, "request model=\"a\\n\\\"b\" n=1\n"),
            (
                LogFormat::Json,
                "{\"event\":\"request\",\"model\":\"a\\n\\\"b\",\"n\":1}\n",
            ),
        ] {
            let mut line = Line::new(format);
            line.text("model", "a\n\"b");
            line.text("empty", "");
            line.number("n", 1);
            assert_eq!(line.finish(), expected);
        }
    }

    #[test]
    fn lines_arrive_in_order_and_the_thread_ends_when_closed() {
        let (sender, written) = mpsc::channel();
        let log = RequestLog::start(LogFormat::Text, Sink(sender));
        log.shared.put("one\n");
        log.shared.put("two\n");
        log.close();
        // Not waited for: when the log is closed, all is written.
        let text: Vec<u8> = written.try_iter().flatten().collect();
        assert_eq!(text, b"one\ntwo\n");
        assert_eq!(written.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    }
}
