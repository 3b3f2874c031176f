//! Who gets into a group without a secret, and where newcomers go: for `add group` and `set group`.

use enlist_core::Name;
use enlist_wire::{Allocation, AttestationKind, Share, WithoutProof, ZeroTouchChange};

use crate::failure::refused;
use crate::text::one_of;

/// The flags.
#[derive(Debug, clap::Args)]
pub struct AdmissionArgs {
    /// Let devices in without a secret that prove what they are: tpm, idevid, both with a comma between
    /// them, or none
    #[arg(long, value_name = "PROOFS", value_parser = proofs)]
    zero_touch: Option<Proofs>,
    /// The manifest that what they prove has to be on; an empty name for none
    #[arg(long, value_name = "NAME")]
    zero_touch_manifest: Option<String>,
    /// What becomes of a device that brings neither a secret nor a proof
    #[arg(long, value_name = "WHAT", value_parser = one_of::<WithoutProof>(&["refuse", "approve"]))]
    without_proof: Option<WithoutProof>,
    /// Pass newcomers on to other groups: label:KEY, hash:GROUP,GROUP, weighted:GROUP=3,GROUP=1,
    /// least-filled:GROUP,GROUP, or none
    #[arg(long, value_name = "POLICY", value_parser = policy)]
    allocate: Option<Allocation>,
    /// With --allocate label:KEY, the group of those whose label names none
    #[arg(long, value_name = "GROUP", requires = "allocate")]
    allocate_default: Option<Name>,
}

/// Proofs that count.
#[derive(Debug, Clone)]
struct Proofs(Vec<AttestationKind>);

impl AdmissionArgs {
    /// What is said of zero-touch, if anything.
    pub fn zero_touch(&self) -> Option<ZeroTouchChange> {
        let change = ZeroTouchChange {
            accept: self.zero_touch.as_ref().map(|proofs| proofs.0.clone()),
            manifest: self.zero_touch_manifest.clone(),
            without_proof: self.without_proof,
        };
        (change != ZeroTouchChange::default()).then_some(change)
    }

    /// What is said of where newcomers go, if anything.
    pub fn allocation(&self) -> anyhow::Result<Option<Allocation>> {
        match (&self.allocate, &self.allocate_default) {
            (Some(Allocation::Label { key, .. }), default) => Ok(Some(Allocation::Label {
                key: key.clone(),
                default: default.as_ref().map(ToString::to_string),
            })),
            (_, Some(_)) => Err(refused(
                "invalid-request",
                "--allocate-default goes with --allocate label:KEY alone: leave one of them out",
            )),
            (allocation, None) => Ok(allocation.clone()),
        }
    }
}

fn proofs(text: &str) -> Result<Proofs, String> {
    if text == "none" {
        return Ok(Proofs(Vec::new()));
    }
    let proofs = text.split(',').map(|word| match word {
        "tpm" => Ok(AttestationKind::Tpm),
        "idevid" => Ok(AttestationKind::Idevid),
        other => Err(format!("`{other}` is no proof: use tpm, idevid or none")),
    });
    proofs.collect::<Result<_, _>>().map(Proofs)
}

fn policy(text: &str) -> Result<Allocation, String> {
    let (by, rest) = text.split_once(':').unwrap_or((text, ""));
    let names = || {
        let names = rest.split(',').map(name);
        names.collect::<Result<Vec<_>, _>>()
    };
    match by {
        "none" if rest.is_empty() => Ok(Allocation::None),
        "label" if !rest.is_empty() => Ok(Allocation::Label {
            key: rest.to_owned(),
            default: None,
        }),
        "hash" => Ok(Allocation::Hash { groups: names()? }),
        "least-filled" => Ok(Allocation::LeastFilled { groups: names()? }),
        "weighted" => {
            let shares = rest.split(',').map(share);
            Ok(Allocation::Weighted {
                groups: shares.collect::<Result<_, _>>()?,
            })
        }
        _ => Err(
            "use label:KEY, hash:GROUP,GROUP, weighted:GROUP=3,GROUP=1, least-filled:GROUP,GROUP or none"
                .to_owned(),
        ),
    }
}

fn name(text: &str) -> Result<String, String> {
    let name: Name = text.parse().map_err(|error| format!("{error}"))?;
    Ok(name.to_string())
}

fn share(text: &str) -> Result<Share, String> {
    let (group, weight) = text.split_once('=').unwrap_or((text, "1"));
    let bad = |_| format!("`{weight}` is no weight: use a whole number, as in GROUP=3");
    Ok(Share {
        group: name(group)?,
        weight: weight.parse().map_err(bad)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_read_as_they_are_typed() {
        let groups = || vec!["a".to_owned(), "b-2".to_owned()];
        let share = |group: &str, weight| Share {
            group: group.to_owned(),
            weight,
        };
        for (text, expected) in [
            ("none", Allocation::None),
            (
                "label:re:gion",
                Allocation::Label {
                    key: "re:gion".to_owned(),
                    default: None,
                },
            ),
            ("hash:a,b-2", Allocation::Hash { groups: groups() }),
            (
                "least-filled:a,b-2",
                Allocation::LeastFilled { groups: groups() },
            ),
            (
                "weighted:a=3,b",
                Allocation::Weighted {
                    groups: vec![share("a", 3), share("b", 1)],
                },
            ),
        ] {
            assert_eq!(policy(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "label",
            "label:",
            "hash",
            "hash:",
            "hash:A",
            "weighted:a=x",
            "random:a",
        ] {
            assert!(policy(text).is_err(), "{text}");
        }
    }

    #[test]
    fn proofs_are_a_list_or_none() {
        assert_eq!(
            proofs("tpm,idevid").unwrap().0,
            [AttestationKind::Tpm, AttestationKind::Idevid]
        );
        assert!(proofs("none").unwrap().0.is_empty());
        assert!(proofs("tpm,").is_err());
    }
}
