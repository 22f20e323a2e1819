//! What is answered, before it is put into a dialect: a text of counted words, or a tool call.

use super::{
    arguments,
    prompt::{Prompt, Tool, ToolChoice},
};
use crate::facts::RequestFacts;
use std::sync::Arc;

/// The content of every choice of an answer.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// Words.
    Text(Text),
    /// A tool call, and nothing else.
    Call(Call),
}

/// A text of which only the opening is kept; the rest is made as it is read.
#[derive(Clone, Debug)]
pub(super) struct Text {
    opening: Arc<[String]>,
    words: u64,
    /// Whether the caller's limit cut it short.
    pub(super) cut: bool,
}

/// A call of one of the caller's tools.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The tool.
    pub(super) name: String,
    /// A JSON object.
    pub(super) arguments: String,
}

/// Goes on for as long as it takes.
const FILLER: [&str; 16] = [
    "Word", "by", "word", "this", "text", "goes", "on,", "because", "a", "longer", "answer", "was",
    "asked", "for,", "so", "far.",
];

/// How much of the user's message is repeated: words, and characters of each.
const ECHO_WORDS: usize = 24;
const ECHO_CHARACTERS: usize = 40;

impl Reply {
    /// The answer to a prompt. `said` is what the user said, without directives; `words` the size
    /// of the text, if one was asked for.
    pub(super) fn compose(
        prompt: &Prompt<'_>,
        said: &str,
        facts: &RequestFacts,
        words: Option<u64>,
    ) -> Self {
        let limit = facts.output_cap.unwrap_or(u64::MAX);
        if let Some(call) = wanted_call(prompt, said)
            && call.tokens() <= limit
        {
            return Self::Call(call);
        }
        let opening = opening(&facts.model, said, prompt.after_tool);
        let wanted = words.unwrap_or_else(|| u64::try_from(opening.len()).unwrap_or(u64::MAX));
        Self::Text(Text {
            opening,
            words: wanted.min(limit),
            cut: wanted > limit,
        })
    }

    /// Output tokens of one choice.
    pub(super) fn output_tokens(&self) -> u64 {
        match self {
            Self::Text(text) => text.words,
            Self::Call(call) => call.tokens(),
        }
    }
}

impl Text {
    /// The text in pieces of at least this many bytes (the last may be shorter) that end with a
    /// whole word; with each the number of words so far.
    pub(super) fn pieces(
        &self,
        bytes: usize,
    ) -> impl Iterator<Item = (String, u64)> + Send + use<> {
        let text = self.clone();
        let mut at = 0;
        std::iter::from_fn(move || {
            let mut piece = String::new();
            while at < text.words && piece.len() < bytes {
                if at > 0 {
                    piece.push(' ');
                }
                piece.push_str(text.word(at));
                at += 1;
            }
            (!piece.is_empty()).then_some((piece, at))
        })
    }

    /// The whole text.
    pub(super) fn whole(&self) -> String {
        self.pieces(usize::MAX).map(|(piece, _)| piece).collect()
    }

    fn word(&self, at: u64) -> &str {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        self.opening.get(at).map_or_else(
            || {
                let at = at.wrapping_sub(self.opening.len()) % FILLER.len();
                FILLER.get(at).copied().unwrap_or_default()
            },
            String::as_str,
        )
    }
}

impl Call {
    /// Output tokens: one for the name, then one for four bytes of arguments.
    pub(super) fn tokens(&self) -> u64 {
        u64::try_from(self.arguments.len().div_ceil(4)).map_or(u64::MAX, |tokens| tokens + 1)
    }

    /// The arguments in pieces of about this many bytes.
    pub(super) fn pieces(&self, bytes: usize) -> impl Iterator<Item = String> + Send + use<> {
        let mut rest = self.arguments.clone();
        std::iter::from_fn(move || {
            let after = rest.split_off(rest.ceil_char_boundary(bytes.min(rest.len())));
            let piece = std::mem::replace(&mut rest, after);
            (!piece.is_empty()).then_some(piece)
        })
    }
}

fn opening(model: &str, said: &str, after_tool: bool) -> Arc<[String]> {
    let mut text = format!("Hello from Tollgate, simulating {model}.");
    let mut said = said.split_whitespace();
    let echo: Vec<String> = said.by_ref().take(ECHO_WORDS).map(shortened).collect();
    if after_tool {
        text.push_str(" Thank you: the tool has answered, so this is done.");
    } else if !echo.is_empty() {
        let more = if said.next().is_some() { " …" } else { "" };
        text = format!("{text} You said: “{}{more}”.", echo.join(" "));
    }
    text.split_whitespace().map(str::to_owned).collect()
}

fn shortened(word: &str) -> String {
    let mut short: String = word.chars().take(ECHO_CHARACTERS).collect();
    if short.len() < word.len() {
        short.push('…');
    }
    short
}

/// The call that the request asks for, if any.
fn wanted_call(prompt: &Prompt<'_>, said: &str) -> Option<Call> {
    if prompt.after_tool || prompt.choice == ToolChoice::Never {
        return None;
    }
    let offered = |name: &str| prompt.tools.iter().find(|tool| tool.name == name);
    let named = named_in(said, &offered);
    let tool = match &prompt.choice {
        ToolChoice::Named(name) => offered(name)?,
        ToolChoice::Any => named.map(|(tool, _)| tool).or(prompt.tools.first())?,
        ToolChoice::Free => named?.0,
        ToolChoice::Never => return None,
    };
    let given = named.and_then(|(_, after)| arguments::given(after));
    let arguments = given.unwrap_or_else(|| arguments::for_schema(tool.schema));
    Some(Call {
        name: tool.name.clone(),
        arguments,
    })
}

/// The tool named by `call tool NAME`, and what the text says after it.
fn named_in<'t, 'a, 's>(
    said: &'s str,
    offered: &impl Fn(&str) -> Option<&'t Tool<'a>>,
) -> Option<(&'t Tool<'a>, &'s str)> {
    let (_, after) = said.split_once("call tool ")?;
    let after = after.trim_start();
    let end = after
        .find(|c: char| !c.is_alphanumeric() && !"_-.:/".contains(c))
        .unwrap_or(after.len());
    let (name, rest) = after.split_at_checked(end)?;
    offered(name)
        .or_else(|| offered(name.trim_end_matches(['.', ':'])))
        .map(|tool| (tool, rest))
}
