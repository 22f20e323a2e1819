//! Words that several keys are described by.

use super::{Default, Key, Shape};

pub(super) const fn key(
    name: &'static str,
    shape: Shape,
    default: Default,
    doc: &'static str,
) -> Key {
    Key {
        name,
        shape,
        default,
        doc,
    }
}

pub(super) const STRING: Shape = Shape::Scalar("string");
pub(super) const URL: Shape = Shape::Scalar("URL");
pub(super) const PATH: Shape = Shape::Scalar("path");
pub(super) const DURATION: Shape = Shape::Scalar("duration");
pub(super) const SLUG: Shape = Shape::Scalar("slug");
pub(super) const DOLLARS: Shape = Shape::Scalar("decimal string of dollars");
pub(super) const COUNT: Shape = Shape::Bare("whole number");
pub(super) const BOOLEAN: Shape = Shape::Bare("boolean");

pub(super) const EMPTY: Default = Default::None("none");
