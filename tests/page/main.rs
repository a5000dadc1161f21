//! The page of `--listen` in a real Chromium: a cluster's life, told by made-up documents (`life`), what must hold of the page
//! whatever is told (`rules`), and three real daemons in namespaces (`real`). Pictures go to `target/page/`.

mod browser;
mod document;
#[path = "../lab/mod.rs"]
mod lab;
mod life;
mod real;
mod rules;
mod server;
mod strangers;

use browser::{Browser, Scheme, can_run};
use serde_json::Value;
use server::Server;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A made-up node and a browser that shows its page.
struct Stage {
    server: Server,
    browser: Browser,
    _alone: MutexGuard<'static, ()>,
}

/// One browser at a time: two have no room on two cores.
static ALONE: Mutex<()> = Mutex::new(());

impl Stage {
    /// Nothing where there is no Chromium.
    fn showing(document: Value) -> Option<Self> {
        if !can_run() {
            return None;
        }
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let stage = Self { server: Server::start(document), browser: Browser::start(), _alone: alone };
        stage.browser.look(1440, Scheme::Light);
        stage.browser.open(&stage.server.url());
        stage.browser.wait("main h2", "node");
        Some(stage)
    }

    /// Another document, and the page asked to look at once.
    fn say(&self, document: Value) {
        self.server.say(document);
        self.poll();
    }

    /// Has the page ask now; an answer on its way may be of before.
    fn poll(&self) {
        self.browser
            .promise("while (isAsking) await new Promise(done => setTimeout(done, 10)); await poll();");
    }

    fn text(&self, selector: &str) -> String {
        self.browser.text(selector)
    }

    /// Panics unless the text of `selector` contains each of `wanted`.
    #[track_caller]
    fn shows(&self, selector: &str, wanted: &[&str]) {
        let text = self.text(selector);
        for part in wanted {
            assert!(text.contains(part), "{selector}: no {part:?} in {text:?}");
        }
    }

    /// Pictures as a phone and a desktop show it, in light and dark; at home also as a tablet does.
    fn pictures(&self, name: &str) {
        let looks = [
            (360, Scheme::Dark),
            (1440, Scheme::Light),
            (360, Scheme::Light),
            (768, Scheme::Light),
            (768, Scheme::Dark),
            (1440, Scheme::Dark),
        ];
        let count = if std::env::var_os("CI").is_some() { 2 } else { looks.len() };
        for (width, scheme) in looks.into_iter().take(count) {
            self.browser.look(width, scheme);
            let wide = self.browser.script("return document.documentElement.scrollWidth");
            assert_eq!(wide, width, "{name}: nothing is cut off or scrolls sideways");
            self.browser.picture(&format!("{name}-{width}-{scheme:?}").to_lowercase());
        }
        self.browser.look(1440, Scheme::Light);
    }

    /// No complaint of the browser, and nothing asked of anybody else.
    #[track_caller]
    fn was_clean(&self) {
        assert_eq!(self.browser.complaints(), Vec::<String>::new());
        let own = self.server.url();
        // Chromium shows a page of its own before it is told which to open.
        let is_elsewhere =
            |url: &String| ![own.as_str(), "data:", "chrome:"].iter().any(|known| url.starts_with(known));
        let elsewhere: Vec<String> = self.browser.requests().into_iter().filter(is_elsewhere).collect();
        assert_eq!(elsewhere, Vec::<String>::new(), "only this node is asked");
        let others: Vec<String> =
            self.server.asked().into_iter().filter(|path| path != "/" && path != "/cluster.json").collect();
        assert_eq!(others, Vec::<String>::new(), "only the page and its data are asked for");
    }
}
