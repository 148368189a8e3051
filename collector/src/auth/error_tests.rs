use super::*;

fn body(code: u64) -> Vec<u8> {
    serde_json::to_vec(&serde_json::json!({
        "error": "invalid_client",
        "error_description": format!("AADSTS{code}: Something about tulip-9 in this world.\r\nTrace ID: 1"),
        "error_codes": [code],
        "timestamp": "2026-11-02 06:07:08Z",
        "correlation_id": "5d0c5a86-0001-4e4e-9b9b-777777770001"
    }))
    .expect("a literal is valid JSON")
}

#[test]
fn numbers_choose_the_hint_and_the_class() {
    for (status, code, operator, part) in [
        (401, 7_000_215, true, "in place of its value"),
        (401, 7_000_222, true, "expired"),
        (400, 700_016, true, "not known in this tenant"),
        (401, 700_027, true, "exactly this certificate"),
        (401, 700_024, true, "clock"),
        (400, 90_002, true, "check id and cloud"),
        (400, 900_382, true, "another cloud"),
        (401, 70_021, true, "federated credential"),
        (400, 53_003, true, "Conditional Access"),
        (400, 65_001, true, "consent"),
        (400, 90_055, false, "throttles"),
        (400, 90_033, false, "busy"),
        (503, 7_000_215, false, "in place of its value"),
        (400, 424_242, true, "Something about"),
    ] {
        let error = refusal(status, &body(code), None, &[]);
        assert_eq!(
            error.class == AuthClass::Operator,
            operator,
            "{status} {code}"
        );
        assert!(error.text.contains(part), "{code}: {}", error.text);
        assert!(error.text.contains("5d0c5a86"), "{}", error.text);
        assert!(!error.text.contains('\r'), "{:?}", error.text);
    }
}

#[test]
fn the_status_alone_decides_where_there_is_no_json() {
    let wait = Some(Duration::from_secs(7));
    for (status, failure, class) in [
        (429, ReadFailure::Throttled, AuthClass::Retry(wait)),
        (500, ReadFailure::ServerError, AuthClass::Retry(wait)),
        (503, ReadFailure::ServerError, AuthClass::Retry(wait)),
        (400, ReadFailure::SignInRefused, AuthClass::Operator),
        (404, ReadFailure::SignInRefused, AuthClass::Operator),
    ] {
        let error = refusal(status, b"<html>gateway</html>", wait, &[]);
        assert_eq!((error.failure, error.class), (failure, class), "{status}");
    }
}

#[test]
fn a_secret_that_the_service_repeats_is_not_passed_on() {
    let error = refusal(400, &body(424_242), None, &["tulip-9", ""]);
    assert!(!error.text.contains("tulip-9"), "{}", error.text);
    assert!(error.text.contains("<redacted>"), "{}", error.text);
}
