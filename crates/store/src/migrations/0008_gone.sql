-- Devices that are gone, by the name that they had. With `kind` in it, SQLite needs nothing but the index.
CREATE INDEX events_of_the_gone ON events (tenant_id, group_id, name, kind, device_id)
    WHERE kind IN ('device-deleted', 'device-rejected');
