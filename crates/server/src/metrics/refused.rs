//! What a refusal was about, on its way from where it is written to where it is counted.

/// The slug of the problem that a response is; it goes with the response as an extension. They are all of
/// this server's own making, so there are not many of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slug(pub(crate) String);
