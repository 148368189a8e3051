//! A simulator with a small story on a stepped clock, and a client for it.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use syncwatch_simulator::{Action, Ports, Running, ScriptedClock, Simulator, Story};

/// When the story begins.
pub(crate) const NOW: i64 = 1_789_365_600_000;

pub(crate) const STORY: &str = include_str!("story.toml");

pub(crate) struct Setup {
    pub(crate) running: Running,
    pub(crate) clock: Arc<ScriptedClock>,
    pub(crate) client: Client,
}

impl Setup {
    pub(crate) async fn start() -> Self {
        Self::with(Story::parse(STORY).unwrap()).await
    }

    pub(crate) async fn with(story: Story) -> Self {
        // Only the first caller of the process installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = Arc::new(ScriptedClock::new(NOW));
        let running = Simulator::start(story, clock.clone(), Ports::free())
            .await
            .unwrap();
        let client = Client::builder()
            .timeout(Duration::from_secs(20))
            .no_proxy()
            .build()
            .unwrap();
        Self {
            running,
            clock,
            client,
        }
    }

    pub(crate) fn apply(&self, action: &Action) {
        self.running.apply(action).unwrap();
    }

    pub(crate) async fn grant(&self, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        let url = format!(
            "{}/3b0d4a52-6f7e-4c19-9a1d-52d6f0c8b741/oauth2/v2.0/token",
            self.running.login_url()
        );
        self.grant_at(&url, fields).await
    }

    pub(crate) async fn grant_at(&self, url: &str, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self
            .client
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// A token of the first client.
    pub(crate) async fn token(&self) -> String {
        let one = self.running.credentials().remove(0);
        let (status, body) = self
            .grant(&[
                ("grant_type", "client_credentials"),
                ("client_id", &one.client_id),
                ("client_secret", &one.client_secret.unwrap()),
                ("scope", "https://graph.microsoft.com/.default"),
            ])
            .await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// Asks for a path (`/v1.0/...`) or a whole link.
    pub(crate) async fn get(&self, token: &str, path: &str) -> Response {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.running.graph_url("big"))
        };
        self.client
            .get(url)
            .bearer_auth(token)
            .header("ConsistencyLevel", "eventual")
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn json(&self, token: &str, path: &str) -> Value {
        let response = self.get(token, path).await;
        let status = response.status();
        let body: Value = response.json().await.unwrap();
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub(crate) async fn error(&self, token: &str, path: &str) -> (u16, String) {
        let response = self.get(token, path).await;
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        (status, body["error"]["code"].as_str().unwrap().to_owned())
    }

    /// Object id of the first Cloud Sync service principal, found as a client would.
    pub(crate) async fn principal(&self, token: &str) -> String {
        let filter = "applicationTemplateId%20eq%20'1a4721b3-e57f-4451-ae87-ef078703ec94'";
        let body = self
            .json(
                token,
                &format!("/v1.0/servicePrincipals?$filter={filter}&$count=true"),
            )
            .await;
        body["value"][0]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn job_list(&self, token: &str) -> Vec<Value> {
        let id = self.principal(token).await;
        let body = self
            .json(
                token,
                &format!("/v1.0/servicePrincipals/{id}/synchronization/jobs"),
            )
            .await;
        body["value"].as_array().unwrap().clone()
    }

    /// Follows a list to its end.
    pub(crate) async fn all(&self, token: &str, path: &str) -> Vec<Value> {
        let mut values = Vec::new();
        let mut next = path.to_owned();
        for _ in 0..10_000 {
            let body = self.json(token, &next).await;
            values.extend(body["value"].as_array().unwrap().iter().cloned());
            match body["@odata.nextLink"].as_str() {
                Some(link) => next = link.to_owned(),
                None => return values,
            }
        }
        panic!("{path} has no end");
    }

    pub(crate) async fn stop(self) {
        drop(self.client);
        assert!(self.running.stop().await, "everything should end in time");
    }
}
