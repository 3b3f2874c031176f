use std::fs;
use std::io::{self, ErrorKind};

/// The number of a group, given as that or by its name in `/etc/group`. Groups from elsewhere (LDAP) are
/// given by number.
pub(super) fn number(group: &str) -> io::Result<u32> {
    if let Ok(number) = group.parse() {
        return Ok(number);
    }
    let all = fs::read_to_string("/etc/group")?;
    find(&all, group).ok_or_else(|| {
        let words = format!("there is no group `{group}` in /etc/group; make it, or give a number");
        io::Error::new(ErrorKind::NotFound, words)
    })
}

fn find(all: &str, group: &str) -> Option<u32> {
    all.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        (name == group).then(|| number.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_by_name_or_number() {
        let all = "root:x:0:\nbroken\nmosquitto:x:112:agent,other\n";
        assert_eq!(find(all, "mosquitto"), Some(112));
        assert_eq!(find(all, "mosquit"), None);
        assert_eq!(number("112").unwrap(), 112);
        let error = number("no-such-group-here").unwrap_err();
        assert!(error.to_string().contains("give a number"), "{error}");
    }
}
