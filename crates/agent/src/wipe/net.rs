use enlist_wire::{DeviceSelf, Farewell, ReceiptReply, ReceiptRequest};

use crate::disk::Credentials;
use crate::machine::Failure;

/// The two things that a wipe says to the server. Each call is one exchange, bounded in time and in the
/// length of the reply; it does not try again.
pub trait WipeNet {
    /// Says that the device is about to be wiped, presenting these credentials.
    ///
    /// # Errors
    /// Why it came to nothing.
    fn farewell(
        &mut self,
        credentials: &Credentials,
        request: &Farewell,
    ) -> Result<DeviceSelf, Failure>;

    /// Hands in the receipt, presenting nothing.
    ///
    /// # Errors
    /// Why it came to nothing.
    fn receipt(&mut self, request: &ReceiptRequest) -> Result<ReceiptReply, Failure>;
}
