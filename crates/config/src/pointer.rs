//! JSON pointers (RFC 6901).

/// The pointer to the member `key` of what `parent` points to.
pub(crate) fn join(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The members that a pointer leads through; `None` where it is no pointer.
pub(crate) fn split(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let rest = pointer.strip_prefix('/')?;
    rest.split('/').map(unescape).collect()
}

fn unescape(token: &str) -> Option<String> {
    let is_sound = token
        .split('~')
        .skip(1)
        .all(|rest| rest.starts_with(['0', '1']));
    is_sound.then(|| token.replace("~1", "/").replace("~0", "~"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_splits_again() {
        let path = ["a/b", "~", "", "~1", "0"];
        let pointer = path.iter().fold(String::new(), |p, key| join(&p, key));
        assert_eq!(pointer, "/a~1b/~0//~01/0");
        assert_eq!(split(&pointer).unwrap(), path);
        assert_eq!(split("").unwrap(), Vec::<String>::new());
        for bad in ["a", "/~2", "/~"] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
