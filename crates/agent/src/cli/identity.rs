use std::path::Path;

use enlist_core::HardwareIdentity;
use serde_json::{Value, json};

use super::{Exit, Output, print, say};
use crate::config::Configuration;
use crate::disk::{FileDisk, Vault};
use crate::hardware::{self, Finding};
use crate::{drive, explain};

/// Shows what the hardware says, what is used of it, and why.
pub(super) fn identity(config: Option<&Path>, output: Output) -> Exit {
    let configuration = match config.map(Configuration::load).transpose() {
        Ok(configuration) => configuration,
        Err(error) => {
            say(&error);
            return Exit::Misconfigured;
        }
    };
    let root = Path::new("/");
    let findings = hardware::survey(root);
    let wish = configuration.as_ref().and_then(|c| c.hardware.as_ref());
    let used = match hardware::identity(root, wish) {
        Ok(used) => used,
        Err(error) => {
            say(&error);
            return Exit::Misconfigured;
        }
    };
    let why = match (&used, wish) {
        (Some(_), Some(_)) => "the configuration names it",
        (Some(_), None) => "the first source that says anything",
        (None, _) => "no source says anything; a random identity is made at enrollment and kept",
    };
    let used = match &configuration {
        None => used,
        Some(configuration) => {
            let vault = Vault::new(FileDisk::look(&configuration.persistent_directory));
            match used {
                Some(found) => Some(drive::on_record(&vault, found)),
                None => vault.hardware_id().ok().flatten(),
            }
        }
    };
    let name = match (&configuration, &used) {
        (Some(configuration), Some(used)) => drive::name(configuration, used),
        _ => None,
    };
    match output {
        Output::Json => print(
            &json!({
                "used": used.as_ref().map(shown),
                "why": why,
                "name": name,
                "found": findings.iter().map(finding).collect::<Vec<_>>(),
            })
            .to_string(),
        ),
        Output::Text => {
            let mut text = String::new();
            for found in &findings {
                let shown = match &found.identity {
                    Ok(identity) => identity.to_string(),
                    Err(why) => format!("- ({})", explain(why)),
                };
                text += &format!("{:<12}  {shown}\n", found.source);
            }
            let used = used.map_or_else(|| "-".to_owned(), |used| used.to_string());
            text += &format!("\nused          {used} ({why})\n");
            if let Some(name) = name {
                text += &format!("name          {name}\n");
            }
            print(&text);
        }
    }
    Exit::Done
}

fn finding(found: &Finding) -> Value {
    match &found.identity {
        Ok(identity) => json!({ "source": found.source, "identity": shown(identity) }),
        Err(why) => json!({ "source": found.source, "why_not": explain(why) }),
    }
}

fn shown(identity: &HardwareIdentity) -> Value {
    json!({ "kind": identity.kind().as_str(), "value": identity.value() })
}
