-- Who claims to be which hardware at this moment. A row goes in the transaction that put it here, so nobody
-- ever sees one; but who puts the same one here waits until that transaction has ended.
CREATE TABLE hardware_claims (
    tenant_id BLOB NOT NULL,
    -- kind:value
    hardware TEXT NOT NULL,
    PRIMARY KEY (tenant_id, hardware)
);
