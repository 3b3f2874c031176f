use std::path::Path;

use serde_json::json;

use super::{Exit, Output, print};
use crate::doctor::{self, Finding, Verdict};
use crate::log::one_line;

/// Says what is wrong with the device, and what to do about it.
pub(super) fn doctor(config: &Path, output: Output) -> Exit {
    let mut findings = Vec::new();
    doctor::examine(config, |finding| {
        if output == Output::Text {
            // Some checks wait for a network: what is known is shown at once.
            print(&text(&finding));
        }
        findings.push(finding);
    });
    let failed = |finding: &Finding| finding.verdict == Verdict::Failed;
    let ok = !findings.iter().any(failed);
    if output == Output::Json {
        print(&json!({ "ok": ok, "checks": findings }).to_string());
    }
    if ok { Exit::Done } else { Exit::Refused }
}

fn text(finding: &Finding) -> String {
    let (verdict, check) = (finding.verdict.as_str(), finding.check.replace('_', " "));
    let found = one_line(&finding.found);
    let mut text = format!("{verdict:<8} {check:<14} {found}");
    if let Some(remedy) = &finding.remedy {
        text += &format!("\n{:<24}{}", "", one_line(remedy));
    }
    text
}
