-- Who signs what devices are to believe, and how a group's devices go about things.

CREATE TABLE signing_keys (
    tenant_id BLOB NOT NULL,
    purpose TEXT NOT NULL,
    key_digest BLOB NOT NULL,
    spki BLOB NOT NULL,
    wrapped_key BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, purpose)
);

ALTER TABLE device_groups ADD COLUMN key_rotation TEXT NOT NULL DEFAULT 'rotate';
ALTER TABLE device_groups ADD COLUMN on_hardware_change TEXT NOT NULL DEFAULT 'ask';
ALTER TABLE device_groups ADD COLUMN signing_method TEXT NOT NULL DEFAULT 'remote';
-- A JSON array of PEM texts, or null where the server signs.
ALTER TABLE device_groups ADD COLUMN signing_keys TEXT;
