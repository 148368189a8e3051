//! `/api/v1/events`: what was committed, as server-sent events.
//!
//! Lossy by design: an observer that is too slow is told how much it lost and reads the lists
//! again. Events: `lane`, `lane_found`, `alert`, `lost`.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{Stream, unfold};
use serde::Serialize;
use serde_json::json;
use syncwatch_domain::lane::LaneKey;
use syncwatch_store::{LaneFilter, Store, StoreEvent};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::error::ApiError;
use super::stage::Surface;

const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) async fn events(
    State(surface): State<Surface>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let store = surface.serving()?.store;
    let observer = Observer {
        events: store.feed().events(),
        store,
        keys: HashMap::new(),
        stop: surface.stop.clone(),
    };
    let stream = unfold(observer, |mut observer| async move {
        let event = observer.next().await?;
        Some((Ok(event), observer))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// One reader of the stream.
struct Observer {
    events: Receiver<StoreEvent>,
    store: Store,
    /// Keys of lanes by the number of their row.
    keys: HashMap<i64, LaneKey>,
    stop: CancellationToken,
}

impl Observer {
    /// The next event; `None` when the service stops.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let event = tokio::select! {
                () = self.stop.cancelled() => return None,
                event = self.events.recv() => event,
            };
            let told = match event {
                Ok(event) => self.tell(event).await,
                Err(RecvError::Lagged(lost)) => say("lost", &json!({ "events": lost })),
                Err(RecvError::Closed) => return None,
            };
            if told.is_some() {
                return told;
            }
        }
    }

    async fn tell(&mut self, event: StoreEvent) -> Option<Event> {
        match event {
            StoreEvent::AlertChanged(alert) => say("alert", &alert),
            StoreEvent::LaneFound(key) => say("lane_found", &key),
            StoreEvent::LaneJudged {
                lane,
                from,
                to,
                occurred_at,
            } => {
                let key = self.key(lane).await?;
                say(
                    "lane",
                    &json!({ "lane": key, "from": from, "to": to, "occurred_at": occurred_at }),
                )
            }
        }
    }

    /// The key of a lane; a lane that is not known yet makes all keys be read once more.
    async fn key(&mut self, lane: i64) -> Option<LaneKey> {
        if !self.keys.contains_key(&lane) {
            let lanes = self.store.lanes(&LaneFilter::default()).await.ok()?;
            self.keys = lanes
                .into_iter()
                .map(|view| (view.id.0, view.key))
                .collect();
        }
        self.keys.get(&lane).cloned()
    }
}

fn say(name: &str, data: &impl Serialize) -> Option<Event> {
    Event::default().event(name).json_data(data).ok()
}
