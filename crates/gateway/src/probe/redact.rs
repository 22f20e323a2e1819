//! What a provider says, fit for a terminal: one line, bounded, and nothing of our credential.
//!
//! Providers repeat keys whole, in part (`sk-ab…wxyz`) or masked (`sk-ab****wxyz`). So every run of
//! characters that also stands in the secret is taken out, down to a few characters, and so is
//! whatever looks like a masked key or a long token: of short-lived tokens nobody here knows the
//! text. What is taken out by mistake costs a word; what stays in by mistake costs a key.

use std::collections::HashSet;
use tollgate_core::{provider::Credential, secret::Secret};

/// The shortest run of characters of a secret that is taken out. Shorter ones are in any text.
const FRAGMENT_CHARS: usize = 6;

/// A word of at least so many letters, digits and marks is a token; a UUID has 36.
const TOKEN_CHARS: usize = 40;

/// How much of what a provider says is read, and how much is shown, in characters.
const READ_CHARS_MAX: usize = 16 << 10;
const SHOWN_CHARS_MAX: usize = 300;

const REDACTED: &str = "[redacted]";

/// Takes a credential out of texts.
pub(super) struct Redactor {
    /// Every run of so many characters of the secrets.
    fragments: HashSet<Vec<char>>,
    lengths: Vec<usize>,
}

impl Redactor {
    pub(super) fn new(credential: Option<&Credential>) -> Self {
        let mut fragments = HashSet::new();
        let mut lengths = Vec::new();
        for secret in credential.map(secrets).unwrap_or_default() {
            let chars: Vec<char> = secret.expose().chars().collect();
            let length = chars.len().min(FRAGMENT_CHARS);
            if length == 0 {
                continue;
            }
            fragments.extend(chars.windows(length).map(<[char]>::to_vec));
            if !lengths.contains(&length) {
                lengths.push(length);
            }
        }
        Self { fragments, lengths }
    }

    /// The text in one line, without the credential, cut to a length that fits a message.
    pub(super) fn line(&self, text: &str) -> String {
        let readable = text.chars().take(READ_CHARS_MAX);
        let readable = readable.map(|c| if c.is_control() { ' ' } else { c });
        let readable: String = readable.collect();
        let words: Vec<&str> = readable.split_whitespace().collect();
        let clean = self.without_secrets(&words.join(" "));
        if clean.chars().count() <= SHOWN_CHARS_MAX {
            return clean;
        }
        let mut cut: String = clean.chars().take(SHOWN_CHARS_MAX).collect();
        cut.push('…');
        cut
    }

    fn without_secrets(&self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let mut hidden = vec![false; chars.len()];
        let mut hide = |from: usize, length: usize| {
            let range = hidden.iter_mut().skip(from).take(length);
            range.for_each(|hidden| *hidden = true);
        };
        for &length in &self.lengths {
            for (at, window) in chars.windows(length).enumerate() {
                if self.fragments.contains(window) {
                    hide(at, length);
                }
            }
        }
        let mut at = 0;
        for word in chars.split(|c| !is_of_word(*c)) {
            if is_masked(word) || is_token(word) {
                hide(at, word.len());
            }
            at += word.len() + 1;
        }
        let mut clean = String::with_capacity(text.len());
        let mut was_hidden = false;
        for (c, hidden) in chars.into_iter().zip(hidden) {
            match (hidden, was_hidden) {
                (true, false) => clean.push_str(REDACTED),
                (true, true) => {}
                (false, _) => clean.push(c),
            }
            was_hidden = hidden;
        }
        clean
    }
}

/// The texts of a credential that nobody may see.
fn secrets(credential: &Credential) -> Vec<Secret> {
    match credential {
        Credential::Placed { secret, .. } => vec![secret.clone()],
        Credential::Aws(keys) => {
            let session = keys.session_token.iter();
            session.chain([&keys.secret_access_key]).cloned().collect()
        }
        Credential::GoogleServiceAccount(account) => private_key(&account.key_json),
        Credential::Entra(entra) => vec![entra.client_secret.clone()],
        Credential::AwsChain | Credential::GoogleDefault => Vec::new(),
    }
}

/// The lines of the private key: the rest of a key file is no secret, and words of it are in any
/// answer of Google's.
fn private_key(key_json: &Secret) -> Vec<Secret> {
    #[derive(serde::Deserialize)]
    struct KeyFile<'k> {
        #[serde(borrow)]
        private_key: Option<&'k serde_json::value::RawValue>,
    }
    let file: Option<KeyFile<'_>> = serde_json::from_str(key_json.expose()).ok();
    let key = file.and_then(|file| file.private_key);
    let key = key.map_or(key_json.expose(), |key| key.get().trim_matches('"'));
    key.split("\\n")
        .filter(|line| !line.is_empty() && !line.starts_with("-----"))
        .map(Secret::new)
        .collect()
}

/// Letters, digits, and what masks and tokens are made of besides.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || "-_+=~*.…".contains(c)
}

/// `sk-ab****wxyz`, `sk-ab...wxyz`, `sk-ab…wxyz`.
fn is_masked(word: &[char]) -> bool {
    let text: String = word.iter().collect();
    let inside = text.trim_matches(['.', '…']);
    text.contains("**") || inside.contains("...") || inside.contains('…')
}

fn is_token(word: &[char]) -> bool {
    word.split(|c| *c == '.').any(|part| {
        let has_both =
            part.iter().any(char::is_ascii_digit) && part.iter().any(char::is_ascii_alphabetic);
        part.len() >= TOKEN_CHARS && has_both
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_core::provider::CredentialPlacement;

    fn redactor(secret: &str) -> Redactor {
        Redactor::new(Some(&Credential::Placed {
            placement: CredentialPlacement::Bearer,
            secret: Secret::new(secret),
        }))
    }

    #[test]
    fn a_key_is_taken_out_whole_in_part_and_masked() {
        let redactor = redactor("sk-proj-Zx81hunter2QqWw");
        for (said, shown) in [
            (
                "Incorrect API key provided: sk-proj-Zx81hunter2QqWw. Find yours at x.com.",
                "Incorrect API key provided: [redacted]. Find yours at x.com.",
            ),
            ("ends in hunter2QqWw", "ends in [redacted]"),
            ("key=sk-proj-Zx8&a=1", "key=[redacted]&a=1"),
            ("sk-pr*********QqWw is unknown", "[redacted] is unknown"),
            ("begins sk-...QqWw", "begins [redacted]"),
            ("begins sk-…QqWw", "begins [redacted]"),
            ("wait… what...", "wait… what..."),
            ("nothing of it", "nothing of it"),
        ] {
            assert_eq!(redactor.line(said), shown);
        }
    }

    #[test]
    fn tokens_that_nobody_here_knows_are_taken_out_and_ids_stay() {
        let redactor = Redactor::new(Some(&Credential::AwsChain));
        let token = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEyMzQ1Njc4OTAifQ";
        let said = format!("Bearer ya29.{token} was refused");
        assert_eq!(redactor.line(&said), "Bearer [redacted] was refused");
        let id = "request 0b7d4c1e-3f0a-4b52-9d55-6f2f1a0c9e11 of req_011CSHoEeqs5C35K2UUqR7Fy";
        assert_eq!(redactor.line(id), id);
    }

    #[test]
    fn a_short_secret_is_taken_out_too() {
        assert_eq!(redactor("abc").line("xabcx ab"), "x[redacted]x ab");
        assert_eq!(redactor("").line("as it is"), "as it is");
    }

    #[test]
    fn of_a_key_file_only_the_private_key_is_secret() {
        let account = tollgate_core::provider::ServiceAccount {
            key_json: Secret::new(
                r#"{"type":"service_account","private_key":"-----BEGIN PRIVATE KEY-----\nMIIEhunter2\n-----END PRIVATE KEY-----\n"}"#,
            ),
        };
        let redactor = Redactor::new(Some(&Credential::GoogleServiceAccount(account)));
        assert_eq!(
            redactor.line("no service_account PRIVATE KEY MIIEhunter2"),
            "no service_account PRIVATE KEY [redacted]"
        );
    }

    #[test]
    fn what_is_shown_is_one_line_of_bounded_length() {
        let redactor = redactor("sk-hunter2");
        assert_eq!(redactor.line("a\u{1b}[31m\r\n\tb"), "a [31m b");
        let long = redactor.line(&"ab ".repeat(100_000));
        assert_eq!(long.chars().count(), SHOWN_CHARS_MAX + 1);
        let cut_inside = format!("{}sk-hunter2", "x ".repeat(147));
        assert!(!redactor.line(&cut_inside).contains("sk-h"));
    }
}
