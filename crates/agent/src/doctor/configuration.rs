//! Whether the configuration file, and the identity file it may name, read and make sense.

use std::path::Path;

use super::Finding;
use crate::config::{ConfigError, Configuration};
use crate::explain;

pub(super) fn check(path: &Path, loaded: Result<&Configuration, &ConfigError>) -> Finding {
    match loaded {
        Ok(configuration) => {
            let who = match (&configuration.name, &configuration.name_prefix) {
                (Some(name), _) => name.to_string(),
                (None, Some(prefix)) => format!("{prefix}-…"),
                (None, None) => "a device known by its hardware".into(),
            };
            Finding::ok(format!(
                "{}: {who} in group {} of tenant {}, at {}",
                path.display(),
                configuration.group,
                configuration.tenant,
                configuration.server_url
            ))
        }
        Err(error) if error.is_absence() => Finding::failed(
            explain(error),
            "bring the file that `enlist gen-device-config` writes, or name another with -c",
        ),
        Err(error) => Finding::failed(
            explain(error),
            "put the field right that is named; the agent takes the file as soon as it is good",
        ),
    }
}
