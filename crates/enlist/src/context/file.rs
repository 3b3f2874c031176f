//! The file that the command line keeps its contexts in.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use enlist_wire::SecretText;
use serde::{Deserialize, Serialize};

use crate::failure::refused;
use crate::files::{self, Access};

/// What this version writes and reads.
const SCHEMA_VERSION: u32 = 1;

/// Every context of this user. Kept in `contexts.json` in the user's configuration directory, 0600.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contexts {
    schema_version: u32,
    /// The one in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// All of them, by name.
    #[serde(default)]
    pub contexts: BTreeMap<String, Context>,
}

/// How to reach one server, and as whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// The server, `https://host:port`.
    pub server: String,
    /// The installation's root, PEM.
    pub ca_pem: String,
    /// The CA of a server certificate from elsewhere, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_ca_pem: Option<String>,
    /// The API token.
    pub token: SecretText,
    /// The tenant that commands are about, where it is not `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

impl Default for Contexts {
    fn default() -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            current: None,
            contexts: BTreeMap::new(),
        }
    }
}

impl Contexts {
    /// Reads the file; there are no contexts where there is none.
    pub fn load() -> anyhow::Result<Self> {
        let Some(path) = path() else {
            return Ok(Self::default());
        };
        let Some(text) = files::read(&path)? else {
            return Ok(Self::default());
        };
        // The version comes first: a later file may hold fields that this version can't know.
        let version: Version = serde_json::from_str(&text).with_context(|| unreadable(&path))?;
        if version.schema_version != SCHEMA_VERSION {
            return Err(refused(
                "unknown-schema-version",
                format!(
                    "`{}` is of schema version {}, and this program reads {SCHEMA_VERSION}: use the version of enlist that wrote it, or move the file away",
                    path.display(),
                    version.schema_version
                ),
            ));
        }
        serde_json::from_str(&text).with_context(|| unreadable(&path))
    }

    /// Writes the file.
    pub fn save(&self) -> anyhow::Result<()> {
        let path = path().ok_or_else(|| {
            refused(
                "no-home",
                "there is no home directory to keep a context in; set HOME or XDG_CONFIG_HOME, or use ENLIST_SERVER, ENLIST_CA and ENLIST_TOKEN",
            )
        })?;
        if let Some(directory) = path.parent() {
            files::make_private_directory(directory)
                .with_context(|| format!("`{}` can't be made", directory.display()))?;
        }
        let mut text = serde_json::to_vec_pretty(self).context("a context can't be written")?;
        text.push(b'\n');
        files::replace(&path, &text, Access::Private)
    }

    /// The context of this name.
    pub fn named(&self, name: &str) -> anyhow::Result<&Context> {
        self.contexts.get(name).ok_or_else(|| {
            let known: Vec<_> = self.contexts.keys().map(String::as_str).collect();
            let known = if known.is_empty() {
                "there are none yet; `enlist login` makes one".to_owned()
            } else {
                format!("there are: {}", known.join(", "))
            };
            refused(
                "unknown-context",
                format!("there is no context `{name}`: {known}"),
            )
        })
    }
}

#[derive(Deserialize)]
struct Version {
    schema_version: u32,
}

fn unreadable(path: &std::path::Path) -> String {
    format!(
        "`{}` can't be read; mend it, or move it away and `enlist login` again",
        path.display()
    )
}

/// `enlist/contexts.json` under the user's configuration directory.
fn path() -> Option<PathBuf> {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let home = if cfg!(windows) {
        set("APPDATA")
    } else {
        // The XDG specification wants relative paths ignored.
        set("XDG_CONFIG_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| set("HOME").map(|home| home.join(".config")))
    };
    home.map(|home| home.join("enlist").join("contexts.json"))
}
