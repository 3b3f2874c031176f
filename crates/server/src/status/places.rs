//! How many connections one source may have, so that it keeps nobody else out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Connections of one source at one time.
const MOST: usize = 64;

/// The connections that there are, by their source.
#[derive(Clone, Default)]
pub(super) struct Places(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection's place among those of its source, until it is dropped.
pub(super) struct Place {
    all: Places,
    source: IpAddr,
}

impl Places {
    /// A place, unless this source has all that it may have.
    pub(super) fn take(&self, source: IpAddr) -> Option<Place> {
        let source = network(source);
        let mut all = self.all();
        let taken = all.entry(source).or_default();
        if *taken >= MOST {
            return None;
        }
        *taken += 1;
        Some(Place {
            all: self.clone(),
            source,
        })
    }

    fn all(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.all.all();
        if let Some(taken) = all.get_mut(&self.source) {
            *taken -= 1;
            if *taken == 0 {
                all.remove(&self.source);
            }
        }
    }
}

/// What one host can choose its addresses from: with IPv6 the last 64 bits are its own.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(v6) => {
            let of_network = u128::from(v6) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(of_network))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_so_many_places_and_keeps_nobody_else_out() {
        let places = Places::default();
        let from = |address: &str| places.take(address.parse().unwrap());
        let mut held: Vec<_> = (0..MOST)
            .map(|n| from(&format!("2001:db8::{n:x}")))
            .collect();
        assert!(held.iter().all(Option::is_some));
        assert!(from("2001:db8::ffff").is_none(), "the same network");
        let others = [
            from("2001:db8:0:1::1"),
            from("192.0.2.1"),
            from("192.0.2.2"),
        ];
        assert!(others.iter().all(Option::is_some));
        held.pop();
        assert!(from("2001:db8::ffff").is_some(), "one has gone");
        drop((held, others));
        assert!(places.all().is_empty(), "nothing is kept of those who left");
    }

    #[test]
    fn an_ipv4_address_in_ipv6_form_is_that_address() {
        let places = Places::default();
        let mapped: Vec<_> = (0..MOST)
            .map(|_| places.take("::ffff:192.0.2.1".parse().unwrap()))
            .collect();
        assert!(places.take("192.0.2.1".parse().unwrap()).is_none());
        assert!(places.take("::ffff:192.0.2.2".parse().unwrap()).is_some());
        drop(mapped);
    }
}
