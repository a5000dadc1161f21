//! The page of `--listen` in a real Chromium.

mod browser;
mod document;
mod server;

use browser::{Browser, Scheme, can_run};
use server::Server;

#[test]
fn pictures() {
    if !can_run() {
        return;
    }
    let server = Server::start(document::well());
    let browser = Browser::start();
    browser.open(&server.url());
    browser.wait("main", "All well");
    for (name, document) in [("well", document::well()), ("failover", document::failover()), ("rollout", document::rollout()),
        ("held", document::rolled_back()), ("silent", document::silent_peer()), ("adrift", document::adrift()), ("troubled", document::troubled()), ("many", document::many()),
        ("hostile", document::hostile()), ("bare", document::bare())] {
        server.say(document);
        std::thread::sleep(std::time::Duration::from_millis(2600));
        for (width, scheme) in [(360, Scheme::Dark), (768, Scheme::Light), (1440, Scheme::Light), (1440, Scheme::Dark), (360, Scheme::Light), (768, Scheme::Dark)] {
            browser.look(width, scheme);
            browser.picture(&format!("{name}-{width}-{scheme:?}").to_lowercase());
        }
    }
    println!("{:?}", browser.complaints());
}
