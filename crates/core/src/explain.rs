//! Errors as people read them.

use std::error::Error;

/// An error and everything that led to it, in one line.
pub fn explain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        // A transparent error says the same as its cause.
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Failure {
        #[error("no light")]
        Dark,
        #[error(transparent)]
        Same(Box<Failure>),
        #[error("can't read")]
        Blind(#[source] Box<Failure>),
    }

    #[test]
    fn each_cause_is_said_once() {
        let same = Failure::Same(Box::new(Failure::Dark));
        assert_eq!(explain(&same), "no light");
        let error = Failure::Blind(Box::new(same));
        assert_eq!(explain(&error), "can't read: no light");
    }
}
