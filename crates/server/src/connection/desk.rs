//! Where the requests of one connection are answered.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::Service;
use tokio::sync::Notify;
use tower::Service as _;

use super::traffic::Traffic;
use crate::app::Peer;
use crate::phase::{Phase, Phases};

/// Where the requests of one connection are answered.
pub(super) struct Desk {
    router: Router,
    peer: Peer,
    phases: Arc<Phases>,
    begun: Notify,
    traffic: Arc<Traffic>,
}

impl Desk {
    pub(super) fn new(
        router: Router,
        peer: Peer,
        phases: Arc<Phases>,
        traffic: Arc<Traffic>,
    ) -> Self {
        Self {
            router,
            peer,
            phases,
            begun: Notify::new(),
            traffic,
        }
    }

    /// Returns once something has been asked.
    pub(super) async fn asked(&self) {
        self.begun.notified().await;
    }
}

impl Service<Request<Incoming>> for Desk {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let mut router = self.router.clone();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(self.peer.clone());
        let (phases, traffic, version) =
            (self.phases.clone(), self.traffic.clone(), request.version());
        self.begun.notify_one();
        traffic.asked();
        Box::pin(async move {
            let answer = router.call(request).await;
            let mut response = answer.unwrap_or_else(|e| match e {});
            if phases.now() > Phase::Serving && version < Version::HTTP_2 {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            traffic.answered(response.body().size_hint().exact().is_some());
            Ok(response)
        })
    }
}
