//! What `--listen` serves: the table of its paths, and the keep-set for workers, made anew as services change.

use super::gather::Gathered;
use crate::docker::Client;
use crate::flags::Housekeeping;
use crate::listen::{self, PAGE, Request, Response, refusal};
use crate::prune::keepset::Wanted;
use core::cell::RefCell;
use core::time::Duration;
use smol::{Async, Timer, future};
use std::net::TcpListener;
use std::rc::Rc;

/// Between two looks at the services. A worker's grace is far longer.
const EVERY: Duration = Duration::from_secs(30);
/// The port may be in use for a moment longer when the daemon is started again.
const BIND_PAUSE: Duration = Duration::from_secs(10);
/// To who asks for the keep-set of a node that has none.
const NO_SERVICES: &str = "503 Service Unavailable: no list of what services want. This node is no manager of a Swarm, or its \
                           dockerd does not answer; a manager knows\n";
/// Every path that is answered.
const PATHS: [&str; 6] = ["/", "/status.json", "/cluster.json", "/metrics", "/healthz", "/keep.json"];

/// Serves until dropped; at once over without `--listen`.
pub async fn run(jobs: &Housekeeping, gathered: &Gathered<'_>) {
    let Some(addr) = jobs.listen else { return };
    let (docker, keep) = (Client::new(&jobs.docker), RefCell::default());
    let site = Site { jobs, gathered, keep: &keep };
    let serving = async {
        let mut told = String::new();
        loop {
            match Async::<TcpListener>::bind(addr) {
                Ok(listener) => {
                    log::info!("--listen {addr}: serves {}", PATHS.join(" "));
                    listen::run::run(listener, async |request| site.answer(request).await).await;
                }
                // Once: the address may be one that comes and goes with the VIP.
                Err(error) if error.to_string() != told => {
                    told = error.to_string();
                    log::warn!("--listen {addr}: {told}; tried again every {} s", BIND_PAUSE.as_secs());
                }
                Err(_) => {}
            }
            Timer::after(BIND_PAUSE).await;
        }
    };
    future::zip(future::zip(look(&docker, &keep), gathered.run()), serving).await;
}

/// What stands under the paths.
struct Site<'a> {
    jobs: &'a Housekeeping,
    gathered: &'a Gathered<'a>,
    keep: &'a RefCell<Option<Rc<str>>>,
}

impl Site<'_> {
    async fn answer(&self, request: &Request) -> Response {
        if let Some(refused) = refusal(request, &PATHS, &self.jobs.listen_names) {
            return refused;
        }
        match request.path.as_str() {
            "/" => Response::page(PAGE),
            "/status.json" => either(self.gathered.status().await, Response::json),
            "/metrics" => either(self.gathered.metrics().await, |text| Response::text(200, text)),
            "/healthz" => match self.gathered.health().await {
                Ok(text) => Response::text(200, text),
                Err(text) => Response::text(503, text),
            },
            "/cluster.json" => Response::json(self.gathered.cluster().await),
            "/keep.json" => self
                .keep
                .borrow()
                .as_ref()
                .map_or_else(|| Response::text(503, NO_SERVICES), |text| Response::json(text.clone())),
            _ => Response::refused(404),
        }
    }
}

/// The document, or why there is none.
fn either(document: Result<Rc<str>, String>, answer: fn(Rc<str>) -> Response) -> Response {
    document.map_or_else(|why| Response::text(503, format!("{why}\n")), answer)
}

/// Where this node is no manager, or cannot list services, there is nothing to serve to workers.
async fn look(docker: &Client, document: &RefCell<Option<Rc<str>>>) {
    loop {
        let wanted = docker.services().await.map_err(|error| error.to_string());
        let text = wanted.and_then(|services| Wanted::of_services(&services)).map(|wanted| wanted.document());
        if let Err(why) = &text {
            log::debug!("no keep-set to serve: {why}");
        }
        *document.borrow_mut() = text.ok().map(Rc::from);
        Timer::after(EVERY).await;
    }
}
