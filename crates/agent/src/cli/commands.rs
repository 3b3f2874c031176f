//! The commands there are, and what each one takes.

use super::line::{Command, Flag, Takes};

const DEFAULT_CONFIG: &str = "/etc/enlist/config.json";

/// The words of `--output`.
pub(super) const OUTPUTS: &[(&str, &str)] = &[("text", "For people"), ("json", "For programs")];

/// The program.
pub(super) static ROOT: Command = Command {
    name: "enlist-agent",
    about: "Gives this device an identity and keeps its certificate fresh",
    after: "\
Exit status:
  0  done, or all is well
  1  refused, failed, or not enrolled
  2  the command line or the configuration is wrong
  3  status: the certificate has expired
  4  not yet: the server can't be reached, or a person has to say yes first

Examples:
  enlist-agent provision -c config.json     enroll once
  enlist-agent run -c config.json           enroll and renew, until stopped
  enlist-agent status -c config.json -o json",
    options: &[],
    commands: &[
        RUN,
        PROVISION,
        STATUS,
        IDENTITY,
        DOCTOR,
        CONFIG,
        RENEW,
        DECOMMISSION,
    ],
};

const RUN: Command = Command {
    name: "run",
    about: "Enroll, and renew the certificate in time, until stopped",
    after: "\
Waits for a configuration that is not there yet. SIGTERM stops, SIGHUP reads the configuration again,
SIGUSR1 renews now, SIGUSR2 looks whether `decommission` has asked for a wipe. Speaks systemd's
readiness and watchdog protocol.",
    options: &[
        FILE,
        flag(
            "single-check",
            "Do what there is to do now, and end: for timers, instead of running on",
        ),
    ],
    commands: &[],
};

const PROVISION: Command = Command {
    name: "provision",
    about: "Enroll once; a device that is enrolled already stays as it is",
    after: "\
Example:
  enlist-agent provision -c config.json -o json | jq -r .certificate",
    options: &[
        FILE,
        wait(
            "30",
            "Keep trying for so long while the server can't be reached or a person has to say yes",
        ),
        OUTPUT,
    ],
    commands: &[],
};

const STATUS: Command = Command {
    name: "status",
    about: "Show who this device is and until when its certificate is good",
    after: "",
    options: &[FILE, OUTPUT],
    commands: &[],
};

const IDENTITY: Command = Command {
    name: "identity",
    about: "Show what this device can say about its hardware, what is used of it, and why",
    after: "",
    options: &[
        Flag {
            takes: Takes::Text {
                what: "FILE",
                default: None,
            },
            help: "The configuration file, if there is one",
            ..FILE
        },
        OUTPUT,
    ],
    commands: &[],
};

const DOCTOR: Command = Command {
    name: "doctor",
    about: "Look at everything that keeps this device from working, and say what to do about it",
    after: "\
Makes and changes nothing. Exit status 1 says that at least one check has failed; warnings don't count.

Example:
  enlist-agent doctor -c config.json -o json | jq '.checks[] | select(.verdict == \"failed\")'",
    options: &[FILE, OUTPUT],
    commands: &[],
};

const CONFIG: Command = Command {
    name: "config",
    about: "Show, check or reset the configuration of what runs on this device",
    after: "",
    options: &[],
    commands: &[
        Command {
            name: "show",
            about: "Show the configuration in force, and what was refused",
            after: "",
            options: &[FILE, OUTPUT, flag("reveal", "Show secrets too")],
            commands: &[],
        },
        Command {
            name: "log",
            about: "Show who changed what, from what to what",
            after: "",
            options: &[FILE, OUTPUT],
            commands: &[],
        },
        Command {
            name: "reset",
            about: "Go back to the defaults",
            after: "\
What the server had stated before is not taken again, only what it states later.
While `enlist-agent run` is at work in the same directory, it is asked to do it.",
            options: &[
                FILE,
                OUTPUT,
                wait("60", "Wait so long at most for the agent that is at work"),
            ],
            commands: &[],
        },
        Command {
            name: "verify",
            about: "Check that what is kept is whole and signed",
            after: "",
            options: &[FILE, OUTPUT],
            commands: &[],
        },
    ],
};

const RENEW: Command = Command {
    name: "renew",
    about: "Renew the certificate now, due or not",
    after: "While `enlist-agent run` is at work in the same directory, it is asked to do it.",
    options: &[
        FILE,
        wait(
            "30",
            "Keep trying for so long while the server can't be reached",
        ),
        OUTPUT,
    ],
    commands: &[],
};

const DECOMMISSION: Command = Command {
    name: "decommission",
    about: "Erase this device's identity and user data for good, and hand the receipt to the server",
    after: "\
Once it has begun, nothing but the wipe is done on this device, also after a power cut. While `enlist-agent
run` is at work in the same directory, it is asked to do it. Exit status 1 says that something could not
be erased; 4 that the receipt could not be handed in yet: `run` goes on with that.

Example:
  enlist-agent decommission -c config.json --yes --reason \"sold\" -o json",
    options: &[
        FILE,
        flag("yes", "Don't ask; needed where there is no terminal"),
        Flag {
            name: "reason",
            short: None,
            takes: Takes::Text {
                what: "WORDS",
                default: None,
            },
            help: "Why, for the record",
        },
        wait("120", "Wait for so long until the receipt is handed in"),
        OUTPUT,
    ],
    commands: &[],
};

const FILE: Flag = Flag {
    name: "config",
    short: Some('c'),
    takes: Takes::Text {
        what: "FILE",
        default: Some(DEFAULT_CONFIG),
    },
    help: "The configuration file of the agent",
};

const OUTPUT: Flag = Flag {
    name: "output",
    short: Some('o'),
    takes: Takes::OneOf(OUTPUTS),
    help: "How to print the result",
};

const fn flag(name: &'static str, help: &'static str) -> Flag {
    Flag {
        name,
        short: None,
        takes: Takes::Nothing,
        help,
    }
}

const fn wait(default: &'static str, help: &'static str) -> Flag {
    let takes = Takes::Number {
        what: "SECONDS",
        default,
    };
    Flag {
        name: "wait",
        short: None,
        takes,
        help,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(command: &'static Command) -> Vec<&'static Command> {
        let below = command.commands.iter().flat_map(all);
        std::iter::once(command).chain(below).collect()
    }

    #[test]
    fn a_number_that_is_not_given_is_one_all_the_same() {
        for flag in all(&ROOT).iter().flat_map(|command| command.options) {
            if let Takes::Number { default, .. } = flag.takes {
                assert!(default.parse::<u64>().is_ok(), "{flag:?}");
            }
        }
    }
}
