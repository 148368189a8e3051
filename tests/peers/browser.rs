use syncwatch_tests::peers::Chromium;

const PAGE: &str =
    "<!doctype html><title>lanes</title><style>body{background:#083}</style><p id=p>before</p>
<script>setTimeout(() => document.getElementById('p').textContent = 'after', 1000)</script>";

/// Width and height from the header chunk of a PNG file.
fn size_of_png(bytes: &[u8]) -> (u32, u32) {
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[tokio::test]
async fn chromium_runs_the_scripts_of_a_page_and_takes_its_picture() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    std::fs::write(&page, PAGE).unwrap();
    let url = format!("file://{}", page.display());
    let browser = Chromium::find().unwrap();
    let document = browser.dump_dom(&url).await.unwrap();
    assert!(document.contains(">after</p>"), "{document}");
    let picture = folder.path().join("page.png");
    browser
        .screenshot(&url, (640, 360), &picture)
        .await
        .unwrap();
    assert_eq!(size_of_png(&std::fs::read(&picture).unwrap()), (640, 360));
}
