//! Certificate and key for other programs on the device: brokers, proxies, programs of your own.
//!
//! ```text
//! <directory>/current -> <serial>      what programs read; always a pair that fits
//! <directory>/<serial>/certificate.pem the certificate and the CA that issued it; what is between that
//!                                      and a root from outside, where one has signed it
//! <directory>/<serial>/ca.pem          the issuing CA and the roots: of others in the tenant, whichever
//!                                      of its CAs has signed them, they verify what is presented whole
//! <directory>/<serial>/key.pem         its key in the clear, where its store gives it away
//! <directory>/<serial>/key.reference   else where it is: what the key store calls it, nothing secret
//! ```
//!
//! A key in the clear is as safe as the directory. The one that systemd makes for the service is in
//! memory and gone with the power, and is written anew at each start.

mod group;

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use enlist_keys::file::sync_directory;
use secrecy::ExposeSecret;

use crate::config::Configuration;
use crate::disk::{Pair, PairKey, erase};

/// Where the directory that systemd makes is named.
const RUNTIME: &str = "RUNTIME_DIRECTORY";
const CURRENT: &str = "current";

/// Puts certificate and key where other programs read them.
#[derive(Clone, Debug)]
pub struct Export {
    directory: PathBuf,
    group: Option<String>,
}

impl Export {
    /// What the configuration asks for: its `export_directory`; without one, `credentials` in the
    /// directory that systemd makes for the service; and nothing where there is neither.
    #[must_use]
    pub fn of(configuration: &Configuration) -> Option<Self> {
        let given = configuration.export_directory.clone();
        Some(Self {
            directory: given.or_else(by_systemd)?,
            group: configuration.export_group.clone(),
        })
    }

    /// Into this directory, for its owner alone or for this group too.
    #[must_use]
    pub fn new(directory: PathBuf, group: Option<String>) -> Self {
        Self { directory, group }
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What programs read: a link that always leads to a pair that fits.
    #[must_use]
    pub fn current(&self) -> PathBuf {
        self.directory.join(CURRENT)
    }

    /// Puts this pair there in place of the one before, which is erased. `name` names it and no other:
    /// the certificate's serial number. What is there already is left as it is.
    ///
    /// # Errors
    /// When the directory can't be written, or not be given to the group. What was there is still there.
    pub fn put(&self, name: &str, pair: &Pair) -> io::Result<()> {
        let group = self.group.as_deref().map(group::number).transpose()?;
        self.make(&self.directory, group)?;
        let place = self.directory.join(name);
        if !holds(&place, pair) {
            let beside = self.directory.join(format!("{name}.new"));
            remove(&beside)?;
            self.make(&beside, group)?;
            for (file, text) in files(pair) {
                write(&beside.join(file), text, group)?;
            }
            sync_directory(&beside.join(CURRENT))?;
            // Only what is no pair can be there: names are given once.
            remove(&place)?;
            fs::rename(&beside, &place)?;
        }
        self.point(name)?;
        self.tidy(name)
    }

    fn point(&self, name: &str) -> io::Result<()> {
        let link = self.current();
        if fs::read_link(&link).is_ok_and(|target| target == Path::new(name)) {
            return Ok(());
        }
        let beside = self.directory.join("current.new");
        remove(&beside)?;
        symlink(name, &beside)?;
        fs::rename(&beside, &link)?;
        sync_directory(&link)
    }

    /// Erases the pairs that were there before, keys first of all.
    fn tidy(&self, name: &str) -> io::Result<()> {
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let is_ours = entry.path().join("certificate.pem").exists();
            if is_ours && entry.file_name() != name && entry.file_name() != CURRENT {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }

    fn make(&self, directory: &Path, group: Option<u32>) -> io::Result<()> {
        let mode = if group.is_some() { 0o750 } else { 0o700 };
        match DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(directory)
        {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // The umask may have taken more away.
        fs::set_permissions(directory, Permissions::from_mode(mode))?;
        give(directory, group)
    }
}

/// `credentials` in the directory that systemd makes for the service, if it does.
fn by_systemd() -> Option<PathBuf> {
    let all = std::env::var_os(RUNTIME)?;
    let first = std::env::split_paths(&all).next()?;
    first.is_absolute().then(|| first.join("credentials"))
}

fn files(pair: &Pair) -> [(&'static str, &str); 3] {
    let key = match &pair.key {
        PairKey::Clear(pem) => ("key.pem", pem.expose_secret()),
        PairKey::Elsewhere(reference) => ("key.reference", reference.as_str()),
    };
    [
        ("ca.pem", &pair.ca_pem),
        ("certificate.pem", &pair.certificate_pem),
        key,
    ]
}

fn holds(place: &Path, pair: &Pair) -> bool {
    files(pair).into_iter().all(|(file, text)| {
        let there = fs::read(place.join(file)).map(zeroize::Zeroizing::new);
        there.is_ok_and(|there| *there == text.as_bytes())
    })
}

fn write(path: &Path, text: &str, group: Option<u32>) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    if group.is_some() {
        give(path, group)?;
        file.set_permissions(Permissions::from_mode(0o640))?;
    }
    file.sync_all()
}

/// Gives it to the group, unless it is the group's already.
fn give(path: &Path, group: Option<u32>) -> io::Result<()> {
    match group {
        Some(group) if File::open(path)?.metadata()?.gid() != group => {
            std::os::unix::fs::chown(path, None, Some(group))
        }
        _ => Ok(()),
    }
}

/// Erases what may be there. That a medium can't overwrite is for the docs to say, not for the log.
fn remove(path: &Path) -> io::Result<()> {
    match erase(path) {
        Ok(_) | Err(crate::disk::NotErased::NotOverwritten { .. }) => Ok(()),
        Err(error) => Err(io::Error::other(error)),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn pair(text: &str) -> Pair {
        Pair {
            certificate_pem: format!("certificate {text}"),
            ca_pem: "ca".into(),
            key: PairKey::Clear(SecretString::from(format!("key {text}"))),
        }
    }

    fn read(export: &Export, file: &str) -> String {
        fs::read_to_string(export.current().join(file)).unwrap()
    }

    fn names(export: &Export) -> Vec<String> {
        let entries = fs::read_dir(export.directory()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn programs_find_a_pair_that_fits_and_the_one_before_is_gone() {
        let home = tempfile::tempdir().unwrap();
        let export = Export::new(home.path().join("run/credentials"), None);
        export.put("01", &pair("one")).unwrap();
        export.put("01", &pair("one")).unwrap();
        assert_eq!(read(&export, "key.pem"), "key one");
        export.put("02", &pair("two")).unwrap();
        assert_eq!(read(&export, "certificate.pem"), "certificate two");
        assert_eq!(read(&export, "key.pem"), "key two");
        assert_eq!(names(&export), ["02", "current"]);
    }

    #[test]
    fn what_a_power_cut_has_left_is_replaced() {
        let home = tempfile::tempdir().unwrap();
        let export = Export::new(home.path().to_owned(), None);
        for left in ["01.new", "01"] {
            fs::create_dir(home.path().join(left)).unwrap();
            fs::write(home.path().join(left).join("certificate.pem"), "half").unwrap();
        }
        symlink("nowhere", home.path().join("current.new")).unwrap();
        export.put("01", &pair("one")).unwrap();
        assert_eq!(read(&export, "certificate.pem"), "certificate one");
        assert_eq!(names(&export), ["01", "current"]);
    }

    #[test]
    fn others_read_it_only_where_a_group_is_named() {
        let home = tempfile::tempdir().unwrap();
        let own = rustix::process::getegid().as_raw().to_string();
        for (group, directory_mode, file_mode) in [(None, 0o700, 0o600), (Some(own), 0o750, 0o640)]
        {
            let export = Export::new(home.path().join("credentials"), group);
            export.put("01", &pair("one")).unwrap();
            export.put(&format!("{file_mode:o}"), &pair("two")).unwrap();
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(export.directory()), directory_mode);
            assert_eq!(mode(&export.current()), directory_mode);
            assert_eq!(mode(&export.current().join("key.pem")), file_mode);
        }
    }

    #[test]
    fn a_key_that_stays_in_its_store_is_named() {
        let home = tempfile::tempdir().unwrap();
        let export = Export::new(home.path().to_owned(), None);
        let elsewhere = Pair {
            key: PairKey::Elsewhere("tpm:0x81018000".into()),
            ..pair("one")
        };
        export.put("01", &elsewhere).unwrap();
        assert_eq!(read(&export, "key.reference"), "tpm:0x81018000");
        assert!(!export.current().join("key.pem").exists());
    }
}
