//! Errors of Graph: status, code, message and the headers some of them carry.

use serde_json::json;

use crate::times;

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GraphError {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl GraphError {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            headers: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "Request_BadRequest", message)
    }

    pub(crate) fn unsupported_query() -> Self {
        Self::new(400, "Request_UnsupportedQuery", "Unsupported Query.")
    }

    pub(crate) fn unauthenticated(message: &str) -> Self {
        Self::new(401, "InvalidAuthenticationToken", message)
    }

    pub(crate) fn denied() -> Self {
        let message = "Insufficient privileges to complete the operation.";
        Self::new(403, "Authorization_RequestDenied", message)
    }

    pub(crate) fn not_found(id: &str) -> Self {
        Self::new(
            404,
            "Request_ResourceNotFound",
            format!(
                "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
            ),
        )
    }

    /// The JSON body. Half of the services spell the inner object in lower case.
    pub(crate) fn body(&self, now: i64, request_id: &str, client_request_id: &str) -> String {
        let date = times::seconds(now);
        let inner = json!({
            "date": date.trim_end_matches('Z'),
            "request-id": request_id,
            "client-request-id": client_request_id,
        });
        let spelling = if request_id.starts_with(|c: char| c.is_ascii_digit()) {
            "innerError"
        } else {
            "innererror"
        };
        json!({"error": {"code": self.code, "message": self.message, spelling: inner}}).to_string()
    }
}
