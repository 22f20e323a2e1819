//! What keys and types mean inside messages, input items and tools, of chat and responses alike.

use crate::{
    measure::{Read, Rules},
    model_choice,
};

/// Where in a request a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A message, an input item, a part of one.
    Content,
    /// What carries media: `image_url`, `input_audio`, `file`.
    Source,
    /// What names a stored object by its `id`.
    Stored,
    /// The definition of a tool.
    Tool,
    /// A prompt that is stored at the provider.
    Prompt,
    /// What is filled into it, by names of the caller's own.
    Variables,
    /// What Groq's compound systems are made of: models, each under the name of its part.
    Compound,
    /// The `parameters` of a tool: a function's schema, or the settings of one that the provider
    /// runs. No schema has a string for a `model`.
    Parameters,
}

impl Rules for Place {
    fn read(self, key: &str) -> Read<Self> {
        match self {
            Self::Content => content(key),
            Self::Source => source(key),
            Self::Stored if key == "id" => Read::Object(self),
            Self::Tool => tool(key),
            Self::Prompt if key == "variables" => Read::Inside(Self::Variables),
            Self::Stored | Self::Prompt => Read::Skip,
            Self::Variables => Read::Inside(Self::Content),
            Self::Compound if key == "tools" => Read::Text,
            Self::Compound => Read::Model(self),
            Self::Parameters if model_choice::is_named_by(key) => Read::Model(self),
            Self::Parameters => Read::Text,
        }
    }

    fn type_is_unseen(self, kind: &str) -> bool {
        match self {
            Self::Content => kind == "item_reference",
            Self::Source
            | Self::Stored
            | Self::Prompt
            | Self::Variables
            | Self::Compound
            | Self::Parameters => false,
            // What clients run themselves brings its results in later requests, in full. All other
            // tools run at the provider: searches, files, containers, MCP servers, image models.
            Self::Tool => !matches!(
                kind,
                "function"
                    | "custom"
                    | "namespace"
                    | "local_shell"
                    | "shell"
                    | "apply_patch"
                    | "computer"
                    | "computer_use_preview"
            ),
        }
    }
}

fn content(key: &str) -> Read<Place> {
    match key {
        "type" => Read::Type(Place::Content),
        "image_url" | "video_url" | "audio_url" | "file_url" => Read::Url(Place::Source),
        // `audio` is an audio answer of before, by id.
        "input_audio" | "file" | "audio" => Read::Inside(Place::Source),
        "file_data" => Read::Media(Place::Source),
        "file_id" => Read::Object(Place::Content),
        // The picture that an earlier `image_generation_call` made.
        "result" => Read::Media(Place::Content),
        // Codex defines its tools in an input item.
        "tools" => Read::Inside(Place::Tool),
        "cache_control" => Read::CacheControl,
        // Answers of before, sent back: sources and queries are plain text there.
        "annotations" | "action" | "arguments" | "logprobs" | "results" | "schema" => Read::Text,
        _ => Read::Inside(Place::Content),
    }
}

fn source(key: &str) -> Read<Place> {
    match key {
        "url" => Read::Url(Place::Source),
        "data" | "file_data" => Read::Media(Place::Source),
        "file_id" => Read::Object(Place::Source),
        "id" => Read::Reference(Place::Source),
        _ => Read::Inside(Place::Source),
    }
}

fn tool(key: &str) -> Read<Place> {
    match key {
        "type" => Read::Type(Place::Tool),
        "parameters" => Read::Inside(Place::Parameters),
        "format" | "schema" | "strict" => Read::Text,
        _ if model_choice::is_named_by(key) => Read::Model(Place::Tool),
        // A container by its id, or what a new one is to hold.
        "file_id" | "file_ids" | "container" | "container_id" | "vector_store_ids" => {
            Read::Object(Place::Tool)
        }
        "image_url" => Read::Url(Place::Source),
        "cache_control" => Read::CacheControl,
        _ => Read::Inside(Place::Tool),
    }
}
