//! A server that says what a test wants.

use std::future::pending;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use syncwatch_agent::host::{Answering, Asked, Host, Reading};
use syncwatch_domain::report::Section;

use super::bookmarks;

type Script = dyn FnMut(Section, &Asked) -> Option<Reading> + Send;

/// A server that answers by a script; `None` never answers. Clones are the same server.
#[derive(Clone)]
pub(crate) struct FakeHost(Arc<Mutex<Inner>>);

struct Inner {
    script: Box<Script>,
    asked: Vec<(Section, Asked)>,
}

impl FakeHost {
    pub(crate) fn new(
        script: impl FnMut(Section, &Asked) -> Option<Reading> + Send + 'static,
    ) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            script: Box::new(script),
            asked: Vec::new(),
        })))
    }

    /// A Connect server that is well. Every reading of events brings one more.
    pub(crate) fn connect() -> Self {
        let mut record_id = 0;
        Self::new(move |section, _| {
            let mut reading = Reading::of(connect_data(section));
            if section == Section::Events {
                record_id += 1;
                reading.data[0]["RecordId"] = json!(record_id);
                reading.bookmarks = Some(bookmarks(record_id));
            }
            reading.utc_offset_minutes = Some(60);
            Some(reading)
        })
    }

    /// What it was asked since the last call.
    pub(crate) fn asked(&self) -> Vec<(Section, Asked)> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }
}

/// What a Connect server that is well says about a section.
pub(crate) fn connect_data(section: Section) -> Vec<Value> {
    vec![match section {
        Section::Services => {
            json!({ "Name": "ADSync", "DisplayName": "Microsoft Entra ID Sync", "Status": "Running", "StartType": "Automatic" })
        }
        Section::Scheduler => json!({ "StagingModeEnabled": false, "SyncCycleEnabled": true }),
        Section::Events => json!({
            "LogName": "Application", "ProviderName": "Directory Synchronization", "Id": 654, "RecordId": 0,
            "TimeCreated": "2026-11-18T08:15:00.0000000Z", "Message": "Provision credentials ping end.",
        }),
        other => json!({ "Section": other.as_str() }),
    }]
}

impl Host for FakeHost {
    fn read<'a>(&'a mut self, section: Section, asked: &'a Asked) -> Answering<'a> {
        let mut inner = self.0.lock().unwrap();
        inner.asked.push((section, asked.clone()));
        let reading = (inner.script)(section, asked);
        Box::pin(async move {
            match reading {
                Some(reading) => reading,
                None => pending().await,
            }
        })
    }
}
