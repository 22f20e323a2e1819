//! What built-in tools of a Responses answer are billed for beside its tokens.
//!
//! `tool_usage` says it where the provider gives one; else searches are counted in `output`. Code
//! containers and calls of MCP servers have no price per call in the price data.

use super::super::images::ImageUsage;
use crate::json::{Count, Text};
use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_core::usage::ExtraUsage;

/// What the image tool uses when the request names no model (OpenAI's API reference).
const IMAGE_MODEL: &str = "gpt-image-1";

/// The billable work of built-in tools.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ToolUse {
    pub(super) web_searches: u64,
    pub(super) file_searches: u64,
    /// Generated images, at the image model.
    pub(super) images: Option<ExtraUsage>,
}

impl ToolUse {
    /// From the members `tool_usage`, `output` and `tools` of an answer. What cannot be read counts
    /// as not there.
    pub(super) fn read(
        tool_usage: Option<&RawValue>,
        output: Option<&RawValue>,
        tools: Option<&RawValue>,
    ) -> Self {
        let reported: Reported = parse(tool_usage).unwrap_or_default();
        let items: Vec<Item<'_>> = parse(output).unwrap_or_default();
        let searches = || count(&items, Item::is_web_search);
        Self {
            web_searches: reported
                .web_search
                .and_then(|search| search.num_requests.0)
                .unwrap_or_else(searches),
            file_searches: count(&items, Item::is_file_search),
            images: reported.image_gen.and_then(|images| drawn(&images, tools)),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reported {
    web_search: Option<WebSearch>,
    image_gen: Option<ImageUsage>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WebSearch {
    num_requests: Count,
}

/// What the image tool used, at the model that the request's tool names.
fn drawn(images: &ImageUsage, tools: Option<&RawValue>) -> Option<ExtraUsage> {
    let usage = images.usage()?;
    let named = parse::<Vec<Tool<'_>>>(tools)
        .unwrap_or_default()
        .into_iter()
        .find_map(|tool| {
            tool.kind.filter(|kind| kind.0 == "image_generation")?;
            tool.model.map(|model| model.0.into_owned())
        });
    let model = named.unwrap_or_else(|| IMAGE_MODEL.to_owned());
    Some(ExtraUsage {
        model: Some(model),
        usage,
    })
}

/// A tool as the answer repeats it.
#[derive(Deserialize)]
struct Tool<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    model: Option<Text<'a>>,
}

/// An item of the answer's output.
#[derive(Deserialize)]
struct Item<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
    // Raw: other items have actions of other shapes.
    #[serde(borrow)]
    action: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Action<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
}

impl Item<'_> {
    fn is(&self, kind: &str) -> bool {
        self.kind.as_ref().is_some_and(|own| own.0 == kind)
    }

    /// Opening a page or finding in it is no search.
    fn is_web_search(&self) -> bool {
        let kind = || parse::<Action<'_>>(self.action).and_then(|action| action.kind);
        self.is("web_search_call") && kind().is_none_or(|kind| kind.0 == "search")
    }

    fn is_file_search(&self) -> bool {
        self.is("file_search_call")
    }
}

fn count<'a>(items: &[Item<'a>], which: fn(&Item<'a>) -> bool) -> u64 {
    u64::try_from(items.iter().filter(|item| which(item)).count()).unwrap_or(u64::MAX)
}

fn parse<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}
