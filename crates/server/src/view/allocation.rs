use enlist_core::{Allocation, Name, Share};
use enlist_ops::Error;
use enlist_wire as wire;

/// How a group passes its newcomers on.
pub(super) fn allocation(allocation: &Allocation) -> wire::Allocation {
    let texts = |groups: &[Name]| groups.iter().map(ToString::to_string).collect();
    match allocation {
        Allocation::Label { key, default } => wire::Allocation::Label {
            key: key.clone(),
            default: default.as_ref().map(ToString::to_string),
        },
        Allocation::Hash { groups } => wire::Allocation::Hash {
            groups: texts(groups),
        },
        Allocation::Weighted { groups } => {
            let shares = groups.iter().map(|share| wire::Share {
                group: share.group.to_string(),
                weight: share.weight,
            });
            wire::Allocation::Weighted {
                groups: shares.collect(),
            }
        }
        Allocation::LeastFilled { groups } => wire::Allocation::LeastFilled {
            groups: texts(groups),
        },
    }
}

/// How it is to.
pub(super) fn allocation_asked(asked: &wire::Allocation) -> Result<Option<Allocation>, Error> {
    Ok(Some(match asked {
        wire::Allocation::None => return Ok(None),
        wire::Allocation::Label { key, default } => Allocation::Label {
            key: key.clone(),
            default: default.as_deref().map(str::parse).transpose()?,
        },
        wire::Allocation::Hash { groups } => Allocation::Hash {
            groups: names(groups)?,
        },
        wire::Allocation::Weighted { groups } => {
            let shares = groups.iter().map(|share| {
                let group = share.group.parse()?;
                let weight = share.weight;
                Ok(Share { group, weight })
            });
            Allocation::Weighted {
                groups: shares.collect::<Result<_, Error>>()?,
            }
        }
        wire::Allocation::LeastFilled { groups } => Allocation::LeastFilled {
            groups: names(groups)?,
        },
    }))
}

fn names(texts: &[String]) -> Result<Vec<Name>, Error> {
    texts.iter().map(|text| Ok(text.parse()?)).collect()
}
