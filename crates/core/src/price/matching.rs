//! How the data recognises a name: a small language of clauses over the lower-cased name.

use super::error::PriceDataError;
use fancy_regex::Regex;
use serde::Deserialize;

/// A clause as the data spells it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawMatch {
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Equals(String),
    Regex(String),
    Or(Vec<RawMatch>),
    And(Vec<RawMatch>),
}

/// A clause ready to match. Texts are lower-cased; patterns are as given (some look ahead).
#[derive(Debug)]
pub(super) enum Match {
    StartsWith(Box<str>),
    EndsWith(Box<str>),
    Contains(Box<str>),
    Equals(Box<str>),
    Regex(Box<Regex>),
    Or(Box<[Match]>),
    And(Box<[Match]>),
}

impl Match {
    /// Whether `name` (lower-cased) is meant. A pattern that gives up (it may backtrack a bounded
    /// number of steps) does not match.
    pub(super) fn is_match(&self, name: &str) -> bool {
        match self {
            Self::StartsWith(text) => name.starts_with(&**text),
            Self::EndsWith(text) => name.ends_with(&**text),
            Self::Contains(text) => name.contains(&**text),
            Self::Equals(text) => name == &**text,
            Self::Regex(pattern) => pattern.is_match(name).unwrap_or(false),
            Self::Or(clauses) => clauses.iter().any(|clause| clause.is_match(name)),
            Self::And(clauses) => clauses.iter().all(|clause| clause.is_match(name)),
        }
    }
}

impl TryFrom<RawMatch> for Match {
    type Error = PriceDataError;

    fn try_from(raw: RawMatch) -> Result<Self, PriceDataError> {
        let lower = |text: String| text.to_lowercase().into_boxed_str();
        let all = |clauses: Vec<RawMatch>| -> Result<Box<[Self]>, PriceDataError> {
            clauses.into_iter().map(Self::try_from).collect()
        };
        Ok(match raw {
            RawMatch::StartsWith(text) => Self::StartsWith(lower(text)),
            RawMatch::EndsWith(text) => Self::EndsWith(lower(text)),
            RawMatch::Contains(text) => Self::Contains(lower(text)),
            RawMatch::Equals(text) => Self::Equals(lower(text)),
            RawMatch::Regex(pattern) => Self::Regex(Box::new(compile(&pattern)?)),
            RawMatch::Or(clauses) => Self::Or(all(clauses)?),
            RawMatch::And(clauses) => Self::And(all(clauses)?),
        })
    }
}

/// A pattern of the data, compiled.
pub(super) fn compile(pattern: &str) -> Result<Regex, PriceDataError> {
    Regex::new(pattern)
        .map_err(|error| PriceDataError::new(format!("`{pattern}` is not a pattern: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_ignore_the_case_of_texts_and_patterns_look_ahead() {
        let parse = |json: &str| Match::try_from(serde_json::from_str::<RawMatch>(json).unwrap());
        let model = parse(
            r#"{"and":[{"or":[{"starts_with":"GPT-"},{"equals":"o3"}]},
                       {"regex":"^(?!.*-tts)"},{"contains":"5"},{"ends_with":"Mini"}]}"#,
        )
        .unwrap();
        assert!(model.is_match("gpt-5-mini"));
        assert!(!model.is_match("gpt-5-tts-mini"));
        assert!(!model.is_match("o3"));
        assert!(
            parse(r#"{"regex":"("}"#)
                .unwrap_err()
                .to_string()
                .contains("`(`")
        );
    }
}
