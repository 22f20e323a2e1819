//! The headers of one part: which field it is, and whether it is a file.

use super::malformed;
use tollgate_core::error::Error;

/// What the headers of a part say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The file's name, for parts that are files.
    pub filename: Option<String>,
    /// The content's type, when it is stated.
    pub content_type: Option<String>,
}

impl Part {
    /// Reads a header block: its lines, without the empty one that ends it.
    pub(super) fn read(block: &[u8]) -> Result<Self, Error> {
        let block = std::str::from_utf8(block)
            .map_err(|_| malformed("the headers of a part are not UTF-8"))?;
        let mut disposition = None;
        let mut content_type = None;
        for line in block.split("\r\n") {
            if line.contains(is_control) || line.starts_with([' ', '\t']) {
                return Err(malformed("a header of a part is broken over lines"));
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| malformed("a header of a part has no colon"))?;
            let value = value.trim_matches([' ', '\t']);
            let twice = match name.to_ascii_lowercase().as_str() {
                "content-disposition" => disposition.replace(value).is_some(),
                "content-type" => content_type.replace(value).is_some(),
                "content-transfer-encoding" if !is_plain(value) => {
                    return Err(malformed("a part has a transfer encoding: send it plain"));
                }
                _ => false,
            };
            if twice {
                return Err(malformed("a part has one header twice"));
            }
        }
        let disposition =
            disposition.ok_or_else(|| malformed("a part has no content-disposition"))?;
        let (name, filename) = disposed(disposition)?;
        Ok(Self {
            name,
            filename,
            content_type: content_type.map(str::to_owned),
        })
    }
}

fn is_control(character: char) -> bool {
    character.is_control() && character != '\t'
}

/// Whether content so encoded is the content itself.
fn is_plain(encoding: &str) -> bool {
    ["7bit", "8bit", "binary"]
        .iter()
        .any(|plain| encoding.eq_ignore_ascii_case(plain))
}

/// Name and file name of `form-data; name="…"; filename="…"`.
fn disposed(value: &str) -> Result<(String, Option<String>), Error> {
    let (kind, rest) = value.split_once(';').unwrap_or((value, ""));
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return Err(malformed("a part's disposition is not form-data"));
    }
    let (mut name, mut filename, mut encoded) = (None, None, None);
    for (parameter, value) in parameters(rest)? {
        let twice = match parameter.as_str() {
            "name" => name.replace(value).is_some(),
            "filename" => filename.replace(value).is_some(),
            // A file's name that is not ASCII, in the form of RFC 5987: kept as it stands, for
            // nobody opens the file by it.
            "filename*" => encoded.replace(value).is_some(),
            other if other.starts_with("name*") => {
                return Err(malformed("the name of a part is encoded: send it plain"));
            }
            _ => false,
        };
        if twice {
            return Err(malformed("a part has two names"));
        }
    }
    let name = name.ok_or_else(|| malformed("a part has no name"))?;
    if name.contains('\\') {
        return Err(malformed("the name of a part holds an escape"));
    }
    Ok((name.to_owned(), filename.or(encoded).map(str::to_owned)))
}

/// The parameters of a header value, `a=b; c="d"`, names in lower case.
///
/// A quoted value ends at the next quote: backslashes stay as they are (file names of Windows), but
/// one before a quote, which parsers read in two ways, is refused.
pub(super) fn parameters(text: &str) -> Result<Vec<(String, &str)>, Error> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest
            .split_once('=')
            .ok_or_else(|| malformed("a header's parameter has no value"))?;
        let (value, after) = if let Some(quoted) = after.strip_prefix('"') {
            quoted
                .split_once('"')
                .filter(|(value, _)| !value.ends_with('\\'))
                .ok_or_else(|| malformed("a header's quotes are escaped or not closed: use %22"))?
        } else {
            let (value, after) = after.split_at(after.find(';').unwrap_or(after.len()));
            (value.trim_end(), after)
        };
        if name.contains(['"', ';']) || value.contains('"') {
            return Err(malformed("a header's quotes stand in the wrong place"));
        }
        found.push((name.trim_end().to_ascii_lowercase(), value));
        let after = after.trim_start();
        rest = match after.strip_prefix(';') {
            Some(next) => next.trim_start(),
            None if after.is_empty() => "",
            None => return Err(malformed("a header's parameters are not separated")),
        };
    }
    Ok(found)
}
