use serde::{Deserialize, Serialize};

/// What goes into the certificates of a group's devices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Profile {
    /// Hours that a certificate lasts where the device asks for nothing else.
    #[serde(default = "default_lifetime_h")]
    pub lifetime_h: u32,
    /// The most hours a device may ask for; absent means no more than `lifetime_h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lifetime_h: Option<u32>,
    /// Whether the certificate may also serve TLS (extended key usage serverAuth).
    #[serde(default)]
    pub server_auth: bool,
    /// Appended to `{device}.{group}.{tenant}` in the DNS name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_suffix: Option<String>,
    /// What becomes of a request that asks for more than a certificate over its key.
    #[serde(default)]
    pub csr_extras: CsrExtras,
}

/// What becomes of a certificate request that asks for more than a certificate over its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CsrExtras {
    /// What it asks for beyond that is left out.
    #[default]
    Ignore,
    /// The request is refused.
    Refuse,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            lifetime_h: default_lifetime_h(),
            max_lifetime_h: None,
            server_auth: false,
            dns_suffix: None,
            csr_extras: CsrExtras::default(),
        }
    }
}

fn default_lifetime_h() -> u32 {
    168
}
