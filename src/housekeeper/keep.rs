//! What `--listen` serves to workers: the keep-set, made anew as services change.

use crate::docker::Client;
use crate::flags::Housekeeping;
use crate::listen::{self, Response, route};
use crate::prune::keepset::Wanted;
use core::cell::RefCell;
use core::time::Duration;
use smol::{Async, Timer};
use std::net::TcpListener;
use std::rc::Rc;

/// Between two looks at the services. A worker's grace is far longer.
const EVERY: Duration = Duration::from_secs(30);
/// The port may be in use for a moment longer when the daemon is started again.
const BIND_PAUSE: Duration = Duration::from_secs(10);

/// Serves until dropped. Where this node is no manager, or cannot list services, there is nothing to serve.
pub async fn run(jobs: &Housekeeping, document: &RefCell<Option<Rc<str>>>) {
    let Some(addr) = jobs.listen else { return };
    let docker = Client::new(&jobs.docker);
    smol::future::zip(look(&docker, document), async {
        loop {
            match Async::<TcpListener>::bind(addr) {
                Ok(listener) => {
                    log::info!("--listen {addr}: serves /keep.json");
                    listen::run::run(listener, |request| {
                        route(request, &[("/keep.json", &|| keep(document))])
                    })
                    .await;
                }
                Err(error) => {
                    log::warn!("--listen {addr}: {error}; tried again in {} s", BIND_PAUSE.as_secs());
                }
            }
            Timer::after(BIND_PAUSE).await;
        }
    })
    .await;
}

fn keep(document: &RefCell<Option<Rc<str>>>) -> Response {
    document.borrow().as_ref().map_or_else(|| Response::refused(503), |text| Response::json(text.clone()))
}

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
