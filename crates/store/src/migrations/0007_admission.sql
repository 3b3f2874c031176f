-- Who gets in, and what is told of it.

-- Named sets of hardware identities: whom a secret or a group lets in.
CREATE TABLE manifests (
    tenant_id BLOB NOT NULL,
    manifest_id BLOB NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- How many there are of it in manifest_entries.
    entries BIGINT NOT NULL DEFAULT 0,
    -- When it was deleted. It goes itself once its entries have gone, and is called after its id until then.
    deleted_at BIGINT,
    PRIMARY KEY (tenant_id, manifest_id),
    UNIQUE (tenant_id, name)
);

CREATE TABLE manifest_entries (
    tenant_id BLOB NOT NULL,
    manifest_id BLOB NOT NULL,
    -- kind:value
    identity TEXT NOT NULL,
    PRIMARY KEY (tenant_id, manifest_id, identity)
) WITHOUT ROWID;

-- Whom an entry has let in. Apart from the entries, so that enrolling writes to a small table.
CREATE TABLE manifest_uses (
    tenant_id BLOB NOT NULL,
    manifest_id BLOB NOT NULL,
    identity TEXT NOT NULL,
    device_id BLOB NOT NULL,
    PRIMARY KEY (tenant_id, manifest_id, identity)
) WITHOUT ROWID;

-- How many devices a secret may let in within a time: both or none. And until when it is used up at that
-- rate, in microseconds (the theoretical arrival time of the generic cell rate algorithm).
ALTER TABLE provisioning_secrets ADD COLUMN rate_devices BIGINT;
ALTER TABLE provisioning_secrets ADD COLUMN rate_per_ms BIGINT;
ALTER TABLE provisioning_secrets ADD COLUMN rate_until BIGINT NOT NULL DEFAULT 0;
-- A JSON array of address ranges, or null for all.
ALTER TABLE provisioning_secrets ADD COLUMN networks TEXT;
ALTER TABLE provisioning_secrets ADD COLUMN manifest_id BLOB;

-- What proof a group takes in place of a secret, JSON; null for none.
ALTER TABLE device_groups ADD COLUMN zero_touch TEXT;
-- Among which groups newcomers are distributed, and how, JSON; null for staying where they are.
ALTER TABLE device_groups ADD COLUMN allocation TEXT;

-- kind:value, proved by the hardware itself. A claim is in `hardware`.
ALTER TABLE devices ADD COLUMN attested TEXT;
CREATE UNIQUE INDEX devices_by_attested ON devices (tenant_id, attested)
    WHERE attested IS NOT NULL;

-- Whose TPMs and IDevIDs are believed.
CREATE TABLE manufacturers (
    tenant_id BLOB NOT NULL,
    name TEXT NOT NULL,
    -- Roots and CAs between, PEM.
    certificates TEXT NOT NULL,
    -- SHA-256 of the certificates.
    digest BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, name)
);

-- Challenges that have let somebody in, until they have expired.
CREATE TABLE used_challenges (
    digest BLOB NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_challenges_by_end ON used_challenges (expires_at);

-- Whom the server asks before it lets a newcomer into a group.
CREATE TABLE hooks (
    tenant_id BLOB NOT NULL,
    group_id BLOB NOT NULL,
    url TEXT NOT NULL,
    -- The CAs it is believed by, PEM; null for those of the installation.
    anchors TEXT,
    -- With which the requests to it are signed, sealed under the wrapping key.
    sealed_secret BLOB NOT NULL,
    -- The one before, and until when it is good, too.
    old_secret BLOB,
    old_until BIGINT,
    timeout_ms BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, group_id)
);

-- Devices that are in another group than they asked at, or go by another name than they said.
CREATE TABLE landings (
    tenant_id BLOB NOT NULL,
    device_id BLOB NOT NULL,
    entry_id BLOB NOT NULL,
    -- As it asked: its name, and the hardware that it claimed, kind:value.
    name TEXT,
    hardware TEXT,
    PRIMARY KEY (tenant_id, device_id)
);
-- Where two come at once under one name, one of them was first.
CREATE UNIQUE INDEX landings_by_name ON landings (tenant_id, entry_id, name) WHERE name IS NOT NULL;
CREATE INDEX landings_by_hardware ON landings (tenant_id, entry_id, hardware)
    WHERE hardware IS NOT NULL;

-- Whom the server tells what has happened.
CREATE TABLE webhooks (
    tenant_id BLOB NOT NULL,
    webhook_id BLOB NOT NULL,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    anchors TEXT,
    sealed_secret BLOB NOT NULL,
    -- A JSON array of kinds of events, or null for all.
    kinds TEXT,
    group_id BLOB,
    -- The sequence number up to which all events were told, put off or given up.
    told BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- The secret before, and until when requests are signed with it, too: both or none.
    old_secret BLOB,
    old_until BIGINT,
    -- Rounds in a row in which nothing could be told, since when, why, and before when nothing is tried.
    failures BIGINT NOT NULL DEFAULT 0,
    failing_since BIGINT,
    error TEXT,
    next_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, webhook_id),
    UNIQUE (tenant_id, name)
);

-- What could not be told yet, and (given_up_at) what was given up. What follows about the same device waits.
CREATE TABLE webhook_backlog (
    tenant_id BLOB NOT NULL,
    webhook_id BLOB NOT NULL,
    seq BIGINT NOT NULL,
    -- Sixteen zero bytes where it is about no device.
    device_id BLOB NOT NULL,
    attempts BIGINT NOT NULL,
    -- Since when it waits.
    since BIGINT NOT NULL,
    -- The largest number while it waits behind another one.
    next_at BIGINT NOT NULL,
    error TEXT,
    given_up_at BIGINT,
    PRIMARY KEY (tenant_id, webhook_id, seq)
) WITHOUT ROWID;
CREATE INDEX webhook_backlog_by_device ON webhook_backlog (tenant_id, webhook_id, device_id, seq)
    WHERE given_up_at IS NULL;
CREATE INDEX webhook_backlog_by_time ON webhook_backlog (tenant_id, webhook_id, next_at)
    WHERE given_up_at IS NULL;

-- Which server tells them: a lease that another one takes over when it ends.
ALTER TABLE webhooks ADD COLUMN lease_holder BLOB;
ALTER TABLE webhooks ADD COLUMN lease_until BIGINT NOT NULL DEFAULT 0;

-- The order in which events were sealed, each with the hash of itself and all before it.
CREATE TABLE event_seals (
    tenant_id BLOB NOT NULL,
    seq BIGINT NOT NULL,
    event_id BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (tenant_id, seq),
    UNIQUE (tenant_id, event_id)
) WITHOUT ROWID;

-- Signed: so many events, and this hash.
CREATE TABLE event_heads (
    tenant_id BLOB NOT NULL,
    seq BIGINT NOT NULL,
    -- The signed statement, JSON.
    envelope BLOB NOT NULL,
    signed_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, seq)
) WITHOUT ROWID;

-- The one group that a token is good for; null for all of its tenant's.
ALTER TABLE api_tokens ADD COLUMN group_id BLOB;

-- From which address an application came, as text.
ALTER TABLE applications ADD COLUMN source TEXT;

-- Where neither a secret nor a proof was brought: the group that the device waits in.
ALTER TABLE applications ADD COLUMN unproven_group BLOB;
CREATE INDEX applications_unproven ON applications (tenant_id, unproven_group)
    WHERE unproven_group IS NOT NULL;
