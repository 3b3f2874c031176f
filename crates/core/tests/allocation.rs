//! Where newcomers go.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use enlist_core::{Allocation, Arrival, Digest, InvalidAllocation, Labels, Name, Share};
use proptest::prelude::*;

fn names(count: usize) -> Vec<Name> {
    (0..count)
        .map(|at| format!("group-{at}").parse().unwrap())
        .collect()
}

fn choose(allocation: &Allocation, device: u64) -> Name {
    let digest = Digest::of(&device.to_be_bytes());
    let arrival = Arrival {
        digest: &digest,
        labels: &Labels::new(),
        filled: &[],
    };
    allocation.choose(arrival).unwrap()
}

fn share(group: &Name, weight: u32) -> Share {
    Share {
        group: group.clone(),
        weight,
    }
}

proptest! {
    #[test]
    fn a_device_goes_to_the_same_group_in_whatever_order_they_are_named(
        device: u64, count in 1_usize..20, turn in 0_usize..20,
    ) {
        let groups = names(count);
        let mut turned = groups.clone();
        turned.rotate_left(turn % count);
        let chosen = choose(&Allocation::Hash { groups: groups.clone() }, device);
        prop_assert!(groups.contains(&chosen));
        prop_assert_eq!(chosen, choose(&Allocation::Hash { groups: turned }, device));
    }

    #[test]
    fn one_more_group_takes_devices_and_moves_none_between_the_others(
        device: u64, count in 1_usize..20,
    ) {
        let mut groups = names(count + 1);
        let after = choose(&Allocation::Hash { groups: groups.clone() }, device);
        let new = groups.pop().unwrap();
        let before = choose(&Allocation::Hash { groups }, device);
        prop_assert!(after == before || after == new);
    }

    #[test]
    fn more_weight_takes_devices_and_moves_none_between_the_others(
        device: u64, weights in prop::collection::vec(1_u32..10, 2..8), at: prop::sample::Index,
    ) {
        let names = names(weights.len());
        let mut groups: Vec<Share> = names.iter().zip(&weights).map(|(n, w)| share(n, *w)).collect();
        let before = choose(&Allocation::Weighted { groups: groups.clone() }, device);
        let at = at.index(groups.len());
        groups[at].weight += 1;
        let after = choose(&Allocation::Weighted { groups: groups.clone() }, device);
        prop_assert!(after == before || after == groups[at].group);
    }

    #[test]
    fn the_least_filled_is_one_that_none_is_under(
        filled in prop::collection::vec(0_u64..50, 1..20),
    ) {
        let groups = names(filled.len());
        let arrival = Arrival {
            digest: &Digest::of(b"device"),
            labels: &Labels::new(),
            filled: &filled,
        };
        let chosen = Allocation::LeastFilled { groups: groups.clone() }.choose(arrival).unwrap();
        let at = groups.iter().position(|name| *name == chosen).unwrap();
        prop_assert_eq!(filled[at], *filled.iter().min().unwrap());
    }
}

#[test]
fn shares_are_as_the_weights_say() {
    let groups = names(3);
    let weights = [6, 3, 1];
    let shares = groups.iter().zip(weights);
    let allocation = Allocation::Weighted {
        groups: shares.map(|(name, weight)| share(name, weight)).collect(),
    };
    let mut counts = BTreeMap::<Name, u32>::new();
    for device in 0..10_000 {
        *counts.entry(choose(&allocation, device)).or_default() += 1;
    }
    for (group, weight) in groups.iter().zip(weights) {
        let expected = weight * 1000;
        assert!(counts[group].abs_diff(expected) < 250, "{counts:?}");
    }
}

#[test]
fn a_label_names_the_group_and_else_there_is_the_default() {
    let to = |default: Option<&str>, region: Option<&str>| {
        let mut labels = Labels::new();
        if let Some(region) = region {
            labels.insert("region".to_owned(), region.to_owned());
        }
        let allocation = Allocation::Label {
            key: "region".to_owned(),
            default: default.map(|name| name.parse().unwrap()),
        };
        let arrival = Arrival {
            digest: &Digest::of(b"device"),
            labels: &labels,
            filled: &[],
        };
        allocation.choose(arrival).map(|name| name.to_string())
    };
    assert_eq!(to(Some("rest"), Some("north")).as_deref(), Some("north"));
    assert_eq!(to(Some("rest"), Some("No Name")).as_deref(), Some("rest"));
    assert_eq!(to(Some("rest"), None).as_deref(), Some("rest"));
    assert_eq!(to(None, None), None);
}

#[test]
fn what_can_not_be_is_refused_by_what_is_wrong() {
    let groups = names(2);
    let twice = vec![groups[0].clone(), groups[0].clone()];
    let weighted = |weights: [u32; 2]| Allocation::Weighted {
        groups: groups
            .iter()
            .zip(weights)
            .map(|(n, w)| share(n, w))
            .collect(),
    };
    for (allocation, verdict) in [
        (
            Allocation::Hash { groups: vec![] },
            Err(InvalidAllocation::Groups),
        ),
        (
            Allocation::Hash { groups: names(65) },
            Err(InvalidAllocation::Groups),
        ),
        (
            Allocation::LeastFilled { groups: twice },
            Err(InvalidAllocation::Twice),
        ),
        (weighted([0, 1]), Err(InvalidAllocation::Weights)),
        (weighted([500, 501]), Err(InvalidAllocation::Weights)),
        (weighted([u32::MAX, 2]), Err(InvalidAllocation::Weights)),
        (weighted([999, 1]), Ok(())),
        (
            Allocation::Label {
                key: String::new(),
                default: None,
            },
            Err(InvalidAllocation::Label),
        ),
        (
            Allocation::Label {
                key: "a\u{7}".to_owned(),
                default: None,
            },
            Err(InvalidAllocation::Label),
        ),
    ] {
        assert_eq!(allocation.check(), verdict, "{allocation:?}");
    }
}
