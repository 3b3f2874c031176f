/// A machine that devices are.
pub(crate) struct AgentTarget {
    /// What Rust calls it.
    pub(crate) triple: &'static str,
    /// The C compiler that builds and links for it.
    pub(crate) cc: &'static str,
    /// What runs its programs here.
    pub(crate) qemu: &'static str,
    /// Where its C library lies.
    pub(crate) libraries: &'static str,
    /// The Debian packages that bring these.
    pub(crate) packages: &'static [&'static str],
}

/// ARM64, ARMv7, ARMv5 and 32-bit x86.
pub(crate) const AGENTS: [AgentTarget; 4] = [
    AgentTarget {
        triple: "aarch64-unknown-linux-gnu",
        cc: "aarch64-linux-gnu-gcc",
        qemu: "qemu-aarch64-static",
        libraries: "/usr/aarch64-linux-gnu",
        packages: &[
            "gcc-aarch64-linux-gnu",
            "libc6-dev-arm64-cross",
            "qemu-user-static",
        ],
    },
    AgentTarget {
        triple: "armv7-unknown-linux-gnueabihf",
        cc: "arm-linux-gnueabihf-gcc",
        qemu: "qemu-arm-static",
        libraries: "/usr/arm-linux-gnueabihf",
        packages: &[
            "gcc-arm-linux-gnueabihf",
            "libc6-dev-armhf-cross",
            "qemu-user-static",
        ],
    },
    AgentTarget {
        triple: "armv5te-unknown-linux-gnueabi",
        cc: "arm-linux-gnueabi-gcc",
        qemu: "qemu-arm-static",
        libraries: "/usr/arm-linux-gnueabi",
        packages: &[
            "gcc-arm-linux-gnueabi",
            "libc6-dev-armel-cross",
            "qemu-user-static",
        ],
    },
    AgentTarget {
        triple: "i686-unknown-linux-gnu",
        cc: "i686-linux-gnu-gcc",
        qemu: "qemu-i386-static",
        libraries: "/usr/i686-linux-gnu",
        packages: &[
            "gcc-i686-linux-gnu",
            "libc6-dev-i386-cross",
            "qemu-user-static",
        ],
    },
];

/// A machine that people sit at.
pub(crate) struct CliTarget {
    /// What Rust calls it.
    pub(crate) triple: &'static str,
    /// The C compiler for it; `None` where there is none here, and what it would make is left out.
    pub(crate) cc: Option<&'static str>,
    /// The Debian packages that bring it.
    pub(crate) packages: &'static [&'static str],
}

/// Windows and macOS.
pub(crate) const CLIS: [CliTarget; 2] = [
    CliTarget {
        triple: "x86_64-pc-windows-gnu",
        cc: Some("x86_64-w64-mingw32-gcc"),
        packages: &["gcc-mingw-w64-x86-64"],
    },
    CliTarget {
        triple: "aarch64-apple-darwin",
        cc: None,
        packages: &[],
    },
];
