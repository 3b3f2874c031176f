//! Why an order, or a receipt, is refused.

use enlist_core::Name;
use enlist_signed::Refused;

/// Why an order, or a receipt, is refused.
#[derive(Debug, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "the message of each variant is its documentation"
)]
pub enum OrderRefusal {
    #[error("`{name}` has as many open orders as a device may have: it has to fetch them first")]
    TooMany { name: Name },
    #[error("another order was given meanwhile: ask for this one again")]
    Overtaken,
    #[error(
        "the operators of `{group}` sign such orders themselves: give --signing-method and --signing-key, or --signing-command"
    )]
    SignatureNeeded { group: Name },
    #[error("the order is not signed as it has to be")]
    NotSigned(#[source] Refused),
    #[error(
        "`{name}` has not reported other hardware than it enrolled on: there is nothing to accept"
    )]
    HardwareNotChanged { name: Name },
    #[error("the receipt is refused")]
    Receipt(#[source] Refused),
}

impl OrderRefusal {
    /// The stable short name of this kind of refusal.
    pub const fn slug(&self) -> &'static str {
        match self {
            Self::TooMany { .. } => "too-many-orders",
            Self::Overtaken => "order-overtaken",
            Self::SignatureNeeded { .. } => "signature-needed",
            Self::NotSigned(_) => "order-not-signed",
            Self::HardwareNotChanged { .. } => "hardware-not-changed",
            Self::Receipt(_) => "receipt-refused",
        }
    }
}
