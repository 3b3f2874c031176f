mod farewell;

use std::sync::Arc;
use std::time::Duration;

use enlist_core::{Clock, Timestamp};
use enlist_keys::tls::{self, Identity, TlsError};
use enlist_pki::Certificate;
use enlist_pki::path::ServerTrust;
use enlist_wire::{
    ChallengeReply, ChallengeRequest, Client, ClientError, DeviceSelf, EnrollReply, EnrollRequest,
    Enrolled, Meter, NonceReply, NonceRequest, PollReply, PollRequest, RenewRequest, TokenRequest,
};

use super::Net;
use crate::disk::Credentials;
use crate::explain;
use crate::machine::Failure;

/// Asks over HTTPS.
pub struct HttpNet {
    url: String,
    trust: ServerTrust,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    meter: Option<Arc<Meter>>,
    anonymous: Option<Client>,
    /// The client of a certificate, by its fingerprint.
    identified: Option<([u8; 32], Client)>,
}

impl HttpNet {
    /// Asks the server at `url`, if it is one that `trust` says to believe. `timeout` bounds each
    /// exchange.
    #[must_use]
    pub fn new(url: String, trust: ServerTrust, timeout: Duration, clock: Arc<dyn Clock>) -> Self {
        Self {
            url,
            trust,
            timeout,
            clock,
            meter: None,
            anonymous: None,
            identified: None,
        }
    }

    /// The same, counting with `meter` what goes over its connections.
    #[must_use]
    pub fn metered(mut self, meter: Arc<Meter>) -> Self {
        self.meter = Some(meter);
        self
    }

    fn client(&mut self, credentials: Option<&Credentials>) -> Result<Client, Failure> {
        let Some(credentials) = credentials else {
            if self.anonymous.is_none() {
                self.anonymous = Some(self.connect(None)?);
            }
            return self.anonymous.clone().ok_or_else(no_certificate);
        };
        let leaf = credentials.chain.first().ok_or_else(no_certificate)?;
        let fingerprint = leaf.fingerprint();
        match &self.identified {
            Some((known, client)) if *known == fingerprint => Ok(client.clone()),
            _ => {
                let client = self.connect(Some(Identity {
                    chain: credentials
                        .chain
                        .iter()
                        .map(Certificate::to_rustls)
                        .collect(),
                    key: credentials.key.clone(),
                }))?;
                self.identified = Some((fingerprint, client.clone()));
                Ok(client)
            }
        }
    }

    fn connect(&self, identity: Option<Identity>) -> Result<Client, Failure> {
        let config = tls::client_config(self.trust.clone(), identity, self.clock.clone())
            .map_err(|error: TlsError| Failure::give_up(explain(&error)))?;
        let (config, meter) = (Arc::new(config), self.meter.clone());
        Ok(Client::metered(&self.url, config, self.timeout, meter)?)
    }
}

impl Net for HttpNet {
    fn challenge(&mut self, request: &ChallengeRequest) -> Result<ChallengeReply, Failure> {
        Ok(self.client(None)?.challenge(request)?)
    }

    fn enroll(
        &mut self,
        idevid: Option<&Credentials>,
        request: &EnrollRequest,
    ) -> Result<EnrollReply, Failure> {
        Ok(self.client(idevid)?.enroll(request)?)
    }

    fn nonce(&mut self, request: &NonceRequest) -> Result<NonceReply, Failure> {
        Ok(self.client(None)?.nonce(request)?)
    }

    fn renew(
        &mut self,
        credentials: Option<&Credentials>,
        request: &RenewRequest,
    ) -> Result<Enrolled, Failure> {
        Ok(self.client(credentials)?.renew(request)?)
    }

    fn poll(
        &mut self,
        credentials: &Credentials,
        request: &PollRequest,
    ) -> Result<Option<PollReply>, Failure> {
        match self.client(Some(credentials))?.poll(request) {
            Ok(reply) => Ok(Some(reply)),
            Err(error) if knows_no_such_path(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn new_token(
        &mut self,
        credentials: &Credentials,
        request: &TokenRequest,
    ) -> Result<DeviceSelf, Failure> {
        Ok(self.client(Some(credentials))?.new_token(request)?)
    }

    fn time(&mut self) -> Result<Timestamp, Failure> {
        let (config, presented) =
            tls::client_config_for_time(self.trust.clone(), self.clock.clone())
                .map_err(|error: TlsError| Failure::give_up(explain(&error)))?;
        let (config, meter) = (Arc::new(config), self.meter.clone());
        let client = Client::metered(&self.url, config, self.timeout, meter)?;
        let time = Timestamp::from_secs(client.time()?.time.as_secs());
        presented.holds_at(time).map_err(|error| {
            Failure::retry(format!(
                "the server's time is not taken: its certificates do not hold then: {}",
                explain(&error)
            ))
        })?;
        Ok(time)
    }

    fn believe(&mut self, trust: ServerTrust) {
        self.trust = trust;
        self.anonymous = None;
        self.identified = None;
    }

    fn check_in(&mut self, credentials: &Credentials) -> Result<DeviceSelf, Failure> {
        Ok(self.client(Some(credentials))?.device_self()?)
    }
}

/// An older server, or one in front of which something does not let it through.
fn knows_no_such_path(error: &ClientError) -> bool {
    match error {
        ClientError::Problem(problem) => {
            matches!(problem.slug(), "no-such-path" | "no-such-method")
        }
        ClientError::Foreign { status, .. } => matches!(status, 404 | 405),
        _ => false,
    }
}

fn no_certificate() -> Failure {
    Failure::give_up("there is no certificate to present")
}
