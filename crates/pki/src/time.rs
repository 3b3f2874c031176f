//! Times of RFC 5280 section 4.1.2.5.

use std::time::Duration;

use der::asn1::GeneralizedTime;
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

/// A `Time`: UTCTime up to 2049, GeneralizedTime after.
pub(crate) fn time(secs: i64) -> der::Result<Vec<u8>> {
    Time::from(date(secs)?).to_der()
}

/// A `Time` put at the end of `out`. What lies outside of what X.509 can name becomes the
/// nearest it can.
pub(crate) fn append_nearest(secs: i64, out: &mut Vec<u8>) {
    date(secs.clamp(0, LATEST))
        .and_then(|date| Time::from(date).encode_to_vec(out))
        .expect("a time between 1970 and 9999 encodes");
}

/// A GeneralizedTime, which OCSP uses at all times.
pub(crate) fn generalized(secs: i64) -> der::Result<Vec<u8>> {
    GeneralizedTime::from_date_time(date(secs)?).to_der()
}

fn date(secs: i64) -> der::Result<DateTime> {
    let secs = u64::try_from(secs).map_err(|_| der::Error::from(der::ErrorKind::DateTime))?;
    DateTime::from_unix_duration(Duration::from_secs(secs))
}

/// 9999-12-31T23:59:59Z.
const LATEST: i64 = 253_402_300_799;
