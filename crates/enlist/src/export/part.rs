//! A file in the making that outlives being broken off.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use enlist_keys::file::sync_directory;
use enlist_signed::audit::{Line, Place};

use crate::files;

/// So much of the end is looked at for the last event: many lines of any length.
const TAIL: u64 = 4 * 1024 * 1024;

/// `FILE.part`, which becomes `FILE` when it is complete.
pub struct Part {
    file: BufWriter<File>,
    path: PathBuf,
    target: PathBuf,
}

impl Part {
    /// Opens what is to become `target`, and says after which event it goes on, where it has some already.
    pub fn open(target: &Path) -> anyhow::Result<(Self, Option<Place>)> {
        let mut name = target.as_os_str().to_owned();
        name.push(".part");
        let path = PathBuf::from(name);
        let failed = || format!("`{}` can't be written", path.display());
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            // Who did what is not for everybody.
            options.mode(0o600);
        }
        let mut file = options.open(&path).with_context(failed)?;
        let place = go_on(&mut file).with_context(failed)?;
        let part = Self {
            file: BufWriter::new(file),
            path,
            target: target.to_owned(),
        };
        Ok((part, place))
    }

    /// Adds a line.
    pub fn write(&mut self, line: &[u8]) -> anyhow::Result<()> {
        self.file
            .write_all(line)
            .with_context(|| format!("`{}` can't be written", self.path.display()))
    }

    /// Puts it in place, unless something has come to stand there.
    pub fn finish(mut self) -> anyhow::Result<()> {
        let placed = self
            .file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all())
            .and_then(|()| match fs::hard_link(&self.path, &self.target) {
                Ok(()) => fs::remove_file(&self.path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
                // Some file systems of memory cards have no links.
                Err(_) if !self.target.exists() => fs::rename(&self.path, &self.target),
                Err(error) => Err(error),
            })
            .and_then(|()| sync_directory(&self.target));
        match placed {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(files::exists(&self.target))
            }
            placed => {
                placed.with_context(|| format!("`{}` can't be written", self.target.display()))
            }
        }
    }
}

/// Cuts off what is not a whole line, and whatever comes after the last event. Leaves the file at its end.
fn go_on(file: &mut File) -> io::Result<Option<Place>> {
    let length = file.seek(SeekFrom::End(0))?;
    let start = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    let mut end = tail.len();
    let mut found = None;
    while let Some(last) = tail[..end].iter().rposition(|byte| *byte == b'\n') {
        let begin = tail[..last].iter().rposition(|byte| *byte == b'\n');
        let begin = begin.map_or(0, |at| at + 1);
        if let Ok(Line::Sealed(sealed)) = serde_json::from_slice(&tail[begin..last]) {
            found = Some(Place {
                seq: sealed.seq,
                hash: sealed.hash,
            });
            end = last + 1;
            break;
        }
        end = begin;
    }
    let keep = if found.is_some() {
        start + end as u64
    } else {
        0
    };
    file.set_len(keep)?;
    file.seek(SeekFrom::End(0))?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::some::event;
    use super::*;

    #[test]
    fn what_was_broken_off_anywhere_goes_on_after_its_last_whole_event() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("events.jsonl");
        let (one, two) = (event(1), event(2));
        let both = [one.clone(), two.clone()].concat();
        for cut in 0..=both.len() {
            fs::write(dir.path().join("events.jsonl.part"), &both[..cut]).unwrap();
            let (mut part, place) = Part::open(&target).unwrap();
            let events = place.map_or(0, |place| place.seq);
            let expected = u64::from(cut >= one.len()) + u64::from(cut >= both.len());
            assert_eq!(events, expected, "{cut}");
            for rest in [&one, &two].iter().skip(events as usize) {
                part.write(rest).unwrap();
            }
            part.finish().unwrap();
            assert_eq!(fs::read(&target).unwrap(), both);
            assert!(!dir.path().join("events.jsonl.part").exists());
            fs::remove_file(&target).unwrap();
        }
    }

    #[test]
    fn what_has_come_to_stand_there_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("events.jsonl");
        let (part, _) = Part::open(&target).unwrap();
        fs::write(&target, "another").unwrap();
        assert!(part.finish().is_err());
        assert_eq!(fs::read(&target).unwrap(), b"another");
    }
}
