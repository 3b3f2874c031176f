//! `enlist add hook`.

use std::path::PathBuf;

use enlist_wire::NewHook;

use crate::cli::Global;
use crate::group_arg::GroupArg;
use crate::say::say;
use crate::text::shown;
use crate::{files, output};

/// Have the server ask somebody about each newcomer to a group, and print the signing secret, alone
///
/// Without a clear yes in time nobody gets in. The answer may also set the device's group, name, labels and
/// configuration. The secret is shown this once.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AddHook {
    #[command(flatten)]
    group: GroupArg,
    /// Who is asked: https://host[:port][/path]
    #[arg(long, value_name = "URL")]
    url: String,
    /// The CAs that it is believed by, PEM [default: those of the server's system]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The most time for an answer: seconds, with a fraction if need be, 0.1 to 10
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = millis)]
    timeout: u32,
}

const EXAMPLES: &str = "\
Examples:
  enlist add hook -g field-units --url https://erp.example.com/admit > hook.secret
  enlist add hook -g intake --url https://10.0.0.5:8443/admit --ca plant-ca.pem --timeout 2";

impl AddHook {
    /// Adds the hook.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let ca = self.ca.as_deref().map(files::read_needed).transpose()?;
        let (client, tenant) = global.connect()?;
        let group = self.group.group.as_str();
        let request = NewHook {
            url: self.url,
            ca,
            timeout_ms: self.timeout,
        };
        let created = client.create_hook(tenant.as_str(), group, &request)?;
        say!(
            "Group `{}` asks its hook about each newcomer from now on; `enlist test hook -g {group}` tries it.",
            shown(&created.hook.group)
        );
        output::once(
            global.output,
            &created,
            &created.secret,
            "`enlist refresh hook`",
        )
    }
}

/// Milliseconds of a time in seconds, `s` or no `s`.
fn millis(text: &str) -> Result<u32, String> {
    let rule = || "from 0.1 to 10 seconds, such as 2 or 0.5".to_owned();
    let text = text.strip_suffix('s').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || fraction.len() > 3 {
        return Err(rule());
    }
    let whole: u32 = whole.parse().map_err(|_| rule())?;
    let fraction: u32 = format!("{fraction:0<3}").parse().map_err(|_| rule())?;
    let millis = whole.checked_mul(1000).map(|millis| millis + fraction);
    millis
        .filter(|millis| (100..=10_000).contains(millis))
        .ok_or_else(rule)
}

#[cfg(test)]
mod tests {
    use super::millis;

    #[test]
    fn times_are_seconds_with_a_fraction() {
        for (text, expected) in [("5", 5000), ("5s", 5000), ("0.1", 100), ("2.25", 2250)] {
            assert_eq!(millis(text), Ok(expected), "{text}");
        }
        for text in [
            "", "0", "0.05", "11", "5m", "1.", "1.0005", "-1", "1e3", "+ 1",
        ] {
            assert!(millis(text).is_err(), "{text}");
        }
    }
}
