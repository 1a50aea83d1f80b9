//! What the server tells about itself.

use super::request::{Request, Response};
use super::route::Route;
use super::status::Answer;
use crate::world::World;

pub(crate) fn answer(_world: &World, _request: &Request, route: &Route) -> Answer<Response> {
    Ok(match route {
        Route::Health => Response::text(200, "ok"),
        _ => Response::page_not_found(),
    })
}
