//! Challenges that have let somebody in.

use std::time::Duration;

use enlist_core::Digest;

use crate::rig::{NOW, Rig, write};

pub async fn a_challenge_lets_somebody_in_once_and_is_forgotten_after_its_end(rig: &Rig) {
    let store = rig.open();
    let (early, late) = (Digest::of(b"early"), Digest::of(b"late"));
    let (soon, later) = (NOW + Duration::from_secs(1), NOW + Duration::from_secs(9));
    assert!(write(&store, move |tx| tx.use_challenge(&early, soon)).await);
    assert!(!write(&store, move |tx| tx.use_challenge(&early, soon)).await);
    assert!(write(&store, move |tx| tx.use_challenge(&late, later)).await);
    let forget = async |at| write(&store, move |tx| tx.forget_challenges(at, 10)).await;
    assert_eq!(forget(NOW).await, 0);
    assert_eq!(forget(soon).await, 1);
    assert!(!write(&store, move |tx| tx.use_challenge(&late, later)).await);
    assert!(write(&store, move |tx| tx.use_challenge(&early, soon)).await);
    assert_eq!(forget(later).await, 2);
}

pub async fn forgetting_challenges_goes_on_where_it_stopped(rig: &Rig) {
    let store = rig.open();
    for number in 0..5_u8 {
        let digest = Digest::of(&[number]);
        assert!(write(&store, move |tx| tx.use_challenge(&digest, NOW)).await);
    }
    let mut forgotten = Vec::new();
    for _ in 0..4 {
        forgotten.push(write(&store, |tx| tx.forget_challenges(NOW, 2)).await);
    }
    assert_eq!(forgotten, [2, 2, 1, 0]);
}
