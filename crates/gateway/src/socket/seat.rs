//! What a conversation runs on, and how one turn of it gets its exchange.

use super::{Caller, connect};
use crate::{
    exchange::{Ending, Exchange, Opening},
    identify, objects, reserve,
    select::{self, Attempt, Planned},
    state::Gateway,
};
use http::HeaderMap;
use std::sync::Arc;
use tokio::time::Instant;
use tollgate_core::{
    error::{Error, Kind},
    id::{ProviderId, RequestId},
    principal::Principal,
    provider::ProviderKind,
    record::RecordFlags,
};
use tollgate_wire::{endpoint::Endpoint, error::CallerTraits, facts::RequestFacts};

/// See the [module](self).
pub(super) struct Seat {
    pub(super) gateway: Arc<Gateway>,
    pub(super) endpoint: Endpoint,
    route: String,
    attempt: Attempt,
    caller: CallerTraits,
    /// With the credential: it is looked at again for each turn.
    headers: HeaderMap,
    query: Option<String>,
}

/// A turn that may begin.
pub(super) struct Turn {
    /// Its hold stands, and counts as sent.
    pub(super) exchange: Exchange,
    /// The model as the provider names it.
    pub(super) sent_model: String,
}

impl Seat {
    pub(super) fn new(
        caller: &Caller<'_>,
        (headers, query): (HeaderMap, Option<String>),
        attempt: Attempt,
        gateway: &Arc<Gateway>,
    ) -> Self {
        Self {
            gateway: Arc::clone(gateway),
            endpoint: caller.endpoint.clone(),
            route: caller.route.to_owned(),
            attempt,
            caller: caller.traits,
            headers,
            query,
        }
    }

    /// Whether the caller may still call, by the settings of now.
    ///
    /// # Errors
    /// [`Kind::Unauthenticated`], [`Kind::Forbidden`].
    pub(super) fn who(&self) -> Result<Arc<Principal>, Error> {
        let view = self.gateway.view();
        identify::identify(
            &self.headers,
            self.query.as_deref(),
            &view.snapshot,
            &self.gateway.hasher,
            self.gateway.now(),
        )
    }

    /// A turn with a hold of its own, under the settings of now.
    ///
    /// # Errors
    /// Whatever a request may be refused with.
    pub(super) async fn turn(&self, facts: &RequestFacts) -> Result<Turn, Error> {
        let principal = self.who()?;
        let view = Arc::clone(&self.gateway.view());
        let at = self.gateway.now();
        let mut exchange = Exchange::open(
            &self.gateway,
            &principal,
            &Opening {
                request: RequestId::new(at, &*self.gateway.parts.entropy),
                received_at: at,
                started: Instant::now(),
                route: &self.route,
                endpoint: &self.endpoint,
                facts,
                caller: self.caller,
                view: &view,
            },
        );
        match self.hold(&mut exchange, facts).await {
            Ok(sent_model) => Ok(Turn {
                exchange,
                sent_model,
            }),
            Err(error) => {
                exchange.failed(&error);
                exchange.close();
                Err(error)
            }
        }
    }

    /// How a turn with these facts would be sent, of a model that the caller may use and that has a
    /// price. `like` is an exchange of the same caller.
    ///
    /// # Errors
    /// Whatever a request for it may be refused with.
    pub(super) fn planned(&self, like: &Exchange, facts: &RequestFacts) -> Result<Planned, Error> {
        let home = Some(self.attempt.provider.id);
        let route = connect::route(like, facts, &self.headers, home)?;
        let plan = select::with_prices(&like.view, route).map_err(|none| none.error)?;
        let first = plan.attempts.into_iter().next();
        first.ok_or_else(|| Error::new(Kind::UnknownRoute, "the route is empty"))
    }

    /// The model as it stands in a set-up frame: Google wants it with what it is a resource of.
    pub(super) fn resource(&self, model: &str) -> String {
        let provider = &self.attempt.provider;
        let site = &provider.site;
        match (provider.kind, &site.project, &site.location) {
            (ProviderKind::GoogleVertex, Some(project), Some(location)) => {
                format!("projects/{project}/locations/{location}/publishers/google/models/{model}")
            }
            (ProviderKind::GoogleVertex, ..) => format!("publishers/google/models/{model}"),
            _ => format!("models/{model}"),
        }
    }

    /// Where the conversation lives.
    pub(super) fn home(&self) -> ProviderId {
        self.attempt.provider.id
    }

    /// What a turn names is its project's, and lives where the conversation does.
    async fn locate(&self, exchange: &Exchange, facts: &RequestFacts) -> Result<(), Error> {
        let (view, principal) = (&exchange.view, &exchange.principal);
        let asked = (&*exchange.record.route, &self.endpoint, facts);
        let located = objects::locate(&self.gateway, view, principal, asked).await?;
        if facts.deferred || located.at.is_some_and(|at| at != self.home()) {
            return Err(Error::new(
                Kind::BadRequest,
                "a turn can neither go on in the background nor name objects of another provider: \
                 send it as a request of its own",
            ));
        }
        Ok(())
    }

    async fn hold(&self, exchange: &mut Exchange, facts: &RequestFacts) -> Result<String, Error> {
        self.locate(exchange, facts).await?;
        let planned = self.planned(exchange, facts)?;
        exchange.record.provider = Some(planned.attempt.provider.slug.clone());
        if planned
            .pricing
            .as_ref()
            .is_some_and(|pricing| pricing.model.is_none())
        {
            exchange.record.flags.add(RecordFlags::UNPRICED);
        }
        exchange.pricing = planned.pricing;
        let mut reservation = reserve::reserve(exchange, facts, &planned.attempt).await?;
        reservation.mark_sent()?;
        exchange.reservation = Some(reservation);
        exchange.ending = Ending::Unknown;
        exchange.record.attempts = 1;
        Ok(planned.attempt.model)
    }
}
