//! A TPM of the tests' own: it keeps no secrets, but goes by the rules.

use enlist_keys::attestation::{Attestor, Certified, Endorsement};
use enlist_keys::{FileKey, KeyReference, KeyStoreError, StoreKind};
use enlist_pki::{KeyKind, PublicKey, Signer};

#[derive(Clone)]
pub struct FakeTpm {
    board: u8,
    key: PublicKey,
    /// Whether somebody has given its endorsement hierarchy a password.
    pub is_locked: bool,
}

impl FakeTpm {
    pub fn new(board: u8) -> Self {
        let key = FileKey::generate(KeyKind::P256).unwrap();
        Self {
            board,
            key: key.public_key().clone(),
            is_locked: false,
        }
    }

    fn works(&self) -> Result<(), KeyStoreError> {
        match self.is_locked {
            false => Ok(()),
            true => Err(KeyStoreError::Refused {
                what: "the TPM".into(),
                doing: "make its endorsement key",
                source: "its endorsement hierarchy has a password".into(),
            }),
        }
    }
}

impl Attestor for FakeTpm {
    fn endorsement(&self) -> Result<Endorsement, KeyStoreError> {
        self.works()?;
        Ok(Endorsement {
            ek_public: vec![b'e', self.board],
            ek_key: self.key.clone(),
            ek_certificates: vec![vec![0x30, 1, self.board]],
            ak_public: vec![b'a', self.board],
        })
    }

    fn certify(&self, key: &KeyReference, data: &[u8; 32]) -> Result<Certified, KeyStoreError> {
        self.works()?;
        assert_eq!(key.kind(), Some(StoreKind::File), "of the tests' key store");
        Ok(Certified {
            key_public: b"key".to_vec(),
            certify_info: data.to_vec(),
            signature: vec![b'a', self.board],
        })
    }

    /// What was sealed for it is its board's number, and then the secret.
    fn activate(&self, blob: &[u8], secret: &[u8]) -> Result<[u8; 32], KeyStoreError> {
        self.works()?;
        assert_eq!(blob, [b'e', self.board], "sealed for this one");
        Ok(secret.try_into().unwrap())
    }
}
