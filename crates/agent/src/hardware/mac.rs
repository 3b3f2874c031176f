//! Permanent addresses of network cards.

use std::path::Path;

use super::{NotFound, read_file};

/// What the kernel says in `addr_assign_type` of an address that the hardware came with.
const PERMANENT: &str = "0";

/// The lowest permanent address, so that the order in which cards show up does not matter.
pub(super) fn lowest(root: &Path) -> Result<String, NotFound> {
    addresses(root).min().ok_or(NotFound::Absent)
}

/// Whether some card has this permanent address.
pub(super) fn is_there(root: &Path, address: &str) -> bool {
    addresses(root).any(|one| one == address)
}

fn addresses(root: &Path) -> impl Iterator<Item = String> {
    let cards = std::fs::read_dir(root.join("sys/class/net")).into_iter();
    cards
        .flatten()
        .flatten()
        .filter_map(|card| permanent(root, &card.path()))
}

fn permanent(root: &Path, card: &Path) -> Option<String> {
    // Bridges and tunnels call their address permanent too, but live under devices/virtual.
    let place = std::fs::canonicalize(card).ok()?;
    let root = std::fs::canonicalize(root).ok()?;
    let is_virtual = place.starts_with(root.join("sys/devices/virtual"));
    let kind = read_file(&card.join("addr_assign_type")).ok()?;
    if is_virtual || card.ends_with("lo") || kind.trim() != PERMANENT {
        return None;
    }
    let address = read_file(&card.join("address")).ok()?;
    let address = address.trim().to_ascii_lowercase();
    let octets = address
        .split(':')
        .map(|octet| u8::from_str_radix(octet, 16));
    let octets: Vec<u8> = octets.collect::<Result<_, _>>().ok()?;
    // Addresses that virtual machines make up carry the bit for locally administered ones.
    let is_local = octets.first().is_some_and(|octet| octet & 0x02 != 0);
    (octets.len() == 6 && octets.iter().any(|octet| *octet != 0) && !is_local).then_some(address)
}
