//! What goes into the packages.

/// A package.
pub(crate) struct Package {
    /// Its name and that of its program.
    pub(crate) binary: &'static str,
    /// One line on what it is.
    pub(crate) summary: &'static str,
    /// The same at length, one line each.
    pub(crate) description: &'static [&'static str],
    /// What the names of its manual pages begin with.
    pub(crate) manuals: &'static str,
    /// Its units, in `packaging/systemd`.
    pub(crate) units: &'static [&'static str],
    /// What else operators may want, in `packaging`: it comes to lie below `usr/share`.
    pub(crate) shared: &'static [&'static str],
    /// Run after it was unpacked.
    pub(crate) postinst: &'static str,
    /// Run before it is removed.
    pub(crate) prerm: &'static str,
}

/// The device's side.
pub(crate) const AGENT: Package = Package {
    binary: "enlist-agent",
    summary: "gives a device its identity and keeps its certificate fresh",
    description: &[
        "Enlist's agent enrolls a device, renews its certificate, applies signed",
        "configuration, carries out signed commands, and wipes the device at the",
        "end of its life. It waits for /etc/enlist/config.json.",
    ],
    manuals: "enlist-agent",
    units: &[
        "enlist-agent.service",
        "enlist-agent-status.socket",
        "enlist-agent-status@.service",
    ],
    shared: &[],
    postinst: "\
#!/bin/sh
set -e
if [ \"$1\" = configure ]; then
    install -d -m 0755 /etc/enlist
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl enable --now enlist-agent.service enlist-agent-status.socket || true
    fi
fi
",
    prerm: "\
#!/bin/sh
set -e
if [ \"$1\" = remove ] && [ -d /run/systemd/system ]; then
    systemctl disable --now enlist-agent.service enlist-agent-status.socket || true
fi
",
};

/// The operator's side.
pub(crate) const SERVER: Package = Package {
    binary: "enlist",
    summary: "device provisioning: server, command line and factory station",
    description: &[
        "Enlist gives each device an identity, credentials and configuration of",
        "its own, from the factory to the end of its life. `enlist quickstart`",
        "shows it all on one machine; enlist.service serves for real.",
    ],
    manuals: "enlist",
    units: &["enlist.service"],
    shared: &["grafana/enlist.json", "prometheus/enlist-alerts.yml"],
    // The service is not started by itself: where it listens is for the operator to say.
    postinst: "\
#!/bin/sh
set -e
if [ \"$1\" = configure ]; then
    install -d -m 0755 /etc/enlist
    if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
fi
",
    prerm: "\
#!/bin/sh
set -e
if [ \"$1\" = remove ] && [ -d /run/systemd/system ]; then
    systemctl disable --now enlist.service || true
fi
",
};

impl Package {
    /// Where each file that operators may want lies in `packaging`, and in the package.
    pub(crate) fn shared(&self) -> impl Iterator<Item = (&'static str, String)> {
        let binary = self.binary;
        let shared = self.shared.iter();
        shared.map(move |file| (*file, format!("usr/share/{binary}/{file}")))
    }
}

/// The shells that there are completions for, and where those go.
pub(crate) fn completions(binary: &str) -> [(&'static str, String); 3] {
    [
        (
            "bash",
            format!("usr/share/bash-completion/completions/{binary}"),
        ),
        ("zsh", format!("usr/share/zsh/vendor-completions/_{binary}")),
        (
            "fish",
            format!("usr/share/fish/vendor_completions.d/{binary}.fish"),
        ),
    ]
}
