//! Responses, and which document stands under which path. Pure.

use super::request::{Method, Request};
use core::fmt::Write;
use std::rc::Rc;

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// `application/json`, `text/plain; charset=utf-8`, …
    pub content_type: &'static str,
    /// The document; shared, as many may take it at once.
    pub body: Rc<str>,
}

/// A path, and what makes the document under it.
pub type Route<'a> = (&'static str, &'a dyn Fn() -> Response);

impl Response {
    /// A document.
    pub fn json(body: impl Into<Rc<str>>) -> Self {
        Self { status: 200, content_type: "application/json", body: body.into() }
    }

    /// No document: 400, 404, 405, 408, 431, 503, 505.
    pub fn refused(status: u16) -> Self {
        let body = format!("{status} {}\n", phrase(status));
        Self { status, content_type: "text/plain; charset=utf-8", body: body.into() }
    }

    /// The bytes in front of the body.
    pub fn head(&self) -> String {
        let Self { status, content_type, body } = self;
        let mut head = format!("HTTP/1.1 {status} {}\r\n", phrase(*status));
        // Nothing here may be kept or taken for something else; a String takes all that is written.
        let _ = write!(
            head,
            "Content-Type: {content_type}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\nConnection: close\r\n",
            body.len()
        );
        if *status == 405 {
            head.push_str("Allow: GET, HEAD\r\n");
        }
        head.push_str("\r\n");
        head
    }
}

/// The answer to `request` out of `routes`: 404 for another path, 405 for what only a GET may ask.
pub fn route(request: &Request, routes: &[Route<'_>]) -> Response {
    let Some((_, answer)) = routes.iter().find(|(path, _)| *path == request.path) else {
        return Response::refused(404);
    };
    match request.method {
        Method::Get | Method::Head => answer(),
        Method::Other => Response::refused(405),
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
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
                    Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n";
        // Two characters, three bytes.
        assert_eq!(Response::json("é1").head(), head);
        assert!(Response::refused(405).head().ends_with("\r\nAllow: GET, HEAD\r\n\r\n"));
    }

    #[test]
    fn paths_and_methods_lead_to_an_answer() {
        let keep = || Response::json("{}");
        let routes: [Route<'_>; 1] = [("/keep.json", &keep)];
        for (method, path, status) in [
            (Method::Get, "/keep.json", 200),
            (Method::Head, "/keep.json", 200),
            (Method::Other, "/keep.json", 405),
            (Method::Get, "/", 404),
            (Method::Get, "/keep.json/", 404),
            (Method::Other, "/other", 404),
        ] {
            let request = Request { method, path: path.to_owned() };
            assert_eq!(route(&request, &routes).status, status, "{request:?}");
        }
    }
}
