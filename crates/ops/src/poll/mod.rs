//! A device says what it is at, and is told what there is for it.

mod examine;
mod record;
mod said;

use std::sync::Arc;

use enlist_core::Practice;
use enlist_store::Tx;

use crate::presented::client_certificate;
use crate::{ConfigurationOffer, DeviceSelf, Error, Ops, RootOffered, Source};
use examine::{Plan, examine};

pub(crate) use said::words;
pub use said::{Acknowledged, Said};

/// What there is for a device.
#[derive(Debug, Clone)]
pub struct Polled {
    /// What the server knows of it.
    pub device: DeviceSelf,
    /// How its group wants it to go about things.
    pub practice: Practice,
    /// Signed orders with numbers above the last that it has taken, as JSON, in order.
    pub commands: Vec<Vec<u8>>,
    /// Configuration that it does not hold yet.
    pub configuration: ConfigurationOffer,
    /// Roots that it does not hold yet.
    pub roots: Vec<RootOffered>,
}

impl Ops {
    /// Takes down what a device says of itself, and tells it what there is for it. Writes only what is
    /// new. The first use of a new certificate retires the one before.
    ///
    /// # Errors
    /// When the certificate is not one of ours, or no longer good.
    pub async fn poll(
        &self,
        certificate: Option<Vec<u8>>,
        said: Said,
        source: Source,
    ) -> Result<Polled, Error> {
        let certificate = client_certificate(certificate)?;
        let said = Arc::new(said.bounded());
        let now = self.now();
        let look = || {
            let (look, heard) = (certificate.clone(), said.clone());
            let read = move |tx: &mut Tx<'_>| examine(tx, &look, &heard, now);
            self.inner.store.read("poll", read)
        };
        let mut plan = look().await;
        if let Err(refused) = &plan
            && self.adopts(refused.error(), &certificate).await?
        {
            plan = look().await;
        }
        let plan = self.heard(plan, source)?;
        if !plan.is_news() {
            return Ok(plan.answer(now));
        }
        let recorded = self
            .inner
            .store
            .write("poll_record", move |tx| {
                let plan = examine(tx, &certificate, &said, now)?;
                record::record(tx, &plan, now)?;
                Ok(plan)
            })
            .await;
        Ok(self.heard(recorded, source)?.answer(now))
    }
}

impl Plan {
    fn answer(self, now: enlist_core::Timestamp) -> Polled {
        Polled {
            practice: self.ground.group.practice,
            commands: self.commands.into_iter().map(|one| one.envelope).collect(),
            configuration: self.configuration,
            roots: self.roots,
            device: DeviceSelf::new(self.ground, now),
        }
    }
}
