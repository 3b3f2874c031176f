//! Times of RFC 5280 section 4.1.2.5.

use std::time::Duration;

use der::{DateTime, Encode, Reader, SliceReader};
use x509_cert::time::Time;

use crate::encode;

/// Reads one `Time`, in seconds since 1970.
pub(crate) fn read(reader: &mut SliceReader<'_>) -> der::Result<i64> {
    let time: Time = reader.decode()?;
    i64::try_from(time.to_unix_duration().as_secs()).map_err(|_| der::ErrorKind::DateTime.into())
}

/// A `Validity`: UTCTime up to 2049, GeneralizedTime after.
pub(crate) fn validity(not_before: i64, not_after: i64) -> der::Result<Vec<u8>> {
    encode::sequence(&[&time(not_before)?, &time(not_after)?])
}

fn time(secs: i64) -> der::Result<Vec<u8>> {
    let secs = u64::try_from(secs).map_err(|_| der::Error::from(der::ErrorKind::DateTime))?;
    Time::from(DateTime::from_unix_duration(Duration::from_secs(secs))?).to_der()
}
