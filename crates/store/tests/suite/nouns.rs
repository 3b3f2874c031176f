//! What is recorded of all but devices reads back as it was.

use std::time::Duration;

use enlist_core::{
    ApiToken, ApiTokenId, ApiTokenRecord, CaKey, CaKind, CaRecord, CaStanding, CsrExtras,
    EnrollmentPolicy, GroupId, OnClone, Role, State, TenantState, Timestamp,
};

use crate::rig::{NOW, Rig, name, read, write};

pub async fn settings_are_kept_replaced_and_forgotten(rig: &Rig) {
    let store = rig.open();
    let seen = write(&store, |tx| {
        let mut seen = vec![tx.setting("key")?];
        tx.put_setting("key", b"\0one")?;
        seen.push(tx.setting("key")?);
        tx.put_setting("key", b"")?;
        seen.push(tx.setting("key")?);
        assert!(tx.delete_setting("key")?);
        assert!(!tx.delete_setting("key")?);
        seen.push(tx.setting("key")?);
        Ok(seen)
    });
    let expected = [None, Some(b"\0one".to_vec()), Some(vec![]), None];
    assert_eq!(seen.await, expected);
}

pub async fn a_tenant_reads_back(rig: &Rig) {
    let store = rig.open();
    let acme = rig.home(&store, "acme").await.tenant;
    let mut other = rig.home(&store, "abc").await.tenant;
    other.state = TenantState::AwaitingCa;
    let (changed, mut double) = (other.clone(), acme.clone());
    double.id = enlist_core::TenantId::from_bytes([9; 16]);
    write(&store, move |tx| {
        assert!(!tx.insert_tenant(&double)?, "the name is taken");
        assert!(tx.save_tenant(&changed)?);
        assert!(!tx.save_tenant(&double)?, "there is none such");
        assert_eq!(tx.tenant(changed.id)?, Some(changed.clone()));
        assert_eq!(tx.tenant(double.id)?, None);
        assert_eq!(tx.tenant_by_name(&changed.name)?, Some(changed.clone()));
        assert_eq!(tx.tenant_by_name(&name("nobody"))?, None);
        Ok(())
    })
    .await;
    let read_back = read(&store, move |tx| {
        assert_eq!(tx.tenants()?, [other.clone(), acme.clone()]);
        Ok(())
    });
    read_back.await;
}

pub async fn cas_read_back_newest_first(rig: &Rig) {
    let store = rig.open();
    let tenant = rig.home(&store, "acme").await.tenant.id;
    let ca = |at, kind, tenant, standing, key| CaRecord {
        id: rig.ca_id(),
        tenant,
        kind,
        certificate: vec![0x30, 0, 0xff],
        chain: vec![0x30, 1, 0],
        standing,
        key,
        created_at: Timestamp::from_secs(at),
    };
    let root = ca(1, CaKind::Root, None, CaStanding::Current, CaKey::Offline);
    let old = ca(
        2,
        CaKind::Issuing,
        Some(tenant),
        CaStanding::Retired,
        CaKey::Wrapped(vec![1, 2]),
    );
    let new = ca(
        3,
        CaKind::Issuing,
        Some(tenant),
        CaStanding::Current,
        CaKey::Kept("pkcs11:id=1".to_owned()),
    );
    let all = [root.clone(), old.clone(), new.clone()];
    write(&store, move |tx| {
        all.iter().try_for_each(|ca| tx.insert_ca(ca))?;
        assert_eq!(tx.ca(old.id)?, Some(old.clone()));
        assert_eq!(tx.cas(CaKind::Root, None)?, std::slice::from_ref(&root));
        assert_eq!(
            tx.cas(CaKind::Issuing, Some(tenant))?,
            [new.clone(), old.clone()]
        );
        assert_eq!(tx.cas(CaKind::Issuing, None)?, []);
        assert_eq!(tx.cas(CaKind::Root, Some(tenant))?, []);
        Ok(())
    })
    .await;
}

pub async fn a_group_reads_back(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let mut group = home.group.clone();
    group.enrollment = EnrollmentPolicy::Approve;
    group.hardware_is_identity = true;
    group.on_clone = OnClone::Suspend;
    group.approval_timeout = Duration::from_millis(1_500);
    group.recovery_window = Duration::ZERO;
    group.storage_time = Duration::from_secs(5);
    group.profile.lifetime = Duration::from_secs(61);
    group.profile.max_lifetime = Duration::from_secs(62);
    group.profile.server_auth = true;
    group.profile.dns_suffix = Some("devices.example.com".to_owned());
    group.profile.extras = CsrExtras::Refuse;
    let tenant = home.tenant.id;
    let before = home.group.clone();
    write(&store, move |tx| {
        assert_eq!(tx.group(tenant, group.id)?, Some(before.clone()));
        assert!(tx.save_group(&group)?);
        assert_eq!(tx.group(tenant, group.id)?, Some(group.clone()));
        assert_eq!(tx.group_by_name(tenant, &group.name)?, Some(group.clone()));
        assert_eq!(tx.group_by_name(tenant, &name("nothing"))?, None);
        assert_eq!(tx.groups(tenant)?, [group.clone()]);
        let mut double = group.clone();
        double.id = GroupId::from_bytes([9; 16]);
        assert!(!tx.insert_group(&double)?, "the name is taken");
        Ok(())
    })
    .await;
    let (id, secret) = (home.group.id, rig.secret(&home, None));
    let device = rig.device(&home, "light-1", State::Created);
    write(&store, move |tx| {
        tx.insert_secret(&secret)?;
        assert_eq!(tx.count_devices(tenant, id, 10)?, 0);
        assert!(tx.insert_device(&device)?);
        assert_eq!(tx.count_devices(tenant, id, 10)?, 1);
        assert!(tx.delete_device(tenant, device.id)?);
        assert!(tx.delete_group(tenant, id)?, "its secrets go with it");
        assert!(!tx.delete_group(tenant, id)?);
        assert_eq!(tx.group(tenant, id)?, None);
        Ok(())
    })
    .await;
}

pub async fn a_secret_reads_back(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let mut first = rig.secret(&home, Some(u64::MAX >> 1));
    first.bounds.expires_at = Some(NOW);
    let mut second = rig.secret(&home, None);
    second.created_at = Timestamp::from_millis(NOW.as_millis() + 1);
    let tenant = home.tenant.id;
    write(&store, move |tx| {
        tx.insert_secret(&second)?;
        tx.insert_secret(&first)?;
        assert_eq!(tx.secret(tenant, first.id)?, Some(first.clone()));
        assert_eq!(
            tx.secret_by_short_id(tenant, &first.short_id)?,
            Some(first.clone())
        );
        assert_eq!(
            tx.secrets(tenant, first.group)?,
            [first.clone(), second.clone()]
        );
        assert!(tx.withdraw_secret(tenant, second.id)?);
        assert!(!tx.withdraw_secret(tenant, second.id)?);
        assert!(tx.secret(tenant, second.id)?.unwrap().withdrawn);
        Ok(())
    })
    .await;
}

pub async fn api_tokens_read_back(rig: &Rig) {
    let store = rig.open();
    let tenant = rig.home(&store, "acme").await.tenant.id;
    let token = |n: u8, tenant, role| {
        let token = ApiToken::generate(&*rig.rng);
        ApiTokenRecord {
            id: ApiTokenId::from_bytes([n; 16]),
            tenant,
            short_id: token.short_id().clone(),
            digest: token.digest(),
            label: format!("token {n}"),
            group: (n == 3).then(|| GroupId::from_bytes([7; 16])),
            role,
            expires_at: (n == 1).then_some(NOW),
            created_at: NOW,
            withdrawn: false,
        }
    };
    let everywhere = token(1, None, Role::Admin);
    let own = [
        token(2, Some(tenant), Role::Factory),
        token(3, Some(tenant), Role::Viewer),
    ];
    write(&store, move |tx| {
        tx.insert_api_token(&everywhere)?;
        own.iter()
            .try_for_each(|token| tx.insert_api_token(token))?;
        assert_eq!(
            tx.api_token_by_short_id(&own[0].short_id)?,
            Some(own[0].clone())
        );
        assert_eq!(tx.api_tokens(None)?, std::slice::from_ref(&everywhere));
        assert_eq!(tx.api_tokens(Some(tenant))?, own);
        assert!(!tx.withdraw_api_token(None, own[0].id)?, "another's");
        assert!(!tx.withdraw_api_token(Some(tenant), everywhere.id)?);
        assert!(tx.withdraw_api_token(None, everywhere.id)?);
        assert!(tx.withdraw_api_token(Some(tenant), own[0].id)?);
        assert!(!tx.withdraw_api_token(Some(tenant), own[0].id)?);
        let withdrawn = tx.api_token_by_short_id(&own[0].short_id)?.unwrap();
        assert!(withdrawn.withdrawn);
        Ok(())
    })
    .await;
}
