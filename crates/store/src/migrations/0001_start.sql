-- Written as SQLite has it; for PostgreSQL, BLOB becomes BYTEA and WITHOUT ROWID goes.
--
-- Ids are 16 bytes, digests 32, times milliseconds since the epoch, flags 0 or 1.
-- The tenant is part of each key where it can be: nearly every query names it, and a database
-- that is spread over machines is spread by it. What is clustered by its key (WITHOUT ROWID) has short
-- rows and keys in the order of time.

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
);

CREATE TABLE tenants (
    tenant_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE cas (
    ca_id BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB,
    kind TEXT NOT NULL,
    certificate BLOB NOT NULL,
    wrapped_key BLOB,
    created_at BIGINT NOT NULL
);

CREATE TABLE device_groups (
    tenant_id BLOB NOT NULL,
    group_id BLOB NOT NULL,
    name TEXT NOT NULL,
    enrollment TEXT NOT NULL,
    hardware_is_identity BIGINT NOT NULL,
    on_clone TEXT NOT NULL,
    approval_timeout_ms BIGINT NOT NULL,
    recovery_window_ms BIGINT NOT NULL,
    storage_time_ms BIGINT NOT NULL,
    lifetime_ms BIGINT NOT NULL,
    max_lifetime_ms BIGINT NOT NULL,
    server_auth BIGINT NOT NULL,
    dns_suffix TEXT,
    csr_extras TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, group_id),
    UNIQUE (tenant_id, name)
);

CREATE TABLE provisioning_secrets (
    tenant_id BLOB NOT NULL,
    secret_id BLOB NOT NULL,
    group_id BLOB NOT NULL,
    short_id TEXT NOT NULL,
    digest BLOB NOT NULL,
    label TEXT NOT NULL,
    expires_at BIGINT,
    max_devices BIGINT,
    -- Counted only where max_devices bounds it; else it is the number of credentials.
    used BIGINT NOT NULL,
    withdrawn BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, secret_id),
    UNIQUE (tenant_id, short_id),
    FOREIGN KEY (tenant_id, group_id) REFERENCES device_groups (tenant_id, group_id)
);

CREATE INDEX provisioning_secrets_of_group ON provisioning_secrets (tenant_id, group_id);

CREATE TABLE devices (
    tenant_id BLOB NOT NULL,
    device_id BLOB NOT NULL,
    group_id BLOB NOT NULL,
    name TEXT NOT NULL,
    -- A JSON object, or null where there are none.
    labels TEXT,
    -- kind:value
    hardware TEXT,
    state TEXT NOT NULL,
    -- Both only while it is pending.
    pending_code TEXT,
    pending_until BIGINT,
    enrolled BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    -- The id first: a device may have nothing else to show.
    PRIMARY KEY (device_id, tenant_id),
    UNIQUE (tenant_id, group_id, name),
    FOREIGN KEY (tenant_id, group_id) REFERENCES device_groups (tenant_id, group_id)
) WITHOUT ROWID;

-- The pages of a group, in the order of its devices' making.
CREATE INDEX devices_of_group ON devices (tenant_id, group_id, device_id);
CREATE INDEX devices_by_hardware ON devices (tenant_id, group_id, hardware)
    WHERE hardware IS NOT NULL;
-- By pending_until rather than by state, so that enrolling a device touches no index.
CREATE INDEX devices_pending ON devices (pending_until) WHERE pending_until IS NOT NULL;

CREATE TABLE applications (
    tenant_id BLOB NOT NULL,
    device_id BLOB NOT NULL,
    enrolling_key BLOB NOT NULL,
    token BLOB NOT NULL,
    csr BLOB NOT NULL,
    secret_id BLOB,
    ttl_h BIGINT,
    PRIMARY KEY (tenant_id, device_id),
    UNIQUE (tenant_id, enrolling_key)
);

CREATE TABLE credentials (
    tenant_id BLOB NOT NULL,
    device_id BLOB NOT NULL,
    enrolled_key BLOB NOT NULL,
    token BLOB NOT NULL,
    current_serial BLOB NOT NULL,
    current_key BLOB NOT NULL,
    current_not_after BIGINT NOT NULL,
    -- All three or none.
    previous_serial BLOB,
    previous_key BLOB,
    previous_not_after BIGINT,
    -- All 64 bits of it; compared for being the same only.
    renewal_counter BIGINT NOT NULL,
    -- Both or none.
    request_id BLOB,
    request_key BLOB,
    pre_enrolled BIGINT NOT NULL,
    secret_id BLOB,
    PRIMARY KEY (tenant_id, device_id),
    UNIQUE (tenant_id, enrolled_key)
) WITHOUT ROWID;

CREATE INDEX credentials_by_secret ON credentials (tenant_id, secret_id)
    WHERE secret_id IS NOT NULL;

-- Long rows under a random key: the rows lie in the order of their making, and only the short
-- index of serial numbers is random.
CREATE TABLE certificates (
    serial BLOB NOT NULL UNIQUE,
    tenant_id BLOB NOT NULL,
    device_id BLOB NOT NULL,
    issuer_id BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    standing TEXT NOT NULL,
    -- Since when it is on hold or revoked.
    standing_since BIGINT,
    -- The code of RFC 5280's CRLReason.
    revocation_reason BIGINT,
    der BLOB NOT NULL
);

CREATE INDEX certificates_of_device ON certificates (tenant_id, device_id, serial);

CREATE TABLE tombstones (
    tenant_id BLOB NOT NULL,
    digest BLOB NOT NULL,
    device_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    -- The group of a name.
    group_id BLOB,
    -- The name or the hardware identity as text, the key as it is.
    value BLOB NOT NULL,
    laid_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, digest, device_id)
) WITHOUT ROWID;

CREATE INDEX tombstones_of_device ON tombstones (tenant_id, device_id);

CREATE TABLE events (
    tenant_id BLOB NOT NULL,
    event_id BLOB NOT NULL,
    happened_at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    group_id BLOB,
    device_id BLOB,
    name TEXT NOT NULL,
    -- A JSON array of pairs, or null where there are none.
    detail TEXT,
    PRIMARY KEY (tenant_id, event_id)
) WITHOUT ROWID;

CREATE INDEX events_of_device ON events (tenant_id, device_id, event_id)
    WHERE device_id IS NOT NULL;

CREATE TABLE api_tokens (
    token_id BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB,
    short_id TEXT NOT NULL UNIQUE,
    digest BLOB NOT NULL,
    label TEXT NOT NULL,
    role TEXT NOT NULL,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    withdrawn BIGINT NOT NULL
);
