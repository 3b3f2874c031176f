//! When the server was last heard, and what it refused.

use enlist_core::Timestamp;
use enlist_wire::Time;

use super::Finding;
use super::patient::Patient;

pub(super) fn check(patient: &Patient) -> Finding {
    let shown = |at: Timestamp| Time::from_secs(at.as_secs());
    if let Ok(Some(trouble)) = patient.vault.trouble() {
        let slug = trouble.slug.as_deref().unwrap_or("refused");
        return Finding::warning(
            format!("since {}: {} ({slug})", shown(trouble.at), trouble.message),
            "docs/problems.md says what each refusal means and who can lift it",
        );
    }
    match patient.vault.floor() {
        Ok(Some(at)) => Finding::ok(format!("the server was heard at {} or later", shown(at))),
        _ => Finding::ok("no refusal is on record"),
    }
}
