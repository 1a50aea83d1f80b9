//! What ingress-nginx counts. Requests that a canary Ingress took carry the names of the stable one, and `canary`.

use super::{Page, error_code};
use crate::dataplane::Record;
use crate::metrics::labels::Labels;

pub(super) fn export(record: &Record, page: &mut Page) {
    for (answerer, served) in record.answers() {
        let Some(through) = &answerer.through else { continue };
        let labels = Labels::of(
            "",
            &[
                ("job", "ingress-nginx"),
                ("namespace", &answerer.backend.namespace),
                ("ingress", &through.ingress),
                ("service", &through.service),
                ("canary", &through.canary),
                ("host", &answerer.asked.host),
                ("path", &answerer.asked.path),
                ("method", &answerer.asked.method),
            ],
        );
        let error = error_code(answerer.pod.as_deref());
        page.by_code("nginx_ingress_controller_requests", &labels, "status", served, error);
        page.histogram("nginx_ingress_controller_request_duration_seconds", &labels, served, 1_000.0);
    }
}
