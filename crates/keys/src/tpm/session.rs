//! Sessions: what a TPM wants to see before it uses certain keys.

use tpm2_protocol::basic::{TpmHandle, TpmInt32};
use tpm2_protocol::data::{
    Tpm2bDigest, Tpm2bEncryptedSecret, Tpm2bNonce, TpmAlgId, TpmRh, TpmSe, TpmtSymDef,
};
use tpm2_protocol::frame::{
    TpmPolicySecretCommand, TpmPolicySecretResponse, TpmStartAuthSessionCommand,
    TpmStartAuthSessionResponse,
};

use super::{Auth, Failure, Tpm};

impl Tpm {
    /// Lets `work` use a policy session that has shown the endorsement hierarchy's password, which is
    /// empty: what the TCG's default endorsement keys ask for (policy A). `hash` is that of the key's
    /// name.
    pub(super) fn with_endorsement_policy<T>(
        &mut self,
        hash: TpmAlgId,
        work: impl FnOnce(&mut Self, u32) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let session = self.start_policy(hash)?;
        self.flushed(session, |tpm, session| {
            tpm.policy_secret(session)?;
            work(tpm, session)
        })
    }

    /// `TPM2_StartAuthSession`, Part 3 section 11.1. Nothing is authenticated or encrypted by it, so the
    /// nonce, which has to be there, keeps nothing safe.
    fn start_policy(&mut self, hash: TpmAlgId) -> Result<u32, Failure> {
        let command = TpmStartAuthSessionCommand {
            handles: [TpmRh::Null as u32; 2].map(TpmHandle::from),
            nonce_caller: Tpm2bNonce::try_from(&[0; 16][..])?,
            encrypted_salt: Tpm2bEncryptedSecret::default(),
            session_type: TpmSe::Policy,
            symmetric: TpmtSymDef {
                algorithm: TpmAlgId::Null,
                ..TpmtSymDef::default()
            },
            auth_hash: hash,
        };
        let started: TpmStartAuthSessionResponse =
            self.run(&command, Auth::None, "open a session")?;
        Ok(started.handles[0].value())
    }

    /// `TPM2_PolicySecret`, Part 3 section 23.4.
    fn policy_secret(&mut self, session: u32) -> Result<(), Failure> {
        let command = TpmPolicySecretCommand {
            handles: [TpmRh::Endorsement as u32, session].map(TpmHandle::from),
            nonce_tpm: Tpm2bNonce::default(),
            cp_hash_a: Tpm2bDigest::default(),
            policy_ref: Tpm2bNonce::default(),
            expiration: TpmInt32::from(0),
        };
        let _: TpmPolicySecretResponse =
            self.run(&command, Auth::Empty, "let its endorsement key be used")?;
        Ok(())
    }
}
