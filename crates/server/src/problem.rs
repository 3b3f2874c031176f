//! Refusals as RFC 9457 problems: the one file that knows HTTP status codes.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use enlist_core::{SecretRefusal, explain};
use enlist_ops::{ConfigurationError, Error, OrderRefusal};
use enlist_wire::{PROBLEM_MEDIA_TYPE, Problem};
use tracing::error;

use crate::metrics::Slug;

/// A refusal on its way out.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Problem>);

impl Refusal {
    /// A body, path or query that can't be read.
    pub(crate) fn invalid_request(detail: impl Into<String>) -> Self {
        Error::InvalidRequest(detail.into()).into()
    }

    /// A body over the limit.
    pub(crate) fn too_large(limit: usize) -> Self {
        let detail = format!("the body is over the limit of {limit} bytes: send less");
        Self(problem(
            "body-too-large",
            StatusCode::PAYLOAD_TOO_LARGE,
            detail,
        ))
    }

    /// A body of a type that is not taken here.
    pub(crate) fn unsupported_type(expected: &str) -> Self {
        let detail = format!("send the body as {expected}, and say so in Content-Type");
        Self(problem(
            "unsupported-media-type",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            detail,
        ))
    }

    /// A request that took too long to arrive, or to answer.
    pub(crate) fn too_slow(limit_s: u64) -> Self {
        let detail = format!("the request was not done within {limit_s} seconds: send it again");
        let mut problem = problem("too-slow", StatusCode::REQUEST_TIMEOUT, detail);
        problem.retry_after_s = Some(1);
        Self(problem)
    }

    /// A server that is about to end: nobody is to be sent here any more.
    pub(crate) fn stopping() -> Self {
        let detail = "the server is about to end: ask another one";
        Self(problem("stopping", StatusCode::SERVICE_UNAVAILABLE, detail))
    }

    /// Why the server can't do its work, without what only its log may tell.
    pub(crate) fn not_ready(error: &Error) -> Self {
        let detail = match error {
            Error::Store(cause) => format!("{error}: {cause}"),
            _ => error.to_string(),
        };
        Self(problem(
            error.slug(),
            StatusCode::SERVICE_UNAVAILABLE,
            detail,
        ))
    }

    /// The store has not answered for so long.
    pub(crate) fn store_silent(seconds: u64) -> Self {
        let detail = format!("the database has not answered for {seconds} seconds");
        Self(problem(
            "storage-unavailable",
            StatusCode::SERVICE_UNAVAILABLE,
            detail,
        ))
    }

    /// There is nothing at this path.
    pub(crate) fn no_such_path() -> Self {
        let detail = "there is nothing here: /v1/openapi.json lists what there is";
        Self(problem("no-such-path", StatusCode::NOT_FOUND, detail))
    }

    /// There is something at this path, but not for this method.
    pub(crate) fn no_such_method() -> Self {
        let detail = "this path does not take this method: /v1/openapi.json lists those it takes";
        Self(problem(
            "no-such-method",
            StatusCode::METHOD_NOT_ALLOWED,
            detail,
        ))
    }

    /// There is no such operation of EST.
    pub(crate) fn no_such_est_operation() -> Self {
        let detail = "EST has cacerts, csrattrs, simpleenroll, simplereenroll and serverkeygen here, under /.well-known/est/ or /.well-known/est/GROUP/";
        Self(problem("no-such-path", StatusCode::NOT_FOUND, detail))
    }

    /// There is such an operation of EST, but not for this method.
    pub(crate) fn no_such_est_method() -> Self {
        let detail = "cacerts and csrattrs are asked for with GET; simpleenroll, simplereenroll and serverkeygen take a POST";
        Self(problem(
            "no-such-method",
            StatusCode::METHOD_NOT_ALLOWED,
            detail,
        ))
    }

    /// The same to one who may have something better to show.
    pub(crate) fn asking_who(mut self) -> Self {
        self.0.status = StatusCode::UNAUTHORIZED.as_u16();
        self
    }

    /// The same as a line of text, for clients that show it to people, and whether it asks who
    /// they are. What can't be taken is a plain bad request to them.
    pub(crate) fn into_text(self) -> (Response, bool) {
        let Self(problem) = self;
        let status = match StatusCode::from_u16(problem.status) {
            Ok(StatusCode::UNPROCESSABLE_ENTITY) | Err(_) => StatusCode::BAD_REQUEST,
            Ok(status) => status,
        };
        let text = format!("{} ({})\n", problem.detail, problem.slug());
        let mut response = (status, text).into_response();
        let slug = Slug(problem.slug().to_owned());
        response.extensions_mut().insert(slug);
        if let Some(seconds) = problem.retry_after_s {
            let seconds = HeaderValue::from(seconds);
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        (response, status == StatusCode::UNAUTHORIZED)
    }

    /// The problem itself, for a row of a longer answer.
    pub(crate) fn into_problem(self) -> Problem {
        *self.0
    }
}

/// What was asked for waits for something: to be asked for again after so many seconds.
pub(crate) fn accepted(retry_after_s: u64, text: String) -> Response {
    let later = [(RETRY_AFTER, retry_after_s.to_string())];
    (StatusCode::ACCEPTED, later, text).into_response()
}

fn problem(slug: &str, status: StatusCode, detail: impl Into<String>) -> Box<Problem> {
    Box::new(Problem::new(slug, status.as_u16(), title(slug), detail))
}

/// The slug as words.
fn title(slug: &str) -> String {
    let words = slug.replace('-', " ");
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

impl<E: Into<Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        let error = error.into();
        let status = status(&error);
        if status.is_server_error() {
            error!(error = %explain(&error), "request failed");
        }
        let detail = if status.is_server_error() {
            error.to_string()
        } else {
            explain(&error)
        };
        let mut problem = problem(error.slug(), status, detail);
        problem.retry_after_s = error.retry_after_s();
        if let Error::InvalidName(name) = &error {
            problem.suggestion = name.nearest().map(ToString::to_string);
        }
        if let Error::AlreadyEnrolled { device } = &error {
            // Key and token are proven: a device that never got its answer recovers by this.
            let device = device.to_string().into();
            problem.extensions.insert("device_id".to_owned(), device);
        }
        Self(problem)
    }
}

fn status(error: &Error) -> StatusCode {
    match error {
        Error::SecretBounds(SecretRefusal::TooFast { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Error::Unauthenticated | Error::SecretMissing | Error::SecretWrong | Error::NoEvidence => {
            StatusCode::UNAUTHORIZED
        }
        Error::Forbidden { .. }
        | Error::NotInstallationWide
        | Error::NotTenantWide
        | Error::SecretBounds(_)
        | Error::AttestationNotOnManifest
        | Error::AttestationRequired
        | Error::AttestationRefused(_)
        | Error::AttestationUnknownManufacturer(_)
        | Error::ChallengeInvalid
        | Error::UnknownDevice { .. }
        | Error::HookRefused { .. }
        | Error::IdentityTombstoned { .. }
        | Error::DeviceSuspended
        | Error::DeviceNotActive(_)
        | Error::ForeignCertificate
        | Error::AnotherDevice
        | Error::AnotherGroup
        | Error::RenewsByToken
        | Error::Renewal(_)
        | Error::KeyNotNew
        | Error::NoCredential
        | Error::BadNonce
        | Error::CloneSuspected => StatusCode::FORBIDDEN,
        Error::NotFound { .. }
        | Error::NoSecretToReplace { .. }
        | Error::DeviceNotFound { .. }
        | Error::NoRootCrl => StatusCode::NOT_FOUND,
        Error::Configuration(error) => configuration_status(error),
        Error::InvalidName(_)
        | Error::InvalidProfile(_)
        | Error::InvalidRequest(_)
        | Error::Csr(_)
        | Error::CsrExtras
        | Error::CaRefused(_)
        | Error::ManufacturerRefused(_)
        | Error::RootNotShown
        | Error::MalformedToken(_)
        | Error::NotAnIdentity(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::NameTaken { .. }
        | Error::GroupNotEmpty { .. }
        | Error::ManifestInUse { .. }
        | Error::SecretAmbiguous
        | Error::AwaitingCa { .. }
        | Error::CaRolloverUnderWay
        | Error::NoNextCa
        | Error::CaOverlap { .. }
        | Error::NoCaRequest
        | Error::RootInToken
        | Error::RootOffline
        | Error::RolloverUnderWay
        | Error::NoNextRoot
        | Error::RolloverIncomplete { .. }
        | Error::InvalidTransition(_)
        | Error::AnotherApplication { .. }
        | Error::Tombstoned { .. }
        | Error::DeviceAlreadyEnrolled { .. }
        | Error::AlreadyEnrolled { .. }
        | Error::AttestedAlreadyEnrolled
        | Error::ChallengeUsed
        | Error::EnrollmentConflict { .. }
        | Error::HardwareConflict
        | Error::HardwareMismatch { .. } => StatusCode::CONFLICT,
        Error::Order(OrderRefusal::NotSigned(_) | OrderRefusal::Receipt(_)) => {
            StatusCode::FORBIDDEN
        }
        Error::Order(_) => StatusCode::CONFLICT,
        Error::GuessingSlowedDown { .. }
        | Error::Busy { .. }
        | Error::TooManyPending
        | Error::CaSuperseded => StatusCode::TOO_MANY_REQUESTS,
        Error::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        Error::Store(_)
        | Error::Signing(_)
        | Error::SignerUnavailable(_)
        | Error::HookUnavailable { .. }
        | Error::AllocationFailed { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Error::Inconsistent(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn configuration_status(error: &ConfigurationError) -> StatusCode {
    match error {
        ConfigurationError::NoSchema { .. } | ConfigurationError::NoSuchVersion { .. } => {
            StatusCode::NOT_FOUND
        }
        ConfigurationError::Unfit(_)
        | ConfigurationError::Conflict { .. }
        | ConfigurationError::ServerSigns { .. }
        | ConfigurationError::OperatorsSign { .. } => StatusCode::CONFLICT,
        ConfigurationError::MalformedStatement(_)
        | ConfigurationError::Statement(_)
        | ConfigurationError::NotThisStatement(_) => StatusCode::FORBIDDEN,
        ConfigurationError::Schema(_)
        | ConfigurationError::Defaults(_)
        | ConfigurationError::MigrationsMissing { .. }
        | ConfigurationError::MalformedMigration(_)
        | ConfigurationError::Migration(_)
        | ConfigurationError::Values(_)
        | ConfigurationError::TooLarge => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(problem) = self;
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
        let retry_after = problem.retry_after_s;
        let mut response = (status, Json(&problem)).into_response();
        let slug = Slug(problem.slug().to_owned());
        response.extensions_mut().insert(slug);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
