//! Profile and issuing: a verified request in, a signed certificate out.
//!
//! The hierarchy is a root, which signs CAs alone, one service CA for the installation's
//! servers, and one issuing CA per tenant for its devices. What each certificate says is
//! decided here and nowhere else. Device certificates are issued for nothing less than an
//! [`enlist_attest::Verified`]; CA and server certificates have constructors of their own.
//!
//! Nothing here keeps anything: serial numbers and times come in as arguments, and what
//! comes out is not issued until it is on record.

mod authority;
mod device;
mod hierarchy;
mod issuing;
mod pointers;
mod refusal;
mod server;
mod status;
mod validity;

pub use authority::Authority;
pub use device::DeviceSubject;
pub use hierarchy::{
    CA_KEY, ROOT_KEY, cross_sign, issuing_ca_name, make_issuing_ca, make_root, make_service_ca,
};
pub use issuing::IssuingCa;
pub use pointers::{Partition, Pointers};
pub use refusal::IssueRefusal;
pub use server::{SERVER_KEY, make_server_certificate};
pub use status::{CrlContent, RESPONDER_KEY, RESPONDER_LIFETIME, make_responder_certificate};
pub use validity::BACKDATED;
