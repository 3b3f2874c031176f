-- Roots on their way in and out.

-- Of a root: next, current or retired. Every root of before is current; other CAs are not looked at.
ALTER TABLE cas ADD COLUMN standing TEXT NOT NULL DEFAULT 'current';
-- Name and key of a root, certified by the root before it.
ALTER TABLE cas ADD COLUMN cross_certificate BLOB;
ALTER TABLE cas ADD COLUMN retired_at BIGINT;

-- Each poll asks for the roots, and a tenant's CA is asked for by its tenant.
CREATE INDEX cas_by_kind ON cas (kind, tenant_id);
CREATE UNIQUE INDEX cas_next_root ON cas (kind) WHERE kind = 'root' AND standing = 'next';
CREATE UNIQUE INDEX cas_current_root ON cas (kind) WHERE kind = 'root' AND standing = 'current';

-- What a group's own signers have said of a root.
CREATE TABLE root_approvals (
    tenant_id BLOB NOT NULL,
    group_id BLOB NOT NULL,
    ca_id BLOB NOT NULL,
    -- The signed statement, JSON.
    envelope BLOB NOT NULL,
    approved_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, group_id, ca_id)
);
