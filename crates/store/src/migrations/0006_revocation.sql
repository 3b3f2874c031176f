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
CREATE INDEX certificates_changed ON certificates (standing_since, serial)
    WHERE standing_since IS NOT NULL;
-- The same by their end: what is to be told of them, without all that was ever revoked.
CREATE INDEX certificates_changed_live ON certificates (not_after, serial)
    WHERE standing_since IS NOT NULL;

-- Whether the server is to make the key, once a person has said yes (EST serverkeygen).
ALTER TABLE applications ADD COLUMN server_key BIGINT NOT NULL DEFAULT 0;

-- Until when the certificates of a CA are valid, and how many still are: it is needed for so long.
CREATE INDEX certificates_of_issuer ON certificates (issuer_id, not_after);

-- In how many parts the revocation lists of a tenant's CAs have come at most.
ALTER TABLE tenants ADD COLUMN crl_parts BIGINT NOT NULL DEFAULT 1;
