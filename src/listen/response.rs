//! Responses, and which document stands under which path. Pure.

use super::host;
use super::request::{Method, Request};
use core::fmt::Write;
use std::rc::Rc;

const HTML: &str = "text/html; charset=utf-8";
/// Also what Prometheus takes for its own text format.
const TEXT: &str = "text/plain; charset=utf-8";

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// `application/json`, `text/plain; charset=utf-8`, …
    pub content_type: &'static str,
    /// The document; shared, as many may take it at once.
    pub body: Rc<[u8]>,
}

/// Only what the page itself brings: no outside asset, no frame around it, no address told to others.
const PAGE_RULES: &str = "Content-Encoding: gzip\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; \
    script-src 'unsafe-inline'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'\r\nX-Frame-Options: DENY\r\n";

impl Response {
    /// A document.
    pub fn json(body: impl Into<Rc<str>>) -> Self {
        Self { status: 200, content_type: "application/json", body: body.into().into() }
    }

    /// A page for people, gzipped.
    pub fn page(body: &[u8]) -> Self {
        Self { status: 200, content_type: HTML, body: body.into() }
    }

    /// Lines of text: with 200, or 503 where they say what is wrong.
    pub fn text(status: u16, body: impl Into<Rc<str>>) -> Self {
        Self { status, content_type: TEXT, body: body.into().into() }
    }

    /// No document: 400, 404, 405, 408, 421, 431, 503, 505.
    pub fn refused(status: u16) -> Self {
        Self::text(status, format!("{status} {}\n", phrase(status)))
    }

    /// The bytes in front of the body.
    pub fn head(&self) -> String {
        let Self { status, content_type, body } = self;
        let mut head = format!("HTTP/1.1 {status} {}\r\n", phrase(*status));
        // Nothing here may be kept or taken for something else; a String takes all that is written.
        let _ = write!(
            head,
            "Content-Type: {content_type}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
             Cross-Origin-Resource-Policy: same-origin\r\nConnection: close\r\n",
            body.len()
        );
        if *content_type == HTML {
            head.push_str(PAGE_RULES);
        }
        if *status == 405 {
            head.push_str("Allow: GET, HEAD\r\n");
        }
        head.push_str("\r\n");
        head
    }
}

/// Why `request` is not answered with the document at its path, if it is not: 421 for a name that is not ours, 404 for
/// a path that is none of `paths`, 405 for what is neither GET nor HEAD.
pub fn refusal(request: &Request, paths: &[&str], names: &[String]) -> Option<Response> {
    if !host::is_ours(&request.host, names) {
        let why = "421 Misdirected Request: not a name of this node. If it is one, add it to --listen ADDR:PORT,NAME\n";
        return Some(Response::text(421, why));
    }
    if !paths.contains(&request.path.as_str()) {
        return Some(Response::refused(404));
    }
    match request.method {
        Method::Get | Method::Head => None,
        Method::Other => Some(Response::refused(405)),
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Bad Request",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_these_bytes() {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\
                    Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
                    Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n\
                    Connection: close\r\n\r\n";
        // Two characters, three bytes.
        assert_eq!(Response::json("é1").head(), head);
        assert!(Response::refused(405).head().ends_with("\r\nAllow: GET, HEAD\r\n\r\n"));
        let page = Response::page(b"<p>").head();
        assert!(
            page.contains("\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "),
            "{page}"
        );
        assert!(page.contains("frame-ancestors 'none'\r\nX-Frame-Options: DENY\r\n\r\n"), "{page}");
    }

    #[test]
    fn names_paths_and_methods_lead_to_an_answer() {
        for (method, path, host, status) in [
            (Method::Get, "/keep.json", "pi:9112", None),
            (Method::Head, "/keep.json", "10.0.0.1", None),
            (Method::Get, "/keep.json", "a.example.com", None),
            (Method::Other, "/keep.json", "pi", Some(405)),
            (Method::Get, "/", "pi", Some(404)),
            (Method::Get, "/keep.json/", "pi", Some(404)),
            (Method::Get, "/%6beep.json", "pi", Some(404)),
            (Method::Get, "/x/../keep.json", "pi", Some(404)),
            (Method::Other, "/other", "pi", Some(404)),
            (Method::Get, "/keep.json", "evil.example.com", Some(421)),
        ] {
            let request = Request { method, path: path.to_owned(), host: host.to_owned() };
            let refused = refusal(&request, &["/keep.json"], &["a.example.com".to_owned()]);
            assert_eq!(refused.map(|response| response.status), status, "{request:?}");
        }
    }
}
