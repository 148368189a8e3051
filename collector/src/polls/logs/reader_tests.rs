use syncwatch_domain::source::ReadFailure;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn at(hours: u64) -> Timestamp {
    Timestamp::from_millis(1_793_000_000_000) + HOUR * u32::try_from(hours).expect("few hours")
}

fn reader(hours: u64) -> Reader {
    Reader::new(
        Span {
            from: at(0),
            to: at(hours),
        },
        at(hours),
        1000,
    )
}

fn link(n: u32) -> Option<Url> {
    Url::parse(&format!("http://127.0.0.1/?$skiptoken={n}")).ok()
}

fn error(next: Next, status: Option<u16>) -> GraphError {
    GraphError {
        failure: ReadFailure::ServerError,
        text: "x".to_owned(),
        next,
        status,
    }
}

#[test]
fn pages_follow_pages_and_windows_follow_windows() {
    let mut reader = reader(15);
    assert_eq!(
        reader.window,
        Span {
            from: at(0),
            to: at(6)
        }
    );
    assert!(reader.advance(link(1)).expect("a page"));
    assert!(reader.advance(link(2)).expect("a page"));
    assert!(!reader.is_last(None));
    assert!(reader.advance(None).expect("the next window"));
    assert_eq!(
        (reader.window, &reader.link),
        (
            Span {
                from: at(6),
                to: at(12)
            },
            &None
        )
    );
    assert!(reader.advance(None).expect("the last window"));
    assert_eq!(
        reader.window,
        Span {
            from: at(12),
            to: at(15)
        }
    );
    assert!(!reader.is_last(link(3).as_ref()));
    assert!(reader.is_last(None));
    assert!(!reader.advance(None).expect("the end"));
}

#[test]
fn a_page_that_follows_itself_ends_the_run() {
    let mut reader = reader(1);
    assert!(reader.advance(link(1)).expect("a page"));
    assert_eq!(
        reader.advance(link(1)).expect_err("a circle").failure,
        ReadFailure::BadAnswer
    );
    assert_eq!(reader.link, None, "the window starts again");
}

#[test]
fn an_ended_page_token_restarts_the_window_and_not_for_ever() {
    let mut reader = reader(15);
    reader.advance(None).expect("the second window");
    for _ in 0..RESTARTS_MOST {
        reader.advance(link(1)).expect("a page");
        reader
            .recover(error(Next::RestartWindow, Some(400)))
            .expect("restarted");
        assert_eq!((reader.window.from, &reader.link), (at(6), &None));
    }
    reader
        .recover(error(Next::RestartWindow, Some(400)))
        .expect_err("too often");
    assert_eq!(
        reader.window,
        Span {
            from: at(6),
            to: at(9)
        },
        "and narrower from now on"
    );
}

#[test]
fn a_window_too_wide_is_halved_until_it_is_read_and_widens_again() {
    let mut reader = reader(15);
    reader
        .recover(error(Next::ShrinkWindow, Some(504)))
        .expect("narrower");
    reader
        .recover(error(Next::ShrinkWindow, Some(504)))
        .expect("narrower still");
    assert_eq!(reader.window.to.since(reader.window.from), HOUR * 3 / 2);
    reader
        .recover(error(Next::ShrinkWindow, Some(504)))
        .expect_err("the run fails, but goes on narrower");
    assert_eq!(reader.window.to.since(reader.window.from), HOUR * 3 / 4);
    reader.resumed();
    reader.advance(None).expect("the next window");
    assert_eq!(reader.window.to.since(reader.window.from), HOUR * 3 / 2);
    reader
        .recover(error(Next::ShrinkWindow, None))
        .expect_err("a request that timed out");
}

#[test]
fn a_narrow_window_is_not_narrowed_further() {
    let mut reader = Reader::new(
        Span {
            from: at(0),
            to: at(0) + NARROWEST,
        },
        at(1),
        1000,
    );
    reader
        .recover(error(Next::ShrinkWindow, Some(504)))
        .expect_err("nothing left to try");
    assert_eq!(reader.window.to.since(reader.window.from), NARROWEST);
}

#[test]
fn a_refused_page_size_is_made_smaller_twice() {
    let mut reader = reader(1);
    for size in SMALLER_PAGES {
        reader
            .recover(error(Next::SmallerPage, Some(400)))
            .expect("smaller");
        assert_eq!(reader.page_size, size);
    }
    reader
        .recover(error(Next::SmallerPage, Some(400)))
        .expect_err("nothing left to try");
}

#[test]
fn other_failures_keep_the_position() {
    let mut reader = reader(15);
    reader.advance(link(7)).expect("a page");
    reader
        .recover(error(Next::Retry(None), Some(503)))
        .expect_err("fails");
    assert_eq!(reader.link, link(7));
}
