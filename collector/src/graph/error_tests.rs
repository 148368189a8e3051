use serde_json::json;

use super::*;

fn envelope(code: &str, message: &str) -> Vec<u8> {
    json!({"error": {"code": code, "message": message, "innererror": {"request-id": "r-1", "date": "2026-11-01T00:00:00"}}})
        .to_string()
        .into_bytes()
}

fn refusal(status: u16, body: &[u8]) -> Refusal<'_> {
    Refusal {
        status,
        body,
        request_id: None,
        retry_after: None,
    }
}

/// Status, code, message, and what they mean.
type Row = (u16, &'static str, &'static str, ReadFailure, Next);

#[rustfmt::skip]
const DOCUMENTED: &[Row] = &[
    (400, "Request_BadRequest", "Invalid filter clause.", ReadFailure::Refused, Next::Slowly),
    (400, "Request_UnsupportedQuery", "Unsupported Query.", ReadFailure::Refused, Next::Slowly),
    (400, "BadRequest", "Invalid page size specified: '1000'.", ReadFailure::Refused, Next::SmallerPage),
    (400, "Directory_ExpiredPageToken", "The page token has expired.", ReadFailure::Refused, Next::RestartWindow),
    (400, "", "Token not found: token is either invalid or expired", ReadFailure::Refused, Next::RestartWindow),
    (401, "InvalidAuthenticationToken", "Lifetime validation failed.", ReadFailure::TokenRefused, Next::Retry(None)),
    (403, "Authorization_RequestDenied", "Insufficient privileges.", ReadFailure::RightMissing, Next::Slowly),
    (403, "Authentication_MSGraphPermissionMissing", "needs AuditLog.Read.All", ReadFailure::RightMissing, Next::Slowly),
    (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "no licence", ReadFailure::LicenceMissing, Next::Slowly),
    (403, "NotAdminRoleNoEnoughCustomPermission_UnauthorizedAccess", "no role", ReadFailure::RightMissing, Next::Slowly),
    (404, "Request_ResourceNotFound", "Resource 'x' does not exist.", ReadFailure::NotAvailable, Next::Slowly),
    (404, "Directory_ObjectNotFound", "gone", ReadFailure::NotAvailable, Next::Slowly),
    (409, "Conflict", "", ReadFailure::Refused, Next::Slowly),
    (410, "resyncRequired", "Resync required.", ReadFailure::NotAvailable, Next::Slowly),
    (429, "TooManyRequests", "Too many requests.", ReadFailure::Throttled, Next::Retry(None)),
    (429, "activityLimitReached", "", ReadFailure::Throttled, Next::Retry(None)),
    (429, "UnknownError", "Too Many Requests", ReadFailure::Throttled, Next::Retry(None)),
    (500, "generalException", "", ReadFailure::ServerError, Next::Retry(None)),
    (500, "UnknownError", "", ReadFailure::ServerError, Next::Retry(None)),
    (501, "NotImplemented", "", ReadFailure::NotAvailable, Next::Slowly),
    (503, "serviceNotAvailable", "busy", ReadFailure::ServerError, Next::Retry(None)),
    (504, "UnknownError", "", ReadFailure::ServerError, Next::ShrinkWindow),
    (509, "", "", ReadFailure::ServerError, Next::Retry(None)),
];

#[test]
fn every_documented_error_has_its_meaning() {
    for (status, code, message, failure, next) in DOCUMENTED {
        let error = refused(&refusal(*status, &envelope(code, message)));
        assert_eq!(
            (error.failure, error.next),
            (*failure, *next),
            "{status} {code} {message}"
        );
        assert!(
            error.text.contains(&status.to_string()) && error.text.contains(code),
            "{}",
            error.text
        );
    }
}

#[test]
fn a_page_of_a_proxy_is_an_outage_and_not_a_missing_right() {
    let page = b"<html><title>Blocked by policy</title></html>";
    for status in [200, 302, 400, 401, 403, 404, 407] {
        let error = refused(&refusal(status, page));
        assert!(error.failure.is_outage(), "{status}: {:?}", error.failure);
        assert!(
            matches!(error.next, Next::Retry(None)),
            "{status}: {:?}",
            error.next
        );
    }
    let by_graph = Refusal {
        request_id: Some("r-2"),
        ..refusal(403, page)
    };
    assert_eq!(refused(&by_graph).failure, ReadFailure::RightMissing);
    assert!(refused(&by_graph).text.contains("r-2"));
}

#[test]
fn the_wait_of_the_service_is_passed_on() {
    let wait = Some(Duration::from_millis(12_500));
    for status in [429, 503] {
        let refusal = Refusal {
            retry_after: wait,
            ..refusal(status, b"")
        };
        assert_eq!(refused(&refusal).next, Next::Retry(wait));
    }
}

#[test]
fn long_or_broken_messages_stay_readable() {
    let error = refused(&refusal(400, &envelope("x\r\ny", &"é\n".repeat(9_000))));
    assert!(
        error.text.len() < 1_000 && !error.text.contains('\n'),
        "{}",
        error.text.len()
    );
    refused(&refusal(400, br#"{"error": "a text"}"#));
    refused(&refusal(400, br#"{"error": {"code": 5}}"#));
    refused(&refusal(400, &[0xff, 0xfe, 0x00]));
}
