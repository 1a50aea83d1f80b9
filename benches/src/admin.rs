//! A way into the sandbox as its administrator.

use std::task::{Context, Poll};

use sluice_sandbox::api::access::User;
use sluice_sandbox::doors::Door;
use tower_service::Service;

/// Says who asks, as a client's own layers would by a token.
#[derive(Clone)]
pub(crate) struct AsAdmin(pub(crate) Door);

impl<B> Service<http::Request<B>> for AsAdmin
where
    Door: Service<http::Request<B>>,
{
    type Response = <Door as Service<http::Request<B>>>::Response;
    type Error = <Door as Service<http::Request<B>>>::Error;
    type Future = <Door as Service<http::Request<B>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        request.extensions_mut().insert(User::admin());
        self.0.call(request)
    }
}
