use serde::Serialize;

/// What a check has come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which check: stable, for programs.
    pub check: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it; nothing when all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All is well.
    Ok,
    /// It works, and could be better; or it will not work for ever.
    Warning,
    /// It does not work.
    Failed,
    /// It can't be said, because of something else that does not work.
    Skipped,
}

impl Finding {
    pub(super) fn ok(found: impl Into<String>) -> Self {
        Self::new(Verdict::Ok, found.into(), None)
    }

    pub(super) fn warning(found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Verdict::Warning, found.into(), Some(remedy.into()))
    }

    pub(super) fn failed(found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Verdict::Failed, found.into(), Some(remedy.into()))
    }

    pub(super) fn skipped(found: impl Into<String>) -> Self {
        Self::new(Verdict::Skipped, found.into(), None)
    }

    pub(super) fn named(self, check: &'static str) -> Self {
        Self { check, ..self }
    }

    fn new(verdict: Verdict, found: String, remedy: Option<String>) -> Self {
        Self {
            check: "",
            verdict,
            found,
            remedy,
        }
    }
}

impl Verdict {
    /// The word for people and programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}
