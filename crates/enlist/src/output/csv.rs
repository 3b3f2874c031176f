//! Comma-separated values (RFC 4180), with plain line ends.

use std::io::{self, Write};

/// Writes one line, quoting what needs it.
pub fn line<'a>(cells: impl Iterator<Item = &'a str>, out: &mut impl Write) -> io::Result<()> {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        if cell.contains([',', '"', '\n', '\r']) {
            write!(out, "\"{}\"", cell.replace('"', "\"\""))?;
        } else {
            out.write_all(cell.as_bytes())?;
        }
    }
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_would_break_a_line_is_quoted() {
        let mut out = Vec::new();
        super::line(["a", "b,c", "say \"hi\"", "", "x\ny"].into_iter(), &mut out).unwrap();
        assert_eq!(out, b"a,\"b,c\",\"say \"\"hi\"\"\",,\"x\ny\"\n");
    }
}
