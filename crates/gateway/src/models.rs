//! Lists of models, answered by us: what a key may call, by route.
use crate::{relay::ResponseBody, state::View};
use http::Response;
use tollgate_core::{error::Error, id::RequestId, principal::Principal};
use tollgate_wire::endpoint::Endpoint;

pub(crate) fn every_route(_: &View, _: &Principal, _: RequestId) -> Response<ResponseBody> {
    Response::new(ResponseBody::whole("[]".into()))
}
pub(crate) fn of_route(
    _: &View,
    _: &Principal,
    _: &str,
    _: &Endpoint,
    _: RequestId,
) -> Result<Response<ResponseBody>, Error> {
    Ok(Response::new(ResponseBody::whole("[]".into())))
}
