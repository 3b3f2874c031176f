//! Being asked to stop.

/// Returns when the program is interrupted (Ctrl-C) or told to end (SIGTERM).
pub async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut ended) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = ended.recv() => return,
                outcome = tokio::signal::ctrl_c() => if outcome.is_ok() { return },
            }
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Nobody can interrupt; the default action of the signals still ends the program.
        std::future::pending::<()>().await;
    }
}
