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

#[test]
fn every_documented_error_has_its_meaning() {
    use Next::{RestartWindow, Retry, ShrinkWindow, Slowly, SmallerPage};
    use ReadFailure as F;
    for (status, code, message, failure, next) in [
        (
            400,
            "Request_BadRequest",
            "Invalid filter clause.",
            F::Refused,
            Slowly,
        ),
        (
            400,
            "Request_UnsupportedQuery",
            "Unsupported Query.",
            F::Refused,
            Slowly,
        ),
        (
            400,
            "BadRequest",
            "Invalid page size specified: '1000'.",
            F::Refused,
            SmallerPage,
        ),
        (
            400,
            "Directory_ExpiredPageToken",
            "The page token has expired.",
            F::Refused,
            RestartWindow,
        ),
        (
            400,
            "",
            "Token not found: token is either invalid or expired",
            F::Refused,
            RestartWindow,
        ),
        (
            401,
            "InvalidAuthenticationToken",
            "Lifetime validation failed.",
            F::TokenRefused,
            Retry(None),
        ),
        (
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges.",
            F::RightMissing,
            Slowly,
        ),
        (
            403,
            "Authentication_MSGraphPermissionMissing",
            "needs AuditLog.Read.All",
            F::RightMissing,
            Slowly,
        ),
        (
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "no licence",
            F::LicenceMissing,
            Slowly,
        ),
        (
            403,
            "NotAdminRoleNoEnoughCustomPermission_UnauthorizedAccess",
            "no role",
            F::RightMissing,
            Slowly,
        ),
        (
            404,
            "Request_ResourceNotFound",
            "Resource 'x' does not exist.",
            F::NotAvailable,
            Slowly,
        ),
        (
            404,
            "Directory_ObjectNotFound",
            "gone",
            F::NotAvailable,
            Slowly,
        ),
        (409, "Conflict", "", F::Refused, Slowly),
        (
            410,
            "resyncRequired",
            "Resync required.",
            F::NotAvailable,
            Slowly,
        ),
        (
            429,
            "TooManyRequests",
            "Too many requests.",
            F::Throttled,
            Retry(None),
        ),
        (429, "activityLimitReached", "", F::Throttled, Retry(None)),
        (
            429,
            "UnknownError",
            "Too Many Requests",
            F::Throttled,
            Retry(None),
        ),
        (500, "generalException", "", F::ServerError, Retry(None)),
        (500, "UnknownError", "", F::ServerError, Retry(None)),
        (501, "NotImplemented", "", F::NotAvailable, Slowly),
        (
            503,
            "serviceNotAvailable",
            "busy",
            F::ServerError,
            Retry(None),
        ),
        (504, "UnknownError", "", F::ServerError, ShrinkWindow),
        (509, "", "", F::ServerError, Retry(None)),
    ] {
        let error = refused(&refusal(status, &envelope(code, message)));
        assert_eq!(
            (error.failure, error.next),
            (failure, next),
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
