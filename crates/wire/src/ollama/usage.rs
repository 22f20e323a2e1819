//! What an answer of Ollama used: the counts of its last object, the one that says `done`.

use crate::{
    edit::Edit,
    json::{self, Count, Text},
    tap::{Carries, Progress, StreamReader},
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use tollgate_core::{
    format::Operation,
    unit::Unit,
    usage::{Usage, UsageReport},
};

/// A whole answer, or one line of a streamed one.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Line<'a> {
    #[serde(borrow)]
    model: Option<Text<'a>>,
    #[serde(borrow)]
    message: Option<Message<'a>>,
    #[serde(borrow)]
    response: Option<Text<'a>>,
    done: bool,
    prompt_eval_count: Count,
    eval_count: Count,
    error: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    content: Option<Text<'a>>,
    #[serde(borrow)]
    thinking: Option<Text<'a>>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
}

/// The usage of a whole answer.
pub(crate) fn usage(operation: Operation, body: &[u8]) -> UsageReport {
    let Some(line) = json::parse::<Line<'_>>(body) else {
        return UsageReport::default();
    };
    // `/api/embed` answers without `done`; `/api/embeddings` without any count.
    let whole = match operation {
        Operation::Embed => line.prompt_eval_count.0.is_some(),
        _ => line.done,
    };
    let mut last = Last::default();
    last.take(&line);
    UsageReport {
        complete: whole && line.error.is_none(),
        usage: whole.then(|| last.usage()),
        model: last.model,
        ..UsageReport::default()
    }
}

/// A reader of a stream of lines.
pub(crate) fn reader() -> Box<dyn StreamReader> {
    Box::new(Reader::default())
}

#[derive(Default)]
struct Last {
    model: Option<String>,
    input: u64,
    output: u64,
}

impl Last {
    fn take(&mut self, line: &Line<'_>) {
        if let Some(Text(model)) = &line.model
            && self.model.as_deref() != Some(model)
        {
            self.model = Some(model.to_string());
        }
        self.input = line.prompt_eval_count.0.unwrap_or(self.input);
        self.output = line.eval_count.0.unwrap_or(self.output);
    }

    fn usage(&self) -> Usage {
        let mut usage = Usage::NONE;
        usage.set(Unit::InputTokens, self.input);
        usage.set(Unit::OutputTokens, self.output);
        usage
    }
}

#[derive(Default)]
struct Reader {
    last: Last,
    progress: Progress,
}

impl StreamReader for Reader {
    fn event(&mut self, _: &[u8], data: &[u8]) -> Carries {
        let Some(line) = json::parse::<Line<'_>>(data) else {
            return Carries::Content;
        };
        self.progress.failed |= line.error.is_some();
        self.last.take(&line);
        let message = line.message.as_ref();
        let said = [
            line.response.as_ref(),
            message.and_then(|message| message.content.as_ref()),
            message.and_then(|message| message.thinking.as_ref()),
        ];
        let said = said.into_iter().flatten().map(|Text(text)| text.len());
        let called = message.and_then(|message| message.tool_calls);
        let bytes = said.chain(called.map(|raw| raw.get().len())).sum::<usize>();
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.progress.content_bytes = self.progress.content_bytes.saturating_add(bytes);
        self.progress.started |= bytes > 0 || line.done;
        if line.done {
            self.progress.terminal = true;
            self.progress.input_tokens = Some(self.last.input);
            return Carries::Usage;
        }
        Carries::Content
    }

    fn progress(&self) -> Progress {
        self.progress
    }

    fn report(&self) -> UsageReport {
        let complete = self.progress.terminal && !self.progress.failed;
        UsageReport {
            model: self.last.model.clone(),
            complete,
            usage: complete.then(|| self.last.usage()),
            ..UsageReport::default()
        }
    }

    fn cost_edit(&self, _: &[u8], _: &str) -> Option<Edit> {
        None
    }
}
