//! What is said to dockerd: method, path, query and body of one call as HTTP/1.1, without I/O.

use core::fmt::Write as _;
use core::time::Duration;

/// The verbs of the Engine API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Reads without the body.
    Head,
    /// Makes or changes; must not be said twice.
    Post,
    /// Removes; the second time there is nothing to remove.
    Delete,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// One call.
#[derive(Debug)]
pub struct Request<'a> {
    /// Verb.
    pub method: Method,
    /// Without version and query. Names stand in it as they are: Docker's routes take slashes, colons and at signs.
    path: String,
    /// With its question mark; empty for none.
    query: String,
    /// Value of `X-Registry-Auth`.
    auth: Option<&'a str>,
    /// JSON.
    body: Option<&'a str>,
    /// The path has no version in front.
    pub unversioned: bool,
    /// How long the head of the answer may take; `None` for what the client usually waits.
    pub patience: Option<Duration>,
}

impl<'a> Request<'a> {
    /// A call without query and body.
    pub fn new(method: Method, path: String) -> Self {
        Self {
            method,
            path,
            query: String::new(),
            auth: None,
            body: None,
            unversioned: false,
            patience: None,
        }
    }

    /// `GET` of `path`.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::Get, path.into())
    }

    /// `POST` to `path`.
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::Post, path.into())
    }

    /// `DELETE` of `path`.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::Delete, path.into())
    }

    /// With this pair in the query.
    pub fn query(mut self, key: &str, value: &str) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        self.query.push_str(key);
        self.query.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                self.query.push(char::from(byte));
            } else {
                // A `String` takes all that is written.
                let _ = write!(self.query, "%{byte:02X}");
            }
        }
        self
    }

    /// With `{key: [value]}` as the query's filters.
    pub fn filter(self, key: &str, value: &str) -> Self {
        self.query("filters", &serde_json::json!({ key: [value] }).to_string())
    }

    /// With this `X-Registry-Auth`.
    pub fn auth(mut self, auth: Option<&'a str>) -> Self {
        self.auth = auth;
        self
    }

    /// With this JSON as its body.
    pub fn json(mut self, body: &'a str) -> Self {
        self.body = Some(body);
        self
    }

    /// With no version in front of its path.
    pub fn unversioned(mut self) -> Self {
        self.unversioned = true;
        self
    }

    /// With this much time for the head of the answer.
    pub fn within(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// For an error: method and path.
    pub fn call(&self) -> String {
        /// What is no path may be long, and hold anything.
        const MAX_SHOWN: usize = 200;
        let path: String = self.path.chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect();
        format!("{} {path}", self.method.name())
    }

    /// Saying it twice does no more than saying it once.
    pub fn is_idempotent(&self) -> bool {
        match self.method {
            Method::Get | Method::Head | Method::Delete => true,
            Method::Post => false,
        }
    }

    /// All of it, for a server called `host`, with `/v1.<minor>` in front of the path.
    ///
    /// # Errors
    /// In words, when a name in the path or the credentials would make something else of the request.
    pub fn bytes(&self, host: &str, minor: Option<u32>) -> Result<Vec<u8>, String> {
        if !is_path(&self.path) {
            return Err("there can be no such name in Docker".to_owned());
        }
        let mut text = format!("{} ", self.method.name());
        if let Some(minor) = minor {
            let _ = write!(text, "/v1.{minor}");
        }
        let _ = write!(text, "{}{} HTTP/1.1\r\nHost: {host}\r\n", self.path, self.query);
        if let Some(auth) = self.auth {
            if !auth.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte)) {
                return Err("the registry credentials are not base64url".to_owned());
            }
            let _ = write!(text, "X-Registry-Auth: {auth}\r\n");
        }
        match (self.body, self.method) {
            (Some(body), _) => {
                let len = body.len();
                let _ = write!(text, "Content-Type: application/json\r\nContent-Length: {len}\r\n\r\n{body}");
            }
            (None, Method::Post) => text.push_str("Content-Length: 0\r\n\r\n"),
            (None, Method::Get | Method::Head | Method::Delete) => text.push_str("\r\n"),
        }
        Ok(text.into_bytes())
    }
}

/// Nothing that ends the path early, leads out of it or is rewritten on its way (`//`, `.`, `..`, percent signs).
fn is_path(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"?#%\\\"<>".contains(&byte);
    let words = path.strip_prefix('/').unwrap_or_default();
    path.bytes().all(plain) && words.split('/').all(|word| !matches!(word, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(request: &Request<'_>) -> String {
        String::from_utf8(request.bytes("docker", Some(41)).expect("a request")).expect("text")
    }

    #[test]
    fn calls_are_written_as_http() {
        let request = Request::get("/services").query("status", "true");
        assert_eq!(text(&request), "GET /v1.41/services?status=true HTTP/1.1\r\nHost: docker\r\n\r\n");
        let request = Request::get("/volumes").filter("dangling", "true");
        assert_eq!(
            text(&request),
            "GET /v1.41/volumes?filters=%7B%22dangling%22%3A%5B%22true%22%5D%7D HTTP/1.1\r\nHost: docker\r\n\r\n"
        );
        let request = Request::post("/services/web/update")
            .query("version", "12")
            .query("registryAuthFrom", "spec")
            .auth(Some("e30="))
            .json("{\"Name\":\"ä\"}");
        assert_eq!(
            text(&request),
            "POST /v1.41/services/web/update?version=12&registryAuthFrom=spec HTTP/1.1\r\nHost: docker\r\n\
            X-Registry-Auth: e30=\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"Name\":\"ä\"}"
        );
        assert_eq!(request.call(), "POST /services/web/update");
        let request = Request::post("/containers/a/start");
        assert_eq!(
            text(&request),
            "POST /v1.41/containers/a/start HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n"
        );
        let request = Request::new(Method::Head, "/_ping".into()).unversioned();
        assert_eq!(request.bytes("docker", None).unwrap(), b"HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\n");
        let request = Request::delete("/images/10.0.10.40:5000/a/b:v1@sha256:00");
        assert!(
            text(&request).starts_with("DELETE /v1.41/images/10.0.10.40:5000/a/b:v1@sha256:00 HTTP/1.1\r\n")
        );
    }

    #[test]
    fn no_name_makes_another_request_of_it() {
        for name in [
            "",
            ".",
            "..",
            "a/../b",
            "a//b",
            "/a",
            "a/",
            "a b",
            "a?force=1",
            "a#b",
            "%2e%2e",
            "a\r\nX: y",
            "ä",
            "a\\b",
            "\0",
        ] {
            let request = Request::delete(format!("/volumes/{name}"));
            assert!(request.bytes("docker", Some(41)).is_err(), "{name:?} was accepted");
            assert!(!request.call().contains('\n'));
        }
        for auth in ["a\r\nX: y", "a b", "ä", "a+b", "a/b"] {
            let request = Request::get("/info").auth(Some(auth));
            assert!(request.bytes("docker", Some(41)).is_err(), "{auth:?} was accepted");
        }
    }
}
