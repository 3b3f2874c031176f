//! Why configuration is not taken.

use enlist_config::{MigrationError, SchemaError, Violation};
use enlist_core::Name;
use enlist_signed::{MalformedEnvelope, Refused};

/// The most that is said at once.
const MOST: usize = 10;

/// Why configuration is not taken. Nothing of it says a value, which may be a secret.
#[derive(Debug, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "the message of each variant is its documentation"
)]
pub enum ConfigurationError {
    #[error(
        "the group `{group}` has no configuration schema yet: `enlist apply schema -g {group} -f FILE` states one"
    )]
    NoSchema { group: Name },
    #[error("the schema is not taken")]
    Schema(#[from] SchemaError),
    #[error("the schema's own defaults break it: {}", told(.0))]
    Defaults(Vec<Violation>),
    #[error(
        "values of schema version {from} need a way to version {to}: give migrations, or an empty list of them where values stay as they are"
    )]
    MigrationsMissing { from: u32, to: u32 },
    #[error("a migration does not read")]
    MalformedMigration(#[source] serde_json::Error),
    #[error("a migration can't be taken")]
    Migration(#[from] MigrationError),
    #[error("the configuration is not what the schema asks for: {}", told(.0))]
    Values(Vec<Violation>),
    #[error("what is stated already would no longer fit: {}", told(.0))]
    Unfit(Vec<Unfit>),
    #[error(
        "somebody else has just changed this group's configuration (statement {version} is there): look at it with --history, and apply again"
    )]
    Conflict { version: u64 },
    #[error(
        "the server signs the configuration of group `{group}`: leave --signing-method out, or say remote"
    )]
    ServerSigns { group: Name },
    #[error(
        "the operators of group `{group}` sign its configuration themselves: --signing-method={method} with the group's key"
    )]
    OperatorsSign { group: Name, method: &'static str },
    #[error("the signed statement does not read")]
    MalformedStatement(#[from] MalformedEnvelope),
    #[error("the signed statement is refused")]
    Statement(#[from] Refused),
    #[error("the signed statement is refused: {0}")]
    NotThisStatement(&'static str),
    #[error("there is no statement {version}: --history shows which there are")]
    NoSuchVersion { version: u64 },
    #[error("the configuration is too large: a schema and values may have 256 KiB each")]
    TooLarge,
}

/// Values that would no longer fit.
#[derive(Debug, Clone)]
pub struct Unfit {
    /// Whose.
    pub whose: String,
    /// Why.
    pub why: String,
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.whose, self.why)
    }
}

impl ConfigurationError {
    /// The stable short name of this kind of refusal.
    pub fn slug(&self) -> &'static str {
        match self {
            Self::NoSchema { .. } => "no-schema",
            Self::Schema(_) | Self::Defaults(_) => "schema-refused",
            Self::MigrationsMissing { .. } => "migrations-missing",
            Self::MalformedMigration(_) | Self::Migration(_) => "migration-refused",
            Self::Values(_) => "configuration-invalid",
            Self::Unfit(_) => "configuration-does-not-fit",
            Self::Conflict { .. } => "configuration-conflict",
            Self::ServerSigns { .. } | Self::OperatorsSign { .. } => "signing-method-mismatch",
            Self::MalformedStatement(_) => "statement-refused",
            Self::Statement(_) | Self::NotThisStatement(_) => "statement-refused",
            Self::NoSuchVersion { .. } => "no-such-version",
            Self::TooLarge => "configuration-too-large",
        }
    }
}

pub(super) fn told(items: &[impl ToString]) -> String {
    let first: Vec<String> = items.iter().take(MOST).map(ToString::to_string).collect();
    let more = match items.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("{}{more}", first.join("; "))
}
