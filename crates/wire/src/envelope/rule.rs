//! Names of the rules by which a request, or its answer, is edited for a provider: recorded with
//! each request, and listed in the table of formats.

/// A chat stream is made to report its usage (`stream_options.include_usage`).
pub const ASK_FOR_USAGE: &str = "ask_for_usage";
/// The model's name in the body is replaced: a routing group's target maps it.
pub const MODEL: &str = "model";
/// The model's name, which the path of Azure's client has, is written into the body.
pub const MODEL_FROM_PATH: &str = "model_from_path";
/// The model's name is taken out of the body: the path has it.
pub const MODEL_TO_PATH: &str = "model_to_path";
/// `stream` is taken out of the body: the path says it.
pub const STREAM_TO_PATH: &str = "stream_to_path";
/// The version of Anthropic's API, a header elsewhere, is written into the body.
pub const ANTHROPIC_VERSION: &str = "anthropic_version";
/// What the header `anthropic-beta` asks for is written into the body.
pub const ANTHROPIC_BETA: &str = "anthropic_beta";
/// The events of the answer are taken out of Bedrock's frames.
pub const UNFRAME_EVENTS: &str = "unframe_events";
