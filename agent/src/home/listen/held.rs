//! A body that holds a place until it was sent.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

/// A body, and the place it takes among those in memory.
#[derive(Debug)]
pub(super) struct Held {
    body: Full<Bytes>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Held {
    pub(super) fn new(body: impl Into<Bytes>, place: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            body: Full::new(body.into()),
            _place: place,
        }
    }
}

impl Body for Held {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
