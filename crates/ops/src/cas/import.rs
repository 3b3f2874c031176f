//! An issuing CA that a root from elsewhere has signed.

use enlist_ca::Authority;
use enlist_core::{
    Actor, CaId, CaKind, CaRecord, CaRequestRecord, CaStanding, Event, Group, Operator, Role,
    Tenant,
};
use enlist_pki::{Certificate, chain_from_pem};
use enlist_store::Tx;

use super::add::enter;
use super::chain::{above, refused};
use super::{CaView, KnownCa, after, request, standing};
use crate::authorities::read;
use crate::{Error, Ops, scope};

/// What an import is decided on.
struct Ground {
    requests: Vec<CaRequestRecord>,
    groups: Vec<Group>,
    root_id: CaId,
    root: Certificate,
}

impl Ops {
    /// Completes a request with the certificate that a root from elsewhere has signed; `pem` holds that
    /// and, where the root is not the installation's, all that stands above it, in any order.
    ///
    /// A tenant that waited for its issuing CA is active from then on. Where it has one already, the
    /// imported one is the next, unless it is over the key of the current one, and renews that.
    ///
    /// # Errors
    /// When nothing was requested, or the certificate is not one to issue with.
    pub async fn import_ca(
        &self,
        who: &Operator,
        tenant: String,
        pem: String,
    ) -> Result<CaView, Error> {
        let tenant = self.tenant_to_administer(who, tenant).await?;
        let given = chain_from_pem(&pem).map_err(|error| refused(&error.to_string()))?;
        loop {
            let ground = self.import_ca_look(&tenant).await?;
            let (request, certificate) = answered(&ground.requests, &given)?;
            let now = self.now();
            let chain = above(&certificate, &given, &ground.root, now.as_secs())?;
            self.prove(&tenant, &ground, &request, &certificate, &chain)?;
            let record = CaRecord {
                id: request.ca,
                tenant: Some(tenant.id),
                kind: CaKind::Issuing,
                standing: CaStanding::Next,
                certificate: certificate.der().to_vec(),
                chain: chain.iter().flat_map(Certificate::der).copied().collect(),
                key: request.key.clone(),
                created_at: now,
            };
            let (who, of, root) = (who.clone(), tenant.name.clone(), ground.root_id);
            let recorded = self
                .inner
                .store
                .write("import_ca", move |tx| {
                    let tenant = scope::tenant(tx, &who, Role::Admin, of.as_str())?;
                    // One change of CAs after the other; and what was looked at is still the root.
                    if tx.current_root()?.is_none_or(|now| now.ca.id != root) {
                        return Ok(None);
                    }
                    if !tx.delete_ca_request(tenant.id, request.ca)? {
                        return Err(Error::NoCaRequest);
                    }
                    let entered = take_in(tx, &tenant, &request, record.clone())?;
                    let cas = KnownCa::all(tx.cas(CaKind::Issuing, Some(tenant.id))?)?;
                    let ca = cas
                        .iter()
                        .find(|ca| ca.members.contains(&entered.id))
                        .ok_or(Error::Inconsistent("a CA is gone that was just recorded"))?;
                    let by = Actor::Operator(who.token);
                    let event = Event::new("ca-imported", tenant.subject(), by, now)
                        .with("ca", ca.certificate.fingerprint_hex())
                        .with("standing", ca.standing.as_str())
                        .with("outside", !ca.chain.is_empty());
                    tx.append(&event)?;
                    CaView::of(tx, ca, now).map(Some)
                })
                .await?;
            self.follow_roots().await?;
            self.follow_issuing(tenant.id).await?;
            if let Some(view) = recorded {
                return Ok(view);
            }
        }
    }

    async fn import_ca_look(&self, tenant: &Tenant) -> Result<Ground, Error> {
        let id = tenant.id;
        self.inner
            .store
            .read("import_ca_look", move |tx| {
                let root = tx
                    .current_root()?
                    .ok_or(Error::Inconsistent("the root is missing"))?;
                Ok::<_, Error>(Ground {
                    requests: tx.ca_requests(id)?,
                    groups: tx.groups(id)?,
                    root_id: root.ca.id,
                    root: read(&root.ca)?,
                })
            })
            .await
    }

    /// That certificate and key make a CA under which devices are believed, before anybody is told that
    /// they do.
    fn prove(
        &self,
        tenant: &Tenant,
        ground: &Ground,
        request: &CaRequestRecord,
        certificate: &Certificate,
        chain: &[Certificate],
    ) -> Result<(), Error> {
        let keys = self.inner.authorities.keys();
        let signer = keys
            .open(&request.key, certificate)?
            .ok_or(Error::Inconsistent("a request without its key"))?;
        let ca = Authority::new(certificate.clone(), signer)
            .map_err(|error| refused(&error.to_string()))?;
        let path: Vec<_> = match chain {
            [] => vec![&ground.root],
            chain => chain.iter().collect(),
        };
        self.try_out(ca, &path, tenant, &ground.groups)
    }
}

/// The request that one of the certificates is the answer to.
fn answered(
    requests: &[CaRequestRecord],
    given: &[Certificate],
) -> Result<(CaRequestRecord, Certificate), Error> {
    for one in requests.iter().rev() {
        let csr = request::read(one)?;
        let key = csr.public_key().spki_der();
        if let Some(certificate) = given.iter().find(|given| given.spki_der() == key) {
            if !csr.subject().says_the_same_as(&certificate.subject()) {
                return Err(refused(
                    "it has another subject than the request: have the root sign that as it is, and keep the subject",
                ));
            }
            return Ok((one.clone(), certificate.clone()));
        }
    }
    if requests.is_empty() {
        return Err(Error::NoCaRequest);
    }
    Err(refused(
        "it is over another key than the request: `enlist get ca-request` shows what is to be signed",
    ))
}

/// Records the CA: a renewal of the one with the same key, or one more.
fn take_in(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    request: &CaRequestRecord,
    mut ca: CaRecord,
) -> Result<CaRecord, Error> {
    let certificate = read(&ca)?;
    for other in tx.all_cas()? {
        let other = read(&other)?;
        if other.subject_der() == certificate.subject_der()
            && other.spki_der() != certificate.spki_der()
        {
            return Err(refused("another CA here has its name already"));
        }
    }
    let cas = KnownCa::all(tx.cas(CaKind::Issuing, Some(tenant.id))?)?;
    let csr = request::read(request)?;
    let Some(renewed) = request::renewed(&csr, &cas) else {
        return enter(tx, tenant, ca);
    };
    if !renewed.is_over(&certificate) {
        return Err(refused(
            "it renews a CA, and gives it another name than the one that its certificates hold",
        ));
    }
    if standing(&cas, CaStanding::Current).is_none_or(|now| now.id != renewed.id) {
        return Err(refused("it renews a CA that does not issue any more"));
    }
    if certificate.not_after() < renewed.certificate.not_after() {
        return Err(refused(
            "it renews a CA, and ends earlier than the certificate that the CA has",
        ));
    }
    ca.standing = CaStanding::Current;
    ca.created_at = after(&renewed.record, ca.created_at);
    tx.insert_ca(&ca)?;
    Ok(ca)
}
