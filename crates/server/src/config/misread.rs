//! What is wrong with a file of settings.

/// What is wrong with a TOML file, and where, in one line. Nothing of the file is shown: a password may
/// stand there.
#[derive(Debug, thiserror::Error)]
#[error("{at}{message}")]
pub struct Misread {
    at: String,
    message: String,
}

impl Misread {
    /// What the parser says about `text`.
    pub(super) fn of(text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().and_then(|span| text.get(..span.start));
        let at = start.map(|before| {
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            format!("line {line}, column {column}: ")
        });
        Self {
            at: at.unwrap_or_default(),
            message: error.message().trim_end().replace('\n', " "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let error = toml::from_str::<toml::Table>(text).unwrap_err();
        Misread::of(text, &error).to_string()
    }

    #[test]
    fn it_says_where_in_one_line_and_shows_no_password() {
        let words = told("data = \"there\"\ndatabase_url = postgres://enlist:hunter2@db\n");
        assert!(words.starts_with("line 2, column 1"), "{words}");
        assert!(
            !words.contains('\n') && !words.contains("hunter2"),
            "{words}"
        );
    }
}
