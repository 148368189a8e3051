//! Errors of the token endpoint, with the text and fields of the real one.

use serde_json::json;

use crate::chance::Seed;
use crate::times;

/// One refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoginError {
    pub(crate) status: u16,
    pub(crate) error: &'static str,
    pub(crate) code: u32,
    pub(crate) text: String,
}

fn refusal(status: u16, error: &'static str, code: u32, text: impl Into<String>) -> LoginError {
    LoginError {
        status,
        error,
        code,
        text: text.into(),
    }
}

impl LoginError {
    pub(crate) fn secret(app: &str) -> Self {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{app}'."
        );
        refusal(401, "invalid_client", 7_000_215, text)
    }

    pub(crate) fn expired_secret(app: &str) -> Self {
        let text = format!(
            "The provided client secret keys for app '{app}' are expired. Create new keys for the app or use certificate credentials."
        );
        refusal(401, "invalid_client", 7_000_222, text)
    }

    pub(crate) fn app(app: &str, directory: &str) -> Self {
        let text = format!(
            "Application with identifier '{app}' was not found in the directory '{directory}'."
        );
        refusal(400, "unauthorized_client", 700_016, text)
    }

    pub(crate) fn disabled(app: &str) -> Self {
        refusal(
            401,
            "unauthorized_client",
            7_000_112,
            format!("Application '{app}' is disabled."),
        )
    }

    pub(crate) fn assertion() -> Self {
        let text = "The certificate with identifier used to sign the client assertion is not registered on application, or the assertion signature failed validation.";
        refusal(401, "invalid_client", 700_027, text)
    }

    pub(crate) fn window() -> Self {
        refusal(
            401,
            "invalid_client",
            700_024,
            "Client assertion is not within its valid time range.",
        )
    }

    pub(crate) fn nothing() -> Self {
        let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        refusal(401, "invalid_client", 7_000_218, text)
    }

    pub(crate) fn scope(scope: &str) -> Self {
        let text = format!(
            "The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
        );
        refusal(400, "invalid_scope", 70_011, text)
    }

    pub(crate) fn no_federation() -> Self {
        let text = "No matching federated identity record found for presented assertion.";
        refusal(401, "unauthorized_client", 70_021, text)
    }

    pub(crate) fn tenant(authority: &str) -> Self {
        let text = format!(
            "Tenant '{authority}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
        );
        refusal(400, "invalid_request", 90_002, text)
    }

    pub(crate) fn other_cloud() -> Self {
        let text = "Confidential Client is not supported in Cross Cloud request.";
        refusal(400, "invalid_request", 900_382, text)
    }

    pub(crate) fn grant_type() -> Self {
        let text = "The app requested an unsupported grant type.";
        refusal(400, "unsupported_grant_type", 70_003, text)
    }

    /// A refusal the story asks for by its number.
    pub(crate) fn told(code: u32) -> Self {
        let (status, error, text) = match code {
            7_000_215 => return Self::secret("?"),
            7_000_222 => return Self::expired_secret("?"),
            700_027 => return Self::assertion(),
            700_024 => return Self::window(),
            7_000_112 => return Self::disabled("?"),
            70_021 | 700_211 | 700_213 => {
                return Self {
                    code,
                    ..Self::no_federation()
                };
            }
            90_038 | 900_382 => {
                return Self {
                    code,
                    ..Self::other_cloud()
                };
            }
            53_003 => (
                400,
                "invalid_grant",
                "Access has been blocked by Conditional Access policies.",
            ),
            530_035 => (
                400,
                "invalid_grant",
                "Access has been blocked by security defaults.",
            ),
            650_052 => (
                400,
                "invalid_client",
                "The app needs access to a service that your organization has not subscribed to or enabled.",
            ),
            65_001 => (
                400,
                "invalid_grant",
                "The user or administrator has not consented to use the application.",
            ),
            700_229 => (
                400,
                "unauthorized_client",
                "Only app-only tokens can be used as Federated Identity Credentials.",
            ),
            90_055 => (
                400,
                "temporarily_unavailable",
                "The tenant has exceeded its request budget; retry later.",
            ),
            90_033 | 90_024 | 90_012 | 90_090 => (
                503,
                "temporarily_unavailable",
                "A transient error has occurred. Please try again.",
            ),
            _ => (400, "invalid_request", "The request was refused."),
        };
        refusal(status, error, code, text)
    }

    /// The JSON body; the parts of the description are divided by CRLF or by spaces.
    pub(crate) fn body(&self, now: i64, trace: Seed) -> String {
        let (trace_id, correlation_id) = (trace.guid(), trace.nth(1).guid());
        let stamp = times::login_stamp(now);
        let gap = if trace.corner("crlf").happens(0.5) {
            "\r\n"
        } else {
            " "
        };
        let description = format!(
            "AADSTS{}: {}{gap}Trace ID: {trace_id}{gap}Correlation ID: {correlation_id}{gap}Timestamp: {stamp}",
            self.code, self.text
        );
        let mut body = json!({
            "error": self.error,
            "error_description": description,
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
        });
        if self.error != "temporarily_unavailable" {
            body["error_uri"] = json!(format!(
                "https://login.microsoftonline.com/error?code={}",
                self.code
            ));
        }
        body.to_string()
    }
}
