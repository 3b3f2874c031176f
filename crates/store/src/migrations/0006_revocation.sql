-- CAs whose keys are elsewhere, or that a root from outside has signed; and who learns of revocations.

-- How the key store that has the key calls it.
ALTER TABLE cas ADD COLUMN key_reference TEXT;
-- The certificates above it, DER, one after the other, where a root from outside has signed it.
ALTER TABLE cas ADD COLUMN chain BLOB;
CREATE UNIQUE INDEX cas_next_issuing ON cas (tenant_id)
    WHERE kind = 'issuing' AND standing = 'next';

-- Issuing CAs that wait for a root from elsewhere to sign them.
CREATE TABLE ca_requests (
    tenant_id BLOB NOT NULL,
    ca_id BLOB NOT NULL,
    csr BLOB NOT NULL,
    wrapped_key BLOB,
    key_reference TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, ca_id)
);

-- What was put on hold, taken off it, or revoked, in the order in which that happened.
CREATE INDEX certificates_changed ON certificates (standing_since)
    WHERE standing_since IS NOT NULL;
