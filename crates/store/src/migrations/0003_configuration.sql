-- Configuration of devices.
--
-- Every statement that was ever made stays, for its history and for going back. The newest of each is
-- found by the primary key, whatever came before it.

CREATE TABLE configuration_statements (
    tenant_id BLOB NOT NULL,
    group_id BLOB NOT NULL,
    -- schema, group or device
    kind TEXT NOT NULL,
    -- Sixteen zero bytes where it is about no device.
    device_id BLOB NOT NULL,
    -- Its number among those about the same.
    version BIGINT NOT NULL,
    schema_version BIGINT NOT NULL,
    -- As it was signed, JSON.
    envelope BLOB NOT NULL,
    -- What it says, JSON.
    body TEXT NOT NULL,
    -- What it changed, JSON, secrets masked.
    changes TEXT NOT NULL,
    actor TEXT NOT NULL,
    stated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, group_id, kind, device_id, version),
    FOREIGN KEY (tenant_id, group_id) REFERENCES device_groups (tenant_id, group_id)
);

-- What is new, for devices that hold a connection open.
CREATE INDEX configuration_statements_by_time ON configuration_statements (stated_at);
