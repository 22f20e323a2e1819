//! Lists of models, answered by us: what a key may call, by route.
//!
//! The names are those of price overrides, model maps and the price data: what is not listed may
//! still work, if it has a price.

use crate::{relay::ResponseBody, respond, select, state::View};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use std::collections::BTreeMap;
use tollgate_core::{
    error::{Error, Kind},
    format::{Dialect, Format},
    id::RequestId,
    principal::Principal,
    provider::Provider,
};
use tollgate_wire::{
    endpoint::Endpoint,
    models::{self, Model, Route},
};

/// What a client asked for.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'r> {
    pub(crate) route: &'r str,
    pub(crate) endpoint: &'r Endpoint,
    pub(crate) headers: &'r HeaderMap,
}

/// `GET /proxy/models`.
///
/// # Errors
/// [`Kind::Internal`] when the organisation is not loaded.
pub(crate) fn every_route(
    view: &View,
    principal: &Principal,
    request: RequestId,
) -> Result<Response<ResponseBody>, Error> {
    let org = view.organization(principal.ids.organization)?;
    let mut slugs: Vec<&str> = org
        .groups
        .keys()
        .map(String::as_str)
        .chain(
            org.providers
                .values()
                .map(|provider| provider.slug.as_str()),
        )
        .filter(|slug| select::is_listed(&principal.allowed_routes, slug))
        .collect();
    slugs.sort_unstable();
    let routes: Vec<Route> = slugs
        .into_iter()
        .filter_map(|slug| {
            let behind = select::providers_behind(org, slug, None);
            let provider = behind.first()?.0.kind.as_str().to_owned();
            let models = permitted(view, principal, behind);
            Some(Route {
                route: slug.to_owned(),
                provider,
                models,
            })
        })
        .collect();
    Ok(json(models::routes(&routes), request))
}

/// `GET /proxy/{route}/models` and `…/models/{id}`, in the shape of the caller's dialect.
///
/// # Errors
/// [`Kind::UnknownRoute`], [`Kind::UnknownModel`].
pub(crate) fn of_route(
    view: &View,
    principal: &Principal,
    asked: Asked<'_>,
    request: RequestId,
) -> Result<Response<ResponseBody>, Error> {
    let org = view.organization(principal.ids.organization)?;
    let behind = if select::is_listed(&principal.allowed_routes, asked.route) {
        select::providers_behind(org, asked.route, Some(asked.endpoint.format))
    } else {
        Vec::new()
    };
    if behind.is_empty() {
        return Err(Error::new(
            Kind::UnknownRoute,
            format!(
                "no route `{}` here, or not for this API key: GET /proxy/models lists them",
                asked.route
            ),
        ));
    }
    let dialect = dialect(asked);
    let models = permitted(view, principal, behind);
    let body = match &asked.endpoint.model {
        None => models::list(dialect, &models),
        Some(id) => {
            let model = models.iter().find(|model| model.id == *id).ok_or_else(|| {
                Error::new(
                    Kind::UnknownModel,
                    format!("no model `{id}` is listed on the route `{}`", asked.route),
                )
            })?;
            models::one(dialect, model)
        }
    };
    Ok(json(body, request))
}

/// OpenAI and Anthropic list at the same path; only Anthropic's clients name an API version.
fn dialect(asked: Asked<'_>) -> Dialect {
    match asked.endpoint.format.dialect() {
        Dialect::OpenAi if asked.headers.contains_key("anthropic-version") => Dialect::Anthropic,
        dialect => dialect,
    }
}

/// The models of these providers that the caller may use, each once, by name.
fn permitted(
    view: &View,
    principal: &Principal,
    behind: Vec<(&Provider, &[(String, String)])>,
) -> Vec<Model> {
    let mut models = BTreeMap::new();
    for (provider, mapped) in behind {
        let listed = view
            .prices
            .get(&provider.id)
            .map(|prices| prices.models())
            .unwrap_or_default();
        let asked = mapped.iter().map(|(asked, sent)| {
            let priced = listed.iter().find(|model| model.id == *sent);
            (asked.clone(), priced.cloned())
        });
        let own = listed
            .iter()
            .map(|model| (model.id.clone(), Some(model.clone())));
        for (id, priced) in asked.chain(own) {
            if select::is_listed(&principal.allowed_models, &id) {
                models.entry(id.clone()).or_insert_with(|| Model {
                    id,
                    name: priced.as_ref().and_then(|model| model.name.clone()),
                    owner: provider.slug.clone(),
                    context_window: priced.as_ref().and_then(|model| model.context_window),
                    embeds: priced.as_ref().is_some_and(|model| !model.has_output_price)
                        && provider.kind.formats().contains(&Format::OpenAiEmbeddings),
                });
            }
        }
    }
    models.into_values().collect()
}

fn json(body: Vec<u8>, request: RequestId) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(Bytes::from(body)));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    respond::stamp(headers, request);
    response
}
