//! What a fake device does beyond enrolling and renewing: polls, takes tokens, and goes.

use enlist_core::{DeviceId, DeviceToken, Timestamp};
use enlist_pki::{PublicKey, Signer};
use enlist_signed::{Command, Envelope, ErasedItem, Erasure, OrderedBy, Receipt};
use enlist_wire::{
    Acknowledgement, ClientError, DeviceSelf, Farewell, PollReply, PollRequest, ReceiptReply,
    ReceiptRequest, TokenRequest,
};

use crate::{FakeDevice, Rig};

impl FakeDevice {
    /// Reports, and fetches what there is.
    ///
    /// # Errors
    /// The server's refusal.
    pub fn poll(&self, rig: &Rig, request: &PollRequest) -> Result<PollReply, ClientError> {
        self.client(rig).poll(request)
    }

    /// Polls with nothing to report but the last command that it has taken and what came of it.
    ///
    /// # Errors
    /// The server's refusal.
    pub fn acknowledge(
        &self,
        rig: &Rig,
        number: u64,
        done: bool,
    ) -> Result<PollReply, ClientError> {
        let acknowledged = vec![Acknowledgement {
            number,
            done,
            detail: None,
        }];
        let request = PollRequest {
            last_command: number,
            acknowledged,
            ..PollRequest::default()
        };
        self.poll(rig, &request)
    }

    /// The commands of a reply, believed by the key that was pinned at enrollment.
    pub fn commands(&self, reply: &PollReply) -> Vec<Command> {
        let pinned = &self.enrolled.as_ref().expect("enrolled").command_keys;
        let keys: Vec<PublicKey> = pinned
            .iter()
            .map(|pem| PublicKey::from_pem(pem).expect("a public key"))
            .collect();
        let open = |envelope: &enlist_wire::Envelope| {
            let envelope = Envelope::from_value(&envelope.0).expect("an envelope");
            envelope.open::<Command>(&keys).expect("a signed command")
        };
        reply.commands.iter().map(open).collect()
    }

    /// Asks for `token` to be its token from now on.
    ///
    /// # Errors
    /// The server's refusal.
    pub fn take_token(&self, rig: &Rig, token: &DeviceToken) -> Result<DeviceSelf, ClientError> {
        self.client(rig).new_token(&TokenRequest {
            device_token: token.expose().to_owned().into(),
        })
    }

    /// Says that it is about to be wiped.
    ///
    /// # Errors
    /// The server's refusal.
    pub fn farewell(&self, rig: &Rig) -> Result<DeviceSelf, ClientError> {
        self.client(rig).farewell(&Farewell::default())
    }

    /// What it has to say of its wipe.
    pub fn receipt(&self) -> Receipt {
        let enrolled = self.enrolled.as_ref().expect("enrolled");
        Receipt {
            tenant: enrolled.tenant.parse().expect("a name"),
            group: enrolled.group.parse().expect("a name"),
            device: DeviceId::from_bytes(enrolled.device_id.into_bytes()),
            name: enrolled.name.parse().expect("a name"),
            serial: enrolled.serial.clone(),
            ordered_by: OrderedBy::Server,
            began_at: Timestamp::from_secs(1_800_000_000),
            at: Timestamp::from_secs(1_800_000_060),
            erased: vec![ErasedItem {
                what: "configuration".to_owned(),
                result: Erasure::Erased,
            }],
        }
    }

    /// Hands in a receipt, signed with `signer`.
    ///
    /// # Errors
    /// The server's refusal.
    pub fn hand_in(
        rig: &Rig,
        receipt: &Receipt,
        signer: &dyn Signer,
    ) -> Result<ReceiptReply, ClientError> {
        let envelope = Envelope::seal(receipt, signer).expect("a signature");
        let receipt = enlist_wire::Envelope(envelope.to_value());
        rig.stranger().receipt(&ReceiptRequest { receipt })
    }
}
