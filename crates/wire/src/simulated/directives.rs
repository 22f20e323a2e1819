//! Directives: what a prompt or a header asks of the simulated provider.
//!
//! The grammar is `key=value`, separated by white space, each key once, values whole numbers. It
//! is read strictly: a mistyped directive that did nothing would make a test pass for the wrong
//! reason. Where prompt and header name the same key, the header wins.

use super::failure::Failure;
use http::HeaderMap;
use std::{ops::RangeInclusive, time::Duration};
use tollgate_core::format::Dialect;

/// The request header that carries directives.
pub const HEADER: &str = "tollgate-simulate";

/// The keys of directives.
pub const KEYS: [&str; 7] = [
    "tokens",
    "chunk_bytes",
    "delay_ms",
    "fail",
    "cut_after",
    "stall_after",
    "error_midway",
];

/// The statuses that `fail` can ask for: those that clients and gateways tell apart.
pub(super) const STATUSES: [u16; 13] = [
    400, 401, 402, 403, 404, 408, 413, 429, 500, 502, 503, 504, 529,
];

const OPEN: &str = "[[simulate:";
const CLOSE: &str = "]]";

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Directives {
    /// Words of text in the answer, per choice.
    pub(super) tokens: Option<u64>,
    /// Bytes of text per event, or of the document per chunk.
    pub(super) chunk_bytes: Option<usize>,
    /// The pause before every chunk.
    pub(super) delay: Option<Duration>,
    /// The status to fail with at once.
    fail: Option<u16>,
    /// What goes wrong on the way.
    pub(super) fault: Option<Fault>,
}

/// Something that goes wrong after a number of chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// How many chunks go out before.
    pub(super) after: u64,
    /// What happens then.
    pub(super) kind: FaultKind,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// The connection breaks.
    Cut,
    /// Nothing more comes.
    Stall,
    /// The dialect's error event takes the place of the rest.
    Error,
}

impl Directives {
    /// The directives of a prompt and a header, and the prompt without them.
    pub(super) fn read(prompt: &str, headers: &HeaderMap) -> Result<(String, Self), Failure> {
        let (said, specs) = split(prompt)?;
        let mut directives = Self::default();
        directives.take(&specs.join(" "))?;
        let wanted = Self::of_headers(headers)?;
        let directives = Self {
            tokens: wanted.tokens.or(directives.tokens),
            chunk_bytes: wanted.chunk_bytes.or(directives.chunk_bytes),
            delay: wanted.delay.or(directives.delay),
            fail: wanted.fail.or(directives.fail),
            fault: wanted.fault.or(directives.fault),
        };
        Ok((said, directives))
    }

    /// The directives of the header alone.
    pub(super) fn of_headers(headers: &HeaderMap) -> Result<Self, Failure> {
        let mut specs = Vec::new();
        for value in headers.get_all(HEADER) {
            let spec = value.to_str().map_err(|_| {
                Failure::new(400, format!("the header `{HEADER}` must be plain ASCII"))
            })?;
            specs.push(spec);
        }
        let mut directives = Self::default();
        directives.take(&specs.join(" "))?;
        Ok(directives)
    }

    /// Fails at once if that was asked for.
    pub(super) fn refuse(&self) -> Result<(), Failure> {
        self.fail.map_or(Ok(()), |status| {
            Err(Failure::new(
                status,
                format!("simulated failure with status {status}"),
            ))
        })
    }

    /// A document has no place for an error on the way: it fails as a whole.
    pub(super) fn refuse_midway(&self, dialect: Dialect) -> Result<(), Failure> {
        match self.fault {
            Some(Fault {
                kind: FaultKind::Error,
                ..
            }) => Err(Failure::midway(dialect)),
            Some(Fault {
                kind: FaultKind::Cut | FaultKind::Stall,
                ..
            })
            | None => Ok(()),
        }
    }

    fn take(&mut self, spec: &str) -> Result<(), Failure> {
        let mut seen = Vec::new();
        for word in spec.split_whitespace() {
            let (key, value) = word
                .split_once('=')
                .ok_or_else(|| invalid(&format!("`{word}` is not `key=value`")))?;
            if seen.contains(&key) {
                return Err(invalid(&format!("`{key}` stands there twice")));
            }
            seen.push(key);
            self.set(key, value)?;
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), Failure> {
        match key {
            "tokens" => self.tokens = Some(number(key, value, 0..=super::WORDS_MAX)?),
            "chunk_bytes" => {
                let bytes = number(key, value, 1..=1_000_000)?;
                self.chunk_bytes = usize::try_from(bytes).ok();
            }
            "delay_ms" => self.delay = Some(Duration::from_millis(number(key, value, 0..=60_000)?)),
            "fail" => {
                let known = STATUSES
                    .into_iter()
                    .find(|status| value == status.to_string());
                self.fail = Some(known.ok_or_else(|| {
                    let statuses = STATUSES.map(|status| status.to_string()).join(", ");
                    invalid(&format!("`fail` must be one of {statuses}"))
                })?);
            }
            "cut_after" => self.break_off(FaultKind::Cut, key, value)?,
            "stall_after" => self.break_off(FaultKind::Stall, key, value)?,
            "error_midway" => self.break_off(FaultKind::Error, key, value)?,
            _ => return Err(invalid(&format!("`{key}` is unknown"))),
        }
        Ok(())
    }

    fn break_off(&mut self, kind: FaultKind, key: &str, value: &str) -> Result<(), Failure> {
        let after = number(key, value, 0..=1_000_000)?;
        if self.fault.replace(Fault { after, kind }).is_some() {
            return Err(invalid(
                "of `cut_after`, `stall_after` and `error_midway` only one can happen",
            ));
        }
        Ok(())
    }
}

/// The text without its directives, and the directives.
fn split(text: &str) -> Result<(String, Vec<&str>), Failure> {
    let mut said = String::new();
    let mut specs = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let (spec, after) = after
            .split_once(CLOSE)
            .ok_or_else(|| invalid(&format!("`{OPEN}` has no closing `{CLOSE}`")))?;
        said.push_str(before);
        specs.push(spec);
        rest = after;
    }
    said.push_str(rest);
    Ok((said, specs))
}

fn number(key: &str, value: &str, range: RangeInclusive<u64>) -> Result<u64, Failure> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    value
        .parse()
        .ok()
        .filter(|number| digits && range.contains(number))
        .ok_or_else(|| {
            invalid(&format!(
                "`{key}` must be a whole number from {} to {}",
                range.start(),
                range.end()
            ))
        })
}

fn invalid(what: &str) -> Failure {
    let keys = KEYS.join(", ");
    Failure::new(
        400,
        format!("a directive for the simulated provider is wrong: {what}; the keys are {keys}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn of_prompt(prompt: &str) -> Result<(String, Directives), String> {
        Directives::read(prompt, &HeaderMap::new()).map_err(|failure| failure.message)
    }

    fn header(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(HEADER.parse().unwrap(), HeaderValue::from_static(value))])
    }

    #[test]
    fn every_key_is_understood_and_taken_out_of_the_prompt() {
        let (said, read) =
            of_prompt("a [[simulate: tokens=5 chunk_bytes=9\n delay_ms=20]]b[[simulate:fail=529]]")
                .unwrap();
        assert_eq!(said, "a b");
        assert_eq!(
            read,
            Directives {
                tokens: Some(5),
                chunk_bytes: Some(9),
                delay: Some(Duration::from_millis(20)),
                fail: Some(529),
                fault: None,
            }
        );
        for (key, kind) in [
            ("cut_after", FaultKind::Cut),
            ("stall_after", FaultKind::Stall),
            ("error_midway", FaultKind::Error),
        ] {
            let (_, read) = of_prompt(&format!("[[simulate: {key}=3]]")).unwrap();
            assert_eq!(read.fault, Some(Fault { after: 3, kind }));
        }
    }

    #[test]
    fn the_header_wins_over_the_prompt_key_by_key() {
        let headers = header("tokens=7 cut_after=1");
        let prompt = "[[simulate: tokens=5 delay_ms=3 stall_after=9]]";
        let (_, read) = Directives::read(prompt, &headers).unwrap();
        assert_eq!(read.tokens, Some(7));
        assert_eq!(read.delay, Some(Duration::from_millis(3)));
        assert_eq!(
            read.fault,
            Some(Fault {
                after: 1,
                kind: FaultKind::Cut
            })
        );
    }

    #[test]
    fn whatever_is_not_understood_is_refused_with_the_list_of_keys() {
        for wrong in [
            "[[simulate: tokenz=5]]",
            "[[simulate: tokens]]",
            "[[simulate: tokens=]]",
            "[[simulate: tokens=-5]]",
            "[[simulate: tokens=+5]]",
            "[[simulate: tokens=5.0]]",
            "[[simulate: tokens=200001]]",
            "[[simulate: tokens=5 tokens=5]]",
            "[[simulate: tokens=5]] [[simulate: tokens=5]]",
            "[[simulate: tokens=5, fail=500]]",
            "[[simulate: chunk_bytes=0]]",
            "[[simulate: fail=200]]",
            "[[simulate: fail=418]]",
            "[[simulate: cut_after=1 stall_after=2]]",
            "[[simulate: tokens=5",
        ] {
            let message = of_prompt(wrong).expect_err(wrong);
            assert!(message.ends_with(&KEYS.join(", ")), "{wrong}: {message}");
        }
    }
}
