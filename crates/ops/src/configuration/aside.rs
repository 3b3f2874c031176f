use std::panic::resume_unwind;

use crate::Error;

/// Carries out what may take long where nobody waits for an answer meanwhile: measuring by a schema takes
/// as long as its author likes.
///
/// # Errors
/// When the server is about to end.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|not_done| match not_done.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => Error::Busy { retry_after_s: 1 },
        })
}
