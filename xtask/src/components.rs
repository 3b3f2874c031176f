//! The real programs that tests are run against.

use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::run::{in_ci, run, succeeds};

/// A program that tests start, and the Debian package that brings it.
struct Component {
    name: &'static str,
    package: &'static str,
    there: fn() -> bool,
}

const COMPONENTS: [Component; 21] = [
    Component {
        name: "PostgreSQL's server (the store's suite)",
        package: "postgresql",
        there: postgres,
    },
    Component {
        name: "mosquitto (the broker that accepts devices)",
        package: "mosquitto",
        there: || in_path("mosquitto"),
    },
    Component {
        name: "mosquitto_pub (a client for it)",
        package: "mosquitto-clients",
        there: || in_path("mosquitto_pub"),
    },
    Component {
        name: "openssl (the other opinion on certificates)",
        package: "openssl",
        there: || in_path("openssl"),
    },
    Component {
        name: "swtpm (keys in a TPM)",
        package: "swtpm",
        there: || in_path("swtpm"),
    },
    Component {
        name: "swtpm_setup (a TPM as its manufacturer delivers it)",
        package: "swtpm-tools",
        there: || in_path("swtpm_setup"),
    },
    Component {
        name: "tpm2-tools (the other opinion on TPMs)",
        package: "tpm2-tools",
        there: || in_path("tpm2_makecredential"),
    },
    Component {
        name: "SoftHSM2 (keys in a PKCS#11 token)",
        package: "softhsm2",
        there: || in_path("softhsm2-util"),
    },
    Component {
        name: "curl (a client that nobody here wrote)",
        package: "curl",
        there: || in_path("curl"),
    },
    Component {
        name: "jq (reads what curl was told)",
        package: "jq",
        there: || in_path("jq"),
    },
    Component {
        name: "faketime (a clock that is wrong)",
        package: "faketime",
        there: || in_path("faketime"),
    },
    Component {
        name: "Python's virtual environments (pkilint lives in one)",
        package: "python3-venv",
        there: || succeeds("python3", &["-c", "import venv, ensurepip"]),
    },
    Component {
        name: "strace (cuts the agent off between two system calls)",
        package: "strace",
        there: || in_path("strace"),
    },
    Component {
        name: "unshare (a disk of a test's own that is full)",
        package: "util-linux",
        there: || in_path("unshare"),
    },
    Component {
        name: "nginx (the proxy that accepts devices)",
        package: "nginx",
        there: || in_path("nginx"),
    },
    Component {
        name: "its module for TCP (the load balancer before several servers)",
        package: "libnginx-mod-stream",
        there: || Path::new("/usr/lib/nginx/modules/ngx_stream_module.so").exists(),
    },
    Component {
        name: "HAProxy (the other load balancer)",
        package: "haproxy",
        there: || in_path("haproxy"),
    },
    Component {
        name: "Prometheus (asks for metrics), and promtool (reads rules)",
        package: "prometheus",
        there: || in_path("prometheus") && in_path("promtool"),
    },
    Component {
        name: "strongSwan's pki (a client of EST and OCSP that nobody here wrote)",
        package: "strongswan-pki",
        there: || in_path("pki"),
    },
    Component {
        name: "its plugins for cryptography",
        package: "libstrongswan-standard-plugins",
        there: || strongswan_has("openssl"),
    },
    Component {
        name: "its plugin for HTTP",
        package: "libstrongswan-extra-plugins",
        there: || strongswan_has("curl"),
    },
];

/// Makes sure that they are there: installs what is missing where it may, otherwise says how.
///
/// # Errors
/// When one is missing and `CI=true` says that nothing may be skipped.
pub(crate) fn provide() -> Result<()> {
    if missing().is_empty() {
        println!("all there");
        return Ok(());
    }
    let packages: Vec<_> = missing().iter().map(|one| one.package).collect();
    if may_install()
        && let Err(error) = install(&packages)
    {
        println!("{error:#}");
    }
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    for one in &missing {
        println!("missing: {}", one.name);
    }
    let packages: Vec<_> = missing.iter().map(|one| one.package).collect();
    let how = format!(
        "sudo apt-get install --no-install-recommends {}",
        packages.join(" ")
    );
    if in_ci() {
        bail!("with CI=true nothing may be missing: {how}");
    }
    println!("tests that need them are skipped; to run them too: {how}");
    Ok(())
}

fn missing() -> Vec<&'static Component> {
    COMPONENTS.iter().filter(|one| !(one.there)()).collect()
}

pub(crate) fn may_install() -> bool {
    let root = Command::new("id").arg("-u").output();
    root.is_ok_and(|id| id.stdout.trim_ascii() == b"0") && in_path("apt-get")
}

pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let _policy = NoServices::forbid()?;
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(["-q", "-y", "--no-install-recommends"])
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    if run(apt(&["install"]).args(packages)).is_err() {
        // The lists of packages are old, or not there at all.
        run(&mut apt(&["update"]))?;
        run(apt(&["install"]).args(packages))?;
    }
    Ok(())
}

/// While this lives, installing a server does not start it: tests start their own, and its port
/// may be in use.
struct NoServices(Option<PathBuf>);

impl NoServices {
    fn forbid() -> Result<Self> {
        let path = Path::new("/usr/sbin/policy-rc.d");
        if path.exists() {
            // The machine has a policy of its own.
            return Ok(Self(None));
        }
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o755)
            .open(path)?;
        let policy = Self(Some(path.to_owned()));
        file.set_permissions(std::fs::Permissions::from_mode(0o755))?;
        // 101: the action is forbidden by policy.
        file.write_all(b"#!/bin/sh\nexit 101\n")?;
        Ok(policy)
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The server's programs are not in the path, but in a directory for each version.
fn postgres() -> bool {
    let versions = Path::new("/usr/lib/postgresql").read_dir();
    versions.is_ok_and(|versions| {
        versions
            .flatten()
            .any(|version| version.path().join("bin/initdb").exists())
    })
}

fn strongswan_has(plugin: &str) -> bool {
    Path::new("/usr/lib/ipsec/plugins")
        .join(format!("libstrongswan-{plugin}.so"))
        .exists()
}

fn in_path(program: &str) -> bool {
    // Servers live in sbin, which is not in everybody's path.
    succeeds(
        "sh",
        &[
            "-c",
            &format!("PATH=\"$PATH:/usr/sbin:/sbin\"; command -v {program}"),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_where_a_shell_finds_them() {
        assert!(in_path("sh"));
        assert!(!in_path("no-such-program-anywhere"));
    }
}
