//! A package in the making: a tree, and `dpkg-deb` over it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::contents::Package;
use crate::run::{output, root, run};

/// A package in the making.
pub(crate) struct Deb<'a> {
    package: &'a Package,
    place: PathBuf,
    tree: PathBuf,
}

impl<'a> Deb<'a> {
    /// An empty tree below `place`.
    pub(crate) fn begin(place: &Path, package: &'a Package) -> Result<Self> {
        let tree = place.join(package.binary);
        if tree.exists() {
            fs::remove_dir_all(&tree)?;
        }
        fs::create_dir_all(tree.join("DEBIAN"))?;
        Ok(Self {
            package,
            place: place.to_owned(),
            tree,
        })
    }

    /// A program, without what debuggers need.
    pub(crate) fn binary(&self, from: &Path, name: &str) -> Result<()> {
        let to = self.path(&format!("usr/bin/{name}"))?;
        fs::copy(from, &to).with_context(|| format!("there is no {}", from.display()))?;
        run(Command::new("strip").arg("--strip-unneeded").arg(&to))?;
        mode(&to, 0o755)
    }

    /// The manual pages whose names begin with `start`, and not with that of another package.
    pub(crate) fn manuals(&self, from: &Path, start: &str) -> Result<()> {
        for page in fs::read_dir(from)? {
            let page = page?.path();
            let name = page
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let agents = name.starts_with("enlist-agent");
            if name.starts_with(start) && agents == (start == "enlist-agent") {
                let zipped = output(Command::new("gzip").args(["-9nc"]).arg(&page))?;
                self.file(&format!("usr/share/man/man1/{name}.gz"), &zipped)?;
            }
        }
        Ok(())
    }

    /// Units of systemd.
    pub(crate) fn units(&self, units: &[&str]) -> Result<()> {
        for unit in units {
            let from = root().join("packaging/systemd").join(unit);
            let text =
                fs::read(&from).with_context(|| format!("there is no {}", from.display()))?;
            self.file(&format!("lib/systemd/system/{unit}"), &text)?;
        }
        Ok(())
    }

    /// What else operators may want.
    pub(crate) fn shared(&self) -> Result<()> {
        for (from, to) in self.package.shared() {
            let from = root().join("packaging").join(from);
            let bytes =
                fs::read(&from).with_context(|| format!("there is no {}", from.display()))?;
            self.file(&to, &bytes)?;
        }
        Ok(())
    }

    /// A file that everybody may read.
    pub(crate) fn file(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let to = self.path(path)?;
        fs::write(&to, bytes)?;
        mode(&to, 0o644)
    }

    /// Writes what the package says of itself, and packs it.
    pub(crate) fn finish(self) -> Result<PathBuf> {
        let name = self.package.binary;
        let copyright = fs::read(root().join("packaging/debian/copyright"))?;
        self.file(&format!("usr/share/doc/{name}/copyright"), &copyright)?;
        for (script, text) in [
            ("postinst", self.package.postinst),
            ("prerm", self.package.prerm),
        ] {
            let path = self.tree.join("DEBIAN").join(script);
            fs::write(&path, text)?;
            mode(&path, 0o755)?;
        }
        let architecture = output(Command::new("dpkg").arg("--print-architecture"))?;
        let architecture = String::from_utf8_lossy(&architecture).trim().to_owned();
        let version = env!("CARGO_PKG_VERSION");
        let control = self.control(version, &architecture)?;
        fs::write(self.tree.join("DEBIAN/control"), control)?;
        let file = self
            .place
            .join(format!("{name}_{version}_{architecture}.deb"));
        run(Command::new("dpkg-deb")
            .args(["--root-owner-group", "--build"])
            .arg(&self.tree)
            .arg(&file))?;
        Ok(file)
    }

    fn control(&self, version: &str, architecture: &str) -> Result<String> {
        let binary = self.tree.join("usr/bin").join(self.package.binary);
        let kib = fs::metadata(binary)?.len() / 1024;
        let mut control = format!(
            "Package: {}\nVersion: {version}\nArchitecture: {architecture}\nSection: net\n\
             Priority: optional\nInstalled-Size: {kib}\nDepends: libc6\n\
             Maintainer: The Enlist developers <enlist@localhost>\nDescription: {}\n",
            self.package.binary, self.package.summary
        );
        for line in self.package.description {
            control += &format!(" {line}\n");
        }
        Ok(control)
    }

    fn path(&self, path: &str) -> Result<PathBuf> {
        let to = self.tree.join(path);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        Ok(to)
    }
}

fn mode(path: &Path, mode: u32) -> Result<()> {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}
