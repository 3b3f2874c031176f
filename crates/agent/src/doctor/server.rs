//! Whether what answers is an Enlist server, and well.

use enlist_wire::ClientError;

use super::Finding;
use super::patient::Patient;
use crate::explain;

pub(super) fn check(patient: &Patient) -> Finding {
    let Some(greeting) = &patient.greeting else {
        return Finding::skipped("the server is not reached");
    };
    match &greeting.time {
        Ok(_) => Finding::ok("the server answers"),
        Err(ClientError::Tls(_)) => Finding::skipped("who answers is not believed"),
        Err(ClientError::Problem(problem)) if problem.status < 500 => Finding::warning(
            format!("the server answers, and tells no time: {}", problem.title),
            "a server of an earlier version; bring it up to date",
        ),
        Err(error @ (ClientError::Problem(_) | ClientError::Unreachable(_))) => Finding::failed(
            explain(error),
            "look at the server's log and at https://…/readyz; the agent tries again by itself",
        ),
        Err(error) => Finding::failed(
            format!("what answers is no Enlist server: {}", explain(error)),
            "see whether server_url leads to the server, and not to a proxy or portal",
        ),
    }
}
