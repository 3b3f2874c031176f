use enlist_core::Timestamp;
use enlist_pki::PublicKey;
use enlist_signed::{Envelope, Layer, Refused, Schema, Statement, Target};
use enlist_wire::{ConfigurationNumbers as Numbers, ConfigurationOffer};

use super::DeviceIs;
use super::record::Refusal;
use super::slot::digest;
use super::statements::{Held, Statements};

/// What an offer is read against.
pub(super) struct Reader<'a> {
    pub(super) keys: &'a [PublicKey],
    pub(super) who: &'a DeviceIs,
    /// The newest that were seen.
    pub(super) seen: Numbers,
    /// Those of them that are still there.
    pub(super) known: Numbers,
    pub(super) now: Timestamp,
}

/// Why one statement is not believed: a slug, and words.
struct Unbelieved(&'static str, String);

impl Reader<'_> {
    /// What is new in an offer. One statement that is not believed spoils the offer: nothing of it is taken.
    pub(super) fn read(&self, offer: &ConfigurationOffer) -> Result<Statements, Refusal> {
        let mut claimed = Numbers::default();
        self.read_all(offer, &mut claimed)
            .map_err(|Unbelieved(reason, detail)| {
                let mut refusal = Refusal::new(claimed, reason, &detail, self.now);
                refusal.offer = Some(self.digest(offer));
                refusal
            })
    }

    /// The same offer under the same circumstances has the same digest.
    pub(super) fn digest(&self, offer: &ConfigurationOffer) -> String {
        let mut text = serde_json::to_vec(&(offer, self.who)).unwrap_or_default();
        for key in self.keys {
            text.extend(key.digest());
        }
        digest(&text)
    }

    fn read_all(
        &self,
        offer: &ConfigurationOffer,
        claimed: &mut Numbers,
    ) -> Result<Statements, Unbelieved> {
        let mut new = Statements::default();
        if let Some(envelope) = &offer.schema {
            let (envelope, claim) = envelope_of::<Schema>(&envelope.0)?;
            claimed.schema = claim.version;
            let held = self.open::<Schema>(envelope)?;
            let it = &held.statement;
            self.ours(it.tenant.as_str(), it.group.as_str())?;
            if self.is_new("schema", it.version, self.seen.schema, self.known.schema)? {
                new.schema = Some(held);
            }
        }
        if let Some(envelope) = &offer.group {
            let (envelope, claim) = envelope_of::<Layer>(&envelope.0)?;
            claimed.group = claim.version;
            let held = self.layer(envelope, Target::Group)?;
            let version = held.statement.version;
            if self.is_new("group", version, self.seen.group, self.known.group)? {
                new.group = Some(held);
            }
        }
        if let Some(envelope) = &offer.device {
            let (envelope, claim) = envelope_of::<Layer>(&envelope.0)?;
            claimed.device = claim.version;
            let held = self.layer(envelope, Target::Device(self.who.device_id))?;
            let version = held.statement.version;
            if self.is_new("device", version, self.seen.device, self.known.device)? {
                new.device = Some(held);
            }
        }
        Ok(new)
    }

    fn layer(&self, envelope: Envelope, target: Target) -> Result<Held<Layer>, Unbelieved> {
        let held = self.open::<Layer>(envelope)?;
        let it = &held.statement;
        self.ours(it.tenant.as_str(), it.group.as_str())?;
        if it.target != target {
            let words = "its values are for somebody else in the group";
            return Err(Unbelieved("another-device", words.into()));
        }
        Ok(held)
    }

    fn open<S: Statement>(&self, envelope: Envelope) -> Result<Held<S>, Unbelieved> {
        if self.keys.is_empty() {
            let words = "this device takes no remote configuration: \
                         its configuration file lists no `public_keys`";
            return Err(Unbelieved("no-keys", words.into()));
        }
        let statement = envelope.open(self.keys).map_err(|why| match why {
            Refused::NotSigned => {
                let words = "none of this device's `public_keys` has signed it";
                Unbelieved("not-signed", words.into())
            }
            why => malformed(&why),
        })?;
        Ok(Held {
            statement,
            envelope,
        })
    }

    fn ours(&self, tenant: &str, group: &str) -> Result<(), Unbelieved> {
        if tenant != self.who.tenant {
            let words = format!("it is for tenant `{tenant}`");
            return Err(Unbelieved("another-tenant", words));
        }
        if group != self.who.group {
            return Err(Unbelieved(
                "another-group",
                format!("it is for group `{group}`"),
            ));
        }
        Ok(())
    }

    /// The one that is held already is nothing new; one below it is an old one played again. One that was
    /// seen and has been lost since is taken again.
    fn is_new(&self, kind: &str, number: u64, seen: u64, known: u64) -> Result<bool, Unbelieved> {
        if number == 0 || number < seen {
            let words = format!("the {kind}'s statement has number {number}, after {seen}");
            return Err(Unbelieved("replayed", words));
        }
        Ok(number > known)
    }
}

fn envelope_of<S: Statement>(value: &serde_json::Value) -> Result<(Envelope, S), Unbelieved> {
    let envelope =
        Envelope::from_value(value).map_err(|why| Unbelieved("malformed", crate::explain(&why)))?;
    if envelope.to_json().len() > Envelope::MAX_LEN {
        let words = "a signed statement is longer than any may be";
        return Err(Unbelieved("malformed", words.into()));
    }
    let claim = envelope.claim().map_err(|why| malformed(&why))?;
    Ok((envelope, claim))
}

fn malformed(why: &Refused) -> Unbelieved {
    Unbelieved("malformed", crate::explain(why))
}
