//! A receipt as people read it.

use enlist_signed::{Erasure, Receipt};
use serde::Serialize;

use crate::output::Row;
use crate::text::word;

/// A receipt as people read it.
#[derive(Serialize)]
#[serde(transparent)]
pub struct ReceiptShown(pub Receipt);

impl Row for ReceiptShown {
    const COLUMNS: &'static [&'static str] = &[
        "tenant",
        "group",
        "name",
        "id",
        "serial",
        "ordered by",
        "began",
        "signed",
        "erased",
        "absent",
        "failed",
    ];

    fn cells(&self) -> Vec<String> {
        let receipt = &self.0;
        let time =
            |at: enlist_core::Timestamp| enlist_wire::Time::from_millis(at.as_millis()).to_string();
        let listed = |wanted: fn(&Erasure) -> bool| {
            let items = receipt.erased.iter().filter(|item| wanted(&item.result));
            let names: Vec<_> = items
                .map(|item| match &item.result {
                    Erasure::Failed(why) => format!("{} ({why})", item.what),
                    _ => item.what.clone(),
                })
                .collect();
            names.join(", ")
        };
        vec![
            receipt.tenant.to_string(),
            receipt.group.to_string(),
            receipt.name.to_string(),
            receipt.device.to_string(),
            receipt.serial.clone(),
            word(&receipt.ordered_by),
            time(receipt.began_at),
            time(receipt.at),
            listed(|result| *result == Erasure::Erased),
            listed(|result| *result == Erasure::Absent),
            listed(|result| matches!(result, Erasure::Failed(_))),
        ]
    }
}
