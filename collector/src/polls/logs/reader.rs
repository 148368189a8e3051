//! A position in a log: window, page, and what happens when the service cannot go on.

use std::time::Duration;

use syncwatch_domain::time::Timestamp;
use url::Url;

use super::window::{NARROWEST, Span, WIDEST};
use crate::graph::{GraphError, Next};

/// Page sizes that are tried when the service refuses a larger one.
const SMALLER_PAGES: [u32; 2] = [500, 100];
/// A window whose page tokens end this often is too wide to be read in time.
const RESTARTS_MOST: u32 = 3;
/// A window is made smaller at most so often within one run; then the run fails.
const SHRINKS_MOST: u32 = 2;
/// More pages than this in one window are no log.
const PAGES_MOST: u32 = 100_000;

/// Where reading goes on. It outlives a run that was interrupted.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    /// Start of the run that made it; the whole read covers what happened before.
    pub(super) started_at: Timestamp,
    /// Where the whole read begins.
    pub(super) from: Timestamp,
    /// What is still to be read, the present window first.
    rest: Span,
    pub(super) window: Span,
    width: Duration,
    pub(super) page_size: u32,
    /// The next page of the window; `None` for its first one.
    pub(super) link: Option<Url>,
    pages: u32,
    restarts: u32,
    shrinks: u32,
}

impl Reader {
    pub(super) fn new(span: Span, started_at: Timestamp, page_size: u32) -> Self {
        Self {
            started_at,
            from: span.from,
            rest: span,
            window: span.first(WIDEST),
            width: WIDEST,
            page_size,
            link: None,
            pages: 0,
            restarts: 0,
            shrinks: 0,
        }
    }

    /// A new run goes on here.
    pub(super) fn resumed(&mut self) {
        self.shrinks = 0;
    }

    /// Whether the page that was read last is the last one of all.
    pub(super) fn is_last(&self, link: Option<&Url>) -> bool {
        link.is_none() && self.rest.after(self.window).is_none()
    }

    /// Moves on behind a page. `false` when that was the last one.
    pub(super) fn advance(&mut self, link: Option<Url>) -> Result<bool, GraphError> {
        self.pages += 1;
        if let Some(link) = link {
            if self.link.as_ref() == Some(&link) || self.pages > PAGES_MOST {
                self.restart();
                return Err(GraphError::unreadable("the log", "its pages do not end"));
            }
            self.link = Some(link);
            return Ok(true);
        }
        let Some(rest) = self.rest.after(self.window) else {
            return Ok(false);
        };
        self.rest = rest;
        self.restarts = 0;
        // After a success the next window may be wider again.
        self.width = (self.width * 2).min(WIDEST);
        self.restart();
        Ok(true)
    }

    /// What to do after a failed request: go on differently, or give the error back.
    pub(super) fn recover(&mut self, error: GraphError) -> Result<(), GraphError> {
        match error.next {
            Next::RestartWindow => {
                self.restarts += 1;
                if self.restarts > RESTARTS_MOST {
                    self.restarts = 0;
                    self.narrow();
                    self.restart();
                    return Err(error);
                }
                self.restart();
                Ok(())
            }
            Next::SmallerPage => {
                let smaller = SMALLER_PAGES
                    .into_iter()
                    .find(|size| *size < self.page_size);
                let Some(smaller) = smaller else {
                    return Err(error);
                };
                self.page_size = smaller;
                self.restart();
                Ok(())
            }
            Next::ShrinkWindow => {
                let narrowed = self.narrow();
                self.restart();
                self.shrinks += 1;
                // A request that timed out took long: the failure must be seen first.
                if narrowed && error.status.is_some() && self.shrinks <= SHRINKS_MOST {
                    Ok(())
                } else {
                    Err(error)
                }
            }
            Next::Retry(_) | Next::Slowly | Next::Budget(_) => Err(error),
        }
    }

    /// Halves the window; `false` when it is narrow already.
    fn narrow(&mut self) -> bool {
        let present = self.window.to.since(self.window.from);
        if present <= NARROWEST {
            return false;
        }
        self.width = (present / 2).max(NARROWEST);
        true
    }

    /// Starts the present window again. Rows that come twice are known by their id.
    fn restart(&mut self) {
        self.window = self.rest.first(self.width);
        self.link = None;
        self.pages = 0;
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
