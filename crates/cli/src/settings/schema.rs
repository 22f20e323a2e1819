//! Every key of the settings file: name, shape, default, meaning. One table, four uses: unknown
//! keys are found by it, defaults are parsed from it like anything an operator writes, the names of
//! the environment variables follow from it, and `docs/settings.md` is printed from it.
//!
//! A key is listed here only if something acts on it.

mod declared;
mod process;
mod provider;
mod secret;
mod shapes;

pub use process::ROOT;

/// A table of the settings file.
#[derive(Debug)]
pub struct Section {
    /// Its heading in the reference, in Markdown.
    pub title: &'static str,
    /// What the table is for, in whole sentences of Markdown.
    pub doc: &'static str,
    /// Its keys, in the order of the reference.
    pub keys: &'static [Key],
}

/// One key of a table.
#[derive(Debug)]
pub struct Key {
    /// As written in the file.
    pub name: &'static str,
    /// What it takes.
    pub shape: Shape,
    /// What stands in when it is left out, as it would be written.
    pub default: Default,
    /// What it means, in whole sentences of Markdown.
    pub doc: &'static str,
}

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A string, with the words the reference describes it by (`duration`).
    Scalar(&'static str),
    /// A number or boolean, written without quotes.
    Bare(&'static str),
    /// One of these words.
    Word(&'static [&'static str]),
    /// An array of strings.
    Strings,
    /// A table with fixed keys.
    Table(&'static Section),
    /// An array of tables.
    Tables(&'static Section),
    /// A secret: where to read it from, never the text itself.
    Secret(&'static Section),
    /// A URL, or a secret that holds one.
    UrlOrSecret(&'static Section),
    /// A table from names the operator chooses to strings.
    StringMap,
    /// A table from names the operator chooses to tables.
    TableMap(&'static Section),
}

/// What stands in for a key that is left out.
#[derive(Clone, Copy, Debug)]
pub enum Default {
    /// This text, parsed as if it had been written.
    Text(&'static str),
    /// Nothing: the key must be given.
    Required,
    /// Nothing, or what the words say.
    None(&'static str),
}

impl Section {
    /// The key of this name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl Shape {
    /// The words for it in the reference and in messages.
    pub fn describe(self) -> String {
        match self {
            Self::Scalar(words) | Self::Bare(words) => words.to_owned(),
            Self::Word(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
                words.join(", ")
            }
            Self::Strings => "array of strings".to_owned(),
            Self::Table(_) => "table".to_owned(),
            Self::Tables(_) => "array of tables".to_owned(),
            Self::Secret(_) => "secret".to_owned(),
            Self::UrlOrSecret(_) => "URL, or a secret that holds it".to_owned(),
            Self::StringMap => "table of strings".to_owned(),
            Self::TableMap(_) => "table of tables".to_owned(),
        }
    }
}

impl Key {
    /// What to write where the key is missing.
    pub fn help_missing(&self) -> String {
        let name = self.name;
        match self.shape {
            Shape::Scalar(_) | Shape::UrlOrSecret(_) => format!("add `{name} = \"…\"`"),
            Shape::Word(_) => format!("add `{name} = \"…\"`, one of {}", self.shape.describe()),
            Shape::Bare(_) => format!("add `{name} = …`"),
            Shape::Strings => format!("add `{name} = [\"…\"]`"),
            Shape::Tables(_) => format!("add `{name} = [{{ … }}]`"),
            Shape::Table(_) | Shape::Secret(_) | Shape::StringMap | Shape::TableMap(_) => {
                format!("add `{name} = {{ … }}`")
            }
        }
    }
}

/// Tables that other versions have: refused like any unknown key, with a better reason.
pub const LATER: [(&str, &str); 2] = [
    ("session", "limits for agent sessions"),
    ("telemetry", "export of telemetry"),
];

/// Calls `visit` with the dotted path of each scalar that stands in single tables, the ones an
/// environment variable can name. Elements of arrays and of free-form tables have no such name.
pub fn each_scalar(section: &'static Section, path: &str, visit: &mut dyn FnMut(&str, &Key)) {
    for key in section.keys {
        let path = join(path, key.name);
        match key.shape {
            Shape::Scalar(_) | Shape::Bare(_) | Shape::Word(_) | Shape::UrlOrSecret(_) => {
                visit(&path, key);
            }
            Shape::Table(inner) => each_scalar(inner, &path, visit),
            Shape::Strings
            | Shape::Tables(_)
            | Shape::Secret(_)
            | Shape::StringMap
            | Shape::TableMap(_) => {}
        }
    }
}

/// `path` with one more segment, quoted where TOML wants it quoted.
pub fn join(path: &str, segment: &str) -> String {
    let bare = !segment.is_empty()
        && segment
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    let segment = if bare {
        segment.to_owned()
    } else {
        format!("{segment:?}")
    };
    if path.is_empty() {
        segment
    } else {
        format!("{path}.{segment}")
    }
}
