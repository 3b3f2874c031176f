//! The messages of Enlist's HTTP interface, and the typed client that the CLI and the agent share.
//!
//! Everything is JSON under `/v1` in `snake_case`. Times are RFC 3339 text in UTC ([`Time`]), binary
//! is standard base64 ([`Binary`]), certificates are PEM text, ids are hyphenated UUIDs. Requests
//! refuse fields they do not know; replies may grow fields, so a reader passes over what it does not
//! know. Every refusal is a [`Problem`].

mod allocation;
mod attestation;
mod audit;
mod binary;
mod bulk;
mod ca;
mod certificate;
pub mod client;
mod configuration;
mod device;
mod device_orders;
mod device_record;
mod device_self;
mod enroll;
mod envelope;
pub mod est;
mod event;
mod group;
mod group_change;
mod hook;
mod manifest;
mod manufacturer;
mod order;
mod page;
mod poll;
mod problem;
mod profile;
mod quadruple;
mod renew;
mod root;
mod secret;
mod secret_text;
mod tenant;
mod time;
mod token;
mod webhook;
mod whoami;
mod zero_touch;

pub use allocation::{Allocation, Share};
pub use attestation::{
    Attestation, ChallengeReply, ChallengeRequest, IdevidAttestation, TpmAttestation,
    TpmEndorsement,
};
pub use audit::{AuditKey, ExportQuery};
pub use binary::Binary;
pub use bulk::{BulkEnd, BulkLine, BulkRange, BulkResult, BulkRow};
pub use ca::{
    Ca, CaAdded, CaKeyPlace, CaRequest, CaStanding, ExportRoot, ImportCa, NewCa, RenewCa, RetireCa,
    RootExported, TakeRootOffline,
};
pub use certificate::{Certificate, CertificateStatus, CertificatesQuery};
pub use client::{Client, ClientError, Meter, Reading};
pub use configuration::{
    ApplyConfiguration, ApplySchema, Configuration, ConfigurationApplied, ConfigurationChange,
    ConfigurationEntry, ConfigurationQuery, DesiredConfiguration, GroupSchema, HistoryQuery,
    RollbackRequest, SchemaQuery,
};
pub use device::{
    CertificateSummary, Device, DeviceAction, DeviceState, DevicesQuery, NewDevice, PendingApproval,
};
pub use device_orders::{
    Farewell, ReceiptReply, ReceiptRequest, ServerTime, TokenRequest, WaitQuery, WaitReply,
};
pub use device_record::{DeviceReceipt, DeviceReport};
pub use device_self::DeviceSelf;
pub use enroll::{EnrollReply, EnrollRequest, Enrolled, Hardware, HardwareKind, Pending};
pub use envelope::Envelope;
pub use event::{Event, EventsQuery};
pub use group::{Enrollment, Group, GroupCreated, NewGroup, OnClone, Signing, SigningMethod};
pub use group_change::GroupChange;
pub use hook::{Hook, HookAnswer, HookSecret, HookTested, NewHook, RefreshHook};
pub use manifest::{
    Manifest, ManifestEntriesQuery, ManifestEntry, ManifestFileError, ManifestFormat,
    ManifestImportQuery, ManifestReader, ManifestRow,
};
pub use manufacturer::{ImportManufacturer, Manufacturer, ManufacturerCa, ManufacturerInFull};
pub use order::{DeviceOrder, NewOrder, Order, OrdersQuery};
pub use page::Page;
pub use poll::{
    Acknowledgement, ConfigurationNumbers, ConfigurationOffer, ConfigurationRefusal,
    ConfigurationReport, DevicePolicy, KeyRotation, OnHardwareChange, PollReply, PollRequest,
    RootOffer,
};
pub use problem::{MEDIA_TYPE as PROBLEM_MEDIA_TYPE, Problem};
pub use profile::{CsrExtras, Profile};
pub use quadruple::{PreEnroll, Quadruple};
pub use renew::{NonceReply, NonceRequest, RenewProof, RenewRequest};
pub use root::{
    GroupReadiness, NewRoot, RetireRoot, Rollover, RolloverQuery, Root, RootApproval, RootStanding,
    UnreadyDevice,
};
pub use secret::{NewSecret, RotateSecret, Secret, SecretCreated, SecretRate, SecretState};
pub use secret_text::SecretText;
pub use tenant::{IssuingCa, NewTenant, Tenant, TenantState};
pub use time::{BadTime, Time};
pub use token::{NewToken, Role, Token, TokenCreated};
pub use uuid::Uuid;
pub use webhook::{
    DeadLetter, DeadLettersQuery, DeadLettersRetried, NewWebhook, RetryDeadLetters, Webhook,
    WebhookEvent, WebhookMessage, WebhookPing, WebhookSecret, WebhookTested,
};
pub use whoami::Whoami;
pub use zero_touch::{AttestationKind, WithoutProof, ZeroTouch, ZeroTouchChange};
