use enlist_wire::{DeviceSelf, Farewell, ReceiptReply, ReceiptRequest};

use super::HttpNet;
use crate::disk::Credentials;
use crate::machine::Failure;
use crate::wipe::WipeNet;

impl WipeNet for HttpNet {
    fn farewell(
        &mut self,
        credentials: &Credentials,
        request: &Farewell,
    ) -> Result<DeviceSelf, Failure> {
        Ok(self.client(Some(credentials))?.farewell(request)?)
    }

    fn receipt(&mut self, request: &ReceiptRequest) -> Result<ReceiptReply, Failure> {
        Ok(self.client(None)?.receipt(request)?)
    }
}
