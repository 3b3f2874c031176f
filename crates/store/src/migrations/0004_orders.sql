-- Orders to devices, what they report, and their receipts.

-- The token before the present one, until the device is known to hold the present one.
ALTER TABLE credentials ADD COLUMN previous_token BLOB;

CREATE TABLE commands (
    tenant_id BLOB NOT NULL,
    device_id BLOB NOT NULL,
    number BIGINT NOT NULL,
    -- The order's text form, as in the statement.
    order_kind TEXT NOT NULL,
    -- The signed statement, JSON.
    envelope BLOB NOT NULL,
    given_by TEXT NOT NULL,
    given_at BIGINT NOT NULL,
    -- When the device was first handed it.
    fetched_at BIGINT,
    -- Null while it is open; then with `done`.
    closed_at BIGINT,
    done BIGINT,
    detail TEXT,
    PRIMARY KEY (tenant_id, device_id, number)
);

-- What other servers have ordered lately, and no device has fetched yet.
CREATE INDEX commands_unfetched ON commands (given_at) WHERE fetched_at IS NULL;

CREATE TABLE device_reports (
    tenant_id BLOB NOT NULL,
    device_id BLOB NOT NULL,
    seen_at BIGINT NOT NULL,
    agent TEXT,
    -- The digests of the roots it believes, 32 bytes each, one after the other.
    roots BLOB NOT NULL,
    -- The statements it has taken or refused, and those it was offered.
    holds_schema BIGINT NOT NULL,
    holds_group BIGINT NOT NULL,
    holds_device BIGINT NOT NULL,
    offered_schema BIGINT NOT NULL,
    offered_group BIGINT NOT NULL,
    offered_device BIGINT NOT NULL,
    -- JSON
    configuration TEXT,
    last_command BIGINT NOT NULL,
    -- kind:value
    changed_hardware TEXT,
    PRIMARY KEY (tenant_id, device_id)
) WITHOUT ROWID;

CREATE TABLE receipts (
    tenant_id BLOB NOT NULL,
    device_id BLOB NOT NULL,
    -- Of the certificate whose key has signed it.
    serial BLOB NOT NULL,
    -- The signed statement, JSON.
    envelope BLOB NOT NULL,
    received_at BIGINT NOT NULL,
    late BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, device_id, serial)
);
