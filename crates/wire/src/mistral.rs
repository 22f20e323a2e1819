//! Mistral's own endpoints beside OpenAI's dialect: fill-in-the-middle completions, which answer
//! like a chat, and OCR, which is billed by the page.

mod ocr;

pub(crate) use ocr::{facts as ocr_facts, usage as ocr_usage};
