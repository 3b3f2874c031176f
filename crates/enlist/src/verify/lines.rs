//! Files, line by line, in bounded memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context as _;

use crate::files;

/// The longest line that is looked at. No event comes near it.
const LONGEST: u64 = 1024 * 1024;

/// Gives every line of a file to `each`; of `-`, of standard input. Of one that is too long, its beginning.
pub fn each(path: &Path, each: impl FnMut(&[u8])) -> anyhow::Result<()> {
    let walked = if path == Path::new("-") {
        walk(io::stdin().lock(), each)
    } else {
        let file: File = files::open(path)?.ok_or_else(|| files::missing(path))?;
        walk(BufReader::with_capacity(256 * 1024, file), each)
    };
    walked.with_context(|| format!("`{}` can't be read", path.display()))
}

fn walk(mut from: impl BufRead, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if (&mut from).take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        each(&line);
        if !line.ends_with(b"\n") {
            from.skip_until(b'\n')?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_and_bounded() {
        let long = vec![b'x'; 3 * LONGEST as usize];
        let text = [b"one\n\n", &long[..], b"\ntwo"].concat();
        let mut lines = Vec::new();
        walk(&text[..], |line| lines.push(line.len())).unwrap();
        assert_eq!(lines, [4, 1, LONGEST as usize, 3]);
    }
}
